"""Does a list keep its filters in the address, wait while somebody reads, and say what it did not understand?"""

from pathlib import Path
from uuid import uuid4

import pytest

from engine.model.incidents import IncidentView
from engine.model.vocabulary import Role
from engine.operations import incidents, saved_views
from engine.storage.database import Database
from state import lists
from state.alerts import AlertsState
from state.incidents import IncidentsState
from tests.state.visits import Visit
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company, hire

# service, severity, environment
THERE = [("shop", "critical", "production"), ("search", "warning", "production"), ("mail", "info", "staging")]


@pytest.fixture(scope="module")
def there(shared: TestDatabase, scratch: Path) -> Deliveries:
    """An organization with an incident of each line of the table; nobody changes it."""
    shared.open_door(scratch)
    line = Deliveries(shared.database, found_company(shared.database, f"Listed {uuid4().hex[:6]}"))
    for service, severity, environment in THERE:
        line.deliver(line.source(), alert(f"Down {service}", severity=severity, service=service, environment=environment))
    return line


@pytest.fixture
def line(database: Database) -> Deliveries:
    """An organization with nothing yet."""
    return Deliveries(database, found_company(database, f"Listing {uuid4().hex[:6]}"))


@pytest.fixture
def company(there: Deliveries, database: Database) -> Company:
    """The people of the organization of the table."""
    return there.company


def listed(who: Company, query: str = "", kind: type = IncidentsState, role: Role = Role.OPERATOR) -> Visit:
    """The list as it opens at an address."""
    path = f"/{kind.LIST}"
    return Visit(kind, who.people[role], f"{path}?{query}" if query else path, path).arrived()


def services(page: Visit) -> list[str]:
    """The services of the rows that are shown, from the top."""
    return [getattr(row, "services", "") or row.service for row in page.rows]


def opened(line: Deliveries, service: str, severity: str = "critical") -> IncidentView:
    """A new incident about a service."""
    line.deliver(line.source(), alert(f"Down {service}", severity=severity, service=service))
    return line.incident_of(f"Down {service}")


# the address, what is shown from the top, what the page says its address is, why
ADDRESSES = [
    ("", ["mail", "search", "shop"], "", "the newest first"),
    ("severity=critical", ["shop"], "severity=critical", "one filter"),
    ("environment=production&severity=warning", ["search"], "environment=production&severity=warning", "two must both hold"),
    ("q=down+mail", ["mail"], "q=down+mail", "words of the title"),
    ("state=resolved", [], "state=resolved", "what is over"),
    ("state=all&sort=number", ["shop", "search", "mail"], "state=all&sort=number", "an order"),
    ("sort=-severity&q=down", ["mail", "search", "shop"], "q=down&sort=-severity", "words and an order"),
    ("colour=red", ["mail", "search", "shop"], "", "a filter that no list has"),
    ("sort=colour", ["mail", "search", "shop"], "", "an order that no list has"),
    ("source_id=x&match=y", ["mail", "search", "shop"], "", "filters of another list"),
    ("severity=", ["mail", "search", "shop"], "", "a filter without a value"),
]


@pytest.mark.parametrize(("query", "shown", "said", "why"), ADDRESSES)
def test_the_address_sets_filters_and_order_and_says_them(company: Company, query: str, shown: list[str], said: str, why: str) -> None:
    page = listed(company, query)
    assert (services(page), page.query) == (shown, said), why
    assert (page.fault, page.toasts, page.loaded) == ("", [], True)


def test_what_the_page_says_its_address_is_opens_the_same_list(company: Company) -> None:
    page = listed(company)
    page.do("narrow", "environment", "production")
    page.do("search", "down & ä+b%")
    page.do("order", "number")
    again = listed(company, page.query)
    assert (again.filters, again.words, again.sort, again.query) == (page.filters, "down & ä+b%", "number", page.query)


def test_words_and_values_longer_than_any_are_cut(company: Company) -> None:
    page = listed(company, f"q={'x' * 500}&service={'y' * 500}")
    assert (len(page.words), len(page.filters["service"])) == (200, 300)


def test_arriving_with_another_address_forgets_the_filters_of_before(company: Company) -> None:
    page = listed(company, "severity=critical&q=down&sort=number")
    page.goes("/incidents")
    assert (page.filters, page.words, page.sort, page.query) == ({}, "", "", "")
    assert services(page) == ["mail", "search", "shop"]


def test_narrowing_to_a_value_again_widens(company: Company) -> None:
    page = listed(company)
    page.do("narrow", "severity", "critical")
    assert (services(page), page.query) == (["shop"], "severity=critical")
    page.do("narrow", "severity", "warning")
    assert (services(page), page.query) == (["search"], "severity=warning"), "one value of a field at a time"
    page.do("narrow", "severity", "warning")
    assert (services(page), page.query) == (["mail", "search", "shop"], "")
    page.do("narrow", "severity", "info")
    page.do("narrow", "severity", "")
    assert page.query == "", "an empty value widens too"


def test_narrowing_by_what_no_list_has_does_nothing(company: Company) -> None:
    page = listed(company, "severity=critical")
    page.do("narrow", "colour", "red")
    page.do("narrow_by", {"colour": "red", "query": "x"})
    page.do("order", "colour")
    assert (services(page), page.query) == (["shop"], "severity=critical")


def test_what_is_typed_into_a_form_narrows(company: Company) -> None:
    page = listed(company, kind=AlertsState)
    page.do("narrow_by", {"match": ' environment="production", severity=~"crit.*" ', "colour": "red"})
    assert (services(page), page.filters) == (["shop"], {"match": 'environment="production", severity=~"crit.*"'})
    page.do("narrow_by", {"match": "  "})
    assert (len(page.rows), page.filters) == (3, {}), "an empty control takes its filter off"


def test_clearing_takes_filters_and_words_off_and_keeps_the_order(company: Company) -> None:
    page = listed(company, "severity=critical&q=down&sort=number")
    page.do("clear")
    assert (services(page), page.query) == (["shop", "search", "mail"], "sort=number")


def test_searching_finds_words_and_an_empty_search_finds_all(company: Company) -> None:
    page = listed(company)
    page.do("search", "DOWN sea")
    assert (services(page), page.query) == (["search"], "q=DOWN+sea")
    page.do("search", "")
    assert (len(page.rows), page.query) == (3, "")


def test_a_column_sorts_one_way_then_the_other_then_again(company: Company) -> None:
    page = listed(company)
    for by, shown in (("severity", ["shop", "search", "mail"]), ("-severity", ["mail", "search", "shop"]), ("severity", None)):
        page.do("order", "severity")
        assert (page.sort, page.query) == (by, f"sort={by}")
        assert shown is None or services(page) == shown
    page.do("order", "-number")
    assert (page.sort, services(page)) == ("-number", ["mail", "search", "shop"]), "a column may begin with the other way"
    page.do("order", "-number")
    assert (page.sort, services(page)) == ("number", ["shop", "search", "mail"])


def test_facets_say_what_there_is_how_often_and_what_is_chosen(company: Company) -> None:
    page = listed(company, "environment=production")
    facets = {facet.name: facet for facet in page.facets}
    assert [facet.title for facet in page.facets] == ["Severity", "Status", "Owner", "Service", "Environment"]
    assert [(each.label, each.count, each.chosen) for each in facets["environment"].options] == [
        ("production", 2, True),
        ("staging", 1, False),
    ], "of a field that is narrowed the other values too"
    assert {(each.label, each.count, each.chosen) for each in facets["severity"].options} == {("Critical", 1, False), ("Warning", 1, False)}
    assert (facets["environment"].chosen, facets["severity"].chosen, facets["service"].is_long) == ("production", "", False)
    assert (facets["environment"].chosen, facets["owner_id"].options) == ("production", []), "nobody cannot be asked for"


def test_a_severity_that_is_not_stated_can_be_asked_for(line: Deliveries) -> None:
    line.deliver(line.source(), alert("Down a", severity=None, service="a"), alert("Down b", service="b"))
    page = listed(line.company)
    severity = next(facet for facet in page.facets if facet.name == "severity")
    assert {(each.value, each.label) for each in severity.options} == {("none", "Not stated"), ("critical", "Critical")}
    page.do("narrow", "severity", "none")
    assert services(page) == ["a"]
    assert next(facet.chosen for facet in page.facets if facet.name == "severity") == "Not stated"


def test_a_facet_names_a_source_and_a_chosen_value_that_no_row_has(company: Company, there: Deliveries) -> None:
    source = there.alert("Down shop").source
    facets = {facet.name: facet for facet in listed(company, "service=gone", AlertsState).facets}
    assert facets["service"].chosen == "gone"
    assert {(each.label, each.chosen) for each in facets["service"].options} == {("mail", False), ("search", False), ("shop", False)}
    facets = {facet.name: facet for facet in listed(company, "service=shop", AlertsState).facets}
    assert [each.label for each in facets["source_id"].options] == [source]


def test_facets_are_counted_anew_when_the_filters_change_and_seldom_otherwise(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(line, "a")
    page = listed(line.company)
    opened(line, "b")
    page.do("refresh")
    (severity,) = [facet for facet in page.facets if facet.name == "severity"]
    assert (len(page.rows), severity.options[0].count) == (2, 1), "rows at once, counts within seconds"
    page.do("narrow", "severity", "critical")
    (severity,) = [facet for facet in page.facets if facet.name == "severity"]
    assert severity.options[0].count == 2
    opened(line, "c")
    monkeypatch.setattr(lists, "_FACETS_EVERY", 0.0)
    page.do("refresh")
    (severity,) = [facet for facet in page.facets if facet.name == "severity"]
    assert severity.options[0].count == 3


def test_a_view_is_saved_with_its_query_listed_and_forgotten(company: Company) -> None:
    me = hire(company.owner, Role.VIEWER)
    page = Visit(IncidentsState, me, "/incidents?severity=critical&sort=number").arrived()
    page.do("save_view", {"name": "Worst"})
    assert [(view.name, view.query) for view in page.views] == [("Worst", "severity=critical&sort=number")]
    again = Visit(IncidentsState, me, "/incidents").arrived()
    assert [(view.name, view.query) for view in again.views] == [("Worst", "severity=critical&sort=number")]
    assert Visit(AlertsState, me, "/alerts").arrived().views == [], "a view of one list is none of the other"
    again.do("forget_view", again.views[0].id)
    assert (again.views, saved_views.all(me, IncidentsState.LIST)) == ([], ())


def test_a_saved_view_is_its_owners_alone(company: Company) -> None:
    mine, theirs = (Visit(IncidentsState, hire(company.owner, role), "/incidents").arrived() for role in (Role.VIEWER, Role.OWNER))
    mine.do("save_view", {"name": "Mine"})
    assert theirs.arrived().views == []
    theirs.do("forget_view", mine.views[0].id)
    assert theirs.toasts == ["There is no such saved view of yours."]
    assert [view.name for view in mine.arrived().views] == ["Mine"]


def test_a_view_without_a_name_is_refused_with_the_reason(company: Company) -> None:
    page = Visit(IncidentsState, hire(company.owner, Role.VIEWER), "/incidents").arrived()
    page.do("save_view", {"name": " "})
    assert page.views == []
    assert len(page.toasts) == 1 and page.toasts[0].startswith("name:")


# the list, the address of before, a filter that is not understood, what the fault begins with
FAULTS = [
    (IncidentsState, "severity=critical", "after=not-a-cursor", ""),
    (IncidentsState, "severity=critical", "severity=purple", "severity"),
    (IncidentsState, "severity=critical", "status=asleep", "status"),
    (IncidentsState, "severity=critical", "owner_id=somebody", "owner_id"),
    (AlertsState, "severity=critical", "match=no+matcher", "matcher"),
    (AlertsState, "severity=critical", 'match=job=~"("', "matcher"),
    (AlertsState, "severity=critical", "source_id=nothing", "source_id"),
    (AlertsState, "severity=critical", "after=not-a-cursor", ""),
]


@pytest.mark.parametrize(("kind", "before", "query", "fault"), FAULTS)
def test_what_is_not_understood_is_said_and_the_rows_stay(company: Company, kind: type, before: str, query: str, fault: str) -> None:
    page = listed(company, before, kind)
    rows = list(page.rows)
    page.goes(f"/{kind.LIST}?{query}")
    assert len(rows) == 1 and list(page.rows) == rows
    assert page.fault != "" and page.fault.startswith(fault) and page.loaded
    page.do("read_on", True)
    page.do("refresh")
    assert (page.toasts, page.waiting, len(page.rows)) == ([], 0, 1), "it is not said again each time that something changes"
    page.do("read_on", False)
    page.do("clear")
    assert (page.fault, len(page.rows)) == ("", 3), "and all is well again when it is taken off"


def test_parts_of_a_long_list_are_in_the_address(line: Deliveries) -> None:
    line.deliver(line.source(), *(alert(f"Down {place}", service=f"s{place:02}") for place in range(55)))
    page = listed(line.company, "sort=number")
    assert (len(page.rows), page.has_more, page.has_before, page.total) == (50, True, False, "55 incidents")
    first = [row.id for row in page.rows]
    page.do("next_rows")
    assert (len(page.rows), page.has_more, page.has_before) == (5, False, True)
    second = [row.id for row in page.rows]
    assert "after=" in page.query and not set(first) & set(second)
    assert [row.id for row in listed(line.company, page.query).rows] == second
    page.do("rows_before")
    assert ([row.id for row in page.rows], page.query) == (first, "sort=number")
    assert not any(row.fresh for row in page.rows), "another part of the list is nothing new"


def test_somebody_of_another_organization_is_listed_nothing(company: Company, beta: Company) -> None:
    for kind in (IncidentsState, AlertsState):
        page = listed(beta, kind=kind, role=Role.OWNER)
        assert (list(page.rows), [option for facet in page.facets for option in facet.options]) == ([], [])
    assert incidents.search(company.viewer).total == 3
