"""Alerts that are one problem, and everything that was done about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, REAL, Integer, SmallInteger, Text, Uuid
from sqlmodel import Field, SQLModel

from engine.model.alerts import Quiet
from engine.model.fields import Rls, document, moment, word
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Scorer, Severity


class Incident(SQLModel, table=True):
    """A problem. `open_by_severity` counts its firing alerts: critical, error, warning, info, not stated.

    `team_ids` are the teams of its alerts, `everybody` whether one of them belongs to no team; together they say who sees it.
    """

    __tablename__ = "incident"
    rls: ClassVar[Rls] = Rls.TEAMS

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    number: int
    title: str
    title_team_id: UUID | None = None
    title_edited: bool = False
    status: IncidentStatus = word(IncidentStatus)
    severity: Severity | None = word(Severity, default=None, nullable=True)
    severity_rank: int = Field(sa_type=SmallInteger)
    severity_by: str | None = None
    team_ids: list[UUID] = Field(default_factory=list, sa_type=ARRAY(Uuid))  # pyright: ignore[reportArgumentType]
    everybody: bool = False
    group_key: str
    grouped_by: str
    environment: str | None = None
    services: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))  # pyright: ignore[reportArgumentType]
    alert_count: int
    open_by_severity: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer))  # pyright: ignore[reportArgumentType]
    firings: int
    owner_id: UUID | None = None
    owner_name: str | None = None
    acknowledged_at: datetime | None = moment(default=None)
    acknowledged_by: str | None = None
    opened_at: datetime = moment()
    last_alert_at: datetime = moment()
    resolved_at: datetime | None = moment(default=None)
    resolved_by: str | None = None
    cause: str | None = None
    resolution: str | None = None
    merged_into: UUID | None = None
    reopened: int = 0
    check_at: datetime | None = moment(default=None)
    version: int = 1


class IncidentAlert(SQLModel, table=True):
    """That an alert is, or was until `left_at`, part of an incident; who says so, why, and how sure."""

    __tablename__ = "incident_alert"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    incident_id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    by: Scorer = word(Scorer)
    score: float = Field(sa_type=REAL)
    reason: str
    joined_at: datetime = moment()
    left_at: datetime | None = moment(default=None)


class IncidentEntry(SQLModel, table=True):
    """One line of a timeline. Lines about an alert belong to its team. Weekly partitions."""

    __tablename__ = "incident_entry"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    incident_id: UUID
    kind: IncidentEntryKind = word(IncidentEntryKind)
    actor_id: UUID | None = None
    actor_name: str
    alert_id: UUID | None = None
    said: str
    detail: dict[str, Any] = document(default_factory=dict)


class IncidentNumber(SQLModel, table=True):
    """The last number given in an organization."""

    __tablename__ = "incident_number"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    last: int


@dataclass(frozen=True)
class IncidentView:
    """An incident as it is shown. `alerts` counts all of it, `open_alerts` those that fire, `foreign` those of other teams."""

    id: UUID
    number: int
    title: str
    status: IncidentStatus
    severity: Severity | None
    severity_by: str | None
    environment: str | None
    services: tuple[str, ...]
    alerts: int
    open_alerts: int
    firings: int
    owner_id: UUID | None
    owner_name: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    opened_at: datetime
    last_alert_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    cause: str | None
    resolution: str | None
    merged_into: UUID | None
    reopened: int
    grouped_by: str
    version: int


@dataclass(frozen=True)
class MembershipView:
    """Why an alert is in an incident, and what keeps it quiet now. Of an alert of another team only the team is told."""

    alert_id: UUID | None
    title: str
    severity: Severity | None
    status: str | None
    service: str | None
    resource: str | None
    count: int | None
    first_seen_at: datetime | None
    by: Scorer
    score: float
    reason: str
    joined_at: datetime
    left_at: datetime | None
    muted_by: tuple[Quiet, ...] = ()


@dataclass(frozen=True)
class IncidentEntryView:
    """One line of a timeline."""

    id: UUID
    at: datetime
    kind: IncidentEntryKind
    actor_name: str
    alert_id: UUID | None
    said: str
    detail: dict[str, Any]
