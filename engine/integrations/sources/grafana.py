"""How does Grafana speak? Unified alerting's webhook (Alertmanager's shape with links), and the dashboard alerts before it.

An alert that Grafana makes of its own failure (no data, no answer) has one name for all rules: the rule's name tells.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.integrations.sources import alertmanager
from engine.integrations.sources.alert_lists import Alert, AlertList
from engine.integrations.sources.alertmanager import heard
from engine.integrations.sources.contract import Kind, Undecodable
from engine.integrations.sources.lenient import decode, first, link, text, words
from engine.model.heard import Accepted, Delivery, Fault, Heard

_EXPECTED = 'an object with a list "alerts", or with a "ruleId", as Grafana\'s webhook contact point does'
_FAILURES = {
    "DatasourceNoData": "Grafana got no data for this rule; its condition was not tested.",
    "DatasourceError": "Grafana could not ask the data source for this rule; its condition was not tested.",
}
# The states of a dashboard alert that do not speak for themselves, and how they are read.
_LEGACY_NOTES = {
    "no_data": "Grafana got no data for this rule; its condition was not tested.",
    "pending": "The rule is pending in Grafana: its condition holds, but not yet for long enough.",
    "paused": "The rule is paused in Grafana; read as resolved, as nothing will say that it is over.",
}


class Settings(alertmanager.Settings):
    """Settings of a Grafana."""


class GrafanaAlert(Alert):
    """An alert with Grafana's own fields."""

    dashboardURL: str = ""
    panelURL: str = ""
    silenceURL: str = ""
    valueString: str = ""


_LIST = AlertList(GrafanaAlert, _EXPECTED)
_ANY = msgspec.json.Decoder()


def accept(body: bytes, headers: Mapping[str, str]) -> Accepted:
    """Count the alerts of a body. Raises Undecodable when it is of neither kind of alerting."""
    try:
        return _LIST.accept(body)
    except Undecodable:
        if _dashboard_alert(body) is None:
            raise
        return Accepted(body, 1)


def read(delivery: Delivery, settings: Settings) -> list[Heard | Fault]:
    """The alerts of a body."""
    try:
        grouped, alerts = _LIST.read(delivery.body)
    except Undecodable:
        if (said := _dashboard_alert(delivery.body)) is None:
            raise
        return [_heard_of_dashboard(said)]
    return [alert if isinstance(alert, Fault) else _heard(alert, grouped, settings) for alert in alerts]


def _heard(alert: GrafanaAlert, grouped: str, settings: Settings) -> Heard:
    found = heard(alert, grouped, settings)
    annotations = alert.annotations
    failure = _FAILURES.get(alert.labels.get("alertname", ""))
    if failure is not None:
        found.title = first(annotations, "summary", "title") or alert.labels.get("rulename") or found.title
        found.description = found.description or annotations.get("Error")
        found.notes += (failure,)
    if alert.valueString:
        annotations.setdefault("valueString", alert.valueString)
    found.links = (
        link("Rule", alert.generatorURL)
        + link("Dashboard", alert.dashboardURL)
        + link("Panel", alert.panelURL)
        + link("Silence", alert.silenceURL)
        + link("Runbook", annotations.get("runbook_url"))
    )
    return found


def _dashboard_alert(body: bytes) -> dict[str, Any] | None:
    """A body of the alerting before Grafana 9, or None."""
    try:
        said = decode(_ANY, body, _EXPECTED)
    except msgspec.ValidationError:
        return None
    named = isinstance(said, dict) and "alerts" not in said and (text(said.get("ruleId")) or text(said.get("ruleName")))
    return said if named else None


def _heard_of_dashboard(said: dict[str, Any]) -> Heard:
    rule, name = text(said.get("ruleId")), text(said.get("ruleName"))
    state = (text(said.get("state")) or "").lower()
    labels = _shared_tags(said.get("evalMatches")) | _tags(said.get("tags"))
    note = _LEGACY_NOTES.get(state)
    if note is None and state not in ("alerting", "ok"):
        note = f"The state “{state[:60]}” is unknown; read as firing."
    return Heard(
        title=name or text(said.get("title")) or "Alert without a name",
        firing=state not in ("ok", "paused"),
        key=f"grafana-legacy:{rule}" if rule else None,
        description=text(said.get("message")),
        severity=labels.get("severity"),
        service=first(labels, "service", "service_name"),
        environment=first(labels, "environment", "env"),
        resource=first(labels, "instance", "host", "hostname", "pod", "node"),
        team=labels.get("team"),
        labels=labels,
        links=link("Rule", said.get("ruleUrl")) + link("Image", said.get("imageUrl")),
        notes=(note,) if note else (),
    )


def _shared_tags(matches: Any) -> dict[str, str]:
    """What all series that match have in common."""
    tags = [_tags(match.get("tags")) for match in matches if isinstance(match, dict)] if isinstance(matches, list) else []
    shared = set(tags[0].items()).intersection(*(each.items() for each in tags[1:])) if tags else set()
    return dict(sorted(shared))


def _tags(said: Any) -> dict[str, str]:
    try:
        return words(said)
    except (TypeError, RecursionError):
        return {}


KIND = Kind(
    id="grafana",
    title="Grafana",
    about="a webhook contact point of Grafana's alerting",
    settings=Settings,
    accept=accept,
    read=read,
    sample='{"receiver":"aiops","status":"firing","orgId":1,"groupLabels":{"alertname":"TestAlert"},"alerts":[{"status":"firing",'
    '"labels":{"alertname":"TestAlert","severity":"info"},"annotations":{"summary":"A test alert"},"startsAt":"{{now}}",'
    '"endsAt":"0001-01-01T00:00:00Z","generatorURL":"","values":null}]}',
)
