"""How do tests of the door deliver alerts, let a worker apply them, and look at what came of it?"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from engine.model.alerts import AlertView
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.model.incidents import IncidentView
from engine.model.sources import SourceView
from engine.model.views import Paging
from engine.operations import alerts, incidents, sources
from engine.pipeline import upkeep
from engine.storage import inbox, quarantine
from engine.storage import sources as stored
from engine.storage.database import Database
from engine.storage.inbox import Post
from engine.storage.work import Tenant, work
from engine.workflows.applier import Applier
from tests.factories import Company

ALL = Paging(limit=200)


def moment() -> datetime:
    """Now, as precisely as a sender says it."""
    return datetime.now(UTC).replace(microsecond=0)


def alert(name: str = "DiskFull", *, severity: str | None = "critical", over: bool = False, **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager's webhook tells it; `over`: it has ended. Its summary is its name."""
    stated = {"severity": severity} if severity else {}
    told: dict[str, Any] = {"status": "resolved" if over else "firing", "labels": {"alertname": name} | stated | labels}
    return told | {"annotations": {"summary": name}} | ({"endsAt": datetime.now(UTC).isoformat()} if over else {})


def posted(*said: Any) -> bytes:
    """A post of Alertmanager's webhook."""
    return json.dumps({"version": "4", "status": "firing", "groupLabels": {}, "alerts": list(said)}).encode()


@dataclass
class Alerting:
    """The way of alerts in one organization: delivered, and applied at once."""

    database: Database
    company: Company

    @property
    def tenant(self) -> Tenant:
        """The organization, as a worker sees it."""
        return Tenant(self.company.id, all_teams=True, instance=True)

    def source(self, kind: str = "alertmanager", team_id: UUID | None = None, **settings: Any) -> SourceView:
        """A new source."""
        return sources.create(self.company.owner, kind, f"{kind} {uuid4().hex[:8]}", team_id, settings).source

    def keep(self, source: SourceView, body: bytes, headers: dict[str, str] | None = None) -> UUID:
        """Keep a delivery, as the web process does; nobody applies it yet."""
        now = datetime.now(UTC)
        id = delivery_id(now)
        sent = Delivery(body, headers or {}, now)
        with work(self.database, self.tenant) as open_work:
            inbox.append(open_work, [Post(id, self.company.id, source.team_id, source.id, source.kind, sent, 1)])
        return id

    def apply(self) -> None:
        """Apply what waits."""
        Applier(self.database, "test").round()

    def post(self, source: SourceView, body: Any) -> None:
        """Deliver a body of any kind, and apply it."""
        self.keep(source, body if isinstance(body, bytes) else json.dumps(body).encode())
        self.apply()

    def deliver(self, source: SourceView, *said: Any) -> None:
        """Deliver alerts of Alertmanager's webhook, and apply them."""
        self.post(source, posted(*said))

    def put_aside(self, source: SourceView, body: bytes, reason: str = "not understood") -> UUID:
        """Put a body into the quarantine, as the web process does when it cannot be understood."""
        with work(self.database, self.tenant) as open_work:
            row = stored.one(open_work, source.id)
            assert row is not None
            return quarantine.add(open_work, row, Delivery(body, {}, datetime.now(UTC)), reason)

    def check(self, at: datetime) -> None:
        """Let time do its part, as if it were then."""
        with work(self.database, self.tenant) as open_work:
            upkeep.check(open_work, at)

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
