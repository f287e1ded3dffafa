"""Who may do what in a team?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest

from engine.errors import AiopsError, Conflict, Invalid, NotFound, Refused, Stale
from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import teams
from tests.testkit.people import Company

Hire = Callable[[Role], Actor]

# who, which team, what comes of managing its members, why
MANAGING = [
    ("red owner", "red", None, "an owner of a team manages its members"),
    ("red owner", "blue", NotFound, "and does not even see another team"),
    ("red admin", "red", Refused, "members are the team's owner's to manage"),
    ("red viewer", "red", Refused, "members are the team's owner's to manage"),
    ("organization admin", "red", None, "an admin of the organization manages every team"),
    ("organization operator", "red", NotFound, "an operator sees the own teams only"),
]


def _person(acme: Company, who: str) -> Actor:
    place, _, role = who.partition(" ")
    return (acme.people if place == "organization" else acme.red.people)[Role(role)]


@pytest.mark.parametrize(("who", "which", "fault", "why"), MANAGING)
def test_members_are_managed_by_who_may(acme: Company, spare: Hire, who: str, which: str, fault: type[AiopsError] | None, why: str) -> None:
    me, person, team = _person(acme, who), spare(Role.VIEWER), getattr(acme, which)
    acts = (
        lambda: teams.set_member(me, team.id, person.id, Role.OPERATOR),
        lambda: teams.set_member(me, team.id, person.id, Role.OWNER),
        lambda: teams.remove_member(me, team.id, person.id),
    )
    for act in acts:
        if fault:
            with pytest.raises(fault):
                act()
        else:
            act()
    assert person.id not in [m.user_id for m in teams.members(acme.owner, team.id).items], why


def test_a_team_s_owner_may_rename_it_but_neither_make_nor_delete_one(acme: Company) -> None:
    boss = acme.red.people[Role.OWNER]
    assert teams.rename(boss, acme.red.id, "Acme crimson").name == "Acme crimson"
    teams.rename(boss, acme.red.id, acme.red.name)
    with pytest.raises(Refused):
        teams.create(boss, "Mine")
    with pytest.raises(Refused):
        teams.delete(boss, acme.red.id)


def test_a_name_is_taken_whatever_its_case(acme: Company) -> None:
    made = teams.create(acme.admin, "Платежи")
    with pytest.raises(Conflict, match="Choose another name"):
        teams.create(acme.admin, "ПЛАТЕЖИ")
    with pytest.raises(Conflict):
        teams.rename(acme.admin, acme.red.id, "платежи")
    assert teams.rename(acme.admin, made.id, "ПЛАТЕЖИ").name == "ПЛАТЕЖИ", "a team may change the case of its own name"
    teams.delete(acme.admin, made.id)
    with pytest.raises(NotFound):
        teams.show(acme.admin, made.id)


def test_a_name_that_two_give_at_the_same_moment_is_given_once(acme: Company) -> None:
    together, name = Barrier(4), f"team {uuid4().hex}"

    def give(_: int) -> str:
        together.wait()
        try:
            teams.create(acme.owner, name)
        except AiopsError as error:
            return type(error).__name__
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(give, range(4))) == ["Conflict", "Conflict", "Conflict", "made"]


def test_two_organizations_may_use_the_same_name(acme: Company, beta: Company) -> None:
    name = f"same {uuid4().hex}"
    assert teams.create(acme.owner, name).id != teams.create(beta.owner, name).id


def test_a_version_that_was_overtaken_changes_nothing(acme: Company) -> None:
    made = teams.create(acme.owner, f"team {uuid4().hex}")
    assert teams.rename(acme.owner, made.id, f"{made.name} 2", version=made.version).version == made.version + 1
    with pytest.raises(Stale):
        teams.rename(acme.admin, made.id, f"{made.name} 3", version=made.version)


def test_everybody_in_the_organization_sees_the_names_of_teams(acme: Company) -> None:
    assert len([*acme.red.people.values()]) == 4 and acme.blue.id
    listed = {t.id: t for t in teams.all(acme.viewer).items}
    assert listed[acme.red.id].members == 4 and acme.blue.id in listed
    assert len(teams.members(acme.viewer, acme.red.id).items) == 4


def test_a_foreign_team_does_not_exist(acme: Company, beta: Company) -> None:
    foreign, me = beta.red.id, acme.viewer.id
    for who in (acme.owner, acme.viewer, acme.red.people[Role.OWNER]):
        for act in (
            lambda who=who: teams.show(who, foreign),
            lambda who=who: teams.members(who, foreign),
            lambda who=who: teams.rename(who, foreign, "Taken over"),
            lambda who=who: teams.set_member(who, foreign, me, Role.OWNER),
            lambda who=who: teams.remove_member(who, foreign, beta.red.people[Role.VIEWER].id),
        ):
            with pytest.raises(NotFound):
                act()
    with pytest.raises(NotFound):
        teams.delete(acme.owner, foreign)
    assert teams.show(beta.owner, foreign).name == beta.red.name
    assert foreign not in [t.id for t in teams.all(acme.owner).items]


def test_only_people_of_the_organization_can_be_members(acme: Company, beta: Company) -> None:
    for stranger in (beta.viewer.id, uuid4()):
        with pytest.raises(NotFound, match="no such person"):
            teams.set_member(acme.owner, acme.red.id, stranger, Role.VIEWER)
    with pytest.raises(NotFound, match="not in the team"):
        teams.remove_member(acme.owner, acme.red.id, acme.viewer.id)


# the name, why it is none
NO_NAMES = [
    ("", "empty"),
    ("   ", "blank"),
    ("x" * 101, "longer than a row of a table"),
    ("a\nb", "a line break"),
    ("a\x00b", "a NUL, which PostgreSQL cannot hold"),
    ("a\x1b[31mb", "an escape sequence, which a terminal would obey"),
]


@pytest.mark.parametrize(("name", "why"), NO_NAMES)
def test_what_is_no_name_is_refused(acme: Company, name: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        teams.create(acme.owner, name)
    assert [fault.field for fault in caught.value.errors] == ["name"], why
