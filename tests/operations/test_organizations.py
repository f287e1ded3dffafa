"""How do further organizations come, and what is worked on in one?"""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.identity.actor import Actor
from engine.model.vocabulary import ActorKind, JobState, Role
from engine.operations import audit, jobs, organizations, people, profile, sessions, sign_in
from engine.operations.door import runtime, tenant_of
from engine.storage.jobs import Errand, enqueue
from engine.storage.work import work
from tests.testkit.asking import known, newest, somebody, written
from tests.testkit.people import HERE, PASSWORD, Company

Hire = Callable[[Role], Actor]


def _administrator(of: Company) -> Actor:
    return replace(of.owner, instance_admin=True)


def _link(made: organizations.NewOrganization) -> SecretStr:
    assert made.owner_link is not None
    return SecretStr(made.owner_link.get_secret_value().partition("link=")[2])


def test_an_administrator_makes_an_organization_for_somebody_else(acme: Company) -> None:
    email = somebody()
    made = organizations.create(_administrator(acme), "Gamma", email)
    me = known(sign_in.use_link(HERE, _link(made), SecretStr(PASSWORD), "Gama").secret)
    assert (me.org_id, me.role, me.email, me.instance_admin) == (made.id, Role.OWNER, email, False)
    assert people.members(me).total == 1
    assert newest(acme.owner, "organizations.create")[0].target == "Gamma"


def test_an_administrator_makes_an_organization_to_own(spare: Hire) -> None:
    person = replace(spare(Role.VIEWER), instance_admin=True)
    made = organizations.create(person, "Delta")
    assert made.owner_link is None
    assert ("Delta", Role.OWNER) in [(o.name, o.role) for o in profile.show(person).organizations]
    assert known(sessions.switch(person, made.id).secret).role is Role.OWNER


def test_nobody_else_makes_one_whatever_the_role(acme: Company) -> None:
    with pytest.raises(Refused):
        organizations.create(acme.owner, "Mine", somebody())


def test_a_program_has_to_name_the_owner(acme: Company) -> None:
    with pytest.raises(Invalid) as caught:
        organizations.create(replace(_administrator(acme), kind=ActorKind.SYSTEM), "Nobody's")
    assert caught.value.errors[0].field == "owner"


def test_only_an_owner_renames_an_organization(acme: Company, beta: Company) -> None:
    with pytest.raises(Refused):
        organizations.rename(acme.admin, "Acne")
    assert organizations.rename(acme.owner, "Acme & Sons").name == "Acme & Sons"
    entry = newest(acme.owner, "organizations.rename")[0]
    assert (entry.target, entry.detail["before"]) == ("Acme & Sons", "Acme")
    organizations.rename(acme.owner, "Acme")
    assert profile.show(beta.owner).organizations[0].name == "Beta"


def _job(acme: Company, team_id: UUID | None = None) -> UUID:
    with work(runtime().database, tenant_of(acme.owner)) as open_work:
        return enqueue(open_work, Errand("probe", {"n": 1}, team_id=team_id, created_by="a test"))


# who looks, which team's job, whether it is seen, why
SEEN = [
    ("organization viewer", None, True, "what is no team's is everybody's"),
    ("organization viewer", "red", False, "what is a team's is the team's"),
    ("red viewer", "red", True, "the team's own"),
    ("red owner", "blue", False, "another team's"),
    ("organization admin", "blue", True, "an admin sees every team"),
]


@pytest.mark.parametrize(("who", "team", "is_seen", "why"), SEEN)
def test_a_job_is_seen_by_its_team(acme: Company, who: str, team: str | None, is_seen: bool, why: str) -> None:
    place, _, role = who.partition(" ")
    me = (acme.people if place == "organization" else acme.red.people)[Role(role)]
    id = _job(acme, getattr(acme, team).id if team else None)
    assert (id in [job.id for job in jobs.newest(me, kind="probe").items]) is is_seen, why
    if is_seen:
        assert jobs.show(me, id).created_by == "a test"
        return
    with pytest.raises(NotFound):
        jobs.show(me, id)


def test_a_job_of_another_organization_does_not_exist(acme: Company, beta: Company) -> None:
    id = _job(acme)
    for ask in (jobs.show, jobs.cancel):
        with pytest.raises(NotFound):
            ask(beta.owner, id)
    assert jobs.show(acme.owner, id).state is JobState.WAITING


def test_a_waiting_job_is_cancelled_at_once_and_only_once(acme: Company) -> None:
    id = _job(acme)
    with pytest.raises(Refused):
        jobs.cancel(acme.operator, id)
    assert jobs.cancel(acme.admin, id).state is JobState.CANCELLED
    with pytest.raises(Conflict, match="cancelled"):
        jobs.cancel(acme.admin, id)


def test_a_running_job_is_asked_to_end(acme: Company) -> None:
    id = _job(acme)
    written(acme.owner, "UPDATE job SET state = 'running' WHERE id = :id", id=id)
    assert jobs.cancel(acme.admin, id).state is JobState.RUNNING


def test_a_verification_is_asked_for_as_a_job(acme: Company) -> None:
    asked = audit.request_verification(acme.admin)
    assert (asked.kind, asked.state, asked.created_by) == (audit.VERIFY_JOB, JobState.WAITING, acme.admin.name)
