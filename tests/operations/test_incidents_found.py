"""Which incidents are found, in which order, and how is a long list or timeline read?"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Invalid
from engine.model.incidents import IncidentView
from engine.model.views import Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus
from engine.operations import incidents
from tests.operations.troubles import opened
from tests.testkit.clock import moment
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company


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
    said = incidents.timeline(line.company.viewer, view.id, kind=[IncidentEntryKind.COMMENT], newest=True).items
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
