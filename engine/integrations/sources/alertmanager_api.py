"""How do Prometheus, vmalert and Loki's ruler speak to an Alertmanager? `POST /api/v2/alerts` (alertmanager/api/v2/openapi.yaml).

An array without status and fingerprint: an alert is over when its `endsAt` has passed, else it is over then unless it is sent
again. vmalert sends one JSON key twice; the last is taken.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field

from engine.integrations.sources import alertmanager
from engine.integrations.sources.alert_lists import Alert, AlertList
from engine.integrations.sources.alertmanager import heard
from engine.integrations.sources.contract import Kind
from engine.integrations.sources.lenient import moment
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = "an array of alerts, as Prometheus does to /api/v2/alerts"


class Settings(alertmanager.Settings):
    """Settings of a sender that speaks to an Alertmanager."""

    resolve_minutes: int = Field(
        5,
        ge=1,
        le=1440,
        title="Resolve after, minutes",
        description="for a firing alert that does not say when it ends; Alertmanager's resolve_timeout",
    )


_LIST = AlertList(Alert, _EXPECTED, bare=True)


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the alerts of a body. Raises Undecodable when it is no array."""
    return _LIST.accept(body)


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The alerts of a body, as they are at the time of its delivery."""
    _, alerts = _LIST.read(delivery.body)
    return [alert if isinstance(alert, Fault) else _heard(alert, delivery.received_at, settings) for alert in alerts]


def answer(delivery_id: UUID, accepted: Accepted) -> tuple[int, dict[str, Any] | None]:
    """What Alertmanager answers. vmalert takes every other status for a failure."""
    return 200, None


def _heard(alert: Alert, received_at: datetime, settings: Settings) -> Heard:
    if "" in alert.labels.values():
        alert.labels = {name: value for name, value in alert.labels.items() if value}
    ends_at = moment(alert.endsAt)
    over = ends_at is not None and ends_at <= received_at
    alert.status = "resolved" if over else "firing"
    found = heard(alert, "", settings)
    if not over:
        found.expires_at = ends_at or received_at + timedelta(minutes=settings.resolve_minutes)
    if ends_at is None and alert.endsAt and not alert.endsAt.startswith("0001-"):
        found.notes += (f"The time “{alert.endsAt[:60]}” cannot be read.",)
    return found


KIND = Kind(
    id="prometheus",
    title="Prometheus, vmalert, Loki ruler",
    about="alertmanagers of Prometheus, -notifier.url of vmalert, alertmanager_url of Loki's ruler",
    settings=Settings,
    accept=accept,
    read=read,
    answer=answer,
    resends=True,
    sample='[{"labels":{"alertname":"TestAlert","severity":"info"},"annotations":{"summary":"A test alert"},"startsAt":"{{now}}",'
    '"generatorURL":""}]',
)
