"""What in an organization belongs to its demonstration?"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from engine.model.jobs import Job
from engine.model.sources import Source
from engine.model.vocabulary import JobState
from engine.storage import lanes, rows
from engine.storage.work import Work


def sources(work: Work) -> list[Source]:
    """The demonstration's senders."""
    query = select(Source).where(Source.org_id == work.org_id, Source.demo.is_(True), col(Source.deleted_at).is_(None))  # pyright: ignore
    return list(work.session.execute(query).scalars())


def has_others(work: Work) -> bool:
    """Whether there are senders that are no demonstration's."""
    query = select(Source.id).where(Source.org_id == work.org_id, Source.demo.is_(False), col(Source.deleted_at).is_(None))  # pyright: ignore
    return work.session.execute(query.limit(1)).scalar_one_or_none() is not None


def running(work: Work, kind: str) -> UUID | None:
    """The job that plays it, if one waits or runs."""
    query = select(Job.id).where(Job.org_id == work.org_id, Job.kind == kind, col(Job.state).in_((JobState.WAITING, JobState.RUNNING)))
    return work.session.execute(query.limit(1)).scalar_one_or_none()


def remove(work: Work, source_ids: Sequence[UUID]) -> tuple[int, int]:
    """Remove everything that came from these sources. Returns how many alerts and incidents went."""
    lanes.alone(work)
    values: dict[str, Any] = {"org": work.org_id, "sources": list(source_ids)}
    alerts = [row[0] for row in rows.fetch(work, _ALERTS, values)]
    incidents = [row[0] for row in rows.fetch(work, _INCIDENTS, values | {"alerts": alerts})]
    for statement in _REST:
        rows.run(work, statement, values | {"alerts": alerts, "incidents": incidents})
    return len(alerts), len(incidents)


_ALERTS = """
SELECT id FROM alert WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)
UNION ALL SELECT id FROM alert_history WHERE org_id = %(org)s AND source_id = ANY (%(sources)s)
"""
_INCIDENTS = """
SELECT incident_id FROM incident_alert WHERE org_id = %(org)s AND incident_id IN (
    SELECT incident_id FROM incident_alert WHERE org_id = %(org)s AND alert_id = ANY (%(alerts)s))
GROUP BY 1 HAVING bool_and(alert_id = ANY (%(alerts)s))
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
