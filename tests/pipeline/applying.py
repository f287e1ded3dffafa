"""How do tests of the pipeline deliver, let a worker apply it, let time pass, and look at what came of it?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.model.sources import SourceView
from engine.operations import sources
from engine.pipeline import upkeep
from engine.pipeline.upkeep import Checked
from engine.storage import inbox
from engine.storage.database import Database
from engine.storage.inbox import Post, Waiting
from engine.storage.work import Tenant, Work, work
from engine.workflows.applier import apply
from tests.factories import Company

MINUTE = timedelta(minutes=1)


def now() -> datetime:
    """A moment that the database keeps whole."""
    return datetime.now(UTC).replace(microsecond=0)


def iso(at: datetime) -> str:
    """A moment as senders write it."""
    return at.isoformat().replace("+00:00", "Z")


def alert(name: str = "DiskFull", *, starts: datetime | None = None, ends: datetime | None = None, **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager's webhook tells it; with `ends` it is over."""
    told: dict[str, Any] = {"status": "resolved" if ends else "firing", "labels": {"alertname": name, "severity": "critical"} | labels}
    told["annotations"] = {"summary": labels.get("summary", name)}
    told["labels"].pop("summary", None)
    if starts:
        told["startsAt"] = iso(starts)
    if ends:
        told["endsAt"] = iso(ends)
    return told


def group(*alerts: Any, **labels: str) -> bytes:
    """A post of Alertmanager's webhook."""
    return json.dumps({"version": "4", "status": "firing", "groupLabels": labels, "alerts": list(alerts)}).encode()


@dataclass
class Line:
    """The way of deliveries in one organization."""

    database: Database
    company: Company
    begins: datetime = field(default_factory=now)

    @property
    def tenant(self) -> Tenant:
        """The organization, as a worker sees it."""
        return Tenant(self.company.id, all_teams=True, instance=True)

    def source(self, kind: str = "alertmanager", *, team_id: UUID | None = None, **settings: Any) -> SourceView:
        """A new source."""
        return sources.create(self.company.owner, kind, f"{kind} {uuid4().hex[:8]}", team_id, settings).source

    def post(self, source: SourceView, body: bytes, at: datetime | None = None, alerts: int = 1) -> Post:
        """A delivery that nobody has kept yet."""
        received = at or self.begins
        delivery = Delivery(body, {}, received)
        return Post(delivery_id(received), self.company.id, source.team_id, source.id, source.kind, delivery, alerts)

    def keep(self, *posts: Post) -> None:
        """Keep deliveries, as the web process does."""
        with work(self.database, self.tenant) as open_work:
            inbox.append(open_work, posts)

    def waiting(self) -> list[Waiting]:
        """What a worker would take next."""
        with work(self.database, self.tenant) as open_work:
            return inbox.waiting(open_work)

    def apply(self, waiting: Sequence[Waiting] | None = None) -> int:
        """Apply everything that waits, in one batch. Returns how many deliveries it was."""
        with work(self.database, self.tenant) as open_work:
            batch = inbox.waiting(open_work) if waiting is None else waiting
            if batch:
                apply(open_work, batch)
        return len(batch)

    def deliver(self, source: SourceView, body: bytes, at: datetime | None = None) -> None:
        """Keep one delivery and apply it."""
        self.keep(self.post(source, body, at))
        self.apply()

    def check(self, at: datetime) -> Checked:
        """Let time do its part, as if it were then."""
        with work(self.database, self.tenant) as open_work:
            return upkeep.check(open_work, at)

    def rows(self, sql: str, tenant: Tenant | None = None, **values: Any) -> list[Any]:
        """Rows of the organization, or those that another tenant sees."""
        with work(self.database, tenant or self.tenant) as open_work:
            return rows(open_work, sql, **values)

    def write(self, sql: str, **values: Any) -> None:
        """Change rows past everything, as when somebody else does."""
        with work(self.database, self.tenant) as open_work:
            open_work.session.execute(text(sql), values)

    def alerts(self) -> list[Any]:
        """Live alerts by title."""
        return self.rows("SELECT * FROM alert ORDER BY title, first_seen_at")

    def incidents(self) -> list[Any]:
        """Incidents by number."""
        return self.rows("SELECT * FROM incident ORDER BY number")

    def alert(self) -> Any:
        """The one alert."""
        (found,) = self.alerts()
        return found

    def incident(self) -> Any:
        """The one incident."""
        (found,) = self.incidents()
        return found

    def told(self, table: str = "incident_entry") -> list[str]:
        """The kinds of lines of a history, in their order."""
        return [row.kind for row in self.rows(f"SELECT kind FROM {table} ORDER BY id")]


def rows(open_work: Work, sql: str, **values: Any) -> list[Any]:
    """Rows of a statement."""
    return list(open_work.session.execute(text(sql), values).all())
