"""What do people do to alerts and incidents?

The same stages and the same writing as for what is delivered, so that counts, severities and timelines agree whoever acts.
The caller is alone with the organization's alerts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from engine.model.heard import Memory, Policy, Told
from engine.model.ids import new_id
from engine.model.vocabulary import AlertEntryKind, IncidentEntryKind, IncidentStatus, Scorer
from engine.pipeline import quieting, upkeep
from engine.pipeline.grouping import Grouping
from engine.pipeline.item import Happened
from engine.stages import correlate, dedup
from engine.stages.correlate import OpenIncident
from engine.storage import batches, remembered, rows, sources
from engine.storage.batches import Entry, Line, Member, Written
from engine.storage.work import Work


class Who(Struct, frozen=True):
    """The person or program that acts, and when."""

    id: UUID
    name: str
    now: datetime


class Target(Struct):
    """A live alert to act on."""

    memory: Memory
    policy: Policy
    team_id: UUID | None
    title: str


Act = Callable[[Work, Sequence[Target], Who], list[UUID]]


def those(work: Work, ids: Sequence[UUID]) -> list[Target]:
    """The live alerts among these that may be seen."""
    found = remembered.alerts(work, ids)
    senders = sources.senders(work, {source_id for source_id, _, _, _ in found})
    return [Target(memory, senders[source_id].policy, team_id, title) for source_id, team_id, title, memory in found]


def acknowledge(work: Work, targets: Sequence[Target], who: Who) -> list[UUID]:
    """Note who looks after them, and that somebody investigates their incidents."""
    fresh = [target for target in targets if target.memory.acknowledged_at is None and target.memory.firing]
    for target in fresh:
        memory = target.memory
        memory.acknowledged_at, memory.acknowledged_by, memory.is_changed = who.now, who.name, True
    incidents = remembered.incidents(work, [], {t.memory.incident_id for t in fresh if t.memory.incident_id}, who.now)
    waiting = [incident for incident in incidents if incident.is_open and incident.acknowledged_at is None]
    lines = [attend(incident, who) for incident in waiting]
    entries = [Entry(new_id(who.now), t.memory.id, t.team_id, AlertEntryKind.ACKNOWLEDGED, said=f"by {who.name}") for t in fresh]
    write(work, Written(alerts=_alerts(fresh), entries=entries, incidents=waiting, lines=lines), who)
    return [target.memory.id for target in targets if target.memory.firing]


def attend(incident: OpenIncident, who: Who) -> Line:
    """Acknowledge an incident."""
    incident.acknowledged_at, incident.acknowledged_by = who.now, who.name
    if incident.status is IncidentStatus.DETECTED:
        incident.status = IncidentStatus.INVESTIGATING
    incident.version += 1
    return line(incident.id, IncidentEntryKind.ACKNOWLEDGED, "acknowledged", who)


def line(incident_id: UUID, kind: IncidentEntryKind, said: str, who: Who, **detail: object) -> Line:
    """A line of a timeline about what somebody did."""
    return Line(new_id(who.now), incident_id, None, kind, said, actor_id=who.id, actor_name=who.name, detail=detail)


def close(work: Work, targets: Sequence[Target], who: Who) -> list[UUID]:
    """Close firing alerts by hand."""
    firing = [target for target in targets if target.memory.firing]
    happened: list[Happened] = []
    for target in firing:
        memory = target.memory
        told = Told(AlertEntryKind.CLOSED, said=f"by {who.name}", severity=memory.severity, flapping=memory.flapping)
        dedup.close(memory, who.now, target.policy, who.name)
        happened.append(upkeep.by(memory, target.policy, target.title, told, who.now))
    grouping = Grouping(work, happened)
    for each in happened:
        grouping.follow(each)
    entries = [each.entry() for each in happened]
    write(work, grouping.into(Written(_alerts(firing), entries)), who)
    return [target.memory.id for target in targets]


def apart(work: Work, targets: Sequence[Target], environment: str | None, who: Who) -> OpenIncident:
    """A new incident for alerts that belong to none; they still are to be moved there."""
    id, leading = new_id(who.now), targets[0]
    to = OpenIncident(id=id, group_key=f"split {id}", grouped_by="split by hand", last_alert_at=who.now, opened_at=who.now)
    to.title, to.title_team_id, to.environment, to.is_new = leading.title, leading.team_id, environment, True
    to.everybody = any(target.team_id is None for target in targets)
    to.team_ids = sorted({target.team_id for target in targets if target.team_id is not None})
    to.number = next(iter(remembered.numbers(work, 1)))
    return to


def move(work: Work, targets: Sequence[Target], to: OpenIncident, who: Who, why: str) -> list[UUID]:
    """Take alerts out of the incidents they are in, and put them into another one, which a person knows better."""
    moving = [target for target in targets if target.memory.incident_id != to.id]
    left = {target.memory.incident_id for target in moving if target.memory.incident_id is not None}
    ids = [target.memory.id for target in moving]
    rows.run(work, _LEAVE, {"org": work.org_id, "ids": ids, "to": to.id, "now": who.now})
    lines = [line(each, IncidentEntryKind.ALERT_MOVED, f"alerts moved to #{to.number}", who) for each in left]
    lines.append(
        line(
            to.id,
            IncidentEntryKind.ALERT_MOVED,
            f"{len(moving)} {'alert' if len(moving) == 1 else 'alerts'} moved here",
            who,
            alerts=[str(id) for id in ids[:20]],
        )
    )
    for target in moving:
        target.memory.incident_id, target.memory.incident_number, target.memory.is_changed = to.id, to.number, True
        quieting.free(target.memory)  # people know better than what kept it quiet
    members = [Member(to.id, t.memory.id, t.team_id, Scorer.PERSON, 1.0, f"{who.name}: {why}") for t in moving]
    entries = [Entry(new_id(who.now), t.memory.id, t.team_id, AlertEntryKind.MOVED, said=f"to #{to.number} by {who.name}") for t in moving]
    write(work, Written(_alerts(moving), entries, [to] if to.is_new else [], members, lines), who)
    recount(work, {*left, to.id}, who)
    return ids


# The alert itself is written by the batch; here only what it leaves behind.
_LEAVE = """
UPDATE incident_alert SET left_at = %(now)s
WHERE org_id = %(org)s AND alert_id = ANY (%(ids)s) AND incident_id <> %(to)s AND left_at IS NULL
"""


def recount(work: Work, ids: Iterable[UUID], who: Who) -> None:
    """Count the alerts of incidents anew, after people have moved or deleted some: also those that these people do not see."""
    home = work.tenant
    work.become(replace(home, all_teams=True))
    found = {incident.id: incident for incident in remembered.incidents(work, [], set(ids), who.now)}
    counted = {row[0]: row[1:] for row in rows.fetch(work, _COUNT, {"org": work.org_id, "ids": list(found)})}
    for incident in found.values():
        count, everybody, teams, *severities = counted.get(incident.id, (0, False, [], 0, 0, 0, 0, 0))
        incident.alert_count, incident.open_by_severity = count, list(severities)
        incident.everybody, incident.team_ids = everybody or incident.everybody, sorted({*incident.team_ids, *teams})
        if incident.severity_by is None and any(severities):
            incident.severity = correlate.highest(severities)
        correlate.quiet(incident, who.now)
        incident.version += 1
    write(work, Written(incidents=list(found.values())), who)
    work.become(home)


_COUNT = """
SELECT m.incident_id, count(*)::int, bool_or(m.team_id IS NULL),
    coalesce(array_agg(DISTINCT m.team_id) FILTER (WHERE m.team_id IS NOT NULL), '{}'),
    count(*) FILTER (WHERE a.severity = 'critical')::int, count(*) FILTER (WHERE a.severity = 'error')::int,
    count(*) FILTER (WHERE a.severity = 'warning')::int, count(*) FILTER (WHERE a.severity = 'info')::int,
    count(*) FILTER (WHERE a.id IS NOT NULL AND a.severity IS NULL)::int
FROM incident_alert m
LEFT JOIN alert a ON a.org_id = m.org_id AND a.id = m.alert_id AND a.status = 'firing' AND a.incident_id = m.incident_id
WHERE m.org_id = %(org)s AND m.incident_id = ANY (%(ids)s) AND m.left_at IS NULL GROUP BY 1
"""


def delete(work: Work, ids: Sequence[UUID], who: Who) -> list[UUID]:
    """Delete alerts, live or over, and everything kept of them alone."""
    values = {"org": work.org_id, "ids": list(ids)}
    gone = [row[0] for row in rows.fetch(work, _DELETE, values)]
    incidents = [row[0] for row in rows.fetch(work, _FORGET, values | {"ids": gone})]
    recount(work, set(incidents), who)
    for id in gone:
        work.touch("alert", id)
    return gone


_DELETE = """
WITH live AS (DELETE FROM alert WHERE org_id = %(org)s AND id = ANY (%(ids)s) RETURNING id),
     over AS (DELETE FROM alert_history WHERE org_id = %(org)s AND id = ANY (%(ids)s) RETURNING id),
     told AS (DELETE FROM alert_entry WHERE org_id = %(org)s AND alert_id = ANY (%(ids)s)),
     held AS (DELETE FROM alert_token WHERE org_id = %(org)s AND alert_id = ANY (%(ids)s))
SELECT id FROM live UNION ALL SELECT id FROM over
"""
_FORGET = "DELETE FROM incident_alert WHERE org_id = %(org)s AND alert_id = ANY (%(ids)s) RETURNING incident_id"


def _alerts(targets: Sequence[Target]) -> list[tuple[Memory, UUID, UUID | None]]:
    return [(target.memory, target.policy.source_id, target.team_id) for target in targets]


def write(work: Work, written: Written, who: Who) -> None:
    """Write what somebody did, and let pages know."""
    batches.begin(work)
    batches.write(work, written, who.now)
    upkeep.announce(work, written)
