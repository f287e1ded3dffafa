"""What came in, as it came; and what of it could not be understood."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, document, moment, word
from engine.model.vocabulary import QuarantineState


class Inbox(SQLModel, table=True):
    """One accepted delivery, written before it is answered and never changed. `part`: of a replay, the one alert. Weekly partitions."""

    __tablename__ = "inbox"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    source_id: UUID
    kind: str
    received_at: datetime = moment()
    headers: dict[str, str] = document(default_factory=dict)
    body: bytes = digest()
    body_hash: bytes = digest()
    alerts: int
    part: int | None = None


class Pending(SQLModel, table=True):
    """A delivery that waits for the worker, and how big it is; the row goes when it is applied."""

    __tablename__ = "pending"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    alerts: int
    bytes: int


class Quarantine(SQLModel, table=True):
    """A body, or one alert of a delivery, that could not be understood, and why. Weekly partitions."""

    __tablename__ = "quarantine"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    source_id: UUID
    kind: str
    reason: str
    received_at: datetime = moment()
    delivery_id: UUID | None = None
    index: int | None = None
    headers: dict[str, str] = document(default_factory=dict)
    body: bytes = digest()
    state: QuarantineState = word(QuarantineState)
    handled_by: str = ""
    handled_at: datetime | None = moment(default=None)


class Stage(SQLModel, table=True):
    """How long deliveries took to be stored and to be grouped: one histogram a stage, for /metrics."""

    __tablename__ = "intake_stage"
    rls: ClassVar[Rls] = Rls.INSTANCE

    stage: str = Field(primary_key=True)
    buckets: dict[str, int] = document(default_factory=dict)
    seconds: float
    count: int = Field(sa_type=BigInteger)


class Proof(SQLModel, table=True):
    """The last proof alert: sent through everything each minute, and timed. One row."""

    __tablename__ = "proof"
    rls: ClassVar[Rls] = Rls.INSTANCE

    id: int = Field(primary_key=True)
    at: datetime = moment()
    seconds: float | None = None
    error: str = ""


@dataclass(frozen=True)
class DeliveryView:
    """A delivery as it came; `body` is text, with anything that is none replaced."""

    id: UUID
    source_id: UUID
    kind: str
    received_at: datetime
    headers: dict[str, str]
    body: str
    alerts: int
    waiting: bool


@dataclass(frozen=True)
class QuarantineView:
    """Something that could not be understood."""

    id: UUID
    source_id: UUID
    source: str
    kind: str
    reason: str
    received_at: datetime
    delivery_id: UUID | None
    index: int | None
    state: QuarantineState
    handled_by: str
    handled_at: datetime | None


@dataclass(frozen=True)
class QuarantinedBody:
    """The same with its body, as text."""

    entry: QuarantineView
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Replayed:
    """How many entries were delivered again, how many still cannot be understood, and whether there are more."""

    replayed: int
    failed: int
    more: bool
