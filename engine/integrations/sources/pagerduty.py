"""How is an event sent to PagerDuty? Events API v2, `POST /v2/enqueue`: here for senders that can speak nothing else.

The routing key in the body is the credential: it is not kept. A trigger without a dedup_key gets one made of what it says,
so that the same post sent twice is the same alert.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw

from engine.integrations.sources.contract import CREDENTIAL, Kind, SourceSettings, Undecodable
from engine.integrations.sources.lenient import decode, first, link, moment, text, without, words
from engine.model.heard import Accepted, Delivery, Fault, Heard, Link

_EXPECTED = 'an object with "event_action" and "payload", as PagerDuty\'s Events API v2 takes'
_ACTIONS = ("trigger", "acknowledge", "resolve")
_REQUIRED = ("summary", "source", "severity")
_MOST_LINKS = 20


class Settings(SourceSettings):
    """Settings of a sender of PagerDuty events."""


_ANY = msgspec.json.Decoder()
_FIELDS = msgspec.json.Decoder(dict[str, Raw])


def credential(body: bytes) -> str | None:
    """The routing key of a body, if it is one that can be read."""
    try:
        return text(_decoded(body).get("routing_key"))
    except Undecodable:
        return None


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Check an event as PagerDuty does, and take the routing key out. Raises Undecodable."""
    said = _decoded(body)
    _check(said)
    fields = dict(decode(_FIELDS, body, _EXPECTED))
    fields.pop("routing_key", None)
    key = text(said.get("dedup_key"))
    if key is None:
        key = sha256(msgspec.json.encode(fields)).hexdigest()[:32]
        fields["dedup_key"] = Raw(msgspec.json.encode(key))
    if "routing_key" in said:
        fields = {"routing_key": Raw(msgspec.json.encode(CREDENTIAL))} | fields
    kept = without(text(said.get("routing_key")) or "", msgspec.json.encode(fields))
    return Accepted(kept, 1, answer={"dedup_key": key})


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The one alert of an event."""
    said = _decoded(delivery.body)
    _check(said)
    payload = _object(said.get("payload"))
    details = payload.get("custom_details")
    told = _words(details) if isinstance(details, dict) else {}
    labels = {name: value for name in ("component", "group", "class") if (value := text(payload.get(name)))}
    action, key, at = _action(said), text(said.get("dedup_key")), moment(payload.get("timestamp"))
    return [
        Heard(
            title=text(payload.get("summary")) or f"PagerDuty event {key}",
            firing=action != "resolve",
            key=key,
            description=first(told, "description", "message") or text(details),
            severity=text(payload.get("severity")),
            service=first(told, "service", "service_name") or labels.get("component"),
            environment=first(told, "environment", "env"),
            resource=text(payload.get("source")),
            team=told.get("team"),
            labels=labels,
            annotations=told,
            starts_at=at if action == "trigger" else None,
            ends_at=at if action == "resolve" else None,
            acknowledged_by=(text(said.get("client")) or "PagerDuty sender") if action == "acknowledge" else None,
            links=_links(said),
            bare=action == "acknowledge",
        )
    ]


def answer(delivery_id: UUID, accepted: Accepted) -> tuple[int, dict[str, Any] | None]:
    """What PagerDuty answers."""
    return 202, {"status": "success", "message": "Event processed", **(accepted.answer or {})}


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        said = decode(_ANY, body, _EXPECTED)
    except msgspec.ValidationError as error:
        raise Undecodable(f"The body cannot be read ({error}); send {_EXPECTED}.") from None
    if not isinstance(said, dict):
        raise Undecodable(f"The body is no object; send {_EXPECTED}.")
    return said


def _check(said: dict[str, Any]) -> None:
    """Raise Undecodable with all that an event lacks."""
    action = _action(said)
    if action not in _ACTIONS:
        raise Undecodable(f"The event is invalid: event_action must be one of {', '.join(_ACTIONS)}.")
    errors: list[str] = []
    if action == "trigger":
        payload = _object(said.get("payload"))
        errors = [f"payload.{name} is missing" for name in _REQUIRED if text(payload.get(name)) is None]
    elif text(said.get("dedup_key")) is None:
        errors = [f"dedup_key is missing, and {action} needs it"]
    if errors:
        raise Undecodable(f"The event is invalid: {'; '.join(errors)}.")


def _action(said: dict[str, Any]) -> str:
    return (text(said.get("event_action")) or "").lower()


def _object(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else {}


def _words(said: dict[str, Any]) -> dict[str, str]:
    try:
        return words(said)
    except RecursionError:
        return {}


def _links(said: dict[str, Any]) -> tuple[Link, ...]:
    found = link(text(said.get("client"), 100) or "Client", said.get("client_url"))
    for each in _objects(said.get("links")):
        found += link(text(each.get("text"), 100) or "Link", each.get("href"))
    for each in _objects(said.get("images")):
        found += link(text(each.get("alt"), 100) or "Image", each.get("href") or each.get("src"))
    return found


def _objects(said: Any) -> list[dict[str, Any]]:
    return [each for each in said[:_MOST_LINKS] if isinstance(each, dict)] if isinstance(said, list) else []


KIND = Kind(
    id="pagerduty",
    title="PagerDuty Events API v2",
    about="senders that can post to PagerDuty: point them here, with this source's token as the routing key",
    settings=Settings,
    accept=accept,
    read=read,
    credential=credential,
    answer=answer,
    retries_429=True,
    sample='{"routing_key":"","event_action":"trigger","dedup_key":"test-alert","payload":{"summary":"A test alert","source":"test",'
    '"severity":"info","timestamp":"{{now}}"}}',
)
