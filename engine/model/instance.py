"""What the installation itself remembers; nothing of a tenant."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, digest, moment, word
from engine.model.vocabulary import ProcessKind


class Instance(SQLModel, table=True):
    """The one row of the installation: its id, and the set-up link while there is no owner."""

    __tablename__ = "instance"
    rls: ClassVar[Rls] = Rls.INSTANCE

    id: UUID = Field(primary_key=True)
    created_at: datetime = moment()
    setup_hash: bytes | None = digest(default=None, nullable=True)
    setup_expires_at: datetime | None = moment(default=None)
    setup_done_at: datetime | None = moment(default=None)


class Lease(SQLModel, table=True):
    """Who does a thing that one process does at a time. `fence` rises with every new holder."""

    __tablename__ = "lease"
    rls: ClassVar[Rls] = Rls.INSTANCE

    name: str = Field(primary_key=True)
    owner: str
    until: datetime = moment()
    fence: int


class Heartbeat(SQLModel, table=True):
    """A process that was alive at `seen_at`; the leader's last tick is `tick_at`."""

    __tablename__ = "heartbeat"
    rls: ClassVar[Rls] = Rls.INSTANCE

    process: str = Field(primary_key=True)
    kind: ProcessKind = word(ProcessKind)
    version: str
    started_at: datetime = moment()
    seen_at: datetime = moment()
    tick_at: datetime | None = moment(default=None)


class Timer(SQLModel, table=True):
    """A duty of the installation that comes again every `every_seconds`."""

    __tablename__ = "timer"
    rls: ClassVar[Rls] = Rls.INSTANCE

    name: str = Field(primary_key=True)
    every_seconds: int
    due_at: datetime = moment(index=True)
    ran_at: datetime | None = moment(default=None)
    error: str = ""


class Failure(SQLModel, table=True):
    """Failed sign-ins of one account or address (hashed) since `since`; counted, never chained."""

    __tablename__ = "sign_in_failure"
    rls: ClassVar[Rls] = Rls.INSTANCE

    subject: bytes = digest(primary_key=True)
    since: datetime = moment(index=True)
    count: int
