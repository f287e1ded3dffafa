"""Is every act recorded, and every refusal?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from engine.errors import Conflict, Invalid, Refused, Unavailable
from engine.identity.actor import Actor, Request
from engine.model.sources import SourceView
from engine.model.vocabulary import ImportKind, ListPage, Outcome, Permission, Role
from engine.operations import (
    alerts,
    audit,
    bulk,
    definitions,
    demo,
    imports,
    incidents,
    intake,
    jobs,
    organizations,
    people,
    profile,
    provisioning,
    quarantine,
    rules,
    saved_views,
    sessions,
    silences,
    sources,
    teams,
    tokens,
)
from engine.operations.door import OPERATIONS, Runtime, install, runtime, tenant_of
from engine.storage.database import Database
from engine.storage.jobs import Errand, enqueue
from engine.storage.work import work
from tests.testkit.asking import OTHER_PASSWORD, entered, joined_too, known, newest, somebody, written
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import PASSWORD, Company, hire

HIDDEN = (PASSWORD, OTHER_PASSWORD, "link=")


@dataclass(frozen=True)
class Scene:
    """Who acts, on whom, and where."""

    company: Company
    other: Company
    me: Actor
    person: Actor

    def team(self) -> UUID:
        return teams.create(self.company.owner, f"team {uuid4().hex}").id

    def team_of_person(self) -> UUID:
        team_id = self.team()
        teams.set_member(self.company.owner, team_id, self.person.id, Role.VIEWER)
        return team_id

    def job(self) -> UUID:
        with work(runtime().database, tenant_of(self.company.owner)) as open_work:
            return enqueue(open_work, Errand("probe", {}))

    def source(self) -> SourceView:
        return Deliveries.by(self.company.owner).source()

    def alert(self) -> tuple[UUID, UUID, int]:
        return Deliveries.by(self.company.owner).fire()

    def view(self) -> UUID:
        return saved_views.save(self.me, ListPage.ALERTS, f"view {uuid4().hex}").id

    def rule(self) -> UUID:
        return definitions.create(self.company.owner, "rule", ruled()).id

    def silence(self) -> UUID:
        return silences.create(self.company.owner, SILENCE).id

    def without_senders(self) -> Actor:
        written(self.company.owner, "UPDATE source SET deleted_at = now() WHERE deleted_at IS NULL AND NOT demo")
        return self.me

    def fresh_session(self) -> Actor:
        return known(entered(self.me).secret)


SILENCE = {
    "matchers": [{"name": "service", "value": "x"}],
    "starts": "2026-01-01T00:00:00",
    "ends": "2126-01-01T00:00:00",
    "comment": "quiet",
}


def ruled() -> dict[str, object]:
    """A rule that holds of nothing here."""
    return {"name": uuid4().hex, "when": {"field": "title", "value": "nothing has this title"}, "then": {"suppress": True}}


# One act for every operation that changes something. A new operation needs its line.
ACTS: dict[str, Callable[[Scene], object]] = {
    "audit.request_verification": lambda s: audit.request_verification(s.me),
    "bulk.incidents": lambda s: bulk.incidents(s.me, [s.alert()[1]], "acknowledge"),
    "demo.prepare": lambda s: demo.prepare(s.me),
    "demo.start": lambda s: demo.start(s.without_senders()),
    "demo.remove": lambda s: demo.remove(s.me),
    "jobs.cancel": lambda s: jobs.cancel(s.me, s.job()),
    "organizations.create": lambda s: organizations.create(replace(s.me, instance_admin=True), "Another", somebody()),
    "organizations.rename": lambda s: organizations.rename(s.me, s.company.name),
    "people.change_role": lambda s: people.change_role(s.me, s.person.id, Role.OPERATOR),
    "people.invite": lambda s: people.invite(s.me, somebody(), Role.VIEWER),
    "people.password_link": lambda s: people.password_link(s.me, s.person.id),
    "people.remove": lambda s: people.remove(s.me, s.person.id),
    "people.withdraw": lambda s: people.withdraw(s.me, people.invite(s.company.owner, somebody(), Role.VIEWER).id),
    "profile.change": lambda s: profile.change(s.me, name="Another Name"),
    "profile.change_password": lambda s: profile.change_password(s.me, SecretStr(PASSWORD), SecretStr(OTHER_PASSWORD)),
    "sessions.end": lambda s: sessions.end(s.me, [uuid4()]),
    "sessions.end_everywhere": lambda s: sessions.end_everywhere(s.me),
    "sessions.sign_out": lambda s: sessions.sign_out(s.fresh_session()),
    "sessions.switch": lambda s: sessions.switch(s.fresh_session(), joined_too(s.other.owner, s.me).org_id),
    "teams.create": lambda s: teams.create(s.me, f"team {uuid4().hex}"),
    "teams.delete": lambda s: teams.delete(s.me, s.team()),
    "teams.remove_member": lambda s: teams.remove_member(s.me, s.team_of_person(), s.person.id),
    "teams.rename": lambda s: teams.rename(s.me, s.team(), f"team {uuid4().hex}"),
    "teams.set_member": lambda s: teams.set_member(s.me, s.team(), s.person.id, Role.ADMIN),
    "tokens.create": lambda s: tokens.create(s.me, "program", Role.VIEWER),
    "tokens.revoke": lambda s: tokens.revoke(s.me, [uuid4()]),
    "alerts.acknowledge": lambda s: alerts.acknowledge(s.me, [s.alert()[0]]),
    "alerts.delete": lambda s: alerts.delete(s.me, [s.alert()[0]]),
    "alerts.resolve": lambda s: alerts.resolve(s.me, [s.alert()[0]]),
    "incidents.acknowledge": lambda s: incidents.acknowledge(s.me, s.alert()[1]),
    "incidents.assign": lambda s: incidents.assign(s.me, s.alert()[1], s.person.id),
    "incidents.change": lambda s: incidents.change(s.me, s.alert()[1], title="Shop is down"),
    "incidents.comment": lambda s: incidents.comment(s.me, s.alert()[1], "hello"),
    "incidents.merge": lambda s: incidents.merge(s.me, s.alert()[1], [s.alert()[1]]),
    "incidents.move": lambda s: incidents.move(s.me, s.alert()[1], [s.alert()[0]]),
    "incidents.reopen": lambda s: incidents.reopen(s.me, incidents.resolve(s.company.owner, s.alert()[1]).id),
    "incidents.resolve": lambda s: incidents.resolve(s.me, s.alert()[1]),
    "incidents.split": lambda s: incidents.split(s.me, (made := s.alert())[1], [made[0]]),
    "intake.send_test": lambda s: intake.send_test(s.me, s.source().id),
    "provisioning.apply": lambda s: provisioning.apply(s.me, [f"team {uuid4().hex}"], []),
    "quarantine.discard": lambda s: quarantine.discard(s.me, [uuid4()]),
    "quarantine.replay": lambda s: quarantine.replay(s.me, [uuid4()]),
    "quarantine.replay_all": lambda s: quarantine.replay_all(s.me),
    "saved_views.save": lambda s: saved_views.save(s.me, ListPage.INCIDENTS, f"view {uuid4().hex}"),
    "saved_views.delete": lambda s: saved_views.delete(s.me, s.view()),
    "sources.change": lambda s: sources.change(s.me, s.source().id, name=uuid4().hex),
    "sources.create": lambda s: sources.create(s.me, "heartbeat", uuid4().hex),
    "sources.delete": lambda s: sources.delete(s.me, s.source().id),
    "sources.pause": lambda s: sources.pause(s.me, s.source().id),
    "sources.rotate": lambda s: sources.rotate(s.me, s.source().id),
    "definitions.create": lambda s: definitions.create(s.me, "rule", ruled()),
    "definitions.change": lambda s: definitions.change(s.me, "rule", s.rule(), ruled()),
    "definitions.enable": lambda s: definitions.enable(s.me, "rule", s.rule(), enabled=False),
    "definitions.delete": lambda s: definitions.delete(s.me, "rule", s.rule()),
    "definitions.roll_back": lambda s: definitions.roll_back(s.me, "rule", s.rule(), 1),
    "definitions.move": lambda s: definitions.move(s.me, s.rule()),
    "rules.request_dry_run": lambda s: rules.request_dry_run(s.me, ruled()),
    "imports.take": lambda s: imports.take(s.me, ImportKind.AMTOOL_SILENCES, "[]"),
    "silences.create": lambda s: silences.create(s.me, SILENCE),
    "silences.change": lambda s: silences.change(s.me, s.silence(), SILENCE),
    "silences.extend": lambda s: silences.extend(s.me, s.silence(), datetime(2126, 2, 1, tzinfo=UTC)),
    "silences.end": lambda s: silences.end(s.me, s.silence()),
}


def test_every_operation_that_changes_something_has_an_act_below() -> None:
    assert set(ACTS) == {name for name, operation in OPERATIONS.items() if not operation.reads}


@pytest.mark.parametrize("name", ACTS)
def test_an_act_leaves_an_entry_that_says_who_what_and_whence(name: str, acme: Company, beta: Company, nearby: Request) -> None:
    me = _named(hire(acme.owner, Role.OWNER).on(nearby))
    ACTS[name](Scene(acme, beta, me, hire(acme.owner, Role.VIEWER)))
    entry = next(e for e in newest(acme.owner, name) if e.actor_name == me.name)
    assert entry.outcome is Outcome.DONE
    if name not in ("sessions.sign_out", "sessions.switch"):  # these act in a session that was opened from elsewhere
        assert (entry.address, entry.trace_id) == (nearby.address, nearby.trace_id)
    assert not any(hidden in repr(entry) for hidden in HIDDEN)


_REFUSABLE = [name for name in ACTS if OPERATIONS[name].permission is not Permission.PROFILE and name != "organizations.create"]


@pytest.mark.parametrize("name", _REFUSABLE)
def test_a_refused_act_changes_nothing_and_leaves_an_entry(name: str, acme: Company, beta: Company) -> None:
    me = _named(hire(acme.owner, Role.VIEWER))
    asked = me if not OPERATIONS[name].team else replace(me, role=Role.ADMIN, scopes=frozenset({Permission.VIEW}))
    with pytest.raises(Refused):
        ACTS[name](Scene(acme, beta, asked, hire(acme.owner, Role.VIEWER)))
    mine = [e for e in newest(acme.owner, limit=10) if e.actor_name == me.name and e.operation != "profile.change"]
    assert [(e.operation, e.outcome) for e in mine] == [(name, Outcome.REFUSED)]


def _named(person: Actor) -> Actor:
    """The person under a name that nobody else in the record has."""
    return replace(person, name=profile.change(person, name=f"Nadia {uuid4().hex}").name)


def test_reading_is_not_recorded(acme: Company) -> None:
    before = audit.search(acme.owner).total
    people.members(acme.viewer)
    teams.all(acme.viewer)
    audit.verify(acme.owner)
    assert audit.search(acme.owner).total == before


def test_the_record_is_for_admins_and_of_the_own_organization(acme: Company, beta: Company) -> None:
    with pytest.raises(Refused):
        audit.search(acme.operator)
    teams.create(beta.owner, f"secret {uuid4().hex}")
    assert not any("secret" in entry.target for entry in audit.search(acme.owner).items)
    assert "teams.create" in audit.operations_seen(acme.admin)


def test_the_record_is_searched_by_words_outcome_and_time(acme: Company) -> None:
    name = f"team {uuid4().hex}"
    teams.create(acme.admin, name)
    (entry,) = audit.search(acme.owner, words=f"{name[5:15]} create").items
    assert audit.search(acme.owner, words=name, outcome=Outcome.REFUSED).items == ()
    assert audit.search(acme.owner, words=name, since=entry.at).items == (entry,)
    assert audit.search(acme.owner, words=name, until=entry.at).items == ()
    with pytest.raises(Invalid):
        audit.search(acme.owner, since=entry.at.replace(tzinfo=None))
    assert audit.verify(acme.owner).intact


# An Idempotency-Key, at the door: whoever calls, REST or not.
def test_a_repeated_request_happens_once_and_is_answered_the_same(acme: Company) -> None:
    me, name = acme.owner.on(Request(idempotency_key=uuid4().hex)), f"team {uuid4().hex}"
    first = teams.create(me, name)
    assert teams.create(me, name) == first
    assert len([e for e in newest(acme.owner, "teams.create", 20) if e.target == name]) == 1


def test_a_key_is_of_one_request_of_one_caller(acme: Company) -> None:
    request = Request(idempotency_key=uuid4().hex)
    teams.create(acme.owner.on(request), f"team {uuid4().hex}")
    with pytest.raises(Conflict, match="another request"):
        teams.create(acme.owner.on(request), f"team {uuid4().hex}")
    assert teams.create(acme.admin.on(request), f"team {uuid4().hex}"), "somebody else's key is another key"


def test_a_key_of_a_failed_request_is_free_again(acme: Company) -> None:
    me, name = acme.owner.on(Request(idempotency_key=uuid4().hex)), f"team {uuid4().hex}"
    taken = teams.create(acme.owner, name)
    with pytest.raises(Conflict, match="already"):
        teams.create(me, name)
    teams.delete(acme.owner, taken.id)
    assert teams.create(me, name).name == name


def test_a_secret_is_not_kept_to_be_answered_again(acme: Company) -> None:
    me = acme.owner.on(Request(idempotency_key=uuid4().hex))
    tokens.create(me, "program", Role.VIEWER)
    with pytest.raises(Conflict, match="shown only once"):
        tokens.create(me, "program", Role.VIEWER)


def test_a_database_that_is_away_is_said_so_and_nothing_is_changed(acme: Company, database: Database) -> None:
    away = Database(
        database.url.set(host="127.0.0.1", port=9).difference_update_query(["host"]), pool_size=2, statement_timeout_ms=500, name="x"
    )
    here = runtime()
    install(Runtime(away, here.life, here.public_url, here.local_url, here.data_dir, here.version, here.vault))
    with pytest.raises(Unavailable, match="nothing was changed"):
        teams.all(acme.owner)
    away.close()
