"""What came in each minute, and how it goes now."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import REAL
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, Seconds
from engine.model.incidents import IncidentView


class IntakeMinute(SQLModel, table=True):
    """What was applied of one source in one minute; `id` is the least id of that minute. Weekly partitions.

    `heard` counts alerts as often as they were sent, `firings` those that began to fire. `waited` is the sum, in seconds, of
    how long each delivery took from its receipt until it was grouped, `slowest` the longest of them.
    """

    __tablename__ = "intake_minute"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    source_id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    deliveries: int
    heard: int
    firings: int
    waited: float = Field(sa_type=REAL)
    slowest: float = Field(sa_type=REAL)


@dataclass(frozen=True)
class Span:
    """One part of the time range: what came in it."""

    at: datetime
    heard: int
    firings: int
    incidents: int


@dataclass(frozen=True)
class SenderView:
    """How a source is: when it was last heard of, and whether that is too long ago."""

    id: UUID
    name: str
    kind: str
    last_seen_at: datetime | None
    silent: bool
    paused: bool
    demo: bool
    failing: bool


@dataclass(frozen=True)
class OverviewView:
    """How it goes. `open_by_severity` has the words of severities and `none`.

    `noise_reduction` is 1 - incidents / firings in the range, None before anything fired. `acknowledged_in` is the median from
    an incident's opening to its acknowledgement in the range. `latency` is the mean from a delivery's receipt until it was
    grouped, `slowest` the longest.
    """

    since: datetime
    until: datetime
    open_by_severity: dict[str, int]
    open_incidents: int
    unacknowledged: int
    firing_alerts: int
    firing_is_capped: bool
    alerts_a_minute: float
    heard: int
    firings: int
    incidents: int
    noise_reduction: float | None
    acknowledged_in: Seconds | None
    latency: Seconds | None
    slowest: Seconds | None
    proof_at: datetime | None
    proof_seconds: float | None
    quarantined: int
    spans: tuple[Span, ...]
    open: tuple[IncidentView, ...]
    mine: tuple[IncidentView, ...]
    resolved: tuple[IncidentView, ...]
    senders: tuple[SenderView, ...]


@dataclass(frozen=True)
class PulseView:
    """The few numbers that every page shows, and the newest critical incident that nobody has acknowledged."""

    open_incidents: int
    critical: int
    firing_alerts: int
    quarantined: int
    urgent: IncidentView | None


@dataclass(frozen=True)
class DemoView:
    """Whether a demonstration is here, the job that plays it, and whether one may be started: only without real senders."""

    is_here: bool
    job_id: UUID | None
    may_start: bool


@dataclass(frozen=True)
class DemoSender:
    """A sender of the demonstration: where it posts, and with what."""

    kind: str
    path: str
    secret: SecretStr


@dataclass(frozen=True)
class Removed:
    """How much went with the demonstration."""

    alerts: int
    incidents: int
