"""Conditions that fire and end, and everything that happened to each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, document, moment, word
from engine.model.vocabulary import AlertEntryKind, AlertStatus, IdentityBy, QuietBy, Scorer, Severity

_TIMES = ARRAY(DateTime(timezone=True))


class AlertColumns(SQLModel):
    """What an alert is, live or in the history.

    `identity` is the hash of scope and key that deduplicates; `fingerprint` the key that people see. `episodes` are the
    starts heard of lately, `ended_at` the latest end heard of; `check_at` is when time alone may change something;
    `content` is a hash of what is told of it, so that the same again is not written again. `ruling` is what enrichment and
    rules did, `tokens` what it inhibits and what it waits for, `release_at` when to look again whether it still waits.
    """

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    source_id: UUID
    identity: bytes = digest()
    identity_by: IdentityBy = word(IdentityBy)
    fingerprint: str
    title: str
    description: str | None = None
    severity: Severity | None = word(Severity, default=None, nullable=True)
    severity_rank: int = Field(sa_type=SmallInteger)
    severity_word: str | None = None
    status: AlertStatus = word(AlertStatus)
    service: str | None = None
    environment: str | None = None
    resource: str | None = None
    team: str | None = None
    labels: dict[str, str] = document(default_factory=dict)
    annotations: dict[str, str] = document(default_factory=dict)
    links: list[dict[str, str]] = document(default_factory=list)
    notes: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))  # pyright: ignore[reportArgumentType]
    count: int
    deliveries: int
    starts_at: datetime | None = moment(default=None)
    ends_at: datetime | None = moment(default=None)
    first_seen_at: datetime = moment()
    last_seen_at: datetime = moment()
    expires_at: datetime | None = moment(default=None)
    closed_at: datetime | None = moment(default=None)
    closed_by: str | None = None
    episodes: list[datetime] = Field(default_factory=list, sa_type=_TIMES)  # pyright: ignore[reportArgumentType]
    ended_at: datetime | None = moment(default=None)
    changes: list[datetime] = Field(default_factory=list, sa_type=_TIMES)  # pyright: ignore[reportArgumentType]
    flapping: bool
    check_at: datetime | None = moment(default=None)
    acknowledged_at: datetime | None = moment(default=None)
    acknowledged_by: str | None = None
    incident_id: UUID | None = None
    incident_number: int | None = None
    content: int = Field(sa_type=BigInteger)
    search: str | None = Field(None, sa_type=TSVECTOR)
    ruling: dict[str, Any] | None = document(default=None, nullable=True)
    tokens: list[str] | None = Field(None, sa_type=ARRAY(Text))  # pyright: ignore[reportArgumentType]
    release_at: datetime | None = moment(default=None)


class Alert(AlertColumns, table=True):
    """A live alert: firing, or resolved so lately that firing again makes it the same one. One open row an identity."""

    __tablename__ = "alert"
    rls: ClassVar[Rls] = Rls.TEAM


class AlertHistory(AlertColumns, table=True):
    """An alert that is over. Weekly partitions by when it was first seen."""

    __tablename__ = "alert_history"
    rls: ClassVar[Rls] = Rls.TEAM


class AlertEntry(SQLModel, table=True):
    """One line of an alert's history. Weekly partitions.

    What came with a delivery has an id made of the delivery's and the place in it, so that nothing is applied twice.
    """

    __tablename__ = "alert_entry"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    alert_id: UUID
    kind: AlertEntryKind = word(AlertEntryKind)
    severity: Severity | None = word(Severity, default=None, nullable=True)
    severity_before: Severity | None = word(Severity, default=None, nullable=True)
    starts_at: datetime | None = moment(default=None)
    said: str | None = None


@dataclass(frozen=True)
class LinkView:
    """A way back to the sender."""

    title: str
    url: str


@dataclass(frozen=True)
class IncidentRef:
    """The incident an alert is in."""

    id: UUID
    number: int


@dataclass(frozen=True)
class Quiet:
    """One thing that keeps a firing alert quiet: its name, and until when if that is known. `id` names a silence, or the alert
    that inhibits."""

    by: QuietBy
    name: str
    id: UUID | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AlertView:
    """An alert as it is shown. Unknown is null. `source` is the name of its source; `muted_by` says what keeps it quiet."""

    id: UUID
    fingerprint: str
    source: str
    title: str
    description: str | None
    severity: Severity | None
    status: AlertStatus
    muted_by: tuple[Quiet, ...]
    labels: dict[str, str]
    annotations: dict[str, str]
    service: str | None
    environment: str | None
    resource: str | None
    team: str | None
    count: int
    deliveries: int
    starts_at: datetime | None
    ends_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    flapping: bool
    closed_by: str | None
    links: tuple[LinkView, ...]
    incident: IncidentRef | None
    source_id: UUID
    team_id: UUID | None


@dataclass(frozen=True)
class AlertEntryView:
    """One line of an alert's history, in words. `delivery_id` and `index` say which alert of which delivery it was."""

    id: UUID
    at: datetime
    kind: AlertEntryKind
    severity: Severity | None
    severity_before: Severity | None
    starts_at: datetime | None
    said: str
    delivery_id: UUID | None
    index: int | None


@dataclass(frozen=True)
class TraceLine:
    """A part of a condition, as deep as it lies in it: what it says, whether it holds, and the value that it has seen."""

    depth: int
    said: str
    holds: bool
    seen: str


@dataclass(frozen=True)
class Reason:
    """One decision about an alert: which stage took it, what it decided and why; of a rule, each part of its condition."""

    stage: str
    decision: str
    why: str
    at: datetime | None = None
    score: float | None = None
    by: Scorer | None = None
    trace: tuple[TraceLine, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an alert is what it is: identity, normalising, deduplication and grouping, the latest decisions first."""

    alert_id: UUID
    fingerprint: str
    identity_by: IdentityBy
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Storage:
    """What a table holds and costs, by estimate. `bytes_per_row` includes its indexes."""

    table: str
    rows: int
    bytes: int
    bytes_per_row: float | None
