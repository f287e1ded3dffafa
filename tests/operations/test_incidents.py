"""What do people do about a problem, and what is told of it afterwards?"""

from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Conflict, Invalid, NotFound, Stale
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Severity
from engine.operations import alerts, incidents, sources
from tests.operations.troubles import counts, ids_of, named, opened, told
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company, found_company

Kind = IncidentEntryKind


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


def test_nothing_is_found_by_another_organization(line: Deliveries, beta: Company) -> None:
    view = opened(line)
    for look in (incidents.show, incidents.members, incidents.timeline, incidents.acknowledge, incidents.resolve, incidents.reopen):
        with pytest.raises(NotFound):
            look(beta.owner, view.id)
    with pytest.raises(NotFound):
        incidents.merge(line.company.owner, view.id, [opened(Deliveries(line.database, beta)).id])
    assert view.id not in {each.id for each in incidents.search(beta.owner, page=ALL).items}
