"""How is a CloudEvent read as an alert? CloudEvents 1.0 over HTTP: structured, binary and batched.

What the event tells of is in its data, read by the names that senders commonly use, or by a mapping. A subject tells what
the event is about, so events of one source, subject and type are one alert; without a subject each event is its own.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from engine.integrations.sources.contract import Kind, Undecodable
from engine.integrations.sources.generic import guess
from engine.integrations.sources.lenient import clean, counted, decode, text
from engine.integrations.sources.mapping import MappedSettings, compose
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = "a CloudEvent: JSON as application/cloudevents+json, an array of them, or ce- headers with the data as the body"
_REQUIRED = ("id", "source", "specversion", "type")
_NOT_LABELS = {"id", "specversion", "time", "data", "data_base64", "datacontenttype", "dataschema"}
_STATES = {"resolved", "resolve", "closed", "recovered", "cleared", "ok", "firing", "triggered", "opened", "fired", "raised", "updated"}
_ESCAPED = re.compile(r"\\(.)")
_ANY = msgspec.json.Decoder()


class Settings(MappedSettings):
    """Settings of a sender of CloudEvents. A path begins at the event: data.title, subject."""


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the events of a body. Raises Undecodable when it holds none."""
    return counted(body, _events(body, headers))


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The events of a body."""
    events = _events(delivery.body, delivery.headers)
    return [event if isinstance(event, Fault) else _heard(event, settings) for event in events]


def _events(body: bytes, headers: Mapping[str, str]) -> list[dict[str, Any] | Fault]:
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith("application/cloudevents"):
        if media not in ("application/cloudevents", "application/cloudevents+json", "application/cloudevents-batch+json"):
            raise Undecodable(f"The format {media[:60]} is not read; send {_EXPECTED}.")
    elif "ce-specversion" in headers or "ce-id" in headers:
        return _alone(_binary(body, headers, media))
    said = _decoded(body)
    if isinstance(said, list):
        return [_checked(each, index) for index, each in enumerate(said)]
    return _alone(said)


def _alone(said: Any) -> list[dict[str, Any] | Fault]:
    found = _checked(said, 0)
    if isinstance(found, Fault):
        raise Undecodable(f"{found.reason} Send {_EXPECTED}.")
    return [found]


def _checked(said: Any, index: int) -> dict[str, Any] | Fault:
    if not isinstance(said, dict):
        return Fault(index, "An event must be an object.")
    lacks = [name for name in _REQUIRED if text(said.get(name)) is None]
    return Fault(index, f"The event lacks {', '.join(lacks)}.") if lacks else said


def _binary(body: bytes, headers: Mapping[str, str], media: str) -> dict[str, Any]:
    """An event whose attributes are headers."""
    event: dict[str, Any] = {name[3:]: _header(value) for name, value in headers.items() if name.startswith("ce-")}
    if not body.strip():
        return event
    if media.endswith(("/json", "+json")):
        event["data"] = _decoded(body)
    elif media == "" or media.startswith("text/"):
        event["data"] = body.decode("utf-8", "replace")
    return event


def _header(value: str) -> str:
    """The text of a header: quotes taken off, then percent signs decoded once."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    return unquote(value, errors="replace")


def _decoded(body: bytes) -> Any:
    try:
        return decode(_ANY, body, _EXPECTED)
    except msgspec.ValidationError as error:
        raise Undecodable(f"The body cannot be read ({error}); send {_EXPECTED}.") from None


def _heard(event: dict[str, Any], settings: Settings) -> Heard:
    data = event.get("data")
    said, labels = guess(data, settings) if isinstance(data, dict) else ({"description": text(data)}, {})
    stem, state = _stem(text(event["type"]) or "")
    source, subject = text(event["source"]), text(event.get("subject"))
    about = f"{subject}|{stem}" if subject else text(event["id"])
    guessed = {name: value for name, value in said.items() if value is not None}
    guessed["key"] = f"{source}|{about}"
    guessed.setdefault("title", subject or text(event["type"]))
    status = text(guessed.setdefault("status", state)) or ""
    guessed.setdefault("ends_at" if status.lower() in settings.resolved_words else "starts_at", event.get("time"))
    extensions = {clean(name): told for name, value in event.items() if name not in _NOT_LABELS and (told := text(value))}
    found = compose(event, guessed, extensions | labels, settings)
    version = text(event["specversion"]) or ""
    if not version.startswith("1."):
        found.notes += (f"The version “{version[:20]}” of CloudEvents is unknown; read as 1.0.",)
    return found


def _stem(kind: str) -> tuple[str, str]:
    """A type without the state at its end, such as `resolved`, and that state; empty for none."""
    stem, _, state = kind.rpartition(".")
    return (stem, state) if state.lower() in _STATES else (kind, "")


KIND = Kind(
    id="cloudevents",
    title="CloudEvents",
    about="any sender of CloudEvents 1.0 over HTTP, such as Knative, Argo Events or Azure Event Grid",
    settings=Settings,
    accept=accept,
    read=read,
    headers=("ce-*", "content-type"),
    retries_429=True,
    sample='{"specversion":"1.0","id":"test","source":"/test","type":"test.alert","time":"{{now}}","data":{"title":"A test alert",'
    '"severity":"info","status":"firing"}}',
)
