"""Does the story of a fault come out right when real senders tell it?

Prometheus tells its Alertmanager and us at the same time, and Alertmanager tells us too: once by webhook with a secret, once as
to an Alertmanager without one. See senders/story.py.
"""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.scenarios.senders.story import HAS_LIVE, MISSING, Told

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")]


@pytest.fixture(scope="module")
def told(story: "Future[Told]") -> Iterator[Told]:
    """The story, told to its end."""
    found = story.result(240)
    yield found
    found.ask.tidy()


def test_each_alert_comes_both_ways_and_ends(told: Told) -> None:
    by_webhook, direct = (told.ask.alerts(source["id"]) for source in (told.webhook, told.direct))
    assert {"LabFault"} < {alert["labels"]["alertname"] for alert in by_webhook}
    assert {alert["fingerprint"] for alert in by_webhook} <= {alert["fingerprint"] for alert in direct}
    assert {alert["status"] for alert in told.alerts()} == {"resolved"}
    assert {alert["closed_by"] for alert in told.alerts()} == {"sender"}


def test_no_alert_comes_to_us_twice(told: Told) -> None:
    for source in (told.webhook, told.direct):
        fingerprints = [alert["fingerprint"] for alert in told.ask.alerts(source["id"])]
        assert len(fingerprints) == len(set(fingerprints))
    assert {alert["count"] for alert in told.alerts() if alert["labels"]["alertname"] == "LabFault"} == {1}


def test_alerts_of_a_group_are_one_incident(told: Told) -> None:
    faults: dict[tuple[str, str], set[int]] = {}
    for alert in told.alerts():
        assert alert["incident"], alert["title"]
        if alert["labels"]["alertname"] == "LabFault":
            faults.setdefault((alert["service"], alert["environment"]), set()).add(alert["incident"]["number"])
    assert set(faults) == {("checkout", "prod"), ("cart", "staging")}
    assert [len(numbers) for numbers in faults.values()] == [1, 1], "both ways lead into the incident of the service"
    assert len({alert["incident"]["id"] for alert in told.alerts()}) < len(told.alerts())


def test_no_incident_has_an_alert_that_fires_any_more(told: Told) -> None:
    for id in {alert["incident"]["id"] for alert in told.alerts()}:
        incident = told.ask("GET", f"/incidents/{id}")
        assert (incident["open_alerts"], incident["alerts"] > 0) == (0, True)


def test_nothing_is_in_the_quarantine(told: Told) -> None:
    for source in (told.webhook, told.direct):
        assert told.ask("GET", "/quarantine", params={"source_id": source["id"]}) == []
        shown = told.ask("GET", f"/sources/{source['id']}")
        assert (shown["quarantined"], shown["rejected"], shown["failures"]) == (0, 0, 0)
        assert shown["deliveries"] > 0


def test_no_sender_was_refused(told: Told) -> None:
    logs = [log for log in told.logs.glob("*.log") if log.name not in ("ne.log", "node.log")]  # a node exporter sends nothing
    assert len(logs) == (3 if HAS_LIVE else 2)
    wrong = ("err=", "level=error", "Notify attempt failed", "\terror\t")
    lines = [f"{log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()]
    assert [line for line in lines if any(each in line for each in wrong)] == []


def test_amtool_lists_what_fires_while_it_fires(told: Told) -> None:
    assert {"LabFault"} < told.listed
