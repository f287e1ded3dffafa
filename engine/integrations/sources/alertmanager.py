"""How does Alertmanager's webhook speak? Version 4 (alertmanager/notify/webhook and docs/configuration.md), 3 tolerated.

The group's own status is not believed: a `firing` group may hold alerts that are resolved.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct, field
from pydantic import Field

from engine.integrations.sources.contract import Kind, SourceSettings, Undecodable
from engine.integrations.sources.fingerprint import fingerprint
from engine.integrations.sources.lenient import clean, counted, decode, first, link, moment, text, words
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = 'an object with a list "alerts", as Alertmanager\'s webhook_configs does'


class Settings(SourceSettings):
    """Settings of an Alertmanager."""

    heartbeats: list[str] = Field(
        default_factory=lambda: ["Watchdog"],
        title="Heartbeat alerts",
        description="names of alerts that always fire: they are a sign of life, and their silence raises an alert",
        max_length=20,
    )


class Alert(Struct):
    """An alert as Alertmanager writes it; its relatives add fields of text."""

    labels: dict[str, str]
    status: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    startsAt: str = ""
    endsAt: str = ""
    generatorURL: str = ""
    fingerprint: str = ""


class _Group(Struct):
    alerts: list[Alert]
    status: str = ""
    groupLabels: dict[str, str] = field(default_factory=dict)


class LooseGroup(Struct):
    """A group of which only the list is certain."""

    alerts: list[Raw]
    status: Any = None
    groupLabels: Any = None


A = TypeVar("A", bound=Alert)
_TIGHT = msgspec.json.Decoder(_Group)
_LOOSE = msgspec.json.Decoder(LooseGroup)
_ANY = msgspec.json.Decoder()


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the alerts of a body. Raises Undecodable when there is no list of alerts in it."""
    try:
        return Accepted(body, len(decode(_TIGHT, body, _EXPECTED).alerts))
    except msgspec.ValidationError:
        return counted(body, loosely(loose_group(body, _EXPECTED).alerts, Alert))


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The alerts of a body."""
    try:
        tight = decode(_TIGHT, delivery.body, _EXPECTED)
        group, alerts = tight.groupLabels, cleaned(tight.alerts, delivery.body)
    except msgspec.ValidationError:
        loose = loose_group(delivery.body, _EXPECTED)
        group, alerts = loose.groupLabels, loosely(loose.alerts, Alert)
    grouped = told_group(group)
    return [alert if isinstance(alert, Fault) else heard(alert, grouped, settings) for alert in alerts]


def told_group(labels: Any) -> str:
    """The labels of a group as one text; empty when they are no labels."""
    try:
        return ", ".join(f"{name}={value}" for name, value in words(labels).items())
    except (TypeError, RecursionError):
        return ""


def loose_group(body: bytes, expected: str) -> LooseGroup:
    """A body as far as it has a list of alerts. Raises Undecodable."""
    try:
        return decode(_LOOSE, body, expected)
    except msgspec.ValidationError as error:
        raise Undecodable(f"The body is not what was expected ({error}); send {expected}.") from None


def loosely(raws: list[Raw], shape: type[A]) -> list[A | Fault]:
    """Alerts whose fields are not all of the types they should be, as far as they can be alerts."""
    return [_loose_alert(raw, index, shape) for index, raw in enumerate(raws)]


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


def cleaned(alerts: list[A], body: bytes) -> list[A]:
    """The alerts without the NUL characters that the body may have hidden in escapes."""
    if b"\\u0000" in body:
        for alert in alerts:
            for name in alert.__struct_fields__:
                said = getattr(alert, name)
                setattr(alert, name, words(said) if isinstance(said, dict) else clean(said))
    return alerts


def heard(alert: Alert, grouped: str, settings: Settings) -> Heard:
    """An alert in our words, of the group of that text."""
    labels, annotations = alert.labels, alert.annotations
    name = labels.get("alertname", "")
    firing = alert.status != "resolved"
    starts_at = moment(alert.startsAt)
    notes: tuple[str, ...] = ()
    if alert.status not in ("firing", "resolved"):
        notes = (f"The status “{alert.status[:60]}” is unknown; read as firing.",)
    if starts_at is None and alert.startsAt and not alert.startsAt.startswith("0001-"):
        notes += (f"The time “{alert.startsAt[:60]}” cannot be read.",)
    return Heard(
        title=first(annotations, "summary", "title") or name or "Alert without a name",
        firing=firing,
        key=alert.fingerprint or (fingerprint(labels) if labels else None),
        description=first(annotations, "description", "message"),
        severity=labels.get("severity"),
        service=first(labels, "service", "service_name"),
        environment=first(labels, "environment", "env"),
        resource=first(labels, "instance", "host", "hostname", "pod", "node"),
        team=labels.get("team"),
        labels=labels,
        annotations=annotations,
        starts_at=starts_at,
        ends_at=None if firing else moment(alert.endsAt),
        group=grouped,
        links=link("Graph", alert.generatorURL) + link("Runbook", annotations.get("runbook_url")),
        notes=notes,
        beat=name in settings.heartbeats and firing,
    )


KIND = Kind(
    id="alertmanager",
    title="Alertmanager",
    about="webhook_configs of Prometheus's Alertmanager",
    settings=Settings,
    accept=accept,
    read=read,
    sample='{"version":"4","status":"firing","receiver":"aiops","groupLabels":{"alertname":"TestAlert"},"commonLabels":{},'
    '"commonAnnotations":{},"externalURL":"","alerts":[{"status":"firing","labels":{"alertname":"TestAlert","severity":"info"},'
    '"annotations":{"summary":"A test alert"},"startsAt":"{{now}}","endsAt":"0001-01-01T00:00:00Z","generatorURL":""}]}',
)
