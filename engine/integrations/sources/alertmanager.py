"""How does Alertmanager's webhook speak? Version 4 (alertmanager/notify/webhook and docs/configuration.md), 3 tolerated.

The group's own status is not believed: a `firing` group may hold alerts that are resolved.
"""

from collections.abc import Mapping

from pydantic import Field

from engine.integrations.sources.alert_lists import Alert, AlertList
from engine.integrations.sources.contract import Kind, SourceSettings
from engine.integrations.sources.fingerprint import fingerprint
from engine.integrations.sources.lenient import first, link, moment
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


_LIST = AlertList(Alert, _EXPECTED)


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the alerts of a body. Raises Undecodable when there is no list of alerts in it."""
    return _LIST.accept(body)


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The alerts of a body."""
    grouped, alerts = _LIST.read(delivery.body)
    return [alert if isinstance(alert, Fault) else heard(alert, grouped, settings) for alert in alerts]


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
