"""Do rows wait while somebody reads, does what changed glow, and is what was refused put back as it is in truth?"""

from collections.abc import Callable
from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.incidents import IncidentView
from engine.model.vocabulary import AlertStatus, IncidentStatus, Role
from engine.operations import alerts, incidents
from engine.storage.database import Database
from state.alerts import AlertsState
from state.incidents import IncidentsState
from tests.state.visits import Visit
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import found_company

REFUSED = "Your role does not allow this (it needs the permission “{}”). Ask an owner of your organization."


@pytest.fixture
def line(database: Database) -> Deliveries:
    """An organization with nothing yet."""
    return Deliveries(database, found_company(database, f"Reading {uuid4().hex[:6]}"))


def listed(line: Deliveries, query: str = "", kind: type = IncidentsState, role: Role = Role.OPERATOR) -> Visit:
    """The list as it opens at an address."""
    path = f"/{kind.LIST}"
    return Visit(kind, line.company.people[role], f"{path}?{query}" if query else path, path).arrived()


def opened(line: Deliveries, service: str, severity: str = "critical") -> IncidentView:
    """A new incident about a service."""
    line.deliver(line.source(), alert(f"Down {service}", severity=severity, service=service))
    return line.incident_of(f"Down {service}")


def services(page: Visit) -> list[str]:
    """The services of the rows that are shown, from the top."""
    return [getattr(row, "services", "") or row.service for row in page.rows]


def glowing(page: Visit) -> list[str]:
    """The services of the rows that glow."""
    return [getattr(row, "services", "") or row.service for row in page.rows if row.fresh]


def ids(page: Visit, *names: str) -> list[str]:
    """The ids of the rows about these services."""
    found = dict(zip(services(page), (row.id for row in page.rows), strict=True))
    return [found[name] for name in names]


@pytest.mark.parametrize("kind", [IncidentsState, AlertsState])
def test_while_somebody_reads_new_rows_wait_and_come_when_reading_stops(line: Deliveries, kind: type) -> None:
    opened(line, "a")
    page = listed(line, kind=kind)
    page.do("read_on", True)
    opened(line, "b")
    opened(line, "c")
    page.do("refresh")
    assert (services(page), page.waiting, page.total) == (["a"], 2, f"3 {kind.LIST}")
    page.do("refresh")
    assert page.waiting == 2, "they are counted, not added up"
    page.do("read_on", False)
    assert (services(page), page.waiting) == (["c", "b", "a"], 0)
    assert glowing(page) == ["c", "b"]


def test_who_wants_what_waits_gets_it_while_reading(line: Deliveries) -> None:
    opened(line, "a")
    page = listed(line)
    page.do("read_on", True)
    opened(line, "b")
    page.do("refresh")
    page.do("show_waiting")
    assert (services(page), page.waiting) == (["b", "a"], 0)
    opened(line, "c")
    page.do("refresh")
    assert services(page) == ["c", "b", "a"], "and then rows come as before"


def test_while_somebody_reads_what_is_shown_is_brought_up_to_date_in_its_place(line: Deliveries) -> None:
    first, _, _ = (opened(line, name) for name in "abc")
    page = listed(line)
    page.do("read_on", True)
    incidents.change(line.company.operator, first.id, title="Found it", status=IncidentStatus.MITIGATED)
    page.do("refresh")
    assert [row.title for row in page.rows][-1] == "Found it"
    assert (page.rows[-1].status, glowing(page), page.waiting) == ("Mitigated", ["a"], 0)
    incidents.resolve(line.company.operator, first.id)
    page.do("refresh")
    assert (services(page), page.rows[-1].is_over) == (["c", "b", "a"], True), "it does not go from under somebody's eyes"
    page.do("read_on", False)
    page.do("refresh")
    assert services(page) == ["c", "b"], "but from the list of what is open"


def test_nothing_waits_above_another_order_or_a_later_part(line: Deliveries) -> None:
    opened(line, "a", "warning")
    page = listed(line, "sort=severity")
    page.do("read_on", True)
    opened(line, "b")
    page.do("refresh")
    assert (services(page), page.waiting) == (["a"], 0)


def test_an_empty_list_fills_though_somebody_reads(line: Deliveries) -> None:
    page = listed(line)
    page.do("read_on", True)
    opened(line, "a")
    page.do("refresh")
    assert (services(page), page.waiting) == (["a"], 0)


def test_what_is_new_or_changed_glows_once_and_nothing_else(line: Deliveries) -> None:
    first, _ = opened(line, "a"), opened(line, "b")
    page = listed(line)
    assert glowing(page) == [], "a page that opens is not all new"
    page.do("refresh")
    assert glowing(page) == []
    incidents.acknowledge(line.company.operator, first.id)
    page.do("refresh")
    assert glowing(page) == ["a"]
    opened(line, "c")
    page.do("refresh")
    assert glowing(page) == ["c"], "what glowed before has been seen"
    page.do("refresh")
    assert glowing(page) == []


def test_rows_of_another_filter_or_order_do_not_glow(line: Deliveries) -> None:
    for name, severity in (("a", "critical"), ("b", "warning")):
        opened(line, name, severity)
    page = listed(line, "severity=critical")
    for handler, *given in (
        ("clear",),
        ("narrow", "severity", "warning"),
        ("narrow", "severity", ""),
        ("search", "down"),
        ("order", "number"),
    ):
        page.do(handler, *given)
        assert (len(page.rows) > 0, glowing(page)) == (True, []), handler


# what is done to both, what is true of both afterwards
ACTS: list[tuple[str, Callable[[IncidentView, Actor], bool]]] = [
    ("acknowledge", lambda view, me: (view.acknowledged_by, view.status) == (me.name, IncidentStatus.INVESTIGATING)),
    ("resolve", lambda view, me: (view.resolved_by, view.status) == (me.name, IncidentStatus.RESOLVED)),
    ("assign:me", lambda view, me: (view.owner_id, view.owner_name) == (me.id, me.name)),
]


@pytest.mark.parametrize(("act", "holds"), ACTS, ids=[act for act, _ in ACTS])
def test_an_act_on_several_incidents_is_done_to_each_of_them_alone(
    line: Deliveries, act: str, holds: Callable[[IncidentView, Actor], bool]
) -> None:
    made, me = [opened(line, name) for name in "abc"], line.company.operator
    page = listed(line)
    page.do("act", act, ids(page, "a", "b"))
    assert [holds(incidents.show(me, view.id), me) for view in made] == [True, True, False]
    assert (page.settled, page.toasts, glowing(page)) == (1, [], ["b", "a"])


def test_several_are_given_to_somebody_else_or_to_nobody(line: Deliveries) -> None:
    made, admin = [opened(line, name) for name in "ab"], line.company.admin
    page = listed(line)
    page.do("choose_people")
    assert {(choice.id, choice.name) for choice in page.choices} >= {(str(admin.id), admin.name)}
    page.do("act", f"assign:{admin.id}", ids(page, "a", "b"))
    assert [row.owner for row in page.rows] == [admin.name, admin.name]
    page.do("act", "assign:", ids(page, "a"))
    assert [incidents.show(admin, view.id).owner_id for view in made] == [None, admin.id]


def test_several_are_merged_into_the_one_with_the_lowest_number(line: Deliveries) -> None:
    first, *others = (opened(line, name) for name in "abc")
    page = listed(line)
    page.do("act", "merge", ids(page, "c", "a", "b"))
    assert page.toasts == [f"2 merged into #{first.number}."]
    assert {incidents.show(line.company.viewer, each.id).merged_into for each in others} == {first.id}
    assert [row.alerts for row in page.rows if row.number == first.number] == ["3"]
    page.do("refresh")
    assert [row.number for row in page.rows] == [first.number]


def test_one_alone_is_merged_into_nothing(line: Deliveries) -> None:
    view = opened(line, "a")
    page = listed(line)
    page.do("act", "merge", ids(page, "a"))
    assert (page.settled, page.toasts, incidents.show(line.company.viewer, view.id).version) == (1, [], view.version)


def test_of_several_what_cannot_be_done_is_said_and_the_rest_is_done(line: Deliveries) -> None:
    first, second = opened(line, "a"), opened(line, "b")
    page = listed(line)
    marked = ids(page, "a", "b")
    incidents.resolve(line.company.admin, first.id)
    page.do("act", "acknowledge", marked)
    assert page.settled == 1
    assert page.toasts == [f"1 acknowledged, 1 not: #{first.number} is resolved; reopen it first."]
    assert incidents.show(line.company.viewer, second.id).acknowledged_by == line.company.operator.name
    assert [(row.services, row.is_over) for row in page.rows] == [("b", False), ("a", True)], "each as it is in truth"
    page.do("refresh")
    assert len(page.toasts) == 1, "the reason stays when the list is read again"


@pytest.mark.parametrize("act", ["acknowledge", "resolve", "assign:me", "merge"])
def test_what_a_role_may_not_do_is_refused_and_the_rows_are_put_back(line: Deliveries, act: str) -> None:
    for name in "ab":
        opened(line, name)
    page = listed(line, role=Role.VIEWER)
    before = list(page.rows)
    page.do("act", act, ids(page, "a", "b"))
    assert (page.settled, page.toasts) == (1, [REFUSED.format("respond")])
    assert list(page.rows) == before


def test_an_act_that_there_is_not_is_only_settled(line: Deliveries) -> None:
    opened(line, "a")
    for kind in (IncidentsState, AlertsState):
        page = listed(line, kind=kind)
        before = list(page.rows)
        page.do("act", "explode", ids(page, "a"))
        assert (page.settled, page.toasts, list(page.rows)) == (1, [], before)


def test_alerts_are_acknowledged_resolved_and_deleted_several_at_a_time(line: Deliveries) -> None:
    for name in "abc":
        opened(line, name)
    page, me = listed(line, kind=AlertsState, role=Role.ADMIN), line.company.admin
    page.do("act", "acknowledge", ids(page, "a", "b"))
    assert [row.acknowledged_by for row in page.rows] == ["", me.name, me.name]
    page.do("act", "resolve", ids(page, "a", "b"))
    assert [row.is_over for row in page.rows] == [False, True, True]
    assert alerts.search(me, status=AlertStatus.FIRING).total == 1
    page.do("act", "delete", ids(page, "c", "b"))
    assert (services(page), alerts.search(me).total, page.settled, page.toasts) == (["a"], 1, 3, [])


def test_alerts_that_are_gone_or_not_allowed_are_said(line: Deliveries) -> None:
    opened(line, "a"), opened(line, "b")
    page = listed(line, kind=AlertsState)
    marked = ids(page, "a", "b")
    alerts.delete(line.company.admin, [line.alert("Down a").id])
    page.do("act", "acknowledge", marked)
    assert page.toasts == ["1 done, 1 not: There is no such live alert, or your role does not allow this for its team."]
    assert (services(page), page.rows[0].acknowledged_by) == (["b"], line.company.operator.name)
    page.do("act", "delete", marked[1:])
    assert (page.settled, page.toasts[1:], services(page)) == (2, [REFUSED.format("configure")], ["b"])
