"""Does the overview count right, over the right time, and only what its reader may see?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Invalid, NotFound
from engine.identity.actor import Actor
from engine.model.ids import floor_id
from engine.model.incidents import IncidentView
from engine.model.overview import OverviewView, SenderView
from engine.model.sources import SourceView
from engine.model.vocabulary import IncidentStatus, Role
from engine.operations import incidents, overview, sources
from engine.storage import overview as stored
from engine.storage import proof
from engine.storage.database import Database
from engine.storage.work import INSTANCE, work
from tests.testkit.asking import written
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

MINUTE = timedelta(minutes=1)
WORDS = ("critical", "error", "warning", "info", "none")


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization that has none yet."""
    return Deliveries(database, found_company(database, "Counted"))


def opened(line: Deliveries, *severities: str | None, source: SourceView | None = None) -> IncidentView:
    """An incident of a service of its own, with an alert of each severity."""
    name = f"svc-{uuid4().hex[:12]}"
    said = [alert(f"{name} {place}", severity=each, service=name) for place, each in enumerate(severities)]
    line.deliver(source or line.source(), *said)
    return line.incident_of(f"{name} 0")


def came(line: Deliveries, ago: timedelta, heard: int, firings: int = 0) -> None:
    """So much came in a minute of the past."""
    told = "INSERT INTO intake_minute VALUES (:org, :id, :source, null, 1, :heard, :firings, 0.5, 0.5)"
    values = {"org": line.company.id, "id": floor_id(datetime.now(UTC) - ago), "source": uuid4()}
    written(line.tenant, told, **values, heard=heard, firings=firings)


def numbers(view: OverviewView) -> tuple[int, int, int, int]:
    """What is open and fires now, and what came."""
    return view.open_incidents, view.firing_alerts, view.heard, view.firings


def test_before_anything_came_there_is_nothing_to_reduce_or_to_measure(line: Deliveries) -> None:
    view = overview.show(line.company.viewer)
    assert numbers(view) == (0, 0, 0, 0)
    assert (view.noise_reduction, view.acknowledged_in, view.latency, view.slowest) == (None, None, None, None)
    assert view.open_by_severity == dict.fromkeys(WORDS, 0)
    assert (view.open, view.mine, view.resolved, view.senders, view.quarantined, view.unacknowledged) == ((), (), (), (), 0, 0)
    assert (view.incidents, view.alerts_a_minute, view.firing_is_capped) == (0, 0.0, False)
    assert {(span.heard, span.firings, span.incidents) for span in view.spans} == {(0, 0, 0)}


@pytest.mark.parametrize("hours", [1, 6, 24, 168])
def test_the_range_is_told_in_equal_parts_the_oldest_first(line: Deliveries, hours: Any) -> None:
    view = overview.show(line.company.viewer, hours)
    assert view.until - view.since == timedelta(hours=hours)
    starts = [span.at for span in view.spans]
    assert (starts[0], len(starts)) == (view.since, 48)
    assert {later - earlier for earlier, later in zip(starts, starts[1:], strict=False)} == {timedelta(hours=hours) / 48}


@pytest.mark.parametrize("hours", [0, 2, -1, 10_000])
def test_other_ranges_are_refused(line: Deliveries, hours: Any) -> None:
    with pytest.raises(Invalid) as caught:
        overview.show(line.company.viewer, hours)
    assert caught.value.errors[0].field == "hours"


def test_what_is_open_is_counted_by_severity(line: Deliveries) -> None:
    first, _ = opened(line, "warning", "critical"), opened(line, "info")
    opened(line, None)
    incidents.resolve(line.company.operator, opened(line, "error").id)
    incidents.acknowledge(line.company.operator, first.id)
    view = overview.show(line.company.viewer)
    assert view.open_by_severity == dict.fromkeys(WORDS, 0) | {"critical": 1, "info": 1, "none": 1}
    assert (view.open_incidents, view.unacknowledged, view.firing_alerts) == (3, 2, 5)
    assert view.acknowledged_in is not None and timedelta(0) <= view.acknowledged_in < MINUTE


def test_noise_is_reduced_by_what_did_not_become_an_incident_of_its_own(line: Deliveries) -> None:
    source = line.source()
    view = opened(line, "critical", "warning", "info", source=source)
    line.deliver(source, alert(f"{view.services[0]} 0", service=view.services[0]) | {"annotations": {"summary": "heard again"}})
    opened(line, "error", source=source)
    told = overview.show(line.company.viewer)
    assert (told.heard, told.firings, told.incidents) == (5, 4, 2)
    assert told.noise_reduction == pytest.approx(1 - 2 / 4)
    assert told.alerts_a_minute == pytest.approx(5 / 5)
    assert [sum(getattr(span, name) for span in told.spans) for name in ("heard", "firings", "incidents")] == [5, 4, 2]


def test_noise_is_never_said_to_have_grown(line: Deliveries) -> None:
    view = opened(line, "critical", "warning")
    for place in (0, 1):
        incidents.split(line.company.operator, view.id, [line.alert(f"{view.services[0]} {place}").id])
    told = overview.show(line.company.viewer)
    assert (told.firings, told.incidents, told.noise_reduction) == (2, 3, 0.0)


# hours of the range, what was heard in it, why
RANGES: list[tuple[Any, int, str]] = [
    (1, 1, "half an hour ago"),
    (6, 11, "and five hours ago"),
    (24, 111, "and twenty hours ago"),
    (168, 1111, "and three days ago, but not ten days ago"),
]


@pytest.mark.parametrize(("hours", "heard", "why"), RANGES)
def test_what_came_is_counted_in_its_range_and_its_part(line: Deliveries, hours: Any, heard: int, why: str) -> None:
    ages = [timedelta(minutes=30), timedelta(hours=5), timedelta(hours=20), timedelta(days=3), timedelta(days=10)]
    for place, ago in enumerate(ages):
        came(line, ago, 10**place, firings=10**place)
    view = overview.show(line.company.viewer, hours)
    assert (view.heard, view.firings, view.alerts_a_minute) == (heard, heard, 0.0), why
    length = timedelta(hours=hours) / 48
    found = {span.heard: span.at for span in view.spans if span.heard}
    expected = {10**place: view.until - ago for place, ago in enumerate(ages) if ago < timedelta(hours=hours)}
    assert set(found) == set(expected)
    assert all(found[count] <= at < found[count] + length + MINUTE / 10 for count, at in expected.items())


def test_only_what_ended_in_the_range_is_told_as_ended_lately(line: Deliveries) -> None:
    old, new, open_one = opened(line, "info"), opened(line, "info"), opened(line, "info")
    for view in (old, new):
        incidents.resolve(line.company.operator, view.id)
    written(line.tenant, "UPDATE incident SET resolved_at = now() - interval '3 hours' WHERE id = :id", id=old.id)
    assert [each.id for each in overview.show(line.company.viewer, 1).resolved] == [new.id]
    assert [each.id for each in overview.show(line.company.viewer, 6).resolved] == [new.id, old.id]
    assert [each.id for each in overview.show(line.company.viewer, 1).open] == [open_one.id]


def test_the_worst_that_is_open_comes_first_and_among_those_the_newest(line: Deliveries) -> None:
    made = {name: opened(line, severity) for name, severity in (("a", "info"), ("b", "critical"), ("c", None), ("d", "critical"))}
    assert [each.id for each in overview.show(line.company.viewer).open] == [made[name].id for name in "dbac"]
    for _ in range(6):
        opened(line, "error")
    view = overview.show(line.company.viewer)
    assert (len(view.open), view.open_incidents) == (8, 10)


def test_what_waits_for_me_is_what_i_own_and_is_open(line: Deliveries) -> None:
    me, other = line.company.operator, line.company.admin
    mine, done, theirs = opened(line, "info"), opened(line, "info"), opened(line, "info")
    for view, who in ((mine, me), (done, me), (theirs, other)):
        incidents.assign(other, view.id, who.id)
    incidents.resolve(me, done.id)
    assert [each.id for each in overview.show(me).mine] == [mine.id]
    assert [each.id for each in overview.show(other).mine] == [theirs.id]


def test_how_long_deliveries_waited_is_told_as_mean_and_longest(line: Deliveries) -> None:
    now = datetime.now(UTC)
    for seconds in (10, 30):
        source = line.source()
        line.deliver(source, alert(uuid4().hex), at=now - timedelta(seconds=seconds))
    view = overview.show(line.company.viewer, 1)
    assert view.latency is not None and view.slowest is not None
    assert 20 <= view.latency.total_seconds() < 26
    assert 30 <= view.slowest.total_seconds() < 36


def test_counting_ends_at_a_limit_that_is_told(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_COUNTED", 3)
    for _ in range(3):
        opened(line, "critical")
    view = overview.show(line.company.viewer)
    assert (view.firing_alerts, view.firing_is_capped, view.open_incidents) == (3, False, 3)
    opened(line, "critical")
    view = overview.show(line.company.viewer)
    assert (view.firing_alerts, view.firing_is_capped, view.open_incidents) == (3, True, 3)


def test_the_last_proof_of_the_installation_is_told_to_everybody(line: Deliveries) -> None:
    with work(line.database, INSTANCE) as open_work:
        at = open_work.now
        proof.record(open_work, at, 0.25, "")
    view = overview.show(line.company.viewer)
    assert (view.proof_at, view.proof_seconds) == (at, pytest.approx(0.25))


# who, and how many alerts of red, blue and everybody that one sees
SEEN: list[tuple[str, int, str]] = [
    ("organization viewer", 1, "what belongs to everybody"),
    ("red viewer", 3, "and two of the own team"),
    ("blue owner", 2, "one of the own team"),
    ("organization admin", 4, "all of them"),
]


@pytest.fixture
def shared_out(line: Deliveries) -> Deliveries:
    """Two alerts of red, one of blue, one of nobody, each in an incident of its own; and a body of each that was put aside."""
    company = line.company
    for team, count in ((company.red, 2), (company.blue, 1), (None, 1)):
        source = line.source(team_id=team.id if team else None)
        for _ in range(count):
            opened(line, "critical", source=source)
        line.put_aside(source, b"{")
    return line


def person(company: Company, who: str) -> Actor:
    """Whom a row of the table names."""
    place, _, role = who.partition(" ")
    return {"organization": company.people, "red": company.red.people, "blue": company.blue.people}[place][Role(role)]


@pytest.mark.parametrize(("who", "count", "why"), SEEN)
def test_who_is_in_a_team_sees_its_numbers_and_everybodys(shared_out: Deliveries, who: str, count: int, why: str) -> None:
    me = person(shared_out.company, who)
    view = overview.show(me)
    assert numbers(view) == (count, count, count, count), why
    assert (view.unacknowledged, view.incidents, len(view.open)) == (count, count, count)
    sources_seen = {each.id for each in sources.all(me).items}
    assert {each.id for each in view.senders} == sources_seen and view.quarantined == len(sources_seen)
    pulse = overview.pulse(me)
    assert (pulse.open_incidents, pulse.critical, pulse.firing_alerts, pulse.quarantined) == (count, count, count, len(sources_seen))


def test_one_team_can_be_looked_at_alone(shared_out: Deliveries, beta: Company) -> None:
    company = shared_out.company
    assert numbers(overview.show(company.owner, team_id=company.red.id)) == (2, 2, 2, 2)
    assert numbers(overview.show(company.owner, team_id=company.blue.id)) == (1, 1, 1, 1)
    assert numbers(overview.show(company.red.people[Role.VIEWER], team_id=company.blue.id)) == (0, 0, 0, 0)
    assert len(overview.show(company.owner, team_id=company.red.id).senders) == 1
    for stranger in (uuid4(), beta.red.id):
        with pytest.raises(NotFound):
            overview.show(company.owner, team_id=stranger)


def test_another_organization_is_told_nothing(shared_out: Deliveries, database: Database) -> None:
    other = found_company(database, "Elsewhere")
    view, pulse = overview.show(other.owner, 168), overview.pulse(other.owner)
    assert (numbers(view), view.open, view.senders, view.quarantined) == ((0, 0, 0, 0), (), (), 0)
    assert (pulse.open_incidents, pulse.critical, pulse.firing_alerts, pulse.quarantined, pulse.urgent) == (0, 0, 0, 0, None)


def test_to_whom_its_leading_alert_is_foreign_an_incident_has_no_title(line: Deliveries) -> None:
    company, name = line.company, f"svc-{uuid4().hex[:12]}"
    line.deliver(line.source(team_id=company.red.id), alert(f"{name} secret", service=name))
    line.deliver(line.source(team_id=company.blue.id), alert(f"{name} other", severity="critical", service=name))
    (view,) = line.incidents()
    blue, red = (team.people[Role.VIEWER] for team in (company.blue, company.red))
    shown = overview.show(blue)
    assert [(each.title, each.services) for each in shown.open] == [(f"Incident #{view.number}", ())]
    assert name not in repr((shown, overview.pulse(blue)))
    assert name in overview.show(red).open[0].title


def test_the_pulse_names_the_newest_critical_incident_that_nobody_looks_after(line: Deliveries) -> None:
    first, second, me = opened(line, "critical"), opened(line, "critical"), line.company.operator
    opened(line, "warning")
    for expected in (second, first):
        assert (urgent := overview.pulse(me).urgent) is not None and urgent.id == expected.id
        incidents.acknowledge(me, expected.id)
    pulse = overview.pulse(me)
    assert (pulse.urgent, pulse.critical, pulse.open_incidents) == (None, 2, 3)
    incidents.change(me, first.id, status=IncidentStatus.MITIGATED)
    incidents.resolve(me, second.id)
    assert overview.pulse(me).critical == 1


def told_of(line: Deliveries, source: SourceView) -> SenderView:
    """What the overview says of a sender."""
    return next(each for each in overview.show(line.company.viewer).senders if each.id == source.id)


def test_a_sender_is_shown_as_it_is(line: Deliveries) -> None:
    source, quiet = line.source(), line.source(silent_minutes=5)
    assert (told_of(line, source).last_seen_at, told_of(line, source).failing, told_of(line, source).silent) == (None, False, False)
    line.deliver(source, alert("One"))
    written(line.tenant, "UPDATE source SET last_failure_at = now(), last_failure = 'odd' WHERE id = :id", id=source.id)
    assert told_of(line, source).failing, "the last that came of it was not understood"
    line.deliver(source, alert("Two"))
    assert not told_of(line, source).failing, "it is right again"
    written(line.tenant, "UPDATE source SET created_at = now() - interval '1 hour' WHERE id = :id", id=quiet.id)
    assert told_of(line, quiet).silent
    sources.pause(line.company.owner, quiet.id)
    assert (told_of(line, quiet).silent, told_of(line, quiet).paused, told_of(line, quiet).demo) == (False, True, False)
    assert [each.id for each in overview.show(line.company.viewer).senders] == [source.id, quiet.id], "who was heard of last comes first"
    sources.delete(line.company.owner, source.id)
    assert [each.id for each in overview.show(line.company.viewer).senders] == [quiet.id]
