"""What do people do about a problem, and what is told of it afterwards?"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.errors import Conflict, Invalid, NotFound, Refused, Stale
from engine.identity.actor import Actor
from engine.model.incidents import IncidentView
from engine.model.views import Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Role, Severity
from engine.operations import alerts, incidents, sources, teams
from engine.storage.database import Database
from tests.testkit.asking import entered, known
from tests.testkit.clock import moment
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company, found_company

Kind = IncidentEntryKind


@pytest.fixture(scope="module")
def company(shared: TestDatabase, scratch: Path) -> Company:
    """An organization whose incidents are counted here, and nowhere else."""
    shared.open_door(scratch)
    return found_company(shared.database, "Troubled")


@pytest.fixture
def line(database: Database, company: Company) -> Deliveries:
    """The way of alerts in that organization."""
    return Deliveries(database, company)


def opened(line: Deliveries, *severities: str | None, team_id: UUID | None = None, service: str = "") -> IncidentView:
    """An incident of a service of its own, with an alert of each severity: `<service> 0`, `<service> 1` and so on."""
    name = service or f"svc-{uuid4().hex[:12]}"
    said = [alert(f"{name} {place}", severity=each, service=name) for place, each in enumerate(severities or ("critical",))]
    line.deliver(line.source(team_id=team_id), *said)
    return line.incident_of(f"{name} 0")


def named(view: IncidentView) -> str:
    """The service that an incident is about."""
    return view.services[0]


def ids_of(line: Deliveries, view: IncidentView, *places: int) -> list[UUID]:
    """The alerts of an incident by their places."""
    return [line.alert(f"{named(view)} {place}").id for place in places]


def told(who: Actor, view: IncidentView) -> list[Kind]:
    """The kinds of lines of a timeline, the oldest first."""
    return [entry.kind for entry in incidents.timeline(who, view.id, page=ALL).items]


def counts(who: Actor, view: IncidentView) -> tuple[int, int]:
    """How many alerts it has, and how many of them fire."""
    now = incidents.show(who, view.id)
    return now.alerts, now.open_alerts


def test_alerts_of_a_service_open_one_incident_that_is_as_bad_as_the_worst(line: Deliveries) -> None:
    view = opened(line, "warning", "critical", None)
    assert (view.status, view.severity, view.alerts, view.open_alerts) == (IncidentStatus.DETECTED, Severity.CRITICAL, 3, 3)
    assert view.title == f"{named(view)}: {named(view)} 0"
    members = incidents.members(line.company.viewer, view.id).items
    assert {each.title for each in members} == {f"{named(view)} {place}" for place in range(3)}
    assert all(0 < each.score <= 1 and each.reason and each.left_at is None for each in members)
    assert incidents.numbered(line.company.viewer, view.number) == incidents.show(line.company.viewer, view.id)


def test_the_life_of_an_incident_is_in_its_timeline_from_the_first_to_the_last(line: Deliveries) -> None:
    view, me = opened(line, "warning"), line.company.operator
    assert incidents.acknowledge(me, view.id, "on it").status is IncidentStatus.INVESTIGATING
    incidents.assign(me, view.id, line.company.admin.id)
    incidents.comment(me, view.id, "It is the disk.")
    incidents.change(me, view.id, title="Disk of db-1", severity=Severity.CRITICAL, status=IncidentStatus.ROOT_CAUSE_FOUND)
    incidents.resolve(me, view.id, cause="full disk", resolution="bigger disk")
    done = incidents.show(line.company.viewer, view.id)
    assert (done.status, done.resolved_by, done.cause, done.resolution) == (IncidentStatus.RESOLVED, me.name, "full disk", "bigger disk")
    assert (done.owner_id, done.owner_name, done.title) == (line.company.admin.id, line.company.admin.name, "Disk of db-1")
    again = incidents.reopen(me, view.id)
    assert (again.status, again.resolved_at, again.resolved_by, again.reopened) == (IncidentStatus.INVESTIGATING, None, None, 1)
    assert told(line.company.viewer, view) == [
        *(Kind.OPENED, Kind.ALERT_JOINED, Kind.ACKNOWLEDGED, Kind.ASSIGNED, Kind.COMMENT),
        *(Kind.EDITED, Kind.SEVERITY, Kind.STATUS, Kind.RESOLVED, Kind.REOPENED),
    ]
    lines = incidents.timeline(line.company.viewer, view.id).items
    assert [entry.at for entry in lines] == sorted(entry.at for entry in lines)
    assert {entry.actor_name for entry in lines[2:]} == {me.name}
    assert "on it" in lines[2].said and "full disk" in lines[8].said
    comments = incidents.timeline(line.company.viewer, view.id, kind=[Kind.COMMENT]).items
    assert [entry.said for entry in comments] == ["It is the disk."]


def test_a_long_timeline_is_read_in_parts(line: Deliveries) -> None:
    view = opened(line)
    for place in range(7):
        incidents.comment(line.company.operator, view.id, f"comment {place}")
    whole = incidents.timeline(line.company.viewer, view.id, page=ALL).items
    assert len(whole) == 9
    for newest, expected in ((False, whole), (True, whole[::-1])):
        first = incidents.timeline(line.company.viewer, view.id, newest=newest, page=Paging(limit=4))
        rest = incidents.timeline(line.company.viewer, view.id, newest=newest, page=Paging(limit=200, cursor=first.next_cursor))
        assert (*first.items, *rest.items) == expected


def test_the_newest_comments_are_read_first_on_demand(line: Deliveries) -> None:
    view = opened(line)
    for text in ("one", "two"):
        incidents.comment(line.company.operator, view.id, text)
    said = incidents.timeline(line.company.viewer, view.id, kind=[Kind.COMMENT], newest=True).items
    assert [entry.said for entry in said] == ["two", "one"]


def test_some_incidents_are_shown_in_the_order_they_are_named(line: Deliveries, beta: Company) -> None:
    made = [opened(line) for _ in range(3)]
    strange = opened(Deliveries(line.database, beta))
    named_so = [made[2].id, uuid4(), made[0].id, strange.id, made[2].id, made[1].id]
    found = incidents.those(line.company.viewer, named_so)
    assert found == tuple(incidents.show(line.company.viewer, made[place].id) for place in (2, 0, 1))
    assert incidents.those(beta.owner, [view.id for view in made]) == ()
    for ids in ([], [uuid4() for _ in range(201)]):
        with pytest.raises(Invalid):
            incidents.those(line.company.viewer, ids)


def test_incidents_are_found_by_whether_somebody_looks_after_them_and_since_when(line: Deliveries) -> None:
    older = opened(line)
    incidents.acknowledge(line.company.operator, older.id)
    newer = opened(line)
    for which, ids in (({"acknowledged": True}, {older.id}), ({"acknowledged": False}, {newer.id})):
        found = {each.id for each in incidents.search(line.company.viewer, **which, page=ALL).items}
        assert found & {older.id, newer.id} == ids
    assert {each.id for each in incidents.search(line.company.viewer, since=newer.opened_at).items} == {newer.id}
    with pytest.raises(Invalid):
        incidents.search(line.company.viewer, since=newer.opened_at.replace(tzinfo=None))


def test_who_acknowledged_first_stays(line: Deliveries) -> None:
    view = opened(line)
    incidents.acknowledge(line.company.operator, view.id)
    assert incidents.acknowledge(line.company.owner, view.id).acknowledged_by == line.company.operator.name
    assert told(line.company.viewer, view).count(Kind.ACKNOWLEDGED) == 1


def test_an_incident_that_is_worked_on_already_is_not_moved_back_by_an_acknowledgement(line: Deliveries) -> None:
    view = opened(line)
    incidents.change(line.company.operator, view.id, status=IncidentStatus.MITIGATED)
    assert incidents.acknowledge(line.company.operator, view.id).status is IncidentStatus.MITIGATED


def test_acknowledging_an_alert_acknowledges_its_incident(line: Deliveries) -> None:
    view = opened(line, "critical", "warning")
    alerts.acknowledge(line.company.operator, ids_of(line, view, 1))
    now = incidents.show(line.company.viewer, view.id)
    assert (now.status, now.acknowledged_by) == (IncidentStatus.INVESTIGATING, line.company.operator.name)
    assert told(line.company.viewer, view)[-1] is Kind.ACKNOWLEDGED


def test_a_severity_set_by_hand_stays_until_it_is_automatic_again(line: Deliveries) -> None:
    view, me = opened(line, "warning"), line.company.operator
    by_hand = incidents.change(me, view.id, severity=Severity.INFO)
    assert (by_hand.severity, by_hand.severity_by) == (Severity.INFO, me.name)
    worse = alert(f"{named(view)} 1", severity="critical", service=named(view))
    line.deliver(line.source(), worse)
    assert incidents.show(me, view.id).severity is Severity.INFO
    automatic = incidents.change(me, view.id, severity="automatic")
    assert (automatic.severity, automatic.severity_by) == (Severity.CRITICAL, None)


# what is asked of a resolved incident, why it cannot be
AFTER: list[tuple[str, str]] = [
    ("acknowledge", "nobody needs to look after it"),
    ("resolve", "it is resolved already"),
    ("merge", "nothing is put into what is over"),
    ("move", "nothing is put into what is over"),
]


@pytest.mark.parametrize(("act", "why"), AFTER)
def test_what_is_over_must_be_reopened_first(line: Deliveries, act: str, why: str) -> None:
    view, other, me = opened(line), opened(line), line.company.operator
    incidents.resolve(me, view.id)
    asked: dict[str, Any] = {"merge": [[other.id]], "move": [ids_of(line, other, 0)]}
    with pytest.raises(Conflict, match="reopen it first"):
        getattr(incidents, act)(me, view.id, *asked.get(act, []))
    assert counts(me, other) == (1, 1), why


def test_what_is_open_cannot_be_reopened(line: Deliveries) -> None:
    view = opened(line)
    with pytest.raises(Conflict, match="open already"):
        incidents.reopen(line.company.operator, view.id)


def test_resolving_and_reopening_are_acts_of_their_own(line: Deliveries) -> None:
    view, me = opened(line), line.company.operator
    with pytest.raises(Invalid) as caught:
        incidents.change(me, view.id, status=IncidentStatus.RESOLVED)
    assert caught.value.errors[0].field == "status"
    incidents.resolve(me, view.id)
    with pytest.raises(Invalid):
        incidents.change(me, view.id, status=IncidentStatus.MITIGATED)


def test_resolving_an_incident_leaves_its_alerts_as_their_senders_say(line: Deliveries) -> None:
    view = opened(line)
    incidents.resolve(line.company.operator, view.id)
    assert line.alert(f"{named(view)} 0").status == "firing"
    assert counts(line.company.viewer, view) == (1, 1)


def test_a_version_that_was_overtaken_changes_nothing(line: Deliveries) -> None:
    view, me = opened(line), line.company.operator
    changed = incidents.change(me, view.id, title="First", version=view.version)
    assert changed.version > view.version
    with pytest.raises(Stale):
        incidents.change(me, view.id, title="Second", severity=Severity.INFO, version=view.version)
    now = incidents.show(me, view.id)
    assert (now.title, now.severity, now.version) == ("First", Severity.CRITICAL, changed.version)
    assert told(me, view)[-1] is Kind.EDITED


def test_what_is_delivered_meanwhile_does_not_make_a_person_s_change_stale(line: Deliveries) -> None:
    view = opened(line, "warning")
    line.deliver(line.source(), alert(f"{named(view)} 1", severity="critical", service=named(view)))
    assert incidents.change(line.company.operator, view.id, title="Mine", version=view.version).title == "Mine"


def test_a_change_that_changes_nothing_tells_nothing(line: Deliveries) -> None:
    view, me = opened(line), line.company.operator
    before = told(me, view)
    incidents.change(me, view.id, title=view.title, status=view.status)
    assert told(me, view) == before


def test_an_owner_is_somebody_of_the_organization(line: Deliveries, beta: Company) -> None:
    view, me = opened(line), line.company.operator
    for stranger in (uuid4(), beta.viewer.id):
        with pytest.raises(NotFound, match="no such person"):
            incidents.assign(me, view.id, stranger)
    incidents.assign(me, view.id, line.company.viewer.id)
    assert {each.id for each in incidents.search(me, owner_id=line.company.viewer.id).items} == {view.id}
    nobody = incidents.assign(me, view.id)
    assert (nobody.owner_id, nobody.owner_name) == (None, None)


def test_merging_puts_every_alert_into_one_and_resolves_the_others_as_merged(line: Deliveries) -> None:
    to, one, two, me = opened(line, "warning"), opened(line, "critical", "info"), opened(line, "error"), line.company.operator
    merged = incidents.merge(me, to.id, [one.id, two.id, to.id, one.id])
    assert (merged.alerts, merged.open_alerts, merged.severity) == (4, 4, Severity.CRITICAL)
    for other in (one, two):
        now = incidents.show(me, other.id)
        assert (now.status, now.merged_into, now.alerts, now.open_alerts) == (IncidentStatus.RESOLVED, to.id, 0, 0)
        assert told(me, other)[-1] is Kind.MERGED
        with pytest.raises(Conflict, match="merged"):
            incidents.reopen(me, other.id)
        assert all(each.left_at for each in incidents.members(me, other.id).items)
    assert line.incident_of(f"{named(one)} 1").id == to.id
    assert Kind.MERGED in told(me, to) and Kind.ALERT_MOVED in told(me, to)
    assert incidents.show(me, to.id).version > to.version


def test_what_is_merged_goes_on_where_it_went(line: Deliveries) -> None:
    to, gone, me = opened(line, "warning"), opened(line, "critical"), line.company.operator
    incidents.merge(me, to.id, [gone.id])
    member = line.alert(f"{named(gone)} 0")
    line.deliver(sources.show(line.company.owner, member.source_id), alert(member.title, service=named(gone), over=True))
    assert counts(me, to) == (2, 1)
    assert incidents.show(me, to.id).severity is Severity.WARNING
    assert counts(me, gone) == (0, 0)


def test_an_incident_is_not_merged_with_nothing(line: Deliveries) -> None:
    view, me = opened(line), line.company.operator
    with pytest.raises(Invalid) as caught:
        incidents.merge(me, view.id, [view.id])
    assert caught.value.errors[0].field == "ids"
    with pytest.raises(NotFound):
        incidents.merge(me, view.id, [uuid4()])


def test_splitting_takes_some_alerts_into_an_incident_of_their_own(line: Deliveries) -> None:
    view, me = opened(line, "critical", "warning", "info"), line.company.operator
    made = incidents.split(me, view.id, ids_of(line, view, 0))
    assert (made.alerts, made.open_alerts, made.severity, made.status) == (1, 1, Severity.CRITICAL, IncidentStatus.DETECTED)
    assert made.number > view.number and made.title == f"{named(view)} 0"
    left = incidents.show(me, view.id)
    assert (left.alerts, left.open_alerts, left.severity) == (2, 2, Severity.WARNING)
    assert line.incident_of(f"{named(view)} 0").id == made.id
    assert Kind.SPLIT in told(me, made) and Kind.ALERT_MOVED in told(me, view)
    reasons = {each.left_at is None: each.reason for each in incidents.members(me, view.id).items}
    assert reasons[True] and reasons[False]
    with pytest.raises(Invalid) as caught:
        incidents.split(me, view.id, ids_of(line, view, 0))
    assert caught.value.errors[0].field == "alert_ids", "it is not there any more"


def test_moving_puts_alerts_where_a_person_knows_better(line: Deliveries) -> None:
    to, origin, me = opened(line, "info"), opened(line, "critical", "warning"), line.company.operator
    moved = incidents.move(me, to.id, ids_of(line, origin, 0))
    assert (moved.alerts, moved.open_alerts, moved.severity) == (2, 2, Severity.CRITICAL)
    assert counts(me, origin) == (1, 1)
    assert incidents.show(me, origin.id).severity is Severity.WARNING
    (reason,) = [each.reason for each in incidents.members(me, to.id).items if each.title == f"{named(origin)} 0"]
    assert me.name in reason
    decisions = [each.decision for each in alerts.explain(me, ids_of(line, origin, 0)[0]).reasons if each.stage == "correlate"]
    assert decisions == [f"in incident #{to.number}", f"was in incident #{origin.number}"]
    incidents.move(me, to.id, ids_of(line, origin, 0))
    assert counts(me, to) == (2, 2), "twice is once"
    with pytest.raises(Invalid):
        incidents.move(me, to.id, [uuid4()])


def test_an_incident_that_has_lost_every_alert_counts_none(line: Deliveries) -> None:
    to, origin, me = opened(line), opened(line), line.company.operator
    incidents.move(me, to.id, ids_of(line, origin, 0))
    assert counts(me, origin) == (0, 0)


def test_numbers_are_of_the_organization_and_without_a_gap(line: Deliveries, beta: Company) -> None:
    first, second = opened(line), opened(line)
    assert second.number == first.number + 1
    other = Deliveries(line.database, found_company(line.database, "Elsewhere"))
    assert opened(other).number == 1
    with pytest.raises(NotFound):
        incidents.numbered(beta.owner, first.number)


# who, what comes of acting on an incident of team red, why
ACTING: list[tuple[str, type[Exception] | None, str]] = [
    ("organization admin", None, "an admin sees and does everything"),
    ("red operator", None, "who responds in the team"),
    ("red viewer", Refused, "who only looks"),
    ("organization operator", NotFound, "who is not in the team does not even see it"),
    ("blue owner", NotFound, "nor does another team"),
]


@pytest.mark.parametrize(("who", "fault", "why"), ACTING)
def test_an_incident_is_acted_on_by_who_may(line: Deliveries, who: str, fault: type[Exception] | None, why: str) -> None:
    place, _, role = who.partition(" ")
    company = line.company
    me = {"organization": company.people, "red": company.red.people, "blue": company.blue.people}[place][Role(role)]
    view = opened(line, "critical", "warning", team_id=company.red.id)
    acts = (
        lambda: incidents.acknowledge(me, view.id),
        lambda: incidents.assign(me, view.id, me.id),
        lambda: incidents.comment(me, view.id, "mine"),
        lambda: incidents.change(me, view.id, title="mine"),
        lambda: incidents.split(me, view.id, ids_of(line, view, 1)),
        lambda: incidents.resolve(me, view.id),
        lambda: incidents.reopen(me, view.id),
    )
    before = told(company.owner, view)
    for act in acts:
        if fault:
            with pytest.raises(fault):
                act()
        else:
            act()
    assert (told(company.owner, view) == before) is (fault is not None), why


def mixed(line: Deliveries) -> IncidentView:
    """An incident of an alert of red, which leads it, and a worse one of blue."""
    company, name = line.company, f"svc-{uuid4().hex[:12]}"
    opened(line, "warning", team_id=company.red.id, service=name)
    line.deliver(line.source(team_id=company.blue.id), alert(f"{name} secret", severity="critical", service=name))
    return line.incident_of(f"{name} 0")


def test_of_an_alert_of_another_team_only_the_team_is_told(line: Deliveries) -> None:
    view, blue, red = mixed(line), line.company.blue.people[Role.VIEWER], line.company.red.people[Role.VIEWER]
    name = named(view)
    assert (view.alerts, view.severity) == (2, Severity.CRITICAL)
    foreign = [each for each in incidents.members(red, view.id).items if each.alert_id is None]
    (told_of,) = foreign
    assert told_of.title == f"1 alert of team {line.company.blue.name}"
    assert (told_of.severity, told_of.status, told_of.reason) == (None, None, "")
    seen_by_blue = incidents.show(blue, view.id)
    assert (seen_by_blue.title, seen_by_blue.services, seen_by_blue.grouped_by) == (f"Incident #{view.number}", (), "")
    assert incidents.those(blue, [view.id]) == (seen_by_blue,)
    assert incidents.those(line.company.viewer, [view.id]) == (), "who is in neither team is not told that it exists"
    shown = (seen_by_blue, incidents.members(blue, view.id), incidents.search(blue, page=ALL), incidents.timeline(blue, view.id))
    assert f"{name} 0" not in repr(shown), "the title of its leading alert is hidden"
    assert f"{name} secret" not in repr((incidents.members(red, view.id), incidents.timeline(red, view.id, page=ALL)))
    assert (seen_by_blue.alerts, seen_by_blue.open_alerts) == (2, 2), "how many there are is no secret"


def test_an_incident_is_not_found_by_words_that_are_hidden(line: Deliveries) -> None:
    view = mixed(line)
    blue = line.company.blue.people[Role.VIEWER]
    assert {each.id for each in incidents.search(line.company.owner, q=named(view)).items} == {view.id}
    assert incidents.search(blue, q=named(view)).total == 0, "what is found by a word has the word in it"


def test_a_title_given_by_hand_is_for_everybody_who_sees_the_incident(line: Deliveries) -> None:
    view = mixed(line)
    incidents.change(line.company.admin, view.id, title="Database is away")
    assert incidents.show(line.company.blue.people[Role.VIEWER], view.id).title == "Database is away"


def test_acting_on_the_own_alerts_leaves_those_of_other_teams_counted(line: Deliveries) -> None:
    view, operator = mixed(line), line.company.red.people[Role.OPERATOR]
    made = incidents.split(operator, view.id, ids_of(line, view, 0))
    left = incidents.show(line.company.owner, view.id)
    assert (left.alerts, left.open_alerts, left.severity) == (1, 1, Severity.CRITICAL), "the alert of blue fires on"
    assert counts(line.company.owner, made) == (1, 1)


def test_who_only_looks_in_another_team_does_not_split_its_alerts_off(line: Deliveries) -> None:
    company = line.company
    me = company.red.people[Role.OPERATOR]
    teams.set_member(company.owner, company.blue.id, me.id, Role.VIEWER)
    view = mixed(line)
    try:
        both = known(entered(me).secret)
        with pytest.raises((Refused, Invalid)):
            incidents.split(both, view.id, [line.alert(f"{named(view)} secret").id])
        assert counts(company.owner, view) == (2, 2)
    finally:
        teams.remove_member(company.owner, company.blue.id, me.id)


def test_merging_what_is_partly_unseen_leaves_no_firing_alert_in_what_is_resolved(line: Deliveries) -> None:
    view, to = mixed(line), opened(line, "info", team_id=line.company.red.id)
    operator = line.company.red.people[Role.OPERATOR]
    try:
        incidents.merge(operator, to.id, [view.id])
    except (Refused, Conflict):
        return
    left = incidents.show(line.company.owner, view.id)
    assert left.open_alerts == 0 or left.status is not IncidentStatus.RESOLVED
    assert line.incident_of(f"{named(view)} secret").status is not IncidentStatus.RESOLVED


def test_nothing_is_found_by_another_organization(line: Deliveries, beta: Company) -> None:
    view = opened(line)
    for look in (incidents.show, incidents.members, incidents.timeline, incidents.acknowledge, incidents.resolve, incidents.reopen):
        with pytest.raises(NotFound):
            look(beta.owner, view.id)
    with pytest.raises(NotFound):
        incidents.merge(line.company.owner, view.id, [opened(Deliveries(line.database, beta)).id])
    assert view.id not in {each.id for each in incidents.search(beta.owner, page=ALL).items}


# the query, whether the incident is found, why
QUERIES: list[tuple[dict[str, Any], bool, str]] = [
    ({"open": True}, True, "it goes on"),
    ({"open": False}, False, "it is not over"),
    ({"status": [IncidentStatus.DETECTED, IncidentStatus.MITIGATED]}, True, "one of several states"),
    ({"status": [IncidentStatus.MITIGATED]}, False, "another state"),
    ({"severity": ["error"]}, True, "its severity"),
    ({"severity": ["critical", "none"]}, False, "another severity"),
    ({"environment": "staging"}, True, "its environment"),
    ({"environment": "production"}, False, "another environment"),
    ({"q": "SOUGHT"}, True, "a word of its title, in any case"),
    ({"q": "sought missing"}, False, "every word must be there"),
    ({"q": "100%_"}, False, "signs of a pattern are signs"),
    ({"service": "sought-service"}, True, "a service of its alerts"),
    ({"service": "sought"}, False, "exactly that service"),
    ({"acknowledged": False}, True, "nobody looks after it"),
    ({"acknowledged": True}, False, "somebody looks after it"),
    ({"since": moment() - timedelta(hours=1)}, True, "opened since then"),
    ({"since": moment() + timedelta(hours=1)}, False, "opened later than it was"),
]


@pytest.fixture(scope="module")
def sought(shared: TestDatabase, scratch: Path, company: Company) -> IncidentView:
    """An incident to be found."""
    shared.open_door(scratch)
    line = Deliveries(shared.database, company)
    line.deliver(line.source(), alert("Sought thing", severity="error", service="sought-service", environment="staging"))
    return line.incident_of("Sought thing")


@pytest.mark.parametrize(("which", "is_found", "why"), QUERIES)
def test_incidents_are_found_by_what_is_asked_for(
    line: Deliveries, sought: IncidentView, which: dict[str, Any], is_found: bool, why: str
) -> None:
    found = incidents.search(line.company.viewer, **which, page=ALL).items
    assert (sought.id in {each.id for each in found}) is is_found, why


@pytest.mark.parametrize("sort", ["opened_at", "-opened_at", "severity", "-severity", "number", "-number"])
def test_a_cursor_walks_through_all_of_them(line: Deliveries, sort: Any) -> None:
    for severity in ("critical", "info", None, "warning", "critical", "error", "info"):
        opened(line, severity)
    whole = incidents.search(line.company.owner, sort=sort, page=ALL).items
    walked: list[IncidentView] = []
    cursor: str | None = None
    while not walked or cursor is not None:
        page = incidents.search(line.company.owner, sort=sort, page=Paging(cursor=cursor, limit=3))
        walked += page.items
        cursor = page.next_cursor
    assert tuple(walked) == whole and len(whole) > 6
