"""What is a unit of work?

One transaction in which the tenant and the actor are set, so that row-level security holds; what it touched is told to
open pages when it commits, and what it enqueued is handed to the workers.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.storage.database import Database

CHANNEL = "aiops"
_MOST_IDS = 20
# Who may see these sees every team: they do not make a notice about a team one for everybody.
_OF_NO_TEAM = frozenset({"audit"})


@dataclass(frozen=True)
class Tenant:
    """Whose rows a transaction sees. Everything left out sees nothing of its kind."""

    org_id: UUID | None = None
    teams: tuple[UUID, ...] = ()
    all_teams: bool = False
    user_id: UUID | None = None
    email: str = ""
    instance: bool = False

    def settings(self) -> dict[str, str]:
        """The database settings that the policies read."""
        return {
            "org": str(self.org_id or ""),
            "teams": "{" + ",".join(map(str, self.teams)) + "}",
            "all_teams": "on" if self.all_teams else "",
            "user": str(self.user_id or ""),
            "email": self.email,
            "instance": "on" if self.instance else "",
        }


INSTANCE = Tenant(instance=True)


@dataclass
class Work:
    """An open transaction. `now` is the database's clock at its begin."""

    session: Session
    tenant: Tenant
    now: datetime
    is_staged: bool = False  # whether temporary tables hold what was written already
    _touched: dict[str, dict[UUID, None]] = field(default_factory=dict)
    _teams: set[UUID] = field(default_factory=set)
    _concerns_all: bool = False

    @property
    def org_id(self) -> UUID:
        """The organization of this work."""
        assert self.tenant.org_id is not None, "this work has no organization"
        return self.tenant.org_id

    def become(self, tenant: Tenant) -> None:
        """Go on as another tenant in the same transaction: a sign-in learns the organization half-way."""
        self.session.flush()
        self.tenant = tenant
        _set(self.session, tenant)

    def touch(self, kind: str, id: UUID | None = None, team_id: UUID | None = None) -> None:
        """Say that a thing of this kind changed: pages that show it refresh after the commit."""
        ids = self._touched.setdefault(kind, {})
        if id is not None and len(ids) <= _MOST_IDS:
            ids[id] = None
        if team_id is not None:
            self._teams.add(team_id)
        elif kind not in _OF_NO_TEAM:
            self._concerns_all = True

    def notice(self) -> str | None:
        """What the commit tells the pages: organization, kinds, ids (none: too many, refresh), teams. Never content."""
        if not self._touched:
            return None
        ids = [str(id) for ids in self._touched.values() for id in ids]
        for_all = self._concerns_all or len(self._teams) > _MOST_IDS
        # what several teams share is told to all of them, but not which things of the others it is
        tells_ids = len(ids) <= _MOST_IDS and not (for_all and self._teams)
        said = {
            "o": str(self.tenant.org_id or ""),
            "k": ",".join(sorted(self._touched)),
            "i": ids if tells_ids else [],
            "t": [] if for_all else [str(team) for team in sorted(self._teams)],
        }
        return json.dumps(said)


@contextmanager
def work(database: Database, tenant: Tenant) -> Iterator[Work]:
    """Open a transaction as that tenant; commit at the end, roll back on any error."""
    with Session(database.engine, expire_on_commit=False) as session:
        now = _set(session, tenant)
        opened = Work(session, tenant, now)
        yield opened
        session.flush()
        if notice := opened.notice():
            session.execute(text("SELECT pg_notify(:channel, :notice)"), {"channel": CHANNEL, "notice": notice})
        session.commit()


def _set(session: Session, tenant: Tenant) -> datetime:
    return session.execute(_SET, tenant.settings()).scalar_one()


_SET = text(
    "SELECT now(), set_config('app.org', :org, true), set_config('app.teams', :teams, true), "
    "set_config('app.all_teams', :all_teams, true), set_config('app.user', :user, true), "
    "set_config('app.email', :email, true), set_config('app.instance', :instance, true)"
)
