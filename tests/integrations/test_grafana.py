"""What is read of Grafana's webhooks, new and old?"""

from typing import Any

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.fingerprint import fingerprint
from engine.model.heard import Fault, Heard
from tests.integrations.posting import heard, posted

pytestmark = pytest.mark.fast

ALERT = {
    "status": "firing",
    "labels": {"alertname": "High latency", "grafana_folder": "shop", "severity": "high", "instance": "web-1"},
    "annotations": {"summary": "Checkout is slow", "runbook_url": "https://runbooks.test/slow"},
    "startsAt": "2026-01-02T03:04:05+02:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://grafana.test/alerting/grafana/abc/view",
    "fingerprint": "1111222233334444",
    "silenceURL": "https://grafana.test/silence",
    "dashboardURL": "https://grafana.test/d/1",
    "panelURL": "https://grafana.test/d/1?viewPanel=2",
    "values": {"A": 12.5},
    "valueString": "[ var='A' value=12.5 ]",
}
LEGACY = {
    "title": "[Deliveries] Slow",
    "ruleId": 12,
    "ruleName": "Slow",
    "ruleUrl": "https://grafana.test/d/9",
    "state": "alerting",
    "message": "It is slow.",
    "evalMatches": [],
}


def group(*alerts: Any, **more: Any) -> dict[str, Any]:
    return {"receiver": "r", "status": "firing", "orgId": 1, "title": "[FIRING:1]", "alerts": list(alerts), "groupLabels": {}} | more


def failing(name: str, rule: str, **more: Any) -> dict[str, Any]:
    return ALERT | {"labels": {"alertname": name, "rulename": rule}, "annotations": {}} | more


def test_an_alert_is_read_with_its_links() -> None:
    found = heard("grafana", group(ALERT))
    assert (found.title, found.key, found.severity, found.resource) == ("Checkout is slow", "1111222233334444", "high", "web-1")
    assert [link.title for link in found.links] == ["Rule", "Dashboard", "Panel", "Silence", "Runbook"]
    assert found.annotations["valueString"] == "[ var='A' value=12.5 ]"


def test_only_web_addresses_become_links() -> None:
    found = heard(
        "grafana", group(ALERT | {"generatorURL": "?orgId=1", "panelURL": "javascript:alert(1)", "silenceURL": "", "annotations": {}})
    )
    assert [link.title for link in found.links] == ["Dashboard"]


@pytest.mark.parametrize("values", [None, {}, [], "x"])
def test_values_may_be_anything(values: Any) -> None:
    assert heard("grafana", group(ALERT | {"values": values})).title == "Checkout is slow"


@pytest.mark.parametrize(("name", "says"), [("DatasourceNoData", "no data"), ("DatasourceError", "could not ask")])
def test_a_failure_of_grafana_is_named_by_its_rule_and_its_class_is_noted(name: str, says: str) -> None:
    found = heard("grafana", group(failing(name, "Queue length")))
    assert found.title == "Queue length"
    assert len(found.notes) == 1 and says in found.notes[0]


def test_failures_of_two_rules_are_two_alerts_even_without_fingerprints() -> None:
    one, other = posted("grafana", group(failing("DatasourceError", "a", fingerprint=""), failing("DatasourceError", "b", fingerprint="")))
    assert isinstance(one, Heard) and isinstance(other, Heard)
    assert one.key == fingerprint({"alertname": "DatasourceError", "rulename": "a"}) != other.key


def test_the_error_of_a_data_source_is_the_description() -> None:
    found = heard("grafana", group(failing("DatasourceError", "Queue length", annotations={"Error": "connection refused"})))
    assert found.description == "connection refused"


def test_a_later_start_of_the_resolved_one_is_the_same_alert() -> None:
    over = ALERT | {"status": "resolved", "startsAt": "2026-01-02T05:00:00Z", "endsAt": "2026-01-02T06:00:00Z"}
    assert heard("grafana", group(ALERT)).key == heard("grafana", group(over, status="resolved")).key
    assert not heard("grafana", group(over)).firing


def test_odd_fields_do_not_lose_an_alert() -> None:
    found = posted("grafana", group(ALERT | {"valueString": None, "fingerprint": 7}, [], ALERT))
    assert [type(each) for each in found] == [Heard, Fault, Heard]
    assert isinstance(found[0], Heard) and found[0].key == "7"


@pytest.mark.parametrize(
    ("state", "firing", "noted"),
    [
        ("alerting", True, ""),
        ("ok", False, ""),
        ("OK", False, ""),
        ("no_data", True, "no data"),
        ("pending", True, "pending"),
        ("paused", False, "paused"),
        ("strange", True, "unknown"),
    ],
)
def test_a_dashboard_alert_has_a_state(state: str, firing: bool, noted: str) -> None:
    found = heard("grafana", LEGACY | {"state": state})
    assert (found.firing, found.key, found.title) == (firing, "grafana-legacy:12", "Slow")
    assert noted in " ".join(found.notes) and bool(noted) == bool(found.notes)


def test_tags_of_a_dashboard_alert_come_before_those_that_its_series_share() -> None:
    matches = [
        {"tags": {"instance": "a", "job": "x", "service": "theirs"}},
        {"tags": {"instance": "b", "job": "x", "service": "theirs"}},
        7,
    ]
    found = heard("grafana", LEGACY | {"evalMatches": matches, "tags": {"service": "ours", "severity": "warning"}})
    assert found.labels == {"job": "x", "service": "ours", "severity": "warning"}
    assert (found.service, found.severity, found.resource) == ("ours", "warning", None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"state":"ok"}', b'{"alerts":1,"ruleId":2}', b"7"])
def test_a_body_of_neither_kind_is_not_understood(body: bytes) -> None:
    with pytest.raises(Undecodable):
        KINDS["grafana"].accept(body, {})
