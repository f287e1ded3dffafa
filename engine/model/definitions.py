"""What operators define about alerts: rules, extractions, tables, silences and inhibitions, with every version of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, document, moment, word
from engine.model.vocabulary import DefinitionKind


class Definition(SQLModel, table=True):
    """One thing that an operator has defined, as it is now; `spec` is of the model of its kind. A team's concerns its alerts alone.

    `ends_at` is when it is over for good; None: never.
    """

    __tablename__ = "definition"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    kind: DefinitionKind = word(DefinitionKind)
    name: str
    priority: int = 0
    enabled: bool = True
    spec: dict[str, Any] = document()
    version: int = 1
    author: str
    created_at: datetime = moment()
    changed_at: datetime = moment()
    ends_at: datetime | None = moment(default=None)
    deleted_at: datetime | None = moment(default=None)
    provisioned: bool = False


class DefinitionVersion(SQLModel, table=True):
    """What a definition was from a moment on, and who made it so."""

    __tablename__ = "definition_version"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    definition_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    team_id: UUID | None = None
    spec: dict[str, Any] = document()
    said: str
    author: str
    at: datetime = moment()


class Decided(SQLModel, table=True):
    """How often the definitions of an organization have changed; what was compiled of them is right for one number alone.

    `indexed_to`: after the inhibitions changed, the last firing alert that was looked at anew; None: all were.
    """

    __tablename__ = "decided"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    revision: int = Field(sa_type=BigInteger)
    indexed_to: UUID | None = None


class AlertToken(SQLModel, table=True):
    """What a firing alert inhibits (`fires:…`), and for what one that is in no incident waits (`waits:…`)."""

    __tablename__ = "alert_token"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    token: str = Field(primary_key=True)
    alert_id: UUID = Field(primary_key=True)


class ThresholdHit(SQLModel, table=True):
    """That an alert with a threshold began to fire: an alert, or an episode of one, by what is counted. Kept for a day."""

    __tablename__ = "threshold_hit"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    token: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    at: datetime = moment()


class RuleHit(SQLModel, table=True):
    """Of how many alerts that began to fire, or said something new, a rule held within an hour."""

    __tablename__ = "rule_hit"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True)
    rule_id: UUID = Field(primary_key=True)
    hour: datetime = moment(primary_key=True)
    alerts: int


@dataclass(frozen=True)
class DefinitionView:
    """A definition as it is shown. `spec` is what was written; `provisioned`: a file describes it, so it is changed there."""

    id: UUID
    kind: DefinitionKind
    team_id: UUID | None
    name: str
    priority: int
    enabled: bool
    spec: dict[str, Any]
    version: int
    author: str
    created_at: datetime
    changed_at: datetime
    ends_at: datetime | None
    provisioned: bool


@dataclass(frozen=True)
class VersionView:
    """One version of a definition."""

    version: int
    author: str
    at: datetime
    said: str
    spec: dict[str, Any]
