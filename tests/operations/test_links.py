"""What is a one-time link good for, and how often?"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import SecretStr

from engine.errors import AiopsError, Invalid, NotFound, NotSignedIn, TooMany
from engine.identity import throttle
from engine.identity.actor import Request
from engine.model.vocabulary import LinkKind, Role
from engine.operations import people, sign_in, teams, tokens
from engine.operations.tries import count_tries
from tests.testkit.asking import entered, known, newest, somebody, text_of, written
from tests.testkit.people import HERE, PASSWORD, Company, hire

RIGHT = SecretStr(PASSWORD)


def test_an_invitation_makes_an_account_with_its_role(acme: Company) -> None:
    email = somebody()
    opened = sign_in.use_link(HERE, text_of(people.invite(acme.admin, email.upper(), Role.OPERATOR)), RIGHT, "Olga Orloff")
    me = known(opened.secret)
    assert (me.name, me.email, me.role, me.org_id) == ("Olga Orloff", email, Role.OPERATOR, acme.id)
    entry = newest(acme.owner, "sign_in.use_link")[0]
    assert (entry.actor_name, entry.target, entry.address) == ("Olga Orloff", "invitation", HERE.address)


def test_a_link_is_used_once(acme: Company) -> None:
    link = text_of(people.invite(acme.owner, somebody(), Role.VIEWER))
    sign_in.use_link(HERE, link, RIGHT)
    with pytest.raises(NotFound, match="Ask for a fresh one"):
        sign_in.use_link(HERE, link, RIGHT)


def test_a_link_that_is_used_twice_at_the_same_moment_is_used_once(acme: Company) -> None:
    link, together = text_of(people.invite(acme.owner, somebody(), Role.VIEWER)), Barrier(2)

    def use(_: int) -> str:
        together.wait()
        try:
            sign_in.use_link(HERE, link, RIGHT)
        except AiopsError as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) == ["NotFound", "in"]


@pytest.mark.parametrize("table", ["link", "token_directory"])
def test_a_link_expires(acme: Company, table: str) -> None:
    made = people.invite(acme.owner, somebody(), Role.VIEWER)
    column = "id" if table == "link" else "token_id"
    written(acme.owner, f"UPDATE {table} SET expires_at = now() - interval '1 second' WHERE {column} = :id", id=made.id)
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, text_of(made), RIGHT)


def test_a_withdrawn_link_is_useless_and_cannot_be_withdrawn_again(acme: Company) -> None:
    made = people.invite(acme.owner, somebody(), Role.VIEWER)
    people.withdraw(acme.admin, made.id)
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, text_of(made), RIGHT)
    with pytest.raises(NotFound):
        people.withdraw(acme.admin, made.id)


def test_a_used_link_cannot_be_withdrawn_and_a_foreign_one_does_not_exist(acme: Company, beta: Company) -> None:
    used, foreign = people.invite(acme.owner, somebody(), Role.VIEWER), people.invite(beta.owner, somebody(), Role.VIEWER)
    sign_in.use_link(HERE, text_of(used), RIGHT)
    for id in (used.id, foreign.id):
        with pytest.raises(NotFound):
            people.withdraw(acme.owner, id)
    assert sign_in.read_link(HERE, text_of(foreign)).organization == "Beta"


def test_open_invitations_are_listed_without_their_secrets(acme: Company) -> None:
    open_one, used = people.invite(acme.owner, somebody(), Role.VIEWER), people.invite(acme.owner, somebody(), Role.VIEWER)
    sign_in.use_link(HERE, text_of(used), RIGHT)
    listed = people.invitations(acme.admin).items
    assert open_one.id in [link.id for link in listed] and used.id not in [link.id for link in listed]
    assert text_of(open_one).get_secret_value() not in repr(listed)
    assert text_of(open_one).get_secret_value() not in repr(open_one), "not even the fresh one shows it by accident"


def test_a_link_says_what_it_is_for(acme: Company, beta: Company) -> None:
    fresh, again = somebody(), beta.viewer.email
    for email, has_account in ((fresh, False), (again, True)):
        purpose = sign_in.read_link(HERE, text_of(people.invite(acme.owner, email, Role.VIEWER)))
        assert (purpose.kind, purpose.email, purpose.organization) == (LinkKind.INVITATION, email, "Acme")
        assert purpose.has_account is has_account


def test_who_has_an_account_proves_it_by_its_password(acme: Company, beta: Company) -> None:
    person = hire(beta.owner, Role.VIEWER)
    link = text_of(people.invite(acme.owner, person.email, Role.OPERATOR))
    with pytest.raises(NotSignedIn):
        sign_in.use_link(HERE, link, SecretStr("somebody else's guess"))
    opened = sign_in.use_link(HERE, link, RIGHT, "Another Name")
    me = known(opened.secret)
    assert (me.id, me.name, me.role, me.org_id) == (person.id, person.name, Role.OPERATOR, acme.id)
    assert known(entered(person).secret).role is Role.VIEWER, "the other organization is as before"


def test_guessing_the_password_by_a_link_is_throttled_like_a_sign_in(acme: Company, beta: Company, nearby: Request) -> None:
    person = hire(beta.owner, Role.VIEWER)
    link = text_of(people.invite(acme.owner, person.email, Role.VIEWER))
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            sign_in.use_link(nearby, link, SecretStr("a guess"))
    with pytest.raises(TooMany):
        sign_in.use_link(nearby, link, RIGHT)


def test_a_team_s_invitation_gives_the_role_in_the_team_and_a_viewer_s_place_in_the_organization(acme: Company) -> None:
    link = people.invite(acme.owner, somebody(), Role.ADMIN, acme.red.id)
    me = known(sign_in.use_link(HERE, text_of(link), RIGHT).secret)
    assert (me.role, me.teams) == (Role.VIEWER, {acme.red.id: Role.ADMIN})
    teams.remove_member(acme.owner, acme.red.id, me.id)


def test_a_member_who_uses_an_invitation_keeps_the_role(acme: Company) -> None:
    person = hire(acme.owner, Role.OPERATOR)
    for role, team_id in ((Role.ADMIN, None), (Role.VIEWER, acme.blue.id)):
        me = known(sign_in.use_link(HERE, text_of(people.invite(acme.owner, person.email, role, team_id)), RIGHT).secret)
        assert me.role is Role.OPERATOR
    assert me.teams == {acme.blue.id: Role.VIEWER}
    teams.remove_member(acme.owner, acme.blue.id, me.id)


def test_an_invitation_to_a_foreign_team_is_not_made(acme: Company, beta: Company) -> None:
    with pytest.raises(NotFound):
        people.invite(acme.owner, somebody(), Role.VIEWER, beta.red.id)


def test_a_weak_password_is_refused_in_words_and_the_link_still_works(acme: Company) -> None:
    link = text_of(people.invite(acme.owner, somebody(), Role.VIEWER))
    with pytest.raises(Invalid) as caught:
        sign_in.use_link(HERE, link, SecretStr("short"))
    assert "12 characters" in caught.value.errors[0].message
    assert sign_in.use_link(HERE, link, RIGHT)


def test_a_link_is_no_api_token_and_an_api_token_is_no_link(acme: Company) -> None:
    link, token = text_of(people.invite(acme.owner, somebody(), Role.VIEWER)), tokens.create(acme.owner, "ci", Role.ADMIN).secret
    with pytest.raises(NotSignedIn):
        sign_in.by_token(HERE, link)
    for attempt in (lambda: sign_in.read_link(HERE, token), lambda: sign_in.use_link(HERE, token, RIGHT)):
        with pytest.raises(NotFound):
            attempt()


def test_a_password_link_of_somebody_who_left_sets_nothing(acme: Company, beta: Company) -> None:
    person = hire(acme.owner, Role.VIEWER)
    link = text_of(people.password_link(acme.owner, person.id))
    there = hire(beta.owner, Role.VIEWER)
    people.remove(acme.owner, person.id)
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, link, SecretStr("violet harbour tangent mosaic eleven"))
    assert there.email != person.email


def test_looking_for_links_is_throttled_by_address(nearby: Request) -> None:
    for _ in range(60):
        count_tries(throttle.token(nearby.address))
    for nonsense in ("x", "aio_abcdefgh_" + "x" * 43):
        with pytest.raises(TooMany):
            sign_in.read_link(nearby, SecretStr(nonsense))
