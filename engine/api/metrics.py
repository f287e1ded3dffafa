"""What can Prometheus read of us?"""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import accumulate

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from engine.api.who import address_of
from engine.errors import Refused, Unavailable
from engine.model.vocabulary import ProcessKind
from engine.operations.door import runtime
from engine.settings import Settings
from engine.storage import census, health
from engine.storage.census import Census
from engine.storage.stages import BOUNDS

router = APIRouter()

REQUESTS = Counter("aiops_http_requests", "Requests answered", ["route", "method", "code"])
DURATION = Histogram(
    "aiops_http_request_duration_seconds",
    "Time to answer",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
BUILD = Gauge("aiops_build_info", "Version of the product", ["version"])
TABS = Gauge("aiops_open_tabs", "Pages that listen for changes in this process")
BUS = Gauge("aiops_bus_connected", "Whether this process hears changes (1) or has lost the connection (0)")
POOL = Gauge("aiops_database_connections", "Database connections of this process in use")
PROCESSES = Gauge("aiops_processes", "Processes heard lately", ["kind"])
TICK = Gauge("aiops_tick_age_seconds", "Age of the leader's last tick")
QUEUE = Gauge("aiops_job_queue_age_seconds", "How long the oldest due job waits")
DISK = Gauge("aiops_disk_free_ratio", "Free part of the disk of the data directory")
DATABASE = Gauge("aiops_database_bytes", "Size of the database")
FAULTS = Gauge("aiops_faults", "Things wrong with the installation, as /health lists them")

INTAKE_AGE = Gauge("aiops_intake_queue_age_seconds", "How long the oldest delivery waits to be grouped")
PROOF = Gauge("aiops_proof_seconds", "How long the last proof alert took through everything; -1 when it did not get through")
INTAKE = ["kind", "source"]
RECEIVED = Counter("aiops_intake_received", "Deliveries from a proven sender", INTAKE)
STORED = Counter("aiops_intake_stored", "Deliveries on disk, each acknowledged after", INTAKE)
ALERTS = Counter("aiops_intake_alerts", "Alerts in stored deliveries", INTAKE)
REJECTED = Counter("aiops_intake_rejected", "Deliveries, or single alerts of them, that were not taken", [*INTAKE, "reason"])
REFUSED = Counter("aiops_intake_refused", "Deliveries without a right credential", ["kind"])
STORE = Histogram(
    "aiops_intake_store_duration_seconds",
    "From the first byte of a delivery to its being on disk",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def received(kind: str, source: str) -> None:
    """Count a delivery from a proven sender."""
    RECEIVED.labels(kind, source).inc()


def stored(kind: str, source: str, alerts: int, received_at: datetime) -> None:
    """Count a delivery that is on disk."""
    STORED.labels(kind, source).inc()
    ALERTS.labels(kind, source).inc(alerts)
    STORE.labels(kind).observe((datetime.now(UTC) - received_at).total_seconds())


def rejected(kind: str, source: str, reason: str, alerts: int) -> None:
    """Count what was not taken: single alerts, or a whole delivery."""
    REJECTED.labels(kind, source, reason).inc(alerts or 1)


def refused(kind: str) -> None:
    """Count a delivery without a right credential."""
    REFUSED.labels(kind).inc()


def observe(scope: Scope, status: int, seconds: float) -> str:
    """Count a request by its route's template, so that ids make no new series. Returns the template."""
    route = getattr(scope.get("route"), "path", None) or "page"
    method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
    REQUESTS.labels(route, method, str(status)).inc()
    DURATION.labels(route, method).observe(seconds)
    return route


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The metrics in Prometheus's text format: for this machine, or with AIOPS_METRICS_TOKEN as bearer token."""
    _permit(request)
    try:
        measured = health.measure(runtime().database, runtime().data_dir)
    except SQLAlchemyError:
        raise Unavailable("database", "The database does not answer.") from None
    BUILD.labels(runtime().version).set(1)
    if (bus := runtime().bus) is not None:
        TABS.set(bus.tabs)
        BUS.set(bus.connected)
    POOL.set(runtime().database.in_use)
    for kind in ProcessKind:
        PROCESSES.labels(str(kind)).set(sum(beat.kind is kind for beat in measured.processes))
    TICK.set((measured.tick_age or timedelta(days=1)).total_seconds())
    QUEUE.set(measured.queue_age.total_seconds())
    DISK.set(measured.disk_free)
    DATABASE.set(measured.database_bytes)
    FAULTS.set(len(measured.faults))
    INTAKE_AGE.set(measured.intake_age.total_seconds())
    if measured.proof_at is not None:
        PROOF.set(-1 if measured.proof_seconds is None else measured.proof_seconds)
    counted = CollectorRegistry(auto_describe=False)
    counted.register(Counted(census.take(runtime().database)))
    return Response(generate_latest() + generate_latest(counted), media_type=CONTENT_TYPE_LATEST)


class Counted(Collector):
    """What the database counts, as it was at one moment."""

    def __init__(self, found: Census) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """Firing alerts and what was quarantined by source, and the histogram from receipt to incident."""
        firing = GaugeMetricFamily("aiops_alerts_by_source", "Firing alerts", labels=["source", "severity"])
        quarantined = CounterMetricFamily("aiops_intake_quarantined", "Alerts put aside by the pipeline", labels=INTAKE)
        grouped = CounterMetricFamily("aiops_intake_grouped", "Alerts that have gone through the pipeline", labels=INTAKE)
        for source in self._found.sources:
            quarantined.add_metric([source.kind, source.public_id], source.quarantined)
            grouped.add_metric([source.kind, source.public_id], source.alerts)
            for severity, number in source.firing.items():
                firing.add_metric([source.public_id, severity], number)
        taken = HistogramMetricFamily("aiops_intake_group_duration_seconds", "From receipt of a delivery to its alerts being in incidents")
        taken.add_metric([], self._cumulated(), self._found.seconds)
        return [firing, quarantined, grouped, taken]

    def _cumulated(self) -> list[tuple[str, float]]:
        counts = [self._found.buckets.get(str(place), 0) for place in range(len(BOUNDS) + 1)]
        return list(zip([*map(str, BOUNDS), "+Inf"], accumulate(counts), strict=True))


def _permit(request: Request) -> None:
    settings: Settings = request.app.state.settings
    if settings.metrics_token is not None:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            raise Refused("Send AIOPS_METRICS_TOKEN as bearer token.")
        return
    # A proxy on this machine would make everybody look local: with one, the token is asked for.
    if "x-forwarded-for" in request.headers or not ip_address(address_of(request) or "0.0.0.0").is_loopback:  # noqa: S104
        raise Refused("Only this machine may read metrics; set AIOPS_METRICS_TOKEN to read them from elsewhere.")
