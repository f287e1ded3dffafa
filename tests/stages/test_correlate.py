"""Which incident is an alert part of, why, and how bad is it?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.model.heard import Heard, Known
from engine.model.vocabulary import IncidentStatus, Scorer, Severity
from engine.stages import correlate
from engine.stages.correlate import OpenIncident
from tests.stages.hearing import NOON, at, known

pytestmark = pytest.mark.fast

RED, BLUE = UUID(int=10), UUID(int=11)


def alert(**more: Any) -> Known:
    """An alert."""
    return known(Heard(**({"title": "Disk full", "firing": True, "key": "k"} | more)))


def incident(of: Known | None = None, minute: float = 0, **more: Any) -> OpenIncident:
    """An incident around an alert, whose last one came at that minute."""
    made = correlate.opened(uuid4(), of or alert(service="orders"), at(minute))
    for name, value in more.items():
        setattr(made, name, value)
    return made


# The group


@pytest.mark.parametrize(
    ("more", "group", "why"),
    [
        ({"service": "orders"}, "service orders", "a service is a group"),
        ({"service": "orders", "environment": "prod"}, "environment prod, service orders", "in its environment"),
        (
            {"service": "orders", "environment": "prod", "labels": {"cluster": "eu", "namespace": "shop"}},
            "environment prod, cluster eu, namespace shop, service orders",
            "and its cluster and namespace",
        ),
        ({"labels": {"namespace": "shop"}, "group": "a=b"}, "namespace shop", "what we know comes before how the sender groups"),
        ({"group": "alertname=DiskFull", "environment": "prod"}, "environment prod, group alertname=DiskFull", "then the sender's group"),
        ({"labels": {"service": "orders"}}, "alert k", "a label is only our service if the kind reads it so"),
        ({}, "alert k", "else it is alone"),
        ({"environment": "prod"}, "environment prod, alert k", "an environment alone groups nothing"),
    ],
)
def test_what_an_alert_has_in_common_with_its_group(more: dict[str, Any], group: str, why: str) -> None:
    assert correlate.group_of(alert(**more)) == group, why


@pytest.mark.parametrize(("minute", "joins"), [(0, True), (5, True), (5.01, False)])
def test_an_alert_joins_the_incident_of_its_group_within_five_minutes_of_its_last_alert(minute: float, joins: bool) -> None:
    there = incident()
    placed = correlate.place(alert(service="orders"), [there], at(minute))
    assert (placed.incident is there) == joins
    assert (placed.by, placed.score) == (Scorer.GROUP, 0.8 if joins else 1.0), "to share a group is a guess, to be alone is none"
    joined, alone = "same service orders, within 5 min of its last alert", "no open incident of its group within the window"
    assert placed.reason == (joined if joins else alone)


def test_another_group_or_a_resolved_incident_is_not_joined() -> None:
    assert correlate.place(alert(service="stock"), [incident()], NOON).incident is None
    assert correlate.place(alert(service="orders"), [incident(resolved_at=NOON)], NOON).incident is None


def test_of_two_incidents_of_a_group_the_one_with_the_later_alert_is_joined() -> None:
    old, new = incident(minute=0), incident(minute=3)
    for order in ([old, new], [new, old]):
        assert correlate.place(alert(service="orders"), order, at(4)).incident is new


class BySameRack:
    """A way to tell that alerts of one rack belong together."""

    by = Scorer.PERSON

    def __init__(self, score: float, only: OpenIncident) -> None:
        self._score, self._only = score, only

    def keys(self, known: Known) -> Sequence[str]:
        return ("rack 7",)

    def score(self, known: Known, incident: OpenIncident, now: datetime) -> tuple[float, str]:
        return (self._score, "same rack") if incident is self._only else (0.0, "")


def test_a_scorer_that_plugs_in_finds_what_the_group_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    there = incident(group_key="rack 7")
    monkeypatch.setattr(correlate, "SCORERS", (*correlate.SCORERS, BySameRack(0.9, there)))
    placed = correlate.place(alert(service="orders"), [there], NOON)
    assert (placed.incident, placed.by, placed.score, placed.reason) == (there, Scorer.PERSON, 0.9, "same rack")


def test_a_scorer_that_is_not_sure_enough_places_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = incident(group_key="rack 7")
    monkeypatch.setattr(correlate, "SCORERS", (*correlate.SCORERS, BySameRack(0.5, there)))
    assert correlate.place(alert(service="orders"), [there], NOON).incident is None


@pytest.mark.parametrize("minute", [0, 2, 4])
def test_a_stronger_scorer_wins_over_the_group_whichever_incident_had_the_later_alert(
    monkeypatch: pytest.MonkeyPatch, minute: float
) -> None:
    of_group, of_rack = incident(minute=2), incident(minute=minute, group_key="rack 7")
    monkeypatch.setattr(correlate, "SCORERS", (*correlate.SCORERS, BySameRack(1.0, of_rack)))
    for order in ([of_group, of_rack], [of_rack, of_group]):
        assert correlate.place(alert(service="orders"), order, at(4)).incident is of_rack, "no scorer can be surer than 1"


# Coming back, and quiet


def test_an_open_incident_is_returned_to_always_and_a_resolved_one_within_thirty_minutes() -> None:
    assert correlate.returns(incident(), at(10_000))
    assert correlate.returns(incident(resolved_at=NOON), at(30))
    assert not correlate.returns(incident(resolved_at=NOON), at(30.01))


@pytest.mark.parametrize(
    ("acknowledged", "status"),
    [(None, IncidentStatus.DETECTED), (NOON, IncidentStatus.INVESTIGATING)],
)
def test_a_reopened_incident_is_where_its_people_were(acknowledged: datetime | None, status: IncidentStatus) -> None:
    back = incident(resolved_at=NOON, resolved_by="Ada", status=IncidentStatus.RESOLVED, acknowledged_at=acknowledged)
    correlate.reopen(back)
    assert (back.status, back.resolved_at, back.resolved_by, back.reopened, back.is_open) == (status, None, None, 1, True)


def test_five_minutes_after_its_last_alert_has_ended_it_is_looked_at() -> None:
    there = incident()
    correlate.begin(there, Severity.ERROR)
    correlate.quiet(there, at(1))
    assert there.check_at is None, "one still fires"
    correlate.count(there, Severity.ERROR, -1)
    correlate.quiet(there, at(2))
    assert there.check_at == at(7)
    correlate.begin(there, Severity.ERROR)
    assert there.check_at is None, "it fires again, so it is not quiet"


def test_a_resolved_incident_is_not_looked_at() -> None:
    there = incident(resolved_at=NOON)
    correlate.quiet(there, at(1))
    assert there.check_at is None


# Joining


def test_the_first_alert_gives_the_title_and_each_adds_its_service_and_team() -> None:
    there = incident()
    correlate.join(there, alert(service="orders"), RED, at(1))
    correlate.join(there, alert(service="stock", title="Slow"), BLUE, at(3))
    correlate.join(there, alert(service="stock"), RED, at(2))
    assert (there.title, there.title_team_id, there.services, there.team_ids) == (
        "orders: Disk full",
        RED,
        ["orders", "stock"],
        [RED, BLUE],
    )
    assert (there.alert_count, there.last_alert_at, there.everybody) == (3, at(3), False)


def test_an_alert_of_no_team_lets_everybody_see_the_incident() -> None:
    there = incident()
    correlate.join(there, alert(), None, at(1))
    assert (there.everybody, there.team_ids, there.title) == (True, [], "Disk full")


def test_a_title_that_somebody_wrote_stays() -> None:
    there = incident(title="Orders are down", title_edited=True)
    correlate.join(there, alert(), None, at(1))
    assert there.title == "Orders are down"


def test_services_are_named_up_to_a_limit() -> None:
    there = incident()
    for place in range(60):
        correlate.join(there, alert(service=f"s{place}"), None, at(1))
    assert (len(there.services), there.alert_count) == (50, 60)


# How bad


@pytest.mark.parametrize(
    ("fires", "worst", "why"),
    [
        ([Severity.INFO, Severity.CRITICAL], Severity.CRITICAL, "the worst counts"),
        ([Severity.WARNING, Severity.ERROR], Severity.ERROR, "the worst counts"),
        ([None, Severity.INFO], None, "not stated counts as a warning, which is worse than info"),
        ([None, Severity.WARNING], Severity.WARNING, "what is stated says more than what is not"),
        ([None], None, "nothing is invented"),
    ],
)
def test_an_incident_is_as_bad_as_its_worst_firing_alert(fires: list[Severity | None], worst: Severity | None, why: str) -> None:
    for order in (fires, fires[::-1]):
        there = incident()
        for severity in order:
            correlate.begin(there, severity)
        assert there.severity is worst, why
        assert sum(there.open_by_severity) == there.firings == len(fires)


def test_when_the_worst_ends_it_is_as_bad_as_the_rest_and_at_the_end_as_it_was_last() -> None:
    there = incident()
    for severity in (Severity.CRITICAL, Severity.INFO):
        correlate.begin(there, severity)
    correlate.count(there, Severity.CRITICAL, -1)
    assert there.severity is Severity.INFO
    correlate.count(there, Severity.INFO, -1)
    assert (there.severity, there.open_by_severity) == (Severity.INFO, [0] * 5)


def test_a_severity_that_somebody_set_stays() -> None:
    there = incident(severity=Severity.INFO, severity_by="Ada")
    correlate.begin(there, Severity.CRITICAL)
    assert (there.severity, there.open_by_severity[0]) == (Severity.INFO, 1)


def test_counts_never_fall_below_nothing() -> None:
    there = incident()
    correlate.count(there, Severity.ERROR, -1)
    assert there.open_by_severity == [0] * 5
