"""How is any JSON read as alerts? By a mapping that the user makes; without one, by the names that senders commonly use."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from pydantic import Field, field_validator

from engine.integrations.sources.contract import Kind, Undecodable
from engine.integrations.sources.lenient import clean, counted, decode, text
from engine.integrations.sources.mapping import Expression, MappedSettings, compiled, compose, labels_of, looked_up
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = "a JSON object for each alert, or an array of them"
# For each field the names it commonly has, the best first; in small letters, without `_` and `-`.
_COMMON = {
    "title": "title alerttitle alertname name summary subject headline alertmessage monitorname checkname rulename message msg text event",
    "description": "description alertdescription details detail body message msg text reason",
    "severity": "severity level priority urgency criticality",
    "status": "status alertstatus eventstatus state alertstate",
    "key": "dedupkey deduplicationkey dedupid fingerprint alertuid alertid alertkey incidentid incidentkey key uid uuid id",
    "service": "service servicename app application",
    "environment": "environment env stage",
    "resource": "host hostname resource instance nodename node server device target",
    "team": "team",
    "starts_at": "startsat startedat starttime startdate triggeredat openedat firstseen createdat",
    "ends_at": "endsat endedat endtime enddate resolvedat closedat",
    "url": "url alerturl incidenturl link permalink htmlurl alertdetailsurl linktoupstreamdetails",
}
# For each name the fields it may be, with its place among the names of that field.
_PLACES = {
    name: [(field, said.split().index(name)) for field, said in _COMMON.items() if name in said.split()]
    for name in " ".join(_COMMON.values()).split()
}
_ACTIONS = ("action", "actiontype", "eventtype", "eventaction")  # said of the post, and a status only if it ends the alert
_WRAPPERS = ("alert", "incident", "event", "problem", "data", "payload")
_LABELS = ("labels", "tags")
_LONGEST_LABEL, _MOST_LABELS = 200, 50
_SEPARATORS = re.compile(r"[_\-. ]")
_SCALARS = (str, int, float)
_ANY = msgspec.json.Decoder()


class Settings(MappedSettings):
    """Settings of a sender of any JSON."""

    alerts_path: Expression = Field(
        "",
        title="Path to the alerts",
        description="where in the body the list of alerts is, such as data.alerts; empty: the body is the alert",
    )

    @field_validator("alerts_path")
    @classmethod
    def _compiles_path(cls, said: str) -> str:
        if said:
            compiled(said)
        return said


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the objects of a body. Raises Undecodable when it is none. Where a path leads to the alerts, only reading counts them."""
    return counted(body, _objects(_decoded(body)))


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The alerts of a body."""
    said = _decoded(delivery.body)
    notes: tuple[str, ...] = ()
    objects = _objects(said)
    if settings.alerts_path:
        inside = looked_up(settings.alerts_path, said)
        if isinstance(inside, list):
            objects = _objects(inside)
        else:
            notes = (f"There is no list at “{settings.alerts_path}”; the body was read as the alert.",)
    found = [each if isinstance(each, Fault) else compose(each, *guess(each, settings), settings) for each in objects]
    for each in found:
        if notes and isinstance(each, Heard):
            each.notes += notes
    return found


def guess(said: Mapping[str, Any], settings: MappedSettings) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of an object by their common names, and its labels: its own, else its short fields."""
    plain = _folded(said)
    inner = next((plain[name] for name in _WRAPPERS if isinstance(plain.get(name), dict)), None)
    if inner is not None:
        plain = _folded(inner) | {name: value for name, value in plain.items() if _is_plain(value)}
    best: dict[str, tuple[int, Any]] = {}
    for name, value in plain.items():
        for field, rank in _PLACES.get(name, ()):
            if _is_plain(value) and (field not in best or rank < best[field][0]):
                best[field] = rank, value
    fields = {field: value for field, (_, value) in best.items()}
    if fields.get("description") == fields.get("title"):
        fields.pop("description", None)
    if "status" not in fields:
        words = [text(plain.get(name)) or "" for name in _ACTIONS]
        fields["status"] = next((word for word in words if word.lower() in settings.resolved_words), None)
    own = next((found for name in _LABELS if (found := labels_of(plain.get(name)))), None)
    return fields, _short({**(inner or {}), **said}) if own is None else own


def _decoded(body: bytes) -> Any:
    try:
        said = decode(_ANY, body, _EXPECTED)
    except msgspec.ValidationError as error:
        raise Undecodable(f"The body cannot be read ({error}); send {_EXPECTED}.") from None
    if not isinstance(said, list) and not (isinstance(said, dict) and said):
        raise Undecodable(f"The body is no object with something in it; send {_EXPECTED}.")
    return said


def _objects(said: Any) -> list[dict[str, Any] | Fault]:
    if isinstance(said, dict):
        return [said]
    return [each if isinstance(each, dict) and each else Fault(index, "An alert must be an object.") for index, each in enumerate(said)]


def _folded(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by their names in small letters without separators; of two alike the first that is not empty."""
    found: dict[str, Any] = {}
    for name, value in said.items():
        if value is not None and value != "":
            found.setdefault(_fold(name) if len(name) <= 100 else name, value)
    return found


@lru_cache(maxsize=10_000)
def _fold(name: str) -> str:
    return _SEPARATORS.sub("", name).lower()


def _is_plain(value: Any) -> bool:
    return isinstance(value, _SCALARS)


def _short(said: Mapping[str, Any]) -> dict[str, str]:
    """The short fields of an object, as labels."""
    found: dict[str, str] = {}
    for name, value in said.items():
        if _is_plain(value) and (told := text(value)) and len(told) <= _LONGEST_LABEL:
            found[clean(name)] = told
            if len(found) == _MOST_LABELS:
                break
    return found


KIND = Kind(
    id="generic",
    title="Generic JSON",
    about="any sender that can post JSON, with a mapping of your own where its names are uncommon",
    settings=Settings,
    accept=accept,
    read=read,
    sample='{"title":"A test alert","severity":"info","status":"firing","key":"test-alert","service":"test","starts_at":"{{now}}"}',
)
