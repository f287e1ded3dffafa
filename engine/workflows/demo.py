"""What does the demonstration send?

An outage of a small shop as its monitoring would tell of it: payment is deployed, its new version holds on to database
connections, the pool runs empty, and everything that needs the database fails with it; then it is rolled back. It goes
through the real webhooks, from three senders, over two minutes, and takes two more to recover.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from engine.errors import NotFound, Unavailable
from engine.operations.demo import SENDERS

ALERTMANAGER, GRAFANA, EVENTS = SENDERS
LENGTH = 240.0
_ENVIRONMENT = "demo"
_CLUSTER = "shop-eu"
_TIMEOUT = 10.0


@dataclass(frozen=True)
class Signal:
    """One alert of the script: it fires `at` and is over at `until`, in seconds from the beginning."""

    at: float
    until: float
    sender: str
    name: str
    service: str
    resource: str
    severity: str
    summary: str


def _hosts(stem: str, count: int) -> list[str]:
    return [f"{stem}-{number}" for number in range(1, count + 1)]


_PAYMENT, _CHECKOUT, _WEB, _CACHE = _hosts("payment-api", 4), _hosts("checkout", 6), _hosts("web", 5), _hosts("cache", 4)
_ORDERS, _SEARCH, _REPLICA, _BUSINESS = _hosts("orders-worker", 4), _hosts("search", 2), ["db-replica-1"], ["business"]
_PROBES = ["probe-frankfurt", "probe-london"]
# From when to when, who says it, what, of which service, from which hosts, how bad, in which words.
_TOLD: tuple[tuple[float, float, str, str, str, list[str], str, str], ...] = (
    (0, 200, EVENTS, "Deployment", "payment", ["payment-api"], "info", "payment v2.3.1 was deployed by ci (was v2.3.0)"),
    (14, 176, ALERTMANAGER, "PaymentErrorRateHigh", "payment", _PAYMENT, "error", "4.8 % of requests fail"),
    (20, 180, ALERTMANAGER, "PaymentLatencyHigh", "payment", _PAYMENT, "warning", "p99 is 2.4 s, usually 180 ms"),
    (24, 190, GRAFANA, "Connection pool nearly used", "db", _REPLICA, "warning", "184 of 200 connections are taken"),
    (31, 188, ALERTMANAGER, "DatabaseConnectionTimeout", "db", _REPLICA, "critical", "clients wait 30 s for a connection"),
    (33, 186, ALERTMANAGER, "DatabaseConnectionsExhausted", "db", _REPLICA, "critical", "200 of 200 connections are taken"),
    (36, 184, ALERTMANAGER, "ReplicationLagHigh", "db", _hosts("db-replica", 2), "error", "the replica is 95 s behind"),
    (40, 172, ALERTMANAGER, "CheckoutErrorRateHigh", "checkout", _CHECKOUT, "critical", "31 % of checkouts fail"),
    (44, 174, ALERTMANAGER, "CheckoutLatencyHigh", "checkout", _CHECKOUT, "error", "p99 is 8 s, usually 350 ms"),
    (50, 196, ALERTMANAGER, "QueueDepthGrowing", "orders", _ORDERS, "warning", "12,400 orders wait, 300 more a minute"),
    (56, 198, GRAFANA, "Orders are late", "orders", ["orders-worker-1"], "error", "the oldest order waits 9 min"),
    (60, 168, ALERTMANAGER, "WebServerErrors", "web", _WEB, "error", "12 % of pages answer with 502"),
    (66, 170, ALERTMANAGER, "WebLatencyHigh", "web", _WEB, "warning", "p95 is 4.1 s, usually 240 ms"),
    (72, 178, GRAFANA, "Carts abandoned", "checkout", _BUSINESS, "warning", "3 times as many carts as usual are left"),
    (76, 166, EVENTS, "Synthetic purchase failed", "web", _PROBES, "critical", "buying a book takes over 30 s"),
    (84, 192, ALERTMANAGER, "CacheEvictionsHigh", "cache", _CACHE, "warning", "sessions are put out after 40 s"),
    (90, 194, ALERTMANAGER, "CacheHitRateLow", "cache", _CACHE, "warning", "41 % hits, usually 97 %"),
    (98, 164, GRAFANA, "Payments a minute", "payment", _BUSINESS, "critical", "22 payments a minute, usually 340"),
    (104, 200, ALERTMANAGER, "SearchIndexLag", "search", _SEARCH, "warning", "the index is 4 min behind the orders"),
    (110, 182, ALERTMANAGER, "ThreadPoolSaturated", "payment", _PAYMENT, "error", "all 64 threads wait for the database"),
    (126, 202, EVENTS, "Deployment rolled back", "payment", ["payment-api"], "info", "payment is back at v2.3.0"),
)
# Hosts tell of the same a few seconds apart.
SCRIPT = tuple(
    Signal(at + 1.5 * place, until + place, sender, name, service, host, severity, summary)
    for at, until, sender, name, service, hosts, severity, summary in _TOLD
    for place, host in enumerate(hosts)
)


def bodies(signals: Sequence[Signal], over: Sequence[Signal], start: datetime) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What the senders post when these begin and those are over: sender, content type and body."""
    for sender in (ALERTMANAGER, GRAFANA):
        mine = [(s, "firing") for s in signals if s.sender == sender] + [(s, "resolved") for s in over if s.sender == sender]
        if mine:
            alerts = [_alert(signal, status, start) for signal, status in mine]
            status = "firing" if any(status == "firing" for _, status in mine) else "resolved"
            group = {"receiver": "demo", "status": status, "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}}
            more = {"version": "4", "groupKey": "demo"} if sender == ALERTMANAGER else {"orgId": 1, "state": "alerting"}
            yield sender, "application/json", {**group, **more, "externalURL": "https://monitoring.shop.example", "alerts": alerts}
    for signal, status in [(s, "firing") for s in signals] + [(s, "resolved") for s in over]:
        if signal.sender == EVENTS:
            yield EVENTS, "application/cloudevents+json", _event(signal, status, start)


def _alert(signal: Signal, status: str, start: datetime) -> dict[str, Any]:
    labels = {
        "alertname": signal.name,
        "severity": signal.severity,
        "service": signal.service,
        "instance": signal.resource,
        "environment": _ENVIRONMENT,
        "cluster": _CLUSTER,
        "demo": start.strftime("%H:%M:%S"),
    }
    now = datetime.now(UTC).isoformat()
    ends = now if status == "resolved" else "0001-01-01T00:00:00Z"
    link = "https://monitoring.shop.example/graph"
    said = {"summary": signal.name, "description": signal.summary}
    return {"status": status, "labels": labels, "annotations": said, "startsAt": start.isoformat(), "endsAt": ends, "generatorURL": link}


def _event(signal: Signal, status: str, start: datetime) -> dict[str, Any]:
    name = f"{signal.name}/{signal.resource}/{start:%H%M%S}"
    about = {"service": signal.service, "environment": _ENVIRONMENT, "resource": signal.resource, "cluster": _CLUSTER}
    said = {"title": signal.name, "description": signal.summary, "status": status, "severity": signal.severity, **about}
    kind = f"example.shop.{'alert' if signal.severity != 'info' else 'deployment'}"
    return {
        "specversion": "1.0",
        "id": f"{name}/{status}",
        "source": "/shop/ci",
        "type": kind,
        "subject": name,
        "time": (start if status == "firing" else datetime.now(UTC)).isoformat(),
        "datacontenttype": "application/json",
        "data": said,
    }


class Posting:
    """Posts what the senders say to the webhooks of this installation."""

    def __init__(self, local_url: str, senders: dict[str, tuple[str, str]]) -> None:
        """`senders`: for each sender the path of its webhook and its secret."""
        self._senders = senders
        self._client = httpx.Client(base_url=local_url, timeout=_TIMEOUT, trust_env=False)  # no proxy between us and ourselves

    def post(self, sender: str, content_type: str, body: dict[str, Any]) -> None:
        """Post once. Raises NotFound when the demonstration was removed meanwhile, Unavailable when nobody answers."""
        path, secret = self._senders[sender]
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": content_type}
        try:
            answered = self._client.post(path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable("web", f"the webhooks of this installation do not answer ({type(error).__name__})") from None
        if answered.status_code in (401, 404):
            raise NotFound("The demonstration was removed.")
        if answered.status_code >= 300:
            raise Unavailable("web", f"a webhook of this installation answered {answered.status_code}")


def play(posting: Posting, start: datetime, speed: float, progress: Any) -> int:
    """Play the script, `speed` times as fast as it says. Returns how many alerts were sent."""
    moments = sorted({s.at for s in SCRIPT} | {s.until for s in SCRIPT})
    began = time.monotonic()
    for moment in moments:
        told = min(moment / LENGTH, 0.99), "the shop is failing" if moment < 126 else "the shop recovers"
        while (left := moment / speed - (time.monotonic() - began)) > 0:
            time.sleep(min(left, 1.0))
            progress(*told)
        progress(*told)  # also when it is late: who has removed it ends it here
        begins = [s for s in SCRIPT if s.at == moment]
        for sender, content_type, body in bodies(begins, [s for s in SCRIPT if s.until == moment], start):
            posting.post(sender, content_type, body)
    return len(SCRIPT)
