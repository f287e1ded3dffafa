"""What in an organization belongs to its demonstration?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from engine.model.jobs import Job
from engine.model.sources import Source
from engine.model.vocabulary import JobState
from engine.storage import lanes, rows
from engine.storage.work import Work


@dataclass(frozen=True)
class Gone:
    """How many alerts and incidents went; `left` are the incidents that hold other alerts too, whose counts are wrong now."""

    alerts: int
    incidents: int
    left: tuple[UUID, ...]


def sources(work: Work) -> list[Source]:
    """The demonstration's senders."""
    query = select(Source).where(Source.org_id == work.org_id, Source.demo.is_(True), col(Source.deleted_at).is_(None))  # pyright: ignore
    return list(work.session.execute(query).scalars())


def ever(work: Work) -> list[UUID]:
    """The demonstration's senders by id, also those that somebody deleted."""
    query = select(Source.id).where(Source.org_id == work.org_id, Source.demo.is_(True))  # pyright: ignore
    return list(work.session.execute(query).scalars())


def has_others(work: Work) -> bool:
    """Whether there are senders that are no demonstration's."""
    query = select(Source.id).where(Source.org_id == work.org_id, Source.demo.is_(False), col(Source.deleted_at).is_(None))  # pyright: ignore
    return work.session.execute(query.limit(1)).scalar_one_or_none() is not None


def running(work: Work, kind: str) -> UUID | None:
    """The job that plays it, if one waits or runs."""
    query = select(Job.id).where(Job.org_id == work.org_id, Job.kind == kind, col(Job.state).in_((JobState.WAITING, JobState.RUNNING)))
    return work.session.execute(query.limit(1)).scalar_one_or_none()


def remove(work: Work, source_ids: Sequence[UUID]) -> Gone:
    """Remove everything that came from these sources."""
    lanes.alone(work)
    values: dict[str, Any] = {"org": work.org_id, "sources": list(source_ids)}
    alerts = [row[0] for row in rows.fetch(work, _ALERTS, values)]
    touched = rows.fetch(work, _INCIDENTS, values | {"alerts": alerts})
    incidents = [id for id, holds_nothing_else in touched if holds_nothing_else]
    for statement in _REST:
        rows.run(work, statement, values | {"alerts": alerts, "incidents": incidents})
    return Gone(len(alerts), len(incidents), tuple(id for id, holds_nothing_else in touched if not holds_nothing_else))


_ALERTS = """
SELECT id FROM alert WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)
UNION ALL SELECT id FROM alert_history WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)
"""
_INCIDENTS = """
SELECT incident_id, bool_and(alert_id = ANY (%(alerts)s)) FROM incident_alert WHERE org_id = %(org)s AND incident_id IN (
    SELECT incident_id FROM incident_alert WHERE org_id = %(org)s AND alert_id = ANY (%(alerts)s))
GROUP BY 1
"""
_REST = (
    "DELETE FROM incident_alert WHERE org_id = %(org)s AND alert_id = ANY (%(alerts)s)",
    "DELETE FROM incident WHERE org_id = %(org)s AND id = ANY (%(incidents)s)",
    "DELETE FROM incident_entry WHERE org_id = %(org)s AND incident_id = ANY (%(incidents)s)",
    "DELETE FROM alert_entry WHERE org_id = %(org)s AND alert_id = ANY (%(alerts)s)",
    "DELETE FROM alert WHERE org_id = %(org)s AND id = ANY (%(alerts)s)",
    "DELETE FROM alert_history WHERE org_id = %(org)s AND id = ANY (%(alerts)s)",
    "DELETE FROM pending p USING inbox i WHERE p.org_id = %(org)s AND i.org_id = %(org)s AND i.id = p.id"
    " AND i.source_id = ANY (%(sources)s)",
    "DELETE FROM inbox WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)",
    "DELETE FROM quarantine WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)",
    "DELETE FROM intake_minute WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)",
    "DELETE FROM source_credential WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)",
)
