"""How is a list of alerts in Alertmanager's shape read, whether or not every field is of the type it should be?

First by its types, which is fast; a body with a field of another type alert by alert, so that one bad alert is one fault.
"""

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.lenient import clean, counted, decode, text, words
from engine.model.heard import Accepted, Fault


class Alert(Struct):
    """An alert as Alertmanager writes it; its relatives add fields of text."""

    labels: dict[str, str]
    status: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    startsAt: str = ""
    endsAt: str = ""
    generatorURL: str = ""
    fingerprint: str = ""


A = TypeVar("A", bound=Alert)


class _Group(Struct, Generic[A]):
    alerts: list[A]
    groupLabels: dict[str, str] = field(default_factory=dict)


class _LooseGroup(Struct):
    alerts: list[Raw]
    groupLabels: Any = None


_ANY = msgspec.json.Decoder()


class AlertList(Generic[A]):
    """The bodies of one kind: alerts of a `shape`, in an object under "alerts", or as a `bare` array."""

    def __init__(self, shape: type[A], expected: str, *, bare: bool = False) -> None:
        """`expected` ends the sentence of a refusal: "send …"."""
        self._shape, self._expected, self._bare = shape, expected, bare
        self._tight = msgspec.json.Decoder(list[shape] if bare else _Group[shape])
        self._loose = msgspec.json.Decoder(list[Raw] if bare else _LooseGroup)

    def accept(self, body: bytes) -> Accepted:
        """Count the alerts of a body. Raises Undecodable when there is no list of alerts in it."""
        try:
            return Accepted(body, len(self._parts(decode(self._tight, body, self._expected))[1]))
        except msgspec.ValidationError:
            return counted(body, self._loosely(body)[1])

    def read(self, body: bytes) -> tuple[str, list[A | Fault]]:
        """The labels of the group as one text, and the alerts. Raises Undecodable."""
        try:
            group, alerts = self._parts(decode(self._tight, body, self._expected))
        except msgspec.ValidationError:
            group, alerts = self._loosely(body)
        else:
            _clean(alerts, body)
        return _told(group), alerts

    def _parts(self, said: Any) -> tuple[Any, list[Any]]:
        return (None, said) if self._bare else (said.groupLabels, said.alerts)

    def _loosely(self, body: bytes) -> tuple[Any, list[A | Fault]]:
        try:
            group, raws = self._parts(decode(self._loose, body, self._expected))
        except msgspec.ValidationError as error:
            raise Undecodable(f"The body is not what was expected ({error}); send {self._expected}.") from None
        return group, [_loose_alert(raw, index, self._shape) for index, raw in enumerate(raws)]


def _loose_alert(raw: Raw, index: int, shape: type[A]) -> A | Fault:
    try:
        said = _ANY.decode(raw)
        if not isinstance(said, dict):
            return Fault(index, "An alert must be an object.")
        annotations = said.get("annotations")
        notes = words(annotations) if isinstance(annotations, dict) else {}
        labels = words(said.get("labels"))
    except TypeError:
        return Fault(index, "Labels must be an object of names and values.")
    except (RecursionError, ValueError):
        return Fault(index, "The alert holds a number, a text or a nesting that cannot be read.")
    texts = {name: text(said.get(name)) or "" for name in shape.__struct_fields__ if name not in ("labels", "annotations")}
    return shape(labels=labels, annotations=notes, **texts)


def _clean(alerts: list[A], body: bytes) -> None:
    """Take out the NUL characters that the body may have hidden in escapes."""
    if b"\\u0000" in body:
        for alert in alerts:
            for name in alert.__struct_fields__:
                said = getattr(alert, name)
                setattr(alert, name, words(said) if isinstance(said, dict) else clean(said))


def _told(labels: Any) -> str:
    """The labels of a group as one text; empty when they are no labels."""
    try:
        return ", ".join(f"{name}={value}" for name, value in words(labels).items())
    except (TypeError, RecursionError):
        return ""
