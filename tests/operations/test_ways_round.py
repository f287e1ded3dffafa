"""Ways round the rules that were found, and are closed."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from pydantic import SecretStr

from engine.api.edge import RateLimiter
from engine.errors import Invalid, NotFound, NotSignedIn, Refused, TooMany
from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Permission, Role
from engine.operations import audit, callers, jobs, people, sessions, sign_in, teams, tokens
from engine.storage.database import Database
from tests.testkit.asking import joined_too
from tests.testkit.people import HERE, PASSWORD, Company

Hire = Callable[[Role], Actor]


def token_of(owner: Actor, **more: object) -> Actor:
    """A program with a token of the owner's role."""
    made = tokens.create(owner, f"token {uuid4().hex[:8]}", Role.OWNER, **more)
    return callers.by_token(HERE, made.secret.get_secret_value())


def secret_of(link: people.NewLink) -> SecretStr:
    """The secret in a one-time link."""
    return SecretStr(link.url.get_secret_value().partition("link=")[2])


def test_more_unknown_tokens_at_once_than_there_are_connections_hold_nobody_up(database: Database) -> None:
    """Counting a try beside an open transaction once took a second connection of the same pool."""

    def attempt(number: int) -> str:
        try:
            sign_in.by_token(Request(address=f"203.0.113.{number}"), SecretStr(f"aio_abcdefgh_{'x' * 43}"))
        except (NotSignedIn, TooMany) as error:
            return type(error).__name__
        return "let in"

    began = time.monotonic()
    with ThreadPoolExecutor(30) as pool:
        assert set(pool.map(attempt, range(60))) == {"NotSignedIn"}
    assert time.monotonic() - began < 4, "nobody waited for a connection until it was given up"


def test_made_up_credentials_of_one_address_cost_bounded_memory() -> None:
    limiter = RateLimiter(10)
    for number in range(500):
        try:
            limiter.count("198.51.100.9", {"cookie": f"made-up={number}"})  # pyright: ignore[reportArgumentType]
        except TooMany:
            continue
    assert len(limiter._limiter.storage.storage) <= 10 * 10 + 1  # pyright: ignore


def test_a_bulk_act_takes_so_many_ids_and_no_more(acme: Company) -> None:
    with pytest.raises(Invalid):
        sessions.end(acme.viewer, [uuid4() for _ in range(201)])


def test_a_token_that_is_cut_down_makes_nobody_mightier(acme: Company) -> None:
    program = token_of(acme.owner, scopes=[Permission.MANAGE_PEOPLE])
    for act in (
        lambda: people.invite(program, "mine@example.com", Role.OWNER),
        lambda: people.change_role(program, acme.viewer.id, Role.ADMIN),
        lambda: people.password_link(program, acme.viewer.id),
    ):
        with pytest.raises(Refused):
            act()


def test_a_token_that_ends_makes_none_that_lives_longer(acme: Company) -> None:
    program = token_of(acme.owner, expires_in_days=2)
    assert tokens.create(program, "shorter", Role.VIEWER, expires_in_days=1).expires_at
    for days in (None, 3):
        with pytest.raises(Refused, match="outlives"):
            tokens.create(program, "longer", Role.VIEWER, expires_in_days=days)


def test_a_password_link_is_useless_once_the_account_is_used_elsewhere_too(acme: Company, beta: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    link = people.password_link(acme.admin, person.id)
    joined_too(beta.owner, person)
    with pytest.raises(NotFound, match="elsewhere"):
        sign_in.use_link(HERE, secret_of(link), SecretStr("a quiet harbour with nine cranes"))
    assert sign_in.sign_in(HERE, person.email, SecretStr(PASSWORD)).user_id == person.id


def test_who_is_removed_does_not_come_back_by_an_old_invitation(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    kept = people.invite(acme.owner, person.email, Role.ADMIN)
    people.remove(acme.owner, person.id)
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, secret_of(kept), SecretStr(PASSWORD))


def test_a_person_is_shown_alike_in_the_list_and_alone(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    teams.set_member(acme.owner, acme.red.id, person.id, Role.VIEWER)
    listed = next(row for row in people.members(acme.owner, person.email).items if row.id == person.id)
    assert people.member(acme.owner, person.id) == listed
    assert people.change_role(acme.owner, person.id, Role.OPERATOR).teams == listed.teams == (acme.red.name,)


def test_a_job_that_tells_of_the_audit_log_is_seen_by_who_may_see_that(acme: Company) -> None:
    job = audit.request_verification(acme.admin)
    assert jobs.show(acme.admin, job.id).id == job.id
    assert job.id in {row.id for row in jobs.newest(acme.admin).items}
    assert job.id not in {row.id for row in jobs.newest(acme.viewer).items}
    with pytest.raises(NotFound):
        jobs.show(acme.viewer, job.id)
