"""What do all sources and alerts come to, over all organizations, for /metrics and /health?"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import col

from engine.model.alerts import Alert, Storage
from engine.model.sources import Source
from engine.model.vocabulary import AlertStatus
from engine.storage import inbox, lanes, stages
from engine.storage.database import Database
from engine.storage.directories import organizations
from engine.storage.work import INSTANCE, Tenant, work

_MOST_ORGANIZATIONS = 200


@dataclass(frozen=True)
class SourceCount:
    """Of one source: what came, and its firing alerts by severity."""

    public_id: str
    kind: str
    deliveries: int
    alerts: int
    quarantined: int
    failures: int
    firing: dict[str, int]


@dataclass(frozen=True)
class Census:
    """Everything counted. `buckets` are the counts of deliveries by how long they took until grouped, by the place of the bound."""

    sources: list[SourceCount] = field(default_factory=list)
    queue_age: timedelta = timedelta()
    buckets: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def take(database: Database) -> Census:
    """Count now."""
    with work(database, Tenant()) as open_work:
        everywhere = organizations(open_work)[:_MOST_ORGANIZATIONS]
        found: list[SourceCount] = []
        for org_id in everywhere:
            open_work.become(Tenant(org_id, all_teams=True))
            firing: dict[UUID, dict[str, int]] = {}
            counted = select(Alert.source_id, Alert.severity, func.count()).where(
                Alert.org_id == org_id, Alert.status == AlertStatus.FIRING
            )
            for source_id, severity, number in open_work.session.execute(counted.group_by(Alert.source_id, Alert.severity)):
                firing.setdefault(source_id, {})[severity or "none"] = number
            rows = open_work.session.execute(select(Source).where(Source.org_id == org_id, col(Source.deleted_at).is_(None))).scalars()
            found += [
                SourceCount(row.public_id, row.kind, row.deliveries, row.alerts, row.quarantined, row.failures, firing.get(row.id, {}))
                for row in rows
            ]
        open_work.become(INSTANCE)
        stage = stages.histogram(open_work, stages.GROUPED)
    return Census(found, queue_age(database), stage.buckets if stage else {}, stage.seconds if stage else 0.0)


def queue_age(database: Database) -> timedelta:
    """How long the oldest delivery waits, over all organizations that have any."""
    with work(database, Tenant()) as open_work:
        ages = [timedelta()]
        for org_id in open_work.session.execute(text(_BUSY), {"kind": lanes.INBOX}).scalars():
            open_work.become(Tenant(org_id, all_teams=True))
            if (since := inbox.oldest(open_work)) is not None:
                ages.append(open_work.now - since)
    return max(ages)


_BUSY = "SELECT org_id FROM lane WHERE kind = :kind AND due_at <= now() ORDER BY due_at LIMIT 100"


def storage(database: Database) -> tuple[Storage, ...]:
    """What the tables that grow hold and take on disk, by PostgreSQL's own estimate."""
    with work(database, Tenant()) as open_work:
        rows = open_work.session.execute(text(_STORAGE)).all()
    return tuple(Storage(row.name, row.rows, row.bytes, round(row.bytes / row.rows, 1) if row.rows else None) for row in rows)


_STORAGE = """
SELECT name, sum(greatest(c.reltuples, 0))::bigint AS rows, sum(pg_total_relation_size(c.oid))::bigint AS bytes
FROM unnest(ARRAY['inbox', 'quarantine', 'alert', 'alert_history', 'alert_entry', 'incident', 'incident_alert', 'incident_entry', 'audit'])
    AS name
JOIN LATERAL (
    SELECT p.oid, p.reltuples FROM pg_class p WHERE p.oid = to_regclass(name) AND p.relkind = 'r'
    UNION ALL SELECT p.oid, p.reltuples FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid WHERE i.inhparent = to_regclass(name)
) c ON true GROUP BY name ORDER BY bytes DESC
"""
