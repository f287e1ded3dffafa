"""Who may do what to whom in an organization?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest

from engine.errors import AiopsError, Conflict, Invalid, NotFound, NotSignedIn, Refused, Stale
from engine.identity.actor import Actor
from engine.model.views import Paging
from engine.model.vocabulary import Outcome, Role
from engine.operations import people, sign_in, teams
from engine.storage.database import Database
from engine.storage.work import Tenant
from tests.testkit.asking import OTHER_PASSWORD, SecretStr, entered, joined_too, known, newest, somebody, text_of, written
from tests.testkit.people import HERE, Company, found_company, hire

Hire = Callable[[Role], Actor]

# who, the person's role, the role to be given, whether it happens, why
ROLE_CHANGES = [
    ("owner", "viewer", "owner", True, "an owner gives every role"),
    ("owner", "owner", "viewer", True, "and takes every role while another owner is left"),
    ("admin", "viewer", "operator", True, "an admin gives roles below the own one"),
    ("admin", "viewer", "admin", True, "and the own one"),
    ("admin", "admin", "viewer", True, "and takes it from an equal"),
    ("admin", "viewer", "owner", False, "nobody gives a role above the own one"),
    ("admin", "owner", "viewer", False, "nobody takes a role above the own one"),
    ("operator", "viewer", "viewer", False, "people are managed from admin on"),
    ("viewer", "viewer", "viewer", False, "people are managed from admin on"),
]


@pytest.mark.parametrize(("who", "role", "wanted", "happens", "why"), ROLE_CHANGES)
def test_roles_are_changed_by_rank(acme: Company, spare: Hire, who: str, role: str, wanted: str, happens: bool, why: str) -> None:
    person = spare(Role(role))
    if happens:
        assert people.change_role(acme.people[Role(who)], person.id, Role(wanted)).role == wanted, why
        return
    with pytest.raises(Refused):
        people.change_role(acme.people[Role(who)], person.id, Role(wanted))
    assert people.member(acme.owner, person.id).role == role, why


# who, the person's role, whether it happens, why
REMOVALS = [
    ("owner", "owner", True, "an owner removes another owner"),
    ("admin", "admin", True, "an admin removes an equal"),
    ("admin", "owner", False, "nobody touches a role above the own one"),
    ("operator", "viewer", False, "people are managed from admin on"),
]


@pytest.mark.parametrize(("who", "role", "happens", "why"), REMOVALS)
def test_people_are_removed_by_rank(acme: Company, spare: Hire, who: str, role: str, happens: bool, why: str) -> None:
    person = spare(Role(role))
    if happens:
        people.remove(acme.people[Role(who)], person.id)
        with pytest.raises(NotFound):
            people.member(acme.owner, person.id)
        return
    with pytest.raises(Refused):
        people.remove(acme.people[Role(who)], person.id)
    assert people.member(acme.owner, person.id).role == role, why


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OWNER])
def test_an_admin_invites_up_to_the_own_role(acme: Company, role: Role) -> None:
    if role is Role.ADMIN:
        assert people.invite(acme.admin, somebody(), role).email
        return
    with pytest.raises(Refused, match="Only an owner"):
        people.invite(acme.admin, somebody(), role)


def test_the_last_owner_can_be_neither_demoted_nor_removed(database: Database) -> None:
    owner = found_company(database, "Alone").owner
    with pytest.raises(Conflict, match="last owner"):
        people.change_role(owner, owner.id, Role.ADMIN)
    with pytest.raises(Conflict, match="last owner"):
        people.remove(owner, owner.id)
    assert people.change_role(owner, owner.id, Role.OWNER).role is Role.OWNER


@pytest.mark.parametrize("act", ["demote", "remove"])
def test_two_owners_who_turn_on_each_other_at_once_leave_one(database: Database, act: str) -> None:
    company = found_company(database, "Duel")
    duel = Barrier(2)

    def strike(me: Actor, other: Actor) -> AiopsError | None:
        duel.wait()
        try:
            people.change_role(me, other.id, Role.VIEWER) if act == "demote" else people.remove(me, other.id)
        except AiopsError as error:
            return error
        return None

    for _ in range(3):
        first, second = company.owner, hire(company.owner, Role.OWNER)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(strike, (first, second), (second, first)))
        assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
        survivor = first if results[0] is None else second
        assert [p.id for p in people.members(survivor).items if p.role is Role.OWNER] == [survivor.id]
        company.owner = survivor


def test_a_version_that_was_overtaken_changes_nothing(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    read = people.member(acme.owner, person.id)
    assert people.change_role(acme.owner, person.id, Role.OPERATOR, version=read.version).version == read.version + 1
    with pytest.raises(Stale):
        people.change_role(acme.admin, person.id, Role.ADMIN, version=read.version)
    assert people.member(acme.owner, person.id).role is Role.OPERATOR


def test_a_changed_role_counts_from_the_next_request_of_an_open_session(spare: Hire, acme: Company) -> None:
    person = spare(Role.OPERATOR)
    session = entered(person).secret
    people.change_role(acme.owner, person.id, Role.VIEWER)
    assert known(session).role is Role.VIEWER


def test_who_is_removed_is_signed_out_here_and_nowhere_else(acme: Company, beta: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    teams.set_member(acme.owner, acme.red.id, person.id, Role.OPERATOR)
    here, there = entered(person).secret, entered(joined_too(beta.owner, person)).secret
    people.remove(acme.owner, person.id)
    with pytest.raises(NotSignedIn):
        known(here)
    assert known(there).org_id == beta.id
    assert person.id not in [m.user_id for m in teams.members(acme.owner, acme.red.id).items]
    with pytest.raises(NotSignedIn):
        sign_in.sign_in(HERE, person.email, SecretStr("correct horse battery staple quietly"), acme.id)


def test_a_password_link_sets_a_password_and_ends_every_session(acme: Company, spare: Hire) -> None:
    person = spare(Role.OPERATOR)
    old = entered(person).secret
    opened = sign_in.use_link(HERE, text_of(people.password_link(acme.admin, person.id)), SecretStr(OTHER_PASSWORD))
    assert known(opened.secret).id == person.id
    assert known(opened.secret).role is Role.OPERATOR, "the role is untouched"
    with pytest.raises(NotSignedIn):
        known(old)
    with pytest.raises(NotSignedIn):
        entered(person)
    assert known(entered(person, OTHER_PASSWORD).secret).id == person.id


def test_a_password_link_is_refused_by_rank(acme: Company) -> None:
    with pytest.raises(Refused):
        people.password_link(acme.admin, acme.owner.id)


def test_a_password_link_dies_when_the_person_rises(acme: Company, spare: Hire) -> None:
    """Else an admin could keep the link of an operator, and take the account over once it is an owner's."""
    person = spare(Role.OPERATOR)
    link = text_of(people.password_link(acme.admin, person.id))
    people.change_role(acme.owner, person.id, Role.OWNER)
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, link, SecretStr(OTHER_PASSWORD))
    assert entered(person), "the password is the old one"


def test_an_account_that_is_used_elsewhere_is_not_this_organization_s_to_reset(acme: Company, beta: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    joined_too(beta.owner, person)
    with pytest.raises(Refused, match="outside your organization"):
        people.password_link(acme.owner, person.id)
    assert people.password_link(replace(acme.owner, instance_admin=True), person.id).email == person.email


def test_an_instance_administrator_is_not_one_organization_s_to_reset(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    written(Tenant(user_id=person.id), "UPDATE app_user SET instance_admin = true WHERE id = :id", id=person.id)
    with pytest.raises(Refused, match="outside your organization"):
        people.password_link(acme.owner, person.id)


def test_people_of_another_organization_do_not_exist_here(acme: Company, beta: Company) -> None:
    stranger = beta.viewer.id
    for act in (
        lambda: people.member(acme.owner, stranger),
        lambda: people.change_role(acme.owner, stranger, Role.VIEWER),
        lambda: people.remove(acme.owner, stranger),
        lambda: people.password_link(acme.owner, stranger),
        lambda: people.member(acme.owner, uuid4()),
    ):
        with pytest.raises(NotFound):
            act()
    assert people.member(beta.owner, stranger).role is Role.VIEWER
    assert stranger not in [p.id for p in people.members(acme.owner, page=Paging(limit=200)).items]


def test_people_are_found_by_words_of_name_and_address(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    assert [p.id for p in people.members(acme.viewer, words=person.email[7:15].upper()).items] == [person.id]
    assert people.members(acme.viewer, words="100%").items == (), "a wildcard is a plain character"
    view = people.members(acme.viewer, words=person.email).items[0]
    assert view.seen_at is not None and view.teams == ()


# what is typed, why it is no address
NO_ADDRESSES = [
    ("", "nothing"),
    ("plain", "no @"),
    ("a@b c", "a space"),
    ("a@b\r\nBcc: x@y.z", "a line break would reach a mail header"),
    ('"x"@example.com', "quotes"),
    ("a@" + "b" * 260 + ".c", "too long"),
]


@pytest.mark.parametrize(("typed", "why"), NO_ADDRESSES)
def test_what_is_no_address_is_said_in_words(acme: Company, typed: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        people.invite(acme.owner, typed, Role.VIEWER)
    assert [fault.field for fault in caught.value.errors] == ["email"], why


def test_a_refusal_is_audited_once_a_minute_and_counted(acme: Company, spare: Hire) -> None:
    viewer = spare(Role.VIEWER)
    for _ in range(3):
        with pytest.raises(Refused):
            people.remove(viewer, acme.viewer.id)
    entries = [e for e in newest(acme.owner, "people.remove", 50) if e.actor_name == viewer.name]
    assert {e.outcome for e in entries} == {Outcome.REFUSED}
    assert sum(e.times for e in entries) == 3
    assert len(entries) <= 2, "one a minute; a minute may end meanwhile"
    assert "permission" in entries[0].detail["reason"]
