"""How does PagerDuty tell of its incidents? Webhooks v3 (`event`), and v1 and v2 (`messages`)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.integrations.sources.contract import Kind, SourceSettings, Undecodable
from engine.integrations.sources.lenient import counted, decode, link, moment, text
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = 'an object with "event" or a list "messages", as PagerDuty\'s webhooks are'
_NOBODY = "PagerDuty"
_PAST = {
    "incident.trigger": "incident.triggered",
    "incident.acknowledge": "incident.acknowledged",
    "incident.resolve": "incident.resolved",
}


class Settings(SourceSettings):
    """Settings of a PagerDuty whose incidents are alerts here."""


_ANY = msgspec.json.Decoder()


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count what is told of incidents; whatever else PagerDuty tells of is none. Raises Undecodable."""
    return counted(body, _told(body))


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The incidents of a body."""
    return [each if isinstance(each, Fault) else _heard(each) for each in _told(delivery.body)]


def _told(body: bytes) -> list[dict[str, Any] | Fault]:
    """What a body tells of incidents, each in the shape of v3."""
    try:
        said = decode(_ANY, body, _EXPECTED)
    except msgspec.ValidationError as error:
        raise Undecodable(f"The body cannot be read ({error}); send {_EXPECTED}.") from None
    said = said if isinstance(said, dict) else {}
    event, messages = said.get("event"), said.get("messages")
    if isinstance(event, dict) and isinstance(event.get("data"), dict):
        return _of_incident(event)
    if not isinstance(messages, list):
        raise Undecodable(f"The body is not what was expected; send {_EXPECTED}.")
    return [_message(each, index) for index, each in enumerate(messages)]


def _of_incident(event: dict[str, Any]) -> list[dict[str, Any] | Fault]:
    """Services, notes and pings are told of too, and are no alerts."""
    if text(event["data"].get("type")) != "incident":
        return []
    return [event if text(event["data"].get("id")) else Fault(0, "The incident has no id.")]


def _message(said: Any, index: int) -> dict[str, Any] | Fault:
    """A message of v1 or v2 as an event of v3."""
    if not isinstance(said, dict):
        return Fault(index, "A message must be an object.")
    data = said.get("data")
    incident = said.get("incident") if data is None else _object(data).get("incident")
    if not isinstance(incident, dict) or text(incident.get("id")) is None:
        return Fault(index, "The message is of no incident.")
    kind = (text(said.get("type")) or text(said.get("event")) or "").lower()
    return {
        "event_type": _PAST.get(kind, kind),
        "occurred_at": incident.get("last_status_change_on") or incident.get("last_status_change_at"),
        "agent": incident.get("last_status_change_by"),
        "data": incident,
    }


def _heard(event: dict[str, Any]) -> Heard:
    incident = _object(event["data"])
    kind, status, at = text(event.get("event_type")), text(incident.get("status")), moment(event.get("occurred_at"))
    firing = status != "resolved" and kind != "incident.resolved"
    acknowledged = firing and (kind == "incident.acknowledged" or status == "acknowledged")
    created_at = moment(incident.get("created_at") or incident.get("created_on"))
    id = text(incident.get("id")) or ""
    priority = text(_object(incident.get("priority")).get("summary")) or text(incident.get("urgency"))
    teams = incident.get("teams")
    return Heard(
        title=_title(incident) or f"PagerDuty incident {id}",
        firing=firing,
        key=f"pagerduty:{id}",
        severity=priority,
        service=_name(incident.get("service")),
        team=_name(teams[0]) if isinstance(teams, list) and teams else None,
        labels={"urgency": urgency} if (urgency := text(incident.get("urgency"))) else {},
        starts_at=created_at or (at if kind == "incident.triggered" else None),
        ends_at=None if firing else moment(incident.get("resolved_at")) or at,
        acknowledged_by=(_agent(event, kind) or _NOBODY) if acknowledged else None,
        links=link("PagerDuty", incident.get("html_url")),
    )


def _agent(event: dict[str, Any], kind: str | None) -> str | None:
    """Who acknowledged: only the event of that says it."""
    return _name(event.get("agent")) if kind == "incident.acknowledged" else None


def _title(incident: dict[str, Any]) -> str | None:
    subject = _object(incident.get("trigger_summary_data"))
    return (
        text(incident.get("title")) or text(subject.get("subject")) or text(subject.get("description")) or text(incident.get("description"))
    )


def _name(said: Any) -> str | None:
    named = _object(said)
    return text(named.get("summary")) or text(named.get("name"))


def _object(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


KIND = Kind(
    id="pagerduty_webhook",
    title="PagerDuty webhooks",
    about="a webhook subscription of a PagerDuty account: its incidents become alerts",
    settings=Settings,
    accept=accept,
    read=read,
    retries_429=True,
    sample='{"event":{"id":"TEST","event_type":"incident.triggered","resource_type":"incident","occurred_at":"{{now}}","data":{"id":"TEST",'
    '"type":"incident","status":"triggered","title":"A test alert","service":{"summary":"test"},"urgency":"low"}}}',
)
