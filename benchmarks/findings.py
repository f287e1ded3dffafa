"""Is what the database holds exactly what was sent and acknowledged?

Everything that must be true once nothing waits any more, whatever was killed meanwhile. Each check answers with sentences, one for
what it finds wrong, the first few of many.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg

from engine.model.ids import entry_id

MOST_SAID = 5
Db = psycopg.Connection[Any]


@dataclass(frozen=True)
class Alert:
    """One alert of a body: whose mark it bears, whether it fires, when it started and ended."""

    mark: str
    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Body:
    """A body and what it says."""

    content: bytes
    alerts: tuple[Alert, ...]

    @property
    def digest(self) -> bytes:
        """By which it is known again."""
        return sha256(self.content).digest()


@dataclass
class Record:
    """What was sent, by digest, and which deliveries of it were acknowledged."""

    sent: dict[bytes, tuple[Alert, ...]] = field(default_factory=dict)
    acknowledged: dict[UUID, bytes] = field(default_factory=dict)


def findings(db: Db, org_id: UUID, record: Record) -> list[str]:
    """Everything in an organization that is not as it must be; empty: all is well."""
    for table in _TABLES:  # what is read below is the organization's own: others, such as that of proofs, send too
        db.execute(f"CREATE OR REPLACE TEMPORARY VIEW {table} AS SELECT * FROM public.{table} WHERE org_id = '{org_id}'")
    stored = {id: digest for id, digest in db.execute("SELECT id, sha256(body) FROM inbox").fetchall()}
    found = [*_kept(stored, record), *_applied(db, stored, record), *_remembered(db, stored, record)]
    for name, query in RULES.items():
        rows = db.execute(f"SELECT * FROM ({query}) broken LIMIT 100").fetchall()
        found += _said(name, [" ".join(map(str, row)) for row in rows])
    return found


def at_rest(db: Db, org_id: UUID, within: float) -> list[str]:
    """Wait until no lane is in anybody's hands and none of the inbox is due."""
    deadline = time.monotonic() + within
    while rows := db.execute(_BUSY, (org_id,)).fetchall():
        if time.monotonic() > deadline:
            return _said("a lane is not at rest", [" ".join(map(str, row)) for row in rows])
        time.sleep(0.2)
    return []


def _said(what: str, cases: Sequence[object]) -> list[str]:
    more = [f"{what}: and {len(cases) - MOST_SAID} more"] if len(cases) > MOST_SAID else []
    return [f"{what}: {case}" for case in cases[:MOST_SAID]] + more


def _kept(stored: Mapping[UUID, bytes], record: Record) -> Iterator[str]:
    """Sent, stored, acknowledged: each holds the next."""
    yield from _said("acknowledged, but not stored", [id for id in record.acknowledged if id not in stored])
    other = [id for id, digest in record.acknowledged.items() if stored.get(id, digest) != digest]
    yield from _said("stored with another body than was acknowledged", other)
    yield from _said("stored, but never sent", [id for id, digest in stored.items() if digest not in record.sent])


def _applied(db: Db, stored: Mapping[UUID, bytes], record: Record) -> Iterator[str]:
    """Each alert of each delivery has one line of history, and there are no others of deliveries."""
    entries = {row[0] for row in db.execute("SELECT id FROM alert_entry").fetchall()}
    wanted = {entry_id(id, index): (id, index) for id, digest in stored.items() for index in range(len(record.sent.get(digest, ())))}
    yield from _said("stored, but not applied (delivery, index)", [where for id, where in wanted.items() if id not in entries])
    ours = entries - wanted.keys()
    aged = {row[0] for row in db.execute(_AGED).fetchall()} if ours else set()
    yield from _said("a line of history that no delivery made", list(ours - aged))


def _remembered(db: Db, stored: Mapping[UUID, bytes], record: Record) -> Iterator[str]:
    """What an alert says is what was heard of it, whatever the order: its firings, and whether it fires."""
    starts: dict[str, set[datetime]] = {}
    ends: dict[str, datetime] = {}
    for digest in set(stored.values()):
        for alert in record.sent.get(digest, ()):
            if alert.ends_at is None:
                starts.setdefault(alert.mark, set()).add(alert.starts_at)
            else:
                starts.setdefault(alert.mark, set())
                ends[alert.mark] = max(alert.ends_at, ends.get(alert.mark, alert.ends_at))
    known = {row[0]: row[1:] for row in db.execute(_ALERTS).fetchall()}
    yield from _said("heard of, but there is no such alert", [mark for mark in starts if mark not in known])
    yield from _said("an alert of which nothing was heard", [mark for mark in known if mark not in starts])
    for mark in starts.keys() & known.keys():
        count, firing, many = known[mark]
        fires = bool(starts[mark]) and (mark not in ends or max(starts[mark]) > ends[mark])
        if (count, firing, many) != (len(starts[mark]), fires, 1):
            yield f"alert {mark}: count {count}, firing {firing}, {many} rows; heard of {len(starts[mark])} starts, firing {fires}"


_TABLES = "inbox pending quarantine alert alert_history alert_entry incident incident_alert incident_number".split()
_BUSY = """
SELECT kind, due_at, lease_owner, lease_until FROM lane
WHERE org_id = %s AND (lease_until > now() OR (kind IN ('inbox', 'check') AND due_at <= now())) ORDER BY kind
"""
_ALL = "(SELECT * FROM alert UNION ALL SELECT * FROM alert_history)"
_ALERTS = f"SELECT fingerprint, sum(count)::int, bool_or(status = 'firing'), count(*)::int FROM {_ALL} a GROUP BY fingerprint"
_AGED = "SELECT id FROM alert_entry WHERE kind IN ('timed_out', 'stale', 'flapping', 'steady', 'acknowledged', 'closed', 'moved')"
# An entry's id is its delivery's with the place in the last 20 bits; a delivery that repeats another counts no more.
_DELIVERY = "overlay(e.id::text PLACING '00000' FROM 32 FOR 5)::uuid"
_REPEATS = """EXISTS (SELECT 1 FROM inbox o WHERE o.org_id = i.org_id AND o.source_id = i.source_id AND o.body_hash = i.body_hash
    AND o.id < i.id AND o.received_at >= i.received_at - interval '5 minutes')"""
_WORDS = ("'critical'", "'error'", "'warning'", "'info'", "NULL")
_SEVERITIES = ", ".join(f"count(*) FILTER (WHERE severity IS NOT DISTINCT FROM {word})::int" for word in _WORDS)

RULES = {
    "a delivery still waits": "SELECT id FROM pending",
    "in the quarantine": "SELECT id, reason FROM quarantine",
    "a line of history speaks of an alert that is not there": f"""
        SELECT e.alert_id, e.id FROM alert_entry e WHERE NOT EXISTS (SELECT 1 FROM {_ALL} a WHERE a.id = e.alert_id)""",
    "an alert has counted its deliveries wrongly (id, counted, in fact)": f"""
        SELECT a.id, a.deliveries, coalesce(e.many, 0) FROM {_ALL} a LEFT JOIN (
            SELECT e.alert_id, count(*) FILTER (WHERE NOT {_REPEATS}) AS many
            FROM alert_entry e JOIN inbox i ON i.id = {_DELIVERY} GROUP BY e.alert_id) e ON e.alert_id = a.id
        WHERE a.deliveries <> coalesce(e.many, 0)""",
    "a firing alert is in no incident": """
        SELECT a.id, a.incident_id, a.incident_number FROM alert a WHERE a.status = 'firing' AND NOT EXISTS (
            SELECT 1 FROM incident i JOIN incident_alert m ON m.incident_id = i.id AND m.alert_id = a.id AND m.left_at IS NULL
            WHERE i.id = a.incident_id AND i.number = a.incident_number AND i.resolved_at IS NULL)""",
    "a membership of an alert or an incident that is not there": f"""
        SELECT m.incident_id, m.alert_id FROM incident_alert m WHERE NOT EXISTS (SELECT 1 FROM incident i WHERE i.id = m.incident_id)
        OR NOT EXISTS (SELECT 1 FROM {_ALL} a WHERE a.id = m.alert_id)""",
    "an incident has counted its alerts wrongly (number, counted, in fact)": """
        SELECT i.number, i.alert_count, count(m.alert_id) FROM incident i LEFT JOIN incident_alert m ON m.incident_id = i.id
        AND m.left_at IS NULL GROUP BY i.id, i.number, i.alert_count HAVING i.alert_count <> count(m.alert_id)""",
    "an incident has counted its firing alerts wrongly (number, counted, in fact)": f"""
        SELECT i.number, i.open_by_severity, f.many FROM incident i CROSS JOIN LATERAL (
            SELECT ARRAY[{_SEVERITIES}] AS many FROM alert WHERE incident_id = i.id AND status = 'firing') f
        WHERE i.open_by_severity <> f.many""",
    "incident numbers are not 1, 2, 3 and so on (organization, incidents, least, greatest, last given)": """
        SELECT i.org_id, count(*), min(i.number), max(i.number), n.last FROM incident i JOIN incident_number n USING (org_id)
        GROUP BY i.org_id, n.last HAVING count(DISTINCT i.number) <> max(i.number) OR count(*) <> max(i.number)
        OR min(i.number) <> 1 OR n.last <> max(i.number)""",
}
