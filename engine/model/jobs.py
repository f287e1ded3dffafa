"""Work that is handed on: outbox, background job and timer in one row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, document, moment, word
from engine.model.vocabulary import JobState


class Job(SQLModel, table=True):
    """Work written in the transaction that wants it, and done by a worker once `due_at` has come.

    `key` makes an enqueue happen once; `fence` rises with each lease, and a write with an old one is refused.
    """

    __tablename__ = "job"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    kind: str
    key: str | None = None
    payload: dict[str, Any] = document(default_factory=dict)
    state: JobState = word(JobState, default=JobState.WAITING)
    due_at: datetime = moment()
    attempts: int = 0
    progress: float = 0.0
    note: str = ""
    result: dict[str, Any] | None = document(default=None, nullable=True)
    error: str = ""
    created_by: str = ""
    created_at: datetime = moment()
    finished_at: datetime | None = moment(default=None)
    lease_owner: str | None = None
    lease_until: datetime | None = moment(default=None)
    fence: int = 0
    cancel_asked: bool = False


class Lane(SQLModel, table=True):
    """Which organization has work of a kind, and from when: all a worker may know before it is in that organization."""

    __tablename__ = "lane"
    rls: ClassVar[Rls] = Rls.DIRECTORY

    org_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    due_at: datetime | None = moment(default=None, nullable=True)
    lease_owner: str | None = None
    lease_until: datetime | None = moment(default=None, nullable=True)
    fence: int = 0


class IdempotencyKey(SQLModel, table=True):
    """What was answered to a request that carried an Idempotency-Key, so that it happens once. Kept for a day."""

    __tablename__ = "idempotency_key"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    actor_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_hash: bytes = digest()
    answer: str | None = None
    created_at: datetime = moment()


@dataclass(frozen=True)
class JobView:
    """A job as it is shown; `progress` runs from 0 to 1."""

    id: UUID
    kind: str
    state: JobState
    due_at: datetime
    attempts: int
    progress: float
    note: str
    result: dict[str, Any] | None
    error: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
