"""Deliveries to an organization: a source, what it sends, a worker that applies it, and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from engine.identity.actor import Actor
from engine.model.alerts import AlertView
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.model.incidents import IncidentView
from engine.model.sources import SourceView
from engine.model.views import Paging
from engine.operations import alerts, incidents, sources
from engine.operations.door import runtime
from engine.pipeline import upkeep
from engine.pipeline.upkeep import Checked
from engine.storage import inbox, quarantine
from engine.storage import sources as stored
from engine.storage.database import Database
from engine.storage.inbox import Post, Waiting
from engine.storage.lanes import CHECK, INBOX
from engine.storage.work import Tenant, Work, work
from engine.workflows.applier import Applier, apply
from tests.testkit.clock import iso
from tests.testkit.people import Company

ALL = Paging(limit=200)


def alert(
    name: str = "DiskFull",
    *,
    severity: str | None = "critical",
    summary: str = "",
    starts: datetime | None = None,
    ends: datetime | None = None,
    over: bool = False,
    **labels: str,
) -> dict[str, Any]:
    """An alert as Alertmanager's webhook tells it; with `ends`, or `over` (now), it has ended. Its summary is its name if none is given."""
    ends = datetime.now(UTC) if over and ends is None else ends
    stated = {"severity": severity} if severity else {}
    told: dict[str, Any] = {"status": "resolved" if ends else "firing", "labels": {"alertname": name} | stated | labels}
    told["annotations"] = {"summary": summary or name}
    return told | ({"startsAt": iso(starts)} if starts else {}) | ({"endsAt": iso(ends)} if ends else {})


def group(*alerts: Any, **labels: str) -> bytes:
    """A post of Alertmanager's webhook."""
    return json.dumps({"version": "4", "status": "firing", "groupLabels": labels, "alerts": list(alerts)}).encode()


@dataclass
class Deliveries:
    """The way of deliveries in one organization. `begins`: when they are received unless said otherwise; None is now."""

    database: Database
    company: Company
    begins: datetime | None = None

    @classmethod
    def by(cls, owner: Actor) -> "Deliveries":
        """In the organization of that owner, on the database that operations work on."""
        return cls(runtime().database, Company(runtime().database, owner.organization, owner))

    @property
    def tenant(self) -> Tenant:
        """The organization, as a worker sees it."""
        return Tenant(self.company.id, all_teams=True, instance=True)

    def source(self, kind: str = "alertmanager", team_id: UUID | None = None, **settings: Any) -> SourceView:
        """A new source."""
        return sources.create(self.company.owner, kind, f"{kind} {uuid4().hex[:8]}", team_id, settings).source

    def post(
        self, source: SourceView, body: bytes, at: datetime | None = None, alerts: int = 1, headers: dict[str, str] | None = None
    ) -> Post:
        """A delivery that nobody has kept yet."""
        received = at or self.begins or datetime.now(UTC)
        delivery = Delivery(body, headers or {}, received)
        return Post(delivery_id(received), self.company.id, source.team_id, source.id, source.kind, delivery, alerts)

    def keep(self, *posts: Post) -> None:
        """Keep deliveries, as the web process does; nobody applies them yet."""
        with work(self.database, self.tenant) as open_work:
            inbox.append(open_work, posts)

    def waiting(self) -> list[Waiting]:
        """What a worker would take next."""
        with work(self.database, self.tenant) as open_work:
            return inbox.waiting(open_work)

    def apply_batch(self, waiting: Sequence[Waiting] | None = None) -> int:
        """Apply everything that waits in one batch, past every lease. Returns how many deliveries it was."""
        with work(self.database, self.tenant) as open_work:
            batch = inbox.waiting(open_work) if waiting is None else waiting
            if batch:
                apply(open_work, batch)
        return len(batch)

    def apply(self) -> None:
        """Apply what waits, and let time do what is due, as a worker does."""
        worker = Applier(self.database, "test")
        for kind, step in ((INBOX, worker._deliveries), (CHECK, worker._check)):
            while worker._turn(self.company.id, kind, step):
                pass

    def send(self, source: SourceView, body: bytes, at: datetime | None = None) -> None:
        """Keep one delivery and apply it in a batch of its own."""
        self.keep(self.post(source, body, at))
        self.apply_batch()

    def post_body(self, source: SourceView, body: Any) -> None:
        """Deliver a body of any kind, and have a worker apply it."""
        self.keep(self.post(source, body if isinstance(body, bytes) else json.dumps(body).encode()))
        self.apply()

    def deliver(self, source: SourceView, *sent: Any, at: datetime | None = None) -> UUID:
        """Deliver alerts of Alertmanager's webhook, and have a worker apply them. Returns the delivery's id."""
        post = self.post(source, group(*sent), at, len(sent))
        self.keep(post)
        self.apply()
        return post.id

    def fire(self, team_id: UUID | None = None) -> tuple[UUID, UUID, int]:
        """A firing alert of that team in an incident of its own: its id, the incident's, and the incident's number."""
        name = f"Alert {uuid4().hex}"
        self.deliver(self.source(team_id=team_id), alert(name, service=name))
        found = alerts.search(self.company.owner, service=name).items[0]
        assert found.incident is not None, "every alert is in an incident"
        return found.id, found.incident.id, found.incident.number

    def put_aside(self, source: SourceView, body: bytes, reason: str = "not understood") -> UUID:
        """Put a body into the quarantine, as the web process does when it cannot be understood."""
        with work(self.database, self.tenant) as open_work:
            row = stored.one(open_work, source.id)
            assert row is not None
            return quarantine.add(open_work, row, Delivery(body, {}, datetime.now(UTC)), reason)

    def check(self, at: datetime) -> Checked:
        """Let time do its part, as if it were then."""
        with work(self.database, self.tenant) as open_work:
            return upkeep.check(open_work, at)

    def alerts(self, **which: Any) -> tuple[AlertView, ...]:
        """Alerts as the owner sees them, the oldest first."""
        return alerts.search(self.company.owner, **({"sort": "first_seen_at", "page": ALL} | which)).items

    def alert(self, title: str) -> AlertView:
        """The one alert of that title, among the latest."""
        (found,) = [each for each in self.alerts(sort="-first_seen_at") if each.title == title]
        return found

    def incidents(self) -> tuple[IncidentView, ...]:
        """Incidents as the owner sees them, by number."""
        return incidents.search(self.company.owner, sort="number", page=ALL).items

    def incident_of(self, title: str) -> IncidentView:
        """The incident that the alert of that title is in."""
        found = self.alert(title).incident
        assert found is not None
        return incidents.show(self.company.owner, found.id)

    def rows(self, sql: str, tenant: Tenant | None = None, **values: Any) -> list[Any]:
        """Rows of the organization, or those that another tenant sees."""
        with work(self.database, tenant or self.tenant) as open_work:
            return rows(open_work, sql, **values)

    def write(self, sql: str, **values: Any) -> None:
        """Change rows past everything, as when somebody else does."""
        with work(self.database, self.tenant) as open_work:
            open_work.session.execute(text(sql), values)


def rows(open_work: Work, sql: str, **values: Any) -> list[Any]:
    """Rows of a statement."""
    return list(open_work.session.execute(text(sql), values).all())
