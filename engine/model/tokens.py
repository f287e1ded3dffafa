"""What a program shows to be let in."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Text
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, Shown, digest, moment, word
from engine.model.vocabulary import Role


class TokenDirectory(SQLModel, table=True):
    """Maps the public id of an API token or one-time link to its organization and the hash of its secret. No content."""

    __tablename__ = "token_directory"
    rls: ClassVar[Rls] = Rls.DIRECTORY

    public_id: str = Field(primary_key=True)
    secret_hash: bytes = digest()
    org_id: UUID
    token_id: UUID = Field(index=True)
    expires_at: datetime | None = moment(default=None, index=True)


class ApiToken(SQLModel, table=True):
    """A token of an organization. `scopes` are permissions it is cut down to; empty means all of its role."""

    __tablename__ = "api_token"
    rls: ClassVar[Rls] = Rls.TEAM

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    team_id: UUID | None = None
    name: str
    public_id: str
    role: Role = word(Role)
    scopes: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))  # pyright: ignore[reportArgumentType]
    created_by: str
    created_at: datetime = moment()
    expires_at: datetime | None = moment(default=None)
    used_at: datetime | None = moment(default=None)
    revoked_at: datetime | None = moment(default=None)


@dataclass(frozen=True)
class TokenView:
    """An API token without its secret."""

    id: UUID
    name: str
    hint: str
    role: Role
    team_id: UUID | None
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True)
class NewToken:
    """A fresh API token; `secret` is shown once."""

    id: UUID
    name: str
    role: Role
    secret: Shown
    expires_at: datetime | None
