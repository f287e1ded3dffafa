"""What came from each source?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from engine.model.ids import floor_id
from engine.storage import rows
from engine.storage.work import Work


@dataclass(frozen=True)
class Tally:
    """What a batch saw of one source. `waited` and `slowest` are seconds from receipt to now, in sum and at most."""

    team_id: UUID | None
    deliveries: int
    alerts: int
    firings: int
    quarantined: int
    waited: float
    slowest: float
    last_seen_at: datetime
    last_failure: str


def count(work: Work, tallies: Mapping[UUID, Tally]) -> None:
    """Count what came from each source, in all and in this minute."""
    values = {
        "org": work.org_id,
        "minute": floor_id(work.now.replace(second=0, microsecond=0)),
        "ids": list(tallies),
        "teams": [t.team_id for t in tallies.values()],
        "deliveries": [t.deliveries for t in tallies.values()],
        "firings": [t.firings for t in tallies.values()],
        "waited": [t.waited for t in tallies.values()],
        "slowest": [t.slowest for t in tallies.values()],
        "alerts": [t.alerts for t in tallies.values()],
        "quarantined": [t.quarantined for t in tallies.values()],
        "seen": [t.last_seen_at for t in tallies.values()],
        "failure": [t.last_failure for t in tallies.values()],
    }
    rows.run(work, _TALLY, values)
    rows.run(work, _MINUTE, values)


_TALLY = """
UPDATE source s SET deliveries = s.deliveries + t.deliveries, alerts = s.alerts + t.alerts, quarantined = s.quarantined + t.quarantined,
    last_seen_at = greatest(s.last_seen_at, t.seen),
    last_failure = CASE WHEN t.failure = '' THEN s.last_failure ELSE t.failure END,
    last_failure_at = CASE WHEN t.failure = '' THEN s.last_failure_at ELSE t.seen END
FROM unnest(%(ids)s::uuid[], %(deliveries)s::int[], %(alerts)s::int[], %(quarantined)s::int[], %(seen)s::timestamptz[], %(failure)s::text[])
    AS t (id, deliveries, alerts, quarantined, seen, failure)
WHERE s.org_id = %(org)s AND s.id = t.id
"""
_MINUTE = """
INSERT INTO intake_minute (org_id, id, source_id, team_id, deliveries, heard, firings, waited, slowest)
SELECT %(org)s, %(minute)s, * FROM unnest(%(ids)s::uuid[], %(teams)s::uuid[], %(deliveries)s::int[], %(alerts)s::int[],
    %(firings)s::int[], %(waited)s::real[], %(slowest)s::real[])
ON CONFLICT (org_id, id, source_id) DO UPDATE SET deliveries = intake_minute.deliveries + excluded.deliveries,
    heard = intake_minute.heard + excluded.heard, firings = intake_minute.firings + excluded.firings,
    waited = intake_minute.waited + excluded.waited, slowest = greatest(intake_minute.slowest, excluded.slowest)
"""
