"""To what can a list be narrowed, and does counting tell nothing that the list would not?"""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.errors import Invalid
from engine.identity.actor import Actor
from engine.model.views import Facets
from engine.model.vocabulary import AlertStatus, Role
from engine.operations import alerts, facets, incidents, sources
from engine.storage import alerts as stored_alerts
from engine.storage import paging
from engine.storage.database import Database
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import ALL, Deliveries, alert
from tests.testkit.people import Company, found_company

# name, severity, service, environment, whether it is over
THERE = [
    ("DiskFull", "critical", "shop", "production", False),
    ("DiskSlow", "warning", "shop", "production", False),
    ("CpuHigh", "critical", "search", "staging", False),
    ("Quiet", None, "mail", "", True),
]


@pytest.fixture(scope="module")
def there(shared: TestDatabase, scratch: Path) -> Deliveries:
    """The alerts of the table in an organization of their own, from one source."""
    shared.open_door(scratch)
    line = Deliveries(shared.database, found_company(shared.database, "Narrowed"))
    source = line.source()
    for name, severity, service, environment, over in THERE:
        where = {"environment": environment} if environment else {}
        line.deliver(source, alert(name, severity=severity, service=service, **where))
        if over:
            line.deliver(source, alert(name, severity=severity, service=service, over=True, **where))
    return line


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization that has none yet."""
    return Deliveries(database, found_company(database, "Narrowing"))


def counts(found: Facets, name: str) -> dict[str, int]:
    """The values of one field and how many have them."""
    (facet,) = [facet for facet in found.facets if facet.name == name]
    return {value.value: value.count for value in facet.values}


def labels(found: Facets, name: str) -> dict[str, str]:
    """The values of one field as people say them."""
    (facet,) = [facet for facet in found.facets if facet.name == name]
    return {value.value: value.label for value in facet.values}


def test_alerts_are_counted_by_severity_source_service_and_environment(there: Deliveries) -> None:
    found = facets.alerts(there.company.viewer)
    assert [facet.name for facet in found.facets] == ["severity", "source_id", "service", "environment"]
    assert counts(found, "severity") == {"critical": 2, "none": 1, "warning": 1}
    assert counts(found, "service") == {"shop": 2, "mail": 1, "search": 1}
    assert counts(found, "environment") == {"production": 2, "none": 1, "staging": 1}
    (source,) = sources.all(there.company.viewer).items
    assert (counts(found, "source_id"), labels(found, "source_id")) == ({str(source.id): 4}, {str(source.id): source.name})
    assert (found.counted, found.is_capped) == (4, False)


def test_the_commonest_value_comes_first(there: Deliveries) -> None:
    (facet,) = [each for each in facets.alerts(there.company.viewer).facets if each.name == "service"]
    assert [value.value for value in facet.values] == ["shop", "mail", "search"], "and those as common by their names"


# what the list is narrowed to, the services that are left, why
NARROWER: list[tuple[dict[str, Any], dict[str, int], str]] = [
    ({"status": AlertStatus.FIRING}, {"shop": 2, "search": 1}, "what goes on"),
    ({"status": AlertStatus.RESOLVED}, {"mail": 1}, "what is over"),
    ({"severity": ["critical"]}, {"shop": 1, "search": 1}, "a severity"),
    ({"severity": ["none"]}, {"mail": 1}, "a severity that is not stated"),
    ({"service": "shop"}, {"shop": 2}, "a service"),
    ({"environment": "staging"}, {"search": 1}, "an environment"),
    ({"matcher": ["alertname=~Disk.*"]}, {"shop": 2}, "a matcher"),
    ({"q": "cpu"}, {"search": 1}, "words"),
    ({"acknowledged": True}, {}, "nobody looks after any"),
    ({"source_id": UUID(int=1)}, {}, "a source that there is not"),
]


@pytest.mark.parametrize(("which", "left", "why"), NARROWER)
def test_what_is_counted_is_what_the_list_would_find(there: Deliveries, which: dict[str, Any], left: dict[str, int], why: str) -> None:
    found = facets.alerts(there.company.viewer, **which)
    assert counts(found, "service") == left, why
    assert found.counted == alerts.search(there.company.viewer, **which).total == sum(left.values())


def test_a_matcher_that_is_none_is_refused(there: Deliveries) -> None:
    with pytest.raises(Invalid):
        facets.alerts(there.company.viewer, matcher=["=~("])


def test_incidents_are_counted_by_severity_status_owner_environment_and_service(line: Deliveries) -> None:
    source, me = line.source(), line.company.operator
    for name, severity in (("a", "critical"), ("b", "warning"), ("c", None)):
        line.deliver(source, alert(name, severity=severity, service=f"svc-{name}", environment="production" if name != "c" else ""))
    incidents.assign(me, line.incident_of("a").id, me.id)
    incidents.resolve(me, line.incident_of("b").id)
    found = facets.incidents(line.company.viewer)
    assert [facet.name for facet in found.facets] == ["severity", "status", "owner_id", "environment", "service"]
    assert counts(found, "severity") == {"critical": 1, "none": 1, "warning": 1}
    assert counts(found, "status") == {"detected": 2, "resolved": 1}
    assert counts(found, "owner_id") == {"none": 2, str(me.id): 1}
    assert labels(found, "owner_id")[str(me.id)] == me.name
    assert counts(found, "environment") == {"production": 2, "none": 1}
    assert counts(found, "service") == {"svc-a": 1, "svc-b": 1, "svc-c": 1}
    narrowed: list[tuple[dict[str, Any], int]] = [
        ({"open": True}, 2),
        ({"owner_id": me.id}, 1),
        ({"severity": ["none"]}, 1),
        ({"service": "svc-a"}, 1),
        ({"acknowledged": True}, 0),
    ]
    for which, count in narrowed:
        assert facets.incidents(line.company.viewer, **which).counted == count == incidents.search(me, **which).total, which


def test_an_incident_of_several_services_counts_for_each_of_them(line: Deliveries) -> None:
    source = line.source()
    for service in ("shop", "search"):
        line.deliver(source, alert(service, service=service))
    me = line.company.operator
    incidents.merge(me, line.incident_of("shop").id, [line.incident_of("search").id])
    line.deliver(source, alert("search more", service="search"))
    services = {name for view in line.incidents() for name in view.services}
    assert set(counts(facets.incidents(me), "service")) == services == {"shop", "search"}
    assert facets.incidents(me).counted == len(line.incidents())


def test_counting_ends_at_a_limit_that_is_told(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    source = line.source()
    for place in range(4):
        line.deliver(source, alert(f"A {place}", service=f"svc-{place}"))
    for cap, counted, is_capped in ((4, 4, False), (3, 3, True)):
        for module in (paging, stored_alerts):
            monkeypatch.setattr(module, "CAP", cap)
        for found in (facets.alerts(line.company.viewer), facets.incidents(line.company.viewer)):
            assert (found.counted, found.is_capped) == (counted, is_capped)


def test_of_many_values_only_the_commonest_are_told(line: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_FACETS", 1)
    source = line.source()
    for name, service in (("A", "rare"), ("B", "common"), ("C", "common")):
        line.deliver(source, alert(name, service=service))
    assert counts(facets.alerts(line.company.viewer), "service") == {"common": 2}


def shared_out(line: Deliveries) -> str:
    """An incident of an alert of red, which leads it, and one of blue. Returns the service of both."""
    company, name = line.company, f"svc-{uuid4().hex[:12]}"
    for team in (company.red, company.blue):
        line.deliver(line.source(team_id=team.id), alert(f"{name} {team.name}", service=name))
    return name


def member(company: Company, team: str) -> Actor:
    """Who looks in a team."""
    return getattr(company, team).people[Role.VIEWER]


def test_who_is_in_a_team_counts_its_own_alerts(line: Deliveries) -> None:
    name = shared_out(line)
    for who, count in ((member(line.company, "red"), 1), (member(line.company, "blue"), 1), (line.company.owner, 2)):
        assert counts(facets.alerts(who), "service") == {name: count}
        assert facets.alerts(who).counted == count
    assert facets.alerts(line.company.viewer).counted == 0, "who is in no team sees what belongs to no team"
    seen = labels(facets.alerts(member(line.company, "blue")), "source_id")
    assert set(seen) == {str(each.id) for each in sources.all(member(line.company, "blue"), page=ALL).items}


def test_services_are_not_told_to_whom_the_leading_alert_is_foreign(line: Deliveries) -> None:
    name = shared_out(line)
    found = facets.incidents(member(line.company, "blue"))
    assert (found.counted, counts(found, "service")) == (1, {}), "the incident is seen, its words are not"
    assert name not in repr(found)
    assert facets.incidents(member(line.company, "blue"), service=name).counted == 0, "nor are they found by guessing"
    assert counts(facets.incidents(member(line.company, "red")), "service") == {name: 1}
    assert facets.incidents(line.company.viewer).counted == 0


def test_another_organization_counts_nothing(there: Deliveries, database: Database) -> None:
    other = found_company(database, "Elsewhere")
    for found in (facets.alerts(other.owner), facets.incidents(other.owner), facets.alerts(other.owner, service="shop")):
        assert (found.counted, found.is_capped) == (0, False)
        assert {facet.values for facet in found.facets} == {()}
