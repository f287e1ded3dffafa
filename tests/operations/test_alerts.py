"""How is an alert found, what is told of it, and what may be done about it?"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.errors import Invalid, NotFound, Refused
from engine.identity.actor import Actor
from engine.model.alerts import AlertView
from engine.model.views import Paging
from engine.model.vocabulary import AlertEntryKind, AlertStatus, IdentityBy, IncidentStatus, Role, Severity
from engine.operations import alerts, incidents
from engine.storage.database import Database
from tests.testkit.clock import moment
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company, found_company

FIELDS = ("alertname", "severity", "service", "environment", "instance", "team", "zone")
# What is there to be found: name, severity, service, environment, instance, team, zone
THERE = [
    ("DiskFull", "critical", "shop", "production", "db-1", "dba", "eu"),
    ("DiskSlow", "warning", "shop", "production", "db-2", "dba", "us"),
    ("CpuHigh", "error", "search", "staging", "web-1", "", ""),
    ("Odd Ünïcode näme", "info", "search", "staging", "web-2", "", "eu.west"),
    ("Quiet", "", "mail", "", "", "", ""),
]
NAMES = {name for name, *_ in THERE}


@pytest.fixture(scope="module")
def company(shared: TestDatabase, scratch: Path) -> Company:
    """An organization whose alerts are counted here, and nowhere else."""
    shared.open_door(scratch)
    return found_company(shared.database, "Watched")


@pytest.fixture(scope="module")
def there(shared: TestDatabase, scratch: Path, company: Company) -> Deliveries:
    """The alerts of the table; the last two are over, and in the history."""
    shared.open_door(scratch)
    line = Deliveries(shared.database, company)
    source = line.source()
    for ended in (False, True):
        for place, (name, severity, *labels) in enumerate(THERE):
            said = {label: value for label, value in zip(FIELDS[2:], labels, strict=True) if value}
            if not ended or place >= 3:
                line.deliver(source, alert(name, severity=severity or None, over=ended, **said))
    line.check(moment() + timedelta(hours=2))
    return line


@pytest.fixture
def line(database: Database, company: Company, there: Deliveries) -> Iterator[Deliveries]:
    """The way of alerts in that organization; what a test delivers, it deletes."""
    before = {each.id for each in there.alerts()}
    yield there
    gone = [each.id for each in there.alerts() if each.id not in before]
    for start in range(0, len(gone), 200):
        alerts.delete(company.owner, gone[start : start + 200])


def titles(who: Actor, **which: Any) -> set[str]:
    """What is found."""
    return {each.title for each in alerts.search(who, **({"page": ALL} | which)).items}


# the query, what it finds, why
QUERIES: list[tuple[dict[str, Any], set[str], str]] = [
    ({}, NAMES, "live ones and those of the history"),
    ({"status": AlertStatus.FIRING}, {"DiskFull", "DiskSlow", "CpuHigh"}, "what goes on"),
    ({"status": AlertStatus.RESOLVED}, {"Odd Ünïcode näme", "Quiet"}, "what is over"),
    ({"severity": ["critical", "error"]}, {"DiskFull", "CpuHigh"}, "one of several severities"),
    ({"severity": ["none"]}, {"Quiet"}, "a severity that is not stated"),
    ({"severity": ["none", "info"]}, {"Quiet", "Odd Ünïcode näme"}, "not stated, or a stated one"),
    ({"service": "shop"}, {"DiskFull", "DiskSlow"}, "a service"),
    ({"service": "SHOP"}, set(), "exactly as it is written"),
    ({"environment": "staging"}, {"CpuHigh", "Odd Ünïcode näme"}, "an environment"),
    ({"resource": "db-1"}, {"DiskFull"}, "a resource"),
    ({"team": "dba", "service": "shop"}, {"DiskFull", "DiskSlow"}, "all that is asked for must hold"),
    ({"team": "dba", "service": "search"}, set(), "all that is asked for must hold"),
    ({"acknowledged": True}, set(), "nobody looks after any"),
    ({"acknowledged": False}, NAMES, "nobody looks after any"),
    ({"q": "disk"}, {"DiskFull", "DiskSlow"}, "the beginning of a word, in any case"),
    ({"q": "full"}, set(), "but not its end"),
    ({"q": "ünïcode ODD"}, {"Odd Ünïcode näme"}, "all words, in any order and script"),
    ({"q": "web-2"}, {"Odd Ünïcode näme"}, "words of labels"),
    ({"q": "disk shop slow"}, set(), "every word must begin one"),
    ({"q": "!!! ' & | :* \\"}, NAMES, "signs are no words"),
    ({"since": moment() - timedelta(hours=1)}, NAMES, "seen since then"),
    ({"until": moment() - timedelta(hours=1)}, set(), "seen before then"),
]


@pytest.mark.parametrize(("which", "found", "why"), QUERIES)
def test_alerts_are_found_by_what_is_asked_for(line: Deliveries, which: dict[str, Any], found: set[str], why: str) -> None:
    assert titles(line.company.viewer, **which) == found, why


# the matchers, what they find, why
MATCHERS: list[tuple[list[str], set[str], str]] = [
    (['zone="eu"'], {"DiskFull"}, "is equal"),
    (["zone=eu"], {"DiskFull"}, "as amtool writes it, without quotation marks"),
    ([' zone = "eu" '], {"DiskFull"}, "spaces around do not count"),
    (['zone!="eu"'], NAMES - {"DiskFull"}, "is not equal; a label that is missing is empty"),
    (['zone=""'], {"CpuHigh", "Quiet"}, "a label that is missing is empty"),
    (["zone="], {"CpuHigh", "Quiet"}, "nothing at all is empty too"),
    (['zone!=""'], {"DiskFull", "DiskSlow", "Odd Ünïcode näme"}, "is there"),
    (['zone=~"e.*"'], {"DiskFull", "Odd Ünïcode näme"}, "matches"),
    (['zone=~"e"'], set(), "the whole of it, as in Prometheus"),
    (['zone=~"eu|us"'], {"DiskFull", "DiskSlow"}, "one or the other, anchored on both sides"),
    (['zone=~"eu.west"'], {"Odd Ünïcode näme"}, "a point is any character"),
    (['zone=~"eu\\\\.west"'], {"Odd Ünïcode näme"}, "a backslash is doubled inside quotation marks"),
    (['zone!~"eu.*"'], {"DiskSlow", "CpuHigh", "Quiet"}, "does not match; missing is empty"),
    (['zone=~".*"'], NAMES, "everything matches, what is missing too"),
    (['zone=~".+"'], {"DiskFull", "DiskSlow", "Odd Ünïcode näme"}, "something is there"),
    (['zone!~".+"'], {"CpuHigh", "Quiet"}, "nothing is there"),
    (['nowhere=""'], NAMES, "a label that no alert has"),
    (['service="shop"', 'zone!="us"'], {"DiskFull"}, "all must hold"),
    (['alertname="Odd Ünïcode näme"'], {"Odd Ünïcode näme"}, "in any script"),
    (['alertname=~"(?i)disk.*"'], {"DiskFull", "DiskSlow"}, "whatever the case, as in RE2"),
    (['alertname=~"\\\\w+"'], {"DiskFull", "DiskSlow", "CpuHigh", "Quiet"}, "a class, as in RE2"),
]


@pytest.mark.parametrize(("matchers", "found", "why"), MATCHERS)
def test_alerts_are_found_by_matchers_of_labels(line: Deliveries, matchers: list[str], found: set[str], why: str) -> None:
    assert titles(line.company.viewer, matcher=matchers) == found, why


# what is no matcher, why
NO_MATCHERS = [
    ("", "empty"),
    ("zone", "no operator"),
    ("=x", "no label"),
    ('zone=="eu"', "an operator that does not exist"),
    ('zone="eu', "a quotation mark that does not end"),
    ('zone="a"b"', "something behind the end"),
    ('zone=~"("', "no regular expression"),
    ('zone=~"(a)\\\\1"', "a back-reference, which RE2 does not know"),
    ('zone=~"a{1,100000}"', "more repetitions than RE2 allows"),
    (f"zone={'x' * 500}", "longer than anybody writes"),
]


@pytest.mark.parametrize(("matcher", "why"), NO_MATCHERS)
def test_what_is_no_matcher_is_refused_and_named(company: Company, matcher: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        alerts.search(company.viewer, matcher=[matcher])
    assert caught.value.errors[0].field.startswith("matcher"), why


# an expression that is right for RE2 and hostile to engines that backtrack or unfold, why
HOSTILE = [
    ("(a+)+b", "nested repetition"),
    ("(a|a)*b", "the same in two ways"),
    ("(.*)*x", "everything, many times"),
    ("(((a{1,30}){1,30}){1,1})b", "repetitions that unfold to many states"),
    (".*.*.*.*.*.*.*.*.*.*.*.*y", "many ways to cut a text"),
    ("(?:a?){250}a{250}", "optional ones before needed ones"),
    ("[[:alpha:]]+(?i:x)", "a flag in the middle, which engines spell differently"),
    ("\\\\pL+", "a class of Unicode, which engines spell differently"),
    ("\\\\z", "an anchor, which engines spell differently"),
    ("[\\\\\\\\]", "a class of one backslash"),
]


@pytest.mark.parametrize(("expression", "why"), HOSTILE)
def test_a_hostile_expression_is_refused_or_answered_quickly(line: Deliveries, expression: str, why: str) -> None:
    line.deliver(line.source(), alert(f"Long {uuid4().hex}", victim="a" * 3000))
    began = time.monotonic()
    try:
        titles(line.company.viewer, matcher=[f'victim=~"{expression}"'])
    except Invalid as refused:
        assert "matcher" in refused.errors[0].field, "it is said which field is at fault"
    assert time.monotonic() - began < 2, why


# a list's order, why
SORTS = [
    ("first_seen_at", "the oldest first"),
    ("-first_seen_at", "the newest first"),
    ("severity", "the worst first, not stated last"),
    ("-severity", "the other way round"),
]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(("sort", "why"), SORTS)
def test_a_cursor_walks_through_live_ones_and_history_without_a_gap(line: Deliveries, sort: Any, why: str, size: int) -> None:
    whole = alerts.search(line.company.viewer, sort=sort, page=ALL).items
    assert {each.title for each in whole} == NAMES
    places = [_place(each) if "severity" in sort else each.first_seen_at.timestamp() for each in whole]
    assert places == sorted(places, reverse=sort.startswith("-")), why
    walked: list[AlertView] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        page = alerts.search(line.company.viewer, sort=sort, page=Paging(cursor=cursor, limit=size))
        walked += page.items
        cursor, pages = page.next_cursor, pages + 1
        assert page.total == len(THERE)
    assert (tuple(walked), pages) == (whole, -(-len(THERE) // size))


def _place(found: AlertView) -> int:
    return found.severity.rank if found.severity else 5


def test_a_cursor_stays_right_while_alerts_arrive(line: Deliveries) -> None:
    first = alerts.search(line.company.viewer, page=Paging(limit=2))
    line.deliver(line.source(), alert(f"Late {uuid4().hex}"))
    rest = alerts.search(line.company.viewer, page=Paging(cursor=first.next_cursor, limit=200))
    assert [each.title for each in (*first.items, *rest.items)] == [name for name, *_ in reversed(THERE)]


def test_a_cursor_of_another_order_is_refused(line: Deliveries) -> None:
    cursor = alerts.search(line.company.viewer, sort="severity", page=Paging(limit=1)).next_cursor
    with pytest.raises(Invalid, match="cursor"):
        alerts.search(line.company.viewer, sort="first_seen_at", page=Paging(cursor=cursor))


def test_an_alert_is_shown_with_everything_that_was_said(line: Deliveries) -> None:
    found = line.alert("DiskFull")
    assert (found.severity, found.status, found.service, found.environment) == (Severity.CRITICAL, AlertStatus.FIRING, "shop", "production")
    assert (found.resource, found.team, found.labels["zone"], found.annotations) == ("db-1", "dba", "eu", {"summary": "DiskFull"})
    assert (found.count, found.deliveries, found.flapping, found.closed_by, found.muted_by) == (1, 1, False, None, ())
    assert found.incident and incidents.show(line.company.viewer, found.incident.id).number == found.incident.number
    assert alerts.show(line.company.viewer, found.id) == found
    quiet = line.alert("Quiet")
    assert (quiet.severity, quiet.environment, quiet.resource, quiet.team) == (None, None, None, None), "nothing is invented"
    assert titles(line.company.viewer, fingerprint=found.fingerprint) == {"DiskFull"}
    assert titles(line.company.viewer, incident_id=found.incident.id) == {"DiskFull", "DiskSlow"}
    assert titles(line.company.viewer, source_id=found.source_id) == NAMES


def test_some_alerts_are_shown_in_the_order_they_are_named(line: Deliveries, beta: Company) -> None:
    ids = {name: line.alert(name).id for name in NAMES}
    assert line.alert("Quiet").status is AlertStatus.RESOLVED, "those that are over, too"
    named = [ids["Quiet"], uuid4(), ids["DiskFull"], ids["Quiet"], ids["CpuHigh"]]
    found = alerts.those(line.company.viewer, named)
    assert found == tuple(line.alert(name) for name in ("Quiet", "DiskFull", "CpuHigh"))
    assert alerts.those(beta.owner, list(ids.values())) == ()
    for wrong in ([], [uuid4() for _ in range(201)]):
        with pytest.raises(Invalid):
            alerts.those(line.company.viewer, wrong)


def test_the_history_tells_everything_that_happened_the_newest_first(line: Deliveries) -> None:
    source, name = line.source(), f"Told {uuid4().hex}"
    for severity, over in (("warning", False), ("critical", False), ("critical", True)):
        line.deliver(source, alert(name, severity=severity, over=over) | {"fingerprint": "told"})
    told = alerts.history(line.company.viewer, line.alert(name).id).items
    assert [entry.kind for entry in told] == [AlertEntryKind.RESOLVED, AlertEntryKind.HEARD, AlertEntryKind.OPENED]
    assert (told[1].severity_before, told[1].severity) == (Severity.WARNING, Severity.CRITICAL)
    assert all(entry.said and entry.delivery_id and entry.index == 0 for entry in told)
    first = alerts.history(line.company.viewer, line.alert(name).id, Paging(limit=2))
    rest = alerts.history(line.company.viewer, line.alert(name).id, Paging(limit=2, cursor=first.next_cursor))
    assert (*first.items, *rest.items) == told


def test_the_deliveries_of_an_alert_are_shown_as_they_came(line: Deliveries) -> None:
    source, name = line.source(), f"Sent {uuid4().hex}"
    line.deliver(source, alert(name), alert("Beside it", zone="x"))
    line.deliver(source, alert(name, over=True))
    sent = alerts.deliveries(line.company.viewer, line.alert(name).id).items
    assert len(sent) == 2 and sent[0].id > sent[1].id
    assert all(name in each.body and each.source_id == source.id and not each.waiting for each in sent)
    assert "Beside it" in sent[1].body, "the whole of it, not only what concerns this alert"


def test_an_explanation_says_why_an_alert_is_what_it_is(line: Deliveries) -> None:
    source, name = line.source(fingerprint_fields=["zone"]), f"Why {uuid4().hex}"
    line.deliver(source, alert(name, severity="ghastly", zone=name))
    told = alerts.explain(line.company.viewer, line.alert(name).id)
    assert told.identity_by is IdentityBy.FIELDS
    by_stage = {reason.stage: reason for reason in reversed(told.reasons)}
    assert set(by_stage) == {"identity", "normalise", "dedup", "correlate"}
    assert told.fingerprint in by_stage["identity"].decision and "chosen" in by_stage["identity"].why
    assert "ghastly" in by_stage["normalise"].why
    assert by_stage["dedup"].decision == AlertEntryKind.OPENED
    assert by_stage["correlate"].score and by_stage["correlate"].by and "opened it" in by_stage["correlate"].why


def test_alerts_of_the_history_are_told_of_like_live_ones(line: Deliveries) -> None:
    over = line.alert("Quiet")
    assert alerts.show(line.company.viewer, over.id).status is AlertStatus.RESOLVED
    assert len(alerts.history(line.company.viewer, over.id).items) >= 2
    assert len(alerts.deliveries(line.company.viewer, over.id).items) == 2
    assert any(reason.stage == "correlate" for reason in alerts.explain(line.company.viewer, over.id).reasons)


def test_an_acknowledged_alert_says_by_whom_and_its_incident_with_it(line: Deliveries) -> None:
    name, nobody = f"Mine {uuid4().hex}", uuid4()
    line.deliver(line.source(), alert(name, service=name))
    found = line.alert(name)
    done = alerts.acknowledge(line.company.operator, [found.id, nobody, found.id])
    assert (done.success, [each.id for each in done.failed]) == ((found.id,), [nobody])
    shown, incident = line.alert(name), line.incident_of(name)
    assert (shown.acknowledged_by, incident.acknowledged_by) == (line.company.operator.name,) * 2
    assert shown.acknowledged_at and incident.status is IncidentStatus.INVESTIGATING
    assert titles(line.company.viewer, acknowledged=True) == {name}
    alerts.acknowledge(line.company.owner, [found.id])
    assert line.alert(name).acknowledged_by == line.company.operator.name, "who was first stays"
    kinds = [entry.kind for entry in alerts.history(line.company.viewer, found.id).items]
    assert kinds.count(AlertEntryKind.ACKNOWLEDGED) == 1


def test_an_alert_that_is_over_cannot_be_acknowledged(line: Deliveries) -> None:
    over = line.alert("Quiet")
    done = alerts.acknowledge(line.company.operator, [over.id])
    assert (done.success, [each.id for each in done.failed]) == ((), [over.id]) and done.failed[0].error


def test_an_alert_that_is_closed_by_hand_fires_again_only_from_a_new_start(line: Deliveries) -> None:
    source, name, nobody = line.source(), f"Closed {uuid4().hex}", uuid4()
    start = moment() - timedelta(minutes=1)
    line.deliver(source, alert(name, service=name) | {"startsAt": start.isoformat()})
    found = line.alert(name)
    done = alerts.resolve(line.company.operator, [nobody, found.id])
    assert (done.success, [each.id for each in done.failed]) == ((found.id,), [nobody])
    assert (line.alert(name).status, line.alert(name).closed_by) == (AlertStatus.RESOLVED, line.company.operator.name)
    assert line.incident_of(name).open_alerts == 0
    line.deliver(source, alert(name, service=name) | {"startsAt": start.isoformat(), "annotations": {"summary": name, "n": "2"}})
    assert line.alert(name).status is AlertStatus.RESOLVED, "its sender only repeats what it said"
    line.deliver(source, alert(name, service=name) | {"startsAt": datetime.now(UTC).isoformat()})
    assert line.alert(name).status is AlertStatus.FIRING
    assert (line.incident_of(name).open_alerts, line.incident_of(name).alerts) == (1, 1)


def test_a_deleted_alert_is_gone_and_its_incident_counts_the_rest(line: Deliveries) -> None:
    source, name, nobody = line.source(), f"Gone {uuid4().hex}", uuid4()
    line.deliver(source, alert(name, service=name), alert(f"{name} too", severity="warning", service=name))
    found, incident = line.alert(name), line.incident_of(name)
    assert (incident.alerts, incident.open_alerts, incident.severity) == (2, 2, Severity.CRITICAL)
    done = alerts.delete(line.company.admin, [found.id, nobody])
    assert (done.success, [each.id for each in done.failed]) == ((found.id,), [nobody])
    for look in (alerts.show, alerts.history, alerts.deliveries, alerts.explain):
        with pytest.raises(NotFound):
            look(line.company.owner, found.id)
    left = incidents.show(line.company.viewer, incident.id)
    assert (left.alerts, left.open_alerts, left.severity) == (1, 1, Severity.WARNING)
    assert len(incidents.timeline(line.company.viewer, incident.id).items) >= 2, "its timeline stays"


def test_an_alert_of_the_history_can_be_deleted_too(line: Deliveries) -> None:
    source, name = line.source(), f"Old {uuid4().hex}"
    line.deliver(source, alert(name, service=name))
    line.deliver(source, alert(name, service=name, over=True))
    line.check(moment() + timedelta(hours=2))
    found = line.alert(name)
    assert alerts.delete(line.company.owner, [found.id]).success == (found.id,)
    assert titles(line.company.owner, q=name) == set()


def test_what_may_be_done_is_by_role(line: Deliveries) -> None:
    found = line.alert("DiskFull")
    for act in (alerts.acknowledge, alerts.resolve, alerts.delete):
        with pytest.raises(Refused):
            act(line.company.viewer, [found.id])
    with pytest.raises(Refused):
        alerts.delete(line.company.operator, [found.id])
    for ids in ([], [uuid4() for _ in range(201)]):
        with pytest.raises(Invalid):
            alerts.acknowledge(line.company.owner, ids)
    assert line.alert("DiskFull") == found


def test_alerts_of_a_team_are_for_its_members_and_a_bulk_act_leaves_the_others_alone(line: Deliveries) -> None:
    red, blue = line.company.red, line.company.blue
    name = uuid4().hex
    ids: dict[str, UUID] = {}
    for team in (red, blue, None):
        title = f"{team.name if team else 'Everybody'} {name}"
        line.deliver(line.source(team_id=team.id if team else None), alert(title, service=title))
        ids[title.split()[-2]] = line.alert(title).id
    seen = [titles(who, q=name) for who in (line.company.admin, red.people[Role.VIEWER], blue.people[Role.OWNER], line.company.operator)]
    assert [len(each) for each in seen] == [3, 2, 2, 1]
    operator = red.people[Role.OPERATOR]
    done = alerts.acknowledge(operator, list(ids.values()))
    assert done.success == (ids["red"],), "neither what belongs to everybody nor what another team has"
    assert {each.id for each in done.failed} == {ids["blue"], ids["Everybody"]}
    assert len({each.error for each in done.failed}) == 1, "what may not be seen and what may not be done are not told apart"
    with pytest.raises(NotFound):
        alerts.show(operator, ids["blue"])
    assert {each.id for each in alerts.those(operator, list(ids.values()))} == {ids["red"], ids["Everybody"]}
    with pytest.raises(Refused):
        alerts.acknowledge(red.people[Role.VIEWER], [ids["red"]])


def test_nothing_is_found_by_another_organization(line: Deliveries, beta: Company) -> None:
    found = line.alert("DiskFull")
    assert titles(beta.owner, q="disk") == set()
    for look in (alerts.show, alerts.history, alerts.deliveries, alerts.explain):
        with pytest.raises(NotFound):
            look(beta.owner, found.id)
    for act in (alerts.acknowledge, alerts.resolve, alerts.delete):
        assert [each.id for each in act(beta.owner, [found.id]).failed] == [found.id]
    assert line.alert("DiskFull") == found
