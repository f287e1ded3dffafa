"""A signed-in browser or script."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import SecretStr
from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, moment


class SessionDirectory(SQLModel, table=True):
    """Maps the hash of a session's secret to its organization, before the organization is known. No content."""

    __tablename__ = "session_directory"
    rls: ClassVar[Rls] = Rls.DIRECTORY

    secret_hash: bytes = digest(primary_key=True)
    org_id: UUID
    session_id: UUID = Field(unique=True)
    user_id: UUID = Field(index=True)
    expires_at: datetime = moment(index=True)


class UserSession(SQLModel, table=True):
    """What a person sees of a session. It ends when its row in the directory goes."""

    __tablename__ = "session"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(index=True)
    address: str
    agent: str
    created_at: datetime = moment()
    seen_at: datetime = moment()
    expires_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)


@dataclass(frozen=True)
class SessionView:
    """A session of one's own."""

    id: UUID
    address: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    is_this: bool


@dataclass(frozen=True)
class SignedIn:
    """A fresh session; the secret goes into the cookie and nowhere else."""

    secret: SecretStr
    session_id: UUID
    user_id: UUID
    org_id: UUID
    expires_at: datetime
