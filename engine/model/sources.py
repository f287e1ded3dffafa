"""Who sends alerts, and how each of them proves itself."""

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Text
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, Shown, digest, document, moment, word
from engine.model.vocabulary import AlertStatus, IdentityBy, Severity, SourceAuth


class SourceDirectory(SQLModel, table=True):
    """Maps the public id of a source, or of a credential of it, to its organization. No content."""

    __tablename__ = "source_directory"
    rls: ClassVar[Rls] = Rls.DIRECTORY

    public_id: str = Field(primary_key=True)
    org_id: UUID
    source_id: UUID = Field(index=True)


class Source(SQLModel, table=True):
    """A configured sender of alerts. `public_id` is in its address; counts are raised by batches, never by a request."""

    __tablename__ = "source"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    public_id: str
    kind: str
    name: str
    settings: dict[str, Any] = document(default_factory=dict)
    auth: SourceAuth = word(SourceAuth)
    signature_header: str = ""
    networks: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))  # pyright: ignore[reportArgumentType]
    paused: bool = False
    provisioned: bool = False
    demo: bool = False
    created_by: str
    created_at: datetime = moment()
    deliveries: int = Field(default=0, sa_type=BigInteger)
    alerts: int = Field(default=0, sa_type=BigInteger)
    rejected: int = Field(default=0, sa_type=BigInteger)
    quarantined: int = Field(default=0, sa_type=BigInteger)
    failures: int = Field(default=0, sa_type=BigInteger)
    last_seen_at: datetime | None = moment(default=None)
    last_failure_at: datetime | None = moment(default=None)
    last_failure: str = ""
    beat_at: datetime | None = moment(default=None)
    beat_due_at: datetime | None = moment(default=None)
    deleted_at: datetime | None = moment(default=None)
    version: int = 1


class SourceCredential(SQLModel, table=True):
    """A secret of a source: its hash, or the secret itself sealed when signatures are made with it."""

    __tablename__ = "source_credential"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    source_id: UUID = Field(index=True)
    public_id: str
    secret_hash: bytes | None = digest(default=None, nullable=True)
    sealed: bytes | None = digest(default=None, nullable=True)
    created_at: datetime = moment()
    expires_at: datetime | None = moment(default=None)


@dataclass(frozen=True)
class SourceView:
    """A source as it is shown: never with a secret. `silent`: nothing came for longer than its settings allow."""

    id: UUID
    public_id: str
    url: str
    kind: str
    name: str
    team_id: UUID | None
    settings: dict[str, Any]
    auth: SourceAuth
    signature_header: str
    networks: tuple[str, ...]
    paused: bool
    silent: bool
    provisioned: bool
    demo: bool
    credentials: tuple["CredentialView", ...]
    deliveries: int
    alerts: int
    rejected: int
    quarantined: int
    failures: int
    last_seen_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str
    created_by: str
    created_at: datetime
    version: int


@dataclass(frozen=True)
class CredentialView:
    """A credential by the part of it that is no secret."""

    id: UUID
    hint: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class NewSource:
    """A fresh source, or fresh credential of one; `secret` is shown once (None: by address)."""

    source: SourceView
    secret: Shown | None


@dataclass(frozen=True)
class KindView:
    """A kind of sender that can be added: `schema` is the JSON Schema its settings form is drawn from."""

    id: str
    title: str
    about: str
    schema: dict[str, Any]
    sample: str


@dataclass(frozen=True)
class TriedAlert:
    """What one alert of a sample would become; with a `fault`, it could not be understood."""

    index: int
    fault: str | None = None
    title: str | None = None
    severity: Severity | None = None
    status: AlertStatus | None = None
    service: str | None = None
    environment: str | None = None
    resource: str | None = None
    team: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str | None = None
    identity_by: IdentityBy | None = None
    labels: dict[str, str] = dataclass_field(default_factory=dict)
    notes: tuple[str, ...] = ()
