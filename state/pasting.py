"""Which lines does an operator paste into a sender?"""

from dataclasses import dataclass
from urllib.parse import urlsplit

SECRET = "YOUR-SECRET"  # noqa: S105 what stands for it once it is not shown any more


@dataclass
class Paste:
    """Something to paste: where it goes, and what it is."""

    where: str
    text: str


def lines(kind: str, url: str, secret: str) -> list[Paste]:
    """What to paste for a source of a kind that posts to `url`. An empty `secret` is one that is known by its address."""
    parts = urlsplit(url)
    make = _KINDS.get(kind, _any)
    return [Paste(where, text.strip("\n")) for where, text in make(url, parts.scheme, parts.netloc, parts.path, secret)]


Lines = list[tuple[str, str]]


def _alertmanager(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    proof = f"\n        http_config:\n          authorization: {{type: Bearer, credentials: {secret}}}" if secret else ""
    text = f"""
route:
  receiver: aiops
  group_by: [alertname]
  group_wait: 5s        # alerts are grouped here: do not wait for more
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: aiops
    webhook_configs:
      - url: {url}
        send_resolved: true{proof}
"""
    return [("alertmanager.yml", text), ("Or try it from a shell", _curl(url, secret, _GROUP))]


def _prometheus(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    proof = f"\n      authorization: {{type: Bearer, credentials: {secret}}}" if secret else ""
    text = f"""
alerting:
  alertmanagers:
    - scheme: {scheme}
      path_prefix: {path}{proof}
      static_configs: [{{targets: ["{host}"]}}]
"""
    bearer = f" \\\n  -notifier.bearerToken={secret}" if secret else ""
    return [("prometheus.yml", text), ("vmalert, as options", f"-notifier.url={url}{bearer}")]


def _grafana(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    proof = (
        f"""
          authorization_scheme: Bearer
          authorization_credentials: {secret}"""
        if secret
        else ""
    )
    text = f"""
apiVersion: 1
contactPoints:
  - name: aiops
    receivers:
      - uid: aiops
        type: webhook
        settings:
          url: {url}{proof}
"""
    return [("provisioning/alerting/aiops.yaml of Grafana, or the same in a webhook contact point", text)]


def _pagerduty(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    payload = '{"summary": "Disk full", "source": "db-1", "severity": "error"}'
    body = f'{{"routing_key": "{secret}", "event_action": "trigger", "payload": {payload}}}'
    text = f"Events API URL:  {scheme}://{host}/webhook/pagerduty\nRouting key:     {secret}"
    return [("What can send PagerDuty events", text), ("Or try it from a shell", _curl(f"{scheme}://{host}/webhook/pagerduty", "", body))]


def _pagerduty_webhook(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    data = '{"id": "P1", "type": "incident", "status": "triggered", "title": "Disk full", "urgency": "high"}'
    body = f'{{"event": {{"id": "1", "event_type": "incident.triggered", "data": {data}}}}}'
    header = f"\nCustom header:  Authorization: Bearer {secret}" if secret else ""
    text = f"Webhook URL:    {url}{header}"
    return [("A generic webhook (v3) of the PagerDuty account", text), ("Or try it from a shell", _curl(url, secret, body))]


def _heartbeat(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    call = f"curl -fsS -m 10 {_proof(secret)}-X POST {url}"
    return [("The end of a cron job or a back-up", f"*/5 * * * *  /usr/local/bin/backup && {call}")]


def _cloudevents(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    body = (
        '{"specversion": "1.0", "id": "1", "source": "/ci", "type": "deploy.failed", "subject": "payment", '
        '"data": {"title": "Deployment failed", "severity": "error"}}'
    )
    return [("From a shell, as any sender does", _curl(url, secret, body, "application/cloudevents+json"))]


def _any(url: str, scheme: str, host: str, path: str, secret: str) -> Lines:
    return [
        (
            "From a shell, as any sender does",
            _curl(url, secret, '{"title": "Disk full", "severity": "error", "service": "db", "status": "firing"}'),
        )
    ]


_KINDS = {
    "alertmanager": _alertmanager,
    "prometheus": _prometheus,
    "grafana": _grafana,
    "pagerduty": _pagerduty,
    "pagerduty_webhook": _pagerduty_webhook,
    "heartbeat": _heartbeat,
    "cloudevents": _cloudevents,
}
_GROUP = '{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "DiskFull", "severity": "error", "service": "db"}}]}'


def _proof(secret: str) -> str:
    return f"-H 'Authorization: Bearer {secret}' " if secret else ""


def _curl(url: str, secret: str, body: str, media: str = "application/json") -> str:
    return f"curl -sS {_proof(secret)}-H 'Content-Type: {media}' \\\n  {url} \\\n  -d '{body}'"
