"""What does a batch write?

The changes that the stages decided, a fixed number of statements whatever their number: COPY into temporary tables, and from
there into the real ones, where row-level security holds.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct, field

from engine.model.heard import Fault, Known, Memory
from engine.model.ids import entry_id
from engine.model.vocabulary import AlertEntryKind, IncidentEntryKind, Scorer, Severity
from engine.stages.correlate import OpenIncident
from engine.stages.normalise import searchable
from engine.storage import definitions, jobs, rows
from engine.storage.inbox import Waiting
from engine.storage.jobs import Errand
from engine.storage.work import Work

_json = msgspec.json.Encoder().encode
_UNSTATED = 5
WHOLE = -1  # the index of a fault that is all of a delivery


class Entry(Struct):
    """A line of an alert's history to be written."""

    id: UUID
    alert_id: UUID
    team_id: UUID | None
    kind: AlertEntryKind
    severity: Severity | None = None
    severity_before: Severity | None = None
    starts_at: datetime | None = None
    said: str | None = None


class Member(Struct):
    """That an alert joins an incident."""

    incident_id: UUID
    alert_id: UUID
    team_id: UUID | None
    by: Scorer
    score: float
    reason: str


class Line(Struct):
    """A line of an incident's timeline to be written."""

    id: UUID
    incident_id: UUID
    team_id: UUID | None
    kind: IncidentEntryKind
    said: str
    alert_id: UUID | None = None
    actor_name: str = ""
    actor_id: UUID | None = None
    detail: dict[str, object] = field(default_factory=dict)


class Written(Struct):
    """Everything that a batch changes. `alerts` says of each its source and team; `hits` count towards thresholds, alerts that
    wait for what is `released` are looked at again, and of so many alerts rules `ran`."""

    alerts: list[tuple[Memory, UUID, UUID | None]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    incidents: list[OpenIncident] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    faults: list[tuple[Waiting, Fault, UUID | None]] = field(default_factory=list)
    hits: list[tuple[str, UUID, datetime]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    ran: dict[UUID, int] = field(default_factory=dict)


# The order of columns is that of the tables they are like.
_TEMPORARY = """
CREATE TEMPORARY TABLE in_new (LIKE alert) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE in_change (LIKE alert) ON COMMIT DELETE ROWS;
ALTER TABLE in_change ALTER team_id DROP NOT NULL, ALTER source_id DROP NOT NULL, ALTER identity DROP NOT NULL,
    ALTER identity_by DROP NOT NULL, ALTER fingerprint DROP NOT NULL, ALTER title DROP NOT NULL, ALTER labels DROP NOT NULL,
    ALTER annotations DROP NOT NULL, ALTER links DROP NOT NULL, ALTER notes DROP NOT NULL, ALTER first_seen_at DROP NOT NULL;
CREATE TEMPORARY TABLE in_pulse (id uuid, last_seen_at timestamptz, deliveries integer, expires_at timestamptz) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE in_entry (LIKE alert_entry) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE in_incident (LIKE incident) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE in_member (LIKE incident_alert) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE in_line (LIKE incident_entry) ON COMMIT DELETE ROWS;
"""
_EMPTY = "TRUNCATE in_new, in_change, in_pulse, in_entry, in_incident, in_member, in_line"
_STATE = """status severity severity_rank count deliveries starts_at ends_at last_seen_at expires_at closed_at closed_by episodes ended_at
    changes flapping check_at acknowledged_at acknowledged_by incident_id incident_number content tokens release_at""".split()
_CONTENT = """title description severity_word service environment resource team labels annotations links notes search ruling""".split()
_BIRTH = "org_id id team_id source_id identity identity_by fingerprint first_seen_at".split()
_INCIDENT = """org_id id number title title_team_id title_edited status severity severity_rank severity_by team_ids everybody group_key
    grouped_by environment services alert_count open_by_severity firings acknowledged_at acknowledged_by opened_at last_alert_at
    resolved_at resolved_by reopened check_at version""".split()
_ENTRY = "org_id id team_id alert_id kind severity severity_before starts_at said".split()
_MEMBER = "org_id incident_id alert_id team_id by score reason joined_at".split()
_LINE = "org_id id team_id incident_id kind actor_id actor_name alert_id said detail".split()
_CHANGING = [name for name in _INCIDENT if name not in ("org_id", "id", "number", "opened_at", "group_key", "grouped_by")]

_CHANGE = f"""
UPDATE alert a SET {", ".join(f"{name} = c.{name}" for name in _STATE)},
    {", ".join(f"{name} = CASE WHEN c.title IS NULL THEN a.{name} ELSE c.{name} END" for name in _CONTENT)}
FROM in_change c WHERE a.org_id = c.org_id AND a.id = c.id
"""  # noqa: S608
_PULSE = """
UPDATE alert a SET last_seen_at = p.last_seen_at, deliveries = p.deliveries, expires_at = p.expires_at
FROM in_pulse p WHERE a.org_id = %(org)s AND a.id = p.id
"""
_INCIDENTS = f"""
INSERT INTO incident SELECT * FROM in_incident
ON CONFLICT (org_id, id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _CHANGING)}
"""  # noqa: S608
_MEMBERS = """
INSERT INTO incident_alert SELECT * FROM in_member
ON CONFLICT (org_id, incident_id, alert_id) DO UPDATE
SET left_at = NULL, joined_at = excluded.joined_at, by = excluded.by, score = excluded.score, reason = excluded.reason
"""


def begin(work: Work) -> None:
    """Make ready for a batch. It touches what it names, so a plan that reads a whole table is never right in it."""
    rows.prepare(work, _TEMPORARY)
    rows.run(work, "SET LOCAL enable_seqscan = off")


def write(work: Work, written: Written, now: datetime) -> None:
    """Write everything."""
    if work.is_staged:
        rows.run(work, _EMPTY)
    work.is_staged, org = True, work.org_id
    new = [(m, s, t) for m, s, t in written.alerts if m.is_new]
    changed = [m for m, _, _ in written.alerts if m.is_changed and not m.is_new]
    pulsed = [(m.id, m.last_seen_at, m.deliveries, m.expires_at) for m, _, _ in written.alerts if not m.is_changed and not m.is_new]
    rows.copy(work, "in_new", _BIRTH + _STATE + _CONTENT, (_born(org, m, s, t) + _state(m) + _content(m.known) for m, s, t in new))
    rows.copy(work, "in_change", ["org_id", "id", *_STATE, *_CONTENT], ((org, m.id, *_state(m), *_content(m.known)) for m in changed))
    rows.copy(work, "in_pulse", ("id", "last_seen_at", "deliveries", "expires_at"), pulsed)
    rows.copy(work, "in_entry", _ENTRY, (_entry(org, entry) for entry in written.entries))
    rows.copy(work, "in_incident", [*_INCIDENT], (_incident(org, incident) for incident in written.incidents))
    rows.copy(work, "in_member", _MEMBER, (_member(org, member, now) for member in written.members))
    rows.copy(work, "in_line", _LINE, (_line(org, line) for line in written.lines))
    rows.run(work, "INSERT INTO alert SELECT * FROM in_new")
    rows.run(work, _CHANGE)
    rows.run(work, _PULSE, {"org": org})
    rows.run(work, "INSERT INTO alert_entry SELECT * FROM in_entry")
    rows.run(work, _INCIDENTS)
    rows.run(work, _MEMBERS)
    rows.run(work, "INSERT INTO incident_entry SELECT * FROM in_line")
    _decided(work, written, now)


def _decided(work: Work, written: Written, now: datetime) -> None:
    """What rules, silences and inhibitions bring about; an organization without them pays nothing for it."""
    tokened = [m for m, _, _ in written.alerts if m.tokens != m.tokens_before]
    if tokened:
        pairs = [(token, m.id) for m in tokened for token in m.tokens]
        rows.run(work, _UNTOKEN, {"org": work.org_id, "ids": [m.id for m in tokened]})
        rows.run(work, _AWAIT, {"org": work.org_id, "tokens": [token for token, _ in pairs], "ids": [id for _, id in pairs]})
    if written.hits:
        tokens, ids, times = zip(*{(token, id): (token, id, at) for token, id, at in written.hits}.values(), strict=True)
        rows.run(work, _HIT, {"org": work.org_id, "tokens": list(tokens), "ids": list(ids), "times": list(times)})
    if written.ran:
        definitions.count_hits(work, written.ran, now)
    if written.released:
        definitions.release(work, written.released, now)
    jobs.enqueue_all(work, written.errands)


_UNTOKEN = "DELETE FROM alert_token WHERE org_id = %(org)s AND alert_id = ANY (%(ids)s)"
_AWAIT = """
INSERT INTO alert_token (org_id, token, alert_id) SELECT %(org)s, * FROM unnest(%(tokens)s::text[], %(ids)s::uuid[]) ON CONFLICT DO NOTHING
"""
_HIT = """
INSERT INTO threshold_hit (org_id, token, id, at)
SELECT %(org)s, * FROM unnest(%(tokens)s::text[], %(ids)s::uuid[], %(times)s::timestamptz[])
ON CONFLICT (org_id, token, id) DO UPDATE SET at = excluded.at
"""


def _born(org: UUID, memory: Memory, source_id: UUID, team_id: UUID | None) -> tuple[object, ...]:
    known = memory.known
    assert known is not None, "a new alert has content"
    return (org, memory.id, team_id, source_id, memory.identity, known.identity_by.value, known.fingerprint, memory.first_seen_at)


def _state(m: Memory) -> tuple[object, ...]:
    return (
        "firing" if m.firing else "resolved",
        m.severity.value if m.severity else None,
        m.severity.rank if m.severity else _UNSTATED,
        m.count,
        m.deliveries,
        m.starts_at,
        m.ends_at,
        m.last_seen_at,
        m.expires_at,
        m.closed_at,
        m.closed_by,
        rows.times(m.episodes),
        m.ended_at,
        rows.times(m.changes),
        m.flapping,
        m.check_at,
        m.acknowledged_at,
        m.acknowledged_by,
        m.incident_id,
        m.incident_number,
        m.content,
        rows.texts(m.tokens) if m.tokens else None,
        m.release_at,
    )


def _content(known: Known | None) -> tuple[object, ...]:
    if known is None:
        return (None,) * len(_CONTENT)
    heard = known.heard
    return (
        heard.title,
        heard.description,
        known.severity_word,
        heard.service,
        heard.environment,
        heard.resource,
        heard.team,
        _json(heard.labels).decode(),
        _json(heard.annotations).decode(),
        _json(heard.links).decode(),
        rows.texts(heard.notes),
        searchable(known),
        None if known.ruling is None else _json(known.ruling).decode(),
    )


def _entry(org: UUID, e: Entry) -> tuple[object, ...]:
    severity, before = e.severity.value if e.severity else None, e.severity_before.value if e.severity_before else None
    return (org, e.id, e.team_id, e.alert_id, e.kind.value, severity, before, e.starts_at, e.said)


def _member(org: UUID, m: Member, now: datetime) -> tuple[object, ...]:
    return (org, m.incident_id, m.alert_id, m.team_id, m.by.value, m.score, m.reason, now)


def _line(org: UUID, e: Line) -> tuple[object, ...]:
    return (org, e.id, e.team_id, e.incident_id, e.kind.value, e.actor_id, e.actor_name, e.alert_id, e.said, _json(e.detail).decode())


def _incident(org: UUID, i: OpenIncident) -> tuple[object, ...]:
    rank = i.severity.rank if i.severity else _UNSTATED
    severity = i.severity.value if i.severity else None
    head = (org, i.id, i.number, i.title, i.title_team_id, i.title_edited, i.status.value, severity, rank, i.severity_by)
    group = (i.team_ids, i.everybody, i.group_key, i.grouped_by, i.environment, i.services, i.alert_count, i.open_by_severity, i.firings)
    times = (i.acknowledged_at, i.acknowledged_by, i.opened_at, i.last_alert_at, i.resolved_at, i.resolved_by, i.reopened, i.check_at)
    return (*head, *group, *times, i.version)


def quarantine(work: Work, faults: Sequence[tuple[Waiting, Fault, UUID | None]]) -> None:
    """Keep what could not be understood of accepted deliveries; the body stays where the delivery is."""
    said = [
        (
            entry_id(w.id, f.index),
            team,
            w.source_id,
            w.kind,
            f.reason,
            w.delivery.received_at,
            w.id,
            w.part if f.index == WHOLE else f.index,
        )
        for w, f, team in faults
    ]
    columns = [list(column) for column in zip(*said, strict=True)] or [[] for _ in range(8)]
    rows.run(work, _QUARANTINE, {"org": work.org_id} | {f"c{place}": column for place, column in enumerate(columns)})


_QUARANTINE = """
INSERT INTO quarantine (org_id, id, team_id, source_id, kind, reason, received_at, delivery_id, index, headers, body, state, handled_by)
SELECT %(org)s, *, '{}', '', 'waiting', '' FROM unnest(%(c0)s::uuid[], %(c1)s::uuid[], %(c2)s::uuid[], %(c3)s::text[], %(c4)s::text[],
    %(c5)s::timestamptz[], %(c6)s::uuid[], %(c7)s::int4[])
ON CONFLICT DO NOTHING
"""
