"""How does it go in an organization? Counts, each of them flat as the history grows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import any_, literal, select
from sqlmodel import col

from engine.model.ids import floor_id
from engine.model.incidents import Incident
from engine.model.overview import Span
from engine.model.sources import Source
from engine.model.vocabulary import Severity
from engine.storage import rows
from engine.storage.work import Work

MOST_COUNTED = 10_000
_SEVERITIES = ("critical", "error", "warning", "info", "none")


@dataclass(frozen=True)
class Intake:
    """What came in a time range."""

    deliveries: int
    heard: int
    firings: int
    waited: float
    slowest: float


def open_incidents(work: Work, team_id: UUID | None) -> tuple[dict[str, int], int]:
    """Open incidents by severity, and how many of them nobody has acknowledged. Counts no further than the cap."""
    found = rows.fetch(work, _OPEN, {"org": work.org_id, "team": team_id, "most": MOST_COUNTED})
    by_severity: dict[str, int] = dict.fromkeys(_SEVERITIES, 0) | {str(row[0]): int(row[1]) for row in found}
    return by_severity, sum(row[2] for row in found)


_OPEN = """
SELECT coalesce(severity, 'none'), count(*)::int, (count(*) FILTER (WHERE acknowledged_at IS NULL))::int FROM (
    SELECT severity, acknowledged_at FROM incident
    WHERE org_id = %(org)s AND resolved_at IS NULL AND (%(team)s::uuid IS NULL OR %(team)s = ANY (team_ids)) LIMIT %(most)s) AS counted
GROUP BY 1
"""


def firing_alerts(work: Work, team_id: UUID | None) -> tuple[int, bool]:
    """How many alerts fire now, and whether there are more than were counted."""
    found = rows.fetch(work, _FIRING, {"org": work.org_id, "team": team_id, "most": MOST_COUNTED + 1})[0][0]
    return min(found, MOST_COUNTED), found > MOST_COUNTED


_FIRING = """
SELECT count(*)::int FROM (SELECT 1 FROM alert
    WHERE org_id = %(org)s AND status = 'firing' AND (%(team)s::uuid IS NULL OR team_id = %(team)s) LIMIT %(most)s) AS counted
"""


def intake(work: Work, since: datetime, team_id: UUID | None) -> Intake:
    """What came since then."""
    row = rows.fetch(work, _INTAKE, {"org": work.org_id, "since": floor_id(since), "team": team_id})[0]
    return Intake(*row)


_INTAKE = """
SELECT coalesce(sum(deliveries), 0)::bigint, coalesce(sum(heard), 0)::bigint, coalesce(sum(firings), 0)::bigint,
    coalesce(sum(waited), 0)::float, coalesce(max(slowest), 0)::float
FROM intake_minute WHERE org_id = %(org)s AND id >= %(since)s AND (%(team)s::uuid IS NULL OR team_id = %(team)s)
"""


def spans(work: Work, since: datetime, length: timedelta, count: int, team_id: UUID | None) -> tuple[Span, ...]:
    """The time range in equal parts, the oldest first."""
    values = {
        "org": work.org_id,
        "from": floor_id(since),
        "since": since,
        "seconds": length.total_seconds(),
        "team": team_id,
    }
    came = {row[0]: row[1:] for row in rows.fetch(work, _CAME, values)}
    opened = {row[0]: row[1] for row in rows.fetch(work, _OPENED, values)}
    return tuple(Span(since + place * length, *came.get(place, (0, 0)), opened.get(place, 0)) for place in range(count))


# The time that an id begins with, as a part of the range.
_MILLIS = "('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint"
_PLACE = f"floor(({_MILLIS} / 1000.0 - extract(epoch FROM %(since)s::timestamptz)) / %(seconds)s)::int"
_CAME = f"""
SELECT {_PLACE}, sum(heard)::int, sum(firings)::int FROM intake_minute
WHERE org_id = %(org)s AND id >= %(from)s AND (%(team)s::uuid IS NULL OR team_id = %(team)s) GROUP BY 1
"""  # noqa: S608 a constant
_OPENED = f"""
SELECT {_PLACE}, count(*)::int FROM incident
WHERE org_id = %(org)s AND id >= %(from)s AND (%(team)s::uuid IS NULL OR %(team)s = ANY (team_ids)) GROUP BY 1
"""  # noqa: S608 a constant


def acknowledged_in(work: Work, since: datetime, team_id: UUID | None) -> timedelta | None:
    """The median from opening to acknowledgement of the incidents opened since then."""
    return rows.fetch(work, _ACKNOWLEDGED, {"org": work.org_id, "from": floor_id(since), "team": team_id})[0][0]


_ACKNOWLEDGED = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(acknowledged_at - opened_at, interval '0')) FROM incident
WHERE org_id = %(org)s AND id >= %(from)s AND acknowledged_at IS NOT NULL AND (%(team)s::uuid IS NULL OR %(team)s = ANY (team_ids))
"""


def urgent(work: Work, team_id: UUID | None, limit: int) -> list[Incident]:
    """Open incidents, the worst first, among those the newest."""
    query = select(Incident).where(Incident.org_id == work.org_id, col(Incident.resolved_at).is_(None))
    return _some(work, query.order_by(Incident.severity_rank, col(Incident.id).desc()), team_id, limit)


def owned(work: Work, user_id: UUID, limit: int) -> list[Incident]:
    """Open incidents that wait for a person, the worst first."""
    query = select(Incident).where(Incident.org_id == work.org_id, col(Incident.resolved_at).is_(None), Incident.owner_id == user_id)
    return _some(work, query.order_by(Incident.severity_rank, col(Incident.id).desc()), None, limit)


def unattended(work: Work) -> list[Incident]:
    """The newest critical incident that nobody has acknowledged."""
    query = select(Incident).where(
        Incident.org_id == work.org_id,
        col(Incident.resolved_at).is_(None),
        Incident.severity == Severity.CRITICAL,
        col(Incident.acknowledged_at).is_(None),
    )
    return _some(work, query.order_by(col(Incident.id).desc()), None, 1)


def resolved(work: Work, since: datetime, team_id: UUID | None, limit: int) -> list[Incident]:
    """Incidents that ended lately, the latest first."""
    query = select(Incident).where(Incident.org_id == work.org_id, col(Incident.resolved_at) >= since)
    return _some(work, query.order_by(col(Incident.resolved_at).desc()), team_id, limit)


def _some(work: Work, query: Any, team_id: UUID | None, limit: int) -> list[Incident]:
    if team_id is not None:
        query = query.where(literal(team_id) == any_(col(Incident.team_ids)))
    return list(work.session.execute(query.limit(limit)).scalars())


def senders(work: Work, team_id: UUID | None, limit: int) -> list[Source]:
    """Sources, those that were heard of last first."""
    query = select(Source).where(Source.org_id == work.org_id, col(Source.deleted_at).is_(None))
    if team_id is not None:
        query = query.where(Source.team_id == team_id)
    return list(work.session.execute(query.order_by(col(Source.last_seen_at).desc().nulls_last(), Source.id).limit(limit)).scalars())
