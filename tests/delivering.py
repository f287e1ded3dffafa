"""Deliveries for tests: a source, what it sends, and a worker that applies it at once."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from engine.identity.actor import Actor
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.model.sources import SourceView
from engine.operations import alerts, sources
from engine.operations.door import runtime
from engine.storage import inbox
from engine.storage.inbox import Post
from engine.storage.lanes import INBOX
from engine.storage.work import Tenant, work
from engine.workflows.applier import Applier


def source(owner: Actor, team_id: UUID | None = None, kind: str = "alertmanager", **more: Any) -> SourceView:
    """A fresh source of that owner's organization."""
    name = f"{kind} {delivery_id(datetime.now(UTC)).hex}"
    return sources.create(owner, kind, name, team_id, **more).source


def firing(name: str, **labels: str) -> dict[str, Any]:
    """An alert as Alertmanager sends it."""
    return {"status": "firing", "labels": {"alertname": name, **labels}, "annotations": {}, "startsAt": "2026-01-02T12:00:00Z"}


def deliver(owner: Actor, to: SourceView, *sent: dict[str, Any], at: datetime | None = None) -> UUID:
    """Keep a delivery of Alertmanager's and apply everything that waits. Returns its id."""
    at = at or datetime.now(UTC)
    body = json.dumps({"version": "4", "alerts": list(sent)}).encode()
    id = delivery_id(at)
    with work(runtime().database, Tenant(owner.org_id, all_teams=True)) as open_work:
        inbox.append(open_work, [Post(id, owner.org_id, to.team_id, to.id, to.kind, Delivery(body, {}, at), len(sent))])
    apply(owner.org_id)
    return id


def apply(org_id: UUID) -> None:
    """Apply everything that waits in an organization."""
    applier = Applier(runtime().database, "test")
    while applier._turn(org_id, INBOX, applier._deliveries):
        pass


def alert(owner: Actor, team_id: UUID | None = None) -> tuple[UUID, UUID, int]:
    """A firing alert of that team in an incident of its own: its id, the incident's, and the incident's number."""
    name = f"Alert {delivery_id(datetime.now(UTC)).hex}"
    deliver(owner, source(owner, team_id), firing(name, service=name))
    found = alerts.search(owner, service=name).items[0]
    assert found.incident is not None, "every alert is in an incident"
    return found.id, found.incident.id, found.incident.number
