"""Who did what, and when; chained, so that a change of the past shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, document, moment, word
from engine.model.vocabulary import ActorKind, Outcome


class AuditEntry(SQLModel, table=True):
    """One act. `hash` covers the row and the hash before it; `seq` counts from 1 in each organization. Weekly partitions."""

    __tablename__ = "audit"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    at: datetime = moment()
    actor_kind: ActorKind = word(ActorKind)
    actor_id: UUID | None = None
    actor_name: str
    operation: str
    outcome: Outcome = word(Outcome)
    target: str
    detail: dict[str, Any] = document(default_factory=dict)
    address: str
    trace_id: str
    previous_hash: bytes = digest()
    hash: bytes = digest()


class AuditHead(SQLModel, table=True):
    """Where an organization's chain ends."""

    __tablename__ = "audit_head"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    seq: int = Field(sa_type=BigInteger)
    hash: bytes = digest()


class AuditAnchor(SQLModel, table=True):
    """Where the kept part of a chain begins: the last entry that retention dropped."""

    __tablename__ = "audit_anchor"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    seq: int = Field(primary_key=True, sa_type=BigInteger)
    hash: bytes = digest()
    at: datetime = moment()


class RefusalCount(SQLModel, table=True):
    """How often one actor was refused one operation in one minute; the first of them is the entry `audit_id`."""

    __tablename__ = "refusal_count"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    actor_id: UUID = Field(primary_key=True)
    operation: str = Field(primary_key=True)
    minute: datetime = moment(primary_key=True)
    audit_id: UUID
    count: int


@dataclass(frozen=True)
class AuditView:
    """An entry as it is shown; `times` counts the refusals of that minute."""

    id: UUID
    seq: int
    at: datetime
    actor_kind: ActorKind
    actor_name: str
    operation: str
    outcome: Outcome
    target: str
    detail: dict[str, Any]
    address: str
    trace_id: str
    times: int


@dataclass(frozen=True)
class AuditVerdict:
    """What the verifier found: all is well, or the first bad entry and why."""

    intact: bool
    checked: int
    bad_seq: int | None
    bad_id: UUID | None
    fault: str
