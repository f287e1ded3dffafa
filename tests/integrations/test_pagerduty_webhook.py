"""What is read of what PagerDuty tells of its incidents?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.model.heard import Fault, Heard
from tests.integrations.posting import heard, posted

pytestmark = pytest.mark.fast
AT = "2026-01-02T03:04:05Z"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INCIDENT = {
    "id": "PAAA111",
    "type": "incident",
    "status": "triggered",
    "title": "Orders are late",
    "html_url": "https://acme.pagerduty.test/incidents/PAAA111",
    "service": {"summary": "Orders"},
    "teams": [{"summary": "Shop"}],
    "priority": None,
    "urgency": "high",
}


def event(kind: str, **more: Any) -> dict[str, Any]:
    agent = {"summary": "Ada", "type": "user_reference"}
    return {"event": {"id": "E", "event_type": kind, "occurred_at": AT, "agent": agent, "data": INCIDENT | more}}


def message(kind: str, **more: Any) -> dict[str, Any]:
    incident = {
        "id": "PBBB222",
        "status": "triggered",
        "created_on": AT,
        "trigger_summary_data": {"subject": "Late"},
        "service": {"name": "Orders"},
    }
    return {"type": kind, "data": {"incident": incident | more}}


def test_an_incident_is_read_whole() -> None:
    found = heard("pagerduty_webhook", event("incident.triggered"))
    assert (found.title, found.service, found.team, found.severity) == ("Orders are late", "Orders", "Shop", "high")
    assert (found.firing, found.key, found.starts_at) == (True, "pagerduty:PAAA111", MOMENT)
    assert found.links[0].url == INCIDENT["html_url"]


def test_a_priority_comes_before_the_urgency() -> None:
    assert heard("pagerduty_webhook", event("incident.priority_updated", priority={"summary": "P2"})).severity == "P2"


def test_the_start_of_a_later_event_is_not_made_up() -> None:
    assert heard("pagerduty_webhook", event("incident.priority_updated")).starts_at is None


def test_who_acknowledged_is_told() -> None:
    assert heard("pagerduty_webhook", event("incident.acknowledged", status="acknowledged")).acknowledged_by == "Ada"
    assert heard("pagerduty_webhook", event("incident.reassigned", status="acknowledged")).acknowledged_by == "PagerDuty"
    assert heard("pagerduty_webhook", event("incident.triggered")).acknowledged_by is None


def test_the_end_of_an_incident_is_the_end_of_the_alert() -> None:
    found = heard("pagerduty_webhook", event("incident.resolved", status="resolved"))
    assert (found.firing, found.ends_at, found.key) == (False, MOMENT, "pagerduty:PAAA111")


@pytest.mark.parametrize("data", [{"type": "ping", "message": "Hello"}, {"type": "service", "id": "P1"}, {"type": "incident_note"}])
def test_what_is_no_incident_is_no_alert(data: dict[str, Any]) -> None:
    assert posted("pagerduty_webhook", {"event": {"event_type": "x", "data": data}}) == []


def test_messages_of_the_first_webhooks_are_read_each() -> None:
    changed = {"status": "resolved", "last_status_change_on": AT}
    first, last = posted("pagerduty_webhook", {"messages": [message("incident.acknowledge"), message("incident.resolve", **changed)]})
    assert isinstance(first, Heard) and isinstance(last, Heard)
    assert (first.title, first.service, first.firing, first.acknowledged_by) == ("Late", "Orders", True, "PagerDuty")
    assert (last.firing, last.starts_at, last.ends_at, last.key) == (False, MOMENT, MOMENT, first.key)


def test_messages_of_the_second_webhooks_have_the_incident_at_the_top() -> None:
    found = heard("pagerduty_webhook", {"messages": [{"event": "incident.trigger", "incident": INCIDENT | {"created_at": AT}}]})
    assert (found.title, found.starts_at) == ("Orders are late", MOMENT)


def test_a_message_of_nothing_is_a_fault() -> None:
    found = posted("pagerduty_webhook", {"messages": [7, {}, {"data": {"incident": {}}}, {"data": 1}, message("incident.trigger")]})
    assert [type(each) for each in found] == [Fault, Fault, Fault, Fault, Heard]


@pytest.mark.parametrize("said", [{}, [], None, {"event": 1}, {"event": {}}, {"messages": {}}])
def test_another_body_is_not_understood(said: Any) -> None:
    with pytest.raises(Undecodable):
        KINDS["pagerduty_webhook"].accept(json.dumps(said).encode(), {})
