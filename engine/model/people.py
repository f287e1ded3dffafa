"""Organizations, the people in them, and their teams."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, Shown, moment, word
from engine.model.vocabulary import LinkKind, Role


class Organization(SQLModel, table=True):
    """A tenant. `id` is its `org_id` everywhere else."""

    __tablename__ = "organization"
    rls: ClassVar[Rls] = Rls.OWN

    id: UUID = Field(primary_key=True)
    name: str
    created_at: datetime = moment()


class User(SQLModel, table=True):
    """A person, once an installation, whatever the organizations. `email` is lower case and unique."""

    __tablename__ = "app_user"
    rls: ClassVar[Rls] = Rls.OWN

    id: UUID = Field(primary_key=True)
    email: str = Field(unique=True)
    name: str
    time_zone: str = ""
    instance_admin: bool = False
    created_at: datetime = moment()
    version: int = 1


class Password(SQLModel, table=True):
    """The argon2 hash of a user's password; apart from the user, so that no list ever reads it."""

    __tablename__ = "password"
    rls: ClassVar[Rls] = Rls.OWN

    user_id: UUID = Field(primary_key=True, foreign_key="app_user.id", ondelete="CASCADE")
    hash: str
    changed_at: datetime = moment()


class Membership(SQLModel, table=True):
    """A user's role in an organization."""

    __tablename__ = "membership"
    rls: ClassVar[Rls] = Rls.OWN

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    user_id: UUID = Field(primary_key=True, foreign_key="app_user.id", ondelete="CASCADE", index=True)
    role: Role = word(Role)
    created_at: datetime = moment()
    version: int = 1


class Team(SQLModel, table=True):
    """A group of users that owns sources, alerts and runbooks. Its name is known to the whole organization."""

    __tablename__ = "team"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    name: str
    created_at: datetime = moment()
    version: int = 1


class TeamMember(SQLModel, table=True):
    """A user's role in a team; an owner of a team manages its members."""

    __tablename__ = "team_member"
    rls: ClassVar[Rls] = Rls.OWN

    org_id: UUID = Field(primary_key=True)
    team_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(primary_key=True, index=True)
    role: Role = word(Role)
    created_at: datetime = moment()


class Link(SQLModel, table=True):
    """A one-time link for a person: an invitation, or a new password. Its secret is only in the token directory, hashed."""

    __tablename__ = "link"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    kind: LinkKind = word(LinkKind)
    email: str
    role: Role = word(Role)
    team_id: UUID | None = None
    created_by: str
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)


@dataclass(frozen=True)
class OrganizationView:
    """An organization and the viewer's role in it."""

    id: UUID
    name: str
    role: Role


@dataclass(frozen=True)
class UserView:
    """A member of an organization."""

    id: UUID
    email: str
    name: str
    role: Role
    teams: tuple[str, ...]
    instance_admin: bool
    joined_at: datetime
    seen_at: datetime | None
    version: int


@dataclass(frozen=True)
class TeamView:
    """A team."""

    id: UUID
    name: str
    members: int
    created_at: datetime
    version: int


@dataclass(frozen=True)
class TeamMemberView:
    """A user's place in a team."""

    user_id: UUID
    name: str
    email: str
    role: Role


@dataclass(frozen=True)
class LinkView:
    """A one-time link that can still be used; never its secret."""

    id: UUID
    kind: LinkKind
    email: str
    role: Role
    team_id: UUID | None
    created_by: str
    expires_at: datetime


@dataclass(frozen=True)
class NewLink:
    """A one-time link, shown once: send it to the person."""

    id: UUID
    email: str
    url: Shown
    expires_at: datetime


@dataclass(frozen=True)
class ProfileView:
    """A person's own account."""

    id: UUID
    email: str
    name: str
    time_zone: str
    role: Role
    instance_admin: bool
    organizations: tuple[OrganizationView, ...]
    version: int
