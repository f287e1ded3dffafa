"""Does a request with an Idempotency-Key happen once, however often it is sent?"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from engine.errors import Conflict, Refused
from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import organizations, people, teams, tokens
from engine.storage import replays
from engine.storage.database import Database
from engine.storage.work import Tenant, work
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, Company, found_company


@pytest.fixture(scope="module")
def database(shared: TestDatabase, scratch: Path) -> Database:
    """The application's pool, with the door open."""
    shared.open_door(scratch)
    return shared.database


@pytest.fixture(scope="module")
def acme(database: Database) -> Company:
    """An organization, for all tests of this module."""
    return found_company(database, "Acme")


@pytest.fixture
def payments() -> str:
    """A name that no team has yet."""
    return f"Payments {uuid4().hex}"


def once(actor: Actor, key: str | None = None) -> Actor:
    """The same actor, sending a key; a fresh one if it does not matter which."""
    return actor.on(replace(HERE, idempotency_key=key or uuid4().hex))


def names(company: Company) -> list[str]:
    """The teams there are."""
    return [team.name for team in teams.all(company.owner).items]


def test_the_same_request_gets_the_same_answer_and_happens_once(acme: Company, payments: str) -> None:
    sender = once(acme.owner)
    first = teams.create(sender, payments)
    assert teams.create(sender, payments) == first, "without the key: Conflict, the name is taken"
    assert names(acme).count(payments) == 1


def test_eight_at_once_get_one_answer(acme: Company, payments: str) -> None:
    sender = once(acme.owner)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: teams.create(sender, payments), range(8)))
    assert len(set(answers)) == 1
    assert names(acme).count(payments) == 1


def test_an_answer_of_nothing_is_an_answer(acme: Company) -> None:
    sender = once(acme.owner)
    team = teams.create(acme.owner, "Short-lived")
    assert teams.delete(sender, team.id) is None
    assert teams.delete(sender, team.id) is None, "without the key: NotFound"


def test_a_replay_is_not_audited_again(database: Database, acme: Company, payments: str) -> None:
    sender = once(acme.owner)
    for _ in range(3):
        teams.create(sender, payments)
    with work(database, Tenant(acme.id)) as open_work:
        count = text("SELECT count(*) FROM audit WHERE operation = 'teams.create' AND target = :name")
        entries = open_work.session.execute(count, {"name": payments})
        assert entries.scalar_one() == 1


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (lambda actor, name: teams.create(actor, "Billing"), "other arguments"),
        (lambda actor, name: organizations.rename(actor, name), "another operation with the same arguments"),
    ],
    ids=["arguments", "operation"],
)
def test_a_key_used_for_another_request_is_a_conflict(acme: Company, payments: str, other: object, why: str) -> None:
    sender = once(acme.owner)
    teams.create(sender, payments)
    with pytest.raises(Conflict, match="used for another request"):
        other(sender, payments)  # pyright: ignore
    assert "Billing" not in names(acme), why


def test_arguments_that_are_left_out_and_those_that_are_empty_are_the_same_request(acme: Company, payments: str) -> None:
    sender = once(acme.owner)
    team = teams.create(acme.owner, payments)
    assert teams.rename(sender, team.id, f"{payments} renamed") == teams.rename(sender, team.id, name=f"{payments} renamed", version=None)


@pytest.mark.parametrize("make", [
    lambda actor: tokens.create(actor, "ci", Role.VIEWER),
    lambda actor: people.invite(actor, "new@example.com", Role.VIEWER),
], ids=["token", "link"])  # fmt: skip
def test_an_answer_with_a_secret_is_not_kept_and_not_given_twice(database: Database, acme: Company, make: object) -> None:
    sender = once(acme.owner)
    make(sender)  # pyright: ignore
    with pytest.raises(Conflict, match="shown only once"):
        make(sender)  # pyright: ignore
    with work(database, Tenant(acme.id)) as open_work:
        kept = open_work.session.execute(
            text("SELECT answer FROM idempotency_key WHERE key = :key"), {"key": sender.request.idempotency_key}
        )
        assert kept.scalars().all() == [None]
    assert len(tokens.all(acme.owner).items) <= 1


def test_a_key_is_its_senders_own(acme: Company, beta: Company) -> None:
    made = {teams.create(once(who, "k1"), name).id for who, name in [(acme.owner, "Mine"), (acme.admin, "Hers"), (beta.owner, "Mine")]}
    assert len(made) == 3


def test_a_request_that_failed_may_be_sent_again_with_its_key(acme: Company, payments: str) -> None:
    sender, taken = once(acme.owner), teams.create(acme.owner, payments)
    with pytest.raises(Conflict, match="already"):
        teams.create(sender, payments)
    teams.delete(acme.owner, taken.id)
    assert teams.create(sender, payments).id != taken.id


def test_who_may_not_any_more_gets_no_kept_answer(acme: Company, payments: str) -> None:
    sender = once(acme.admin)
    teams.create(sender, payments)
    with pytest.raises(Refused):
        teams.create(replace(sender, role=Role.VIEWER), payments)


def test_a_key_is_forgotten_after_its_day(database: Database, acme: Company) -> None:
    teams.create(once(acme.owner, "old"), "A")
    teams.create(once(acme.owner, "new"), "B")
    with work(database, Tenant(acme.id)) as open_work:
        open_work.session.execute(text("UPDATE idempotency_key SET created_at = now() - interval '25 hours' WHERE key = 'old'"))
        assert replays.forget_old(open_work) == 1
        left = set(open_work.session.execute(text("SELECT key FROM idempotency_key")).scalars())
        assert left & {"old", "new"} == {"new"}
    assert replays.KEPT == timedelta(days=1)
