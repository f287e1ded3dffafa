"""What does time change by itself?

Alerts time out, go stale, become steady again, and leave for the history when they cannot fire again as the same ones;
incidents whose alerts have all ended resolve after a while; senders of heartbeats are missed. Each row carries when it is to
be looked at next, so nothing is searched for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct, field

from engine import pipeline
from engine.model.heard import Heard, Known, Memory, Policy, Told
from engine.model.ids import delivery_id, entry_id, new_id
from engine.model.vocabulary import AlertEntryKind, IdentityBy, IncidentEntryKind, IncidentStatus
from engine.pipeline import book as books
from engine.pipeline.grouping import Grouping
from engine.pipeline.item import Happened, Item
from engine.stages import dedup
from engine.stages.correlate import OpenIncident
from engine.storage import batches, definitions, lanes, remembered, rows, sources
from engine.storage.batches import Line, Written
from engine.storage.sources import Sender
from engine.storage.work import Work

_SET = 1000


class Checked(Struct):
    """What one round changed, and whether there may be more to do."""

    written: Written = field(default_factory=Written)
    more: bool = False


def check(work: Work, now: datetime) -> Checked:
    """Do what is due in this organization, a set of it. The caller is alone with its alerts."""
    batches.begin(work)
    missed = _missed(work, now)
    due = remembered.to_check(work, now, _SET)
    senders = sources.senders(work, {source_id for source_id, _, _, _ in due})
    written = alerts(work, due, senders, now)
    gone = [memory.id for source_id, _, _, memory in due if _is_over(memory, senders[source_id].policy, now)]
    _to_history(work, gone)
    resolved = _incidents(work, now)
    indexed, released = _indexed(work, now), _released(work, now)
    for more in (indexed, released):
        written.alerts += more.alerts
        written.incidents += more.incidents
    written.alerts += missed.alerts
    written.incidents += missed.incidents + resolved
    return Checked(written, len(due) >= _SET or len(resolved) >= _SET or len(released.alerts) >= _SET or len(indexed.alerts) >= _SET)


def announce(work: Work, written: Written) -> None:
    """Let pages know, and let the time be kept at which something is due."""
    for memory, _, team_id in written.alerts:
        work.touch("alert", memory.id, team_id)
    for incident in written.incidents:
        work.touch("incident", incident.id)
    dues = [memory.check_at for memory, _, _ in written.alerts if memory.check_at and (memory.is_changed or memory.is_new)]
    dues += [memory.release_at for memory, _, _ in written.alerts if memory.release_at]
    dues += [incident.check_at for incident in written.incidents if incident.check_at]
    if dues:
        lanes.bring_forward(work, lanes.CHECK, min(dues))


def alerts(work: Work, due: Sequence[remembered.Row], senders: dict[UUID, Sender], now: datetime) -> Written:
    """Let time have its effect on alerts."""
    happened: list[Happened] = []
    written = Written()
    for source_id, team_id, title, memory in due:
        policy = senders[source_id].policy
        kind = dedup.due(memory, now, policy)
        if kind is None and _is_over(memory, policy, now):
            continue
        if kind is not None:
            happened.append(_aged(memory, kind, policy, title, now))
        memory.check_at = dedup.next_check(memory, policy)
        memory.is_changed = True
        written.alerts.append((memory, source_id, team_id))
    grouping = Grouping(work, happened)
    for each in happened:
        grouping.follow(each)
    written.entries = [each.entry() for each in happened]
    grouping.into(written)
    if written.alerts:
        batches.write(work, written, now)
    return written


def _released(work: Work, now: datetime) -> Written:
    """Look again at alerts that fire and wait: what nothing keeps quiet any more enters its incident."""
    due = _told(work, remembered.to_release(work, now, _SET), now)
    book = books.of(work)
    for each in due:
        book.ask_again(each.item)
    grouping = Grouping(work, due, book)
    for each in due:
        each.memory.release_at, each.memory.is_changed = None, True
        grouping.look_again(each.item, each.memory)
    return _written(work, due, grouping, now)


def _indexed(work: Work, now: datetime) -> Written:
    """After the inhibitions have changed: note anew what firing alerts inhibit, a set of them."""
    after = definitions.indexed_to(work)
    if after is None:
        return Written()
    due = _told(work, remembered.to_index(work, after, _SET), now)
    grouping = Grouping(work, due)
    for each in due:
        grouping.index(each.item, each.memory)
    definitions.index_to(work, due[-1].memory.id if len(due) >= _SET else None)
    return _written(work, due, grouping, now)


def _told(work: Work, found: Sequence[tuple[UUID, Memory, Known]], now: datetime) -> list[Happened]:
    senders = sources.senders(work, {source_id for source_id, _, _ in found}) if found else {}
    told = Told(AlertEntryKind.HEARD, went_on=True)
    items = [(Item(new_id(now), senders[source_id].policy, known, now), memory) for source_id, memory, known in found]
    return [Happened(item, memory, told, looked_at=True) for item, memory in items]


def _written(work: Work, due: Sequence[Happened], grouping: Grouping, now: datetime) -> Written:
    alerts = [(each.memory, each.item.policy.source_id, each.item.policy.team_id) for each in due if each.memory.is_changed]
    written = grouping.into(Written(alerts))
    if alerts:
        batches.write(work, written, now)
    return written


def by(memory: Memory, policy: Policy, title: str, told: Told, now: datetime) -> Happened:
    """What happens to an alert without a delivery: through time, or a person."""
    known = Known(Heard(title=title, firing=False), memory.identity, IdentityBy.SENDER, "", memory.severity, None, memory.content)
    return Happened(Item(new_id(now), policy, known, now), memory, told)


def _aged(memory: Memory, kind: AlertEntryKind, policy: Policy, title: str, now: datetime) -> Happened:
    severity, flapping = memory.severity, memory.flapping
    if kind is AlertEntryKind.STEADY:
        memory.flapping = False
    else:
        dedup.close(memory, now, policy, kind.value)
    return by(memory, policy, title, Told(kind, severity=severity, flapping=flapping), now)


def _is_over(memory: Memory, policy: Policy, now: datetime) -> bool:
    """Whether it can fire again only as a new alert."""
    is_past = memory.closed_at is not None and memory.closed_at + timedelta(seconds=policy.refire) <= now
    return is_past and dedup.due(memory, now, policy) is None


def _to_history(work: Work, ids: Sequence[UUID]) -> None:
    rows.run(work, _MOVE, {"org": work.org_id, "ids": list(ids)})


_MOVE = """
WITH gone AS (DELETE FROM alert WHERE org_id = %(org)s AND id = ANY (%(ids)s) RETURNING *)
INSERT INTO alert_history SELECT * FROM gone
"""


def _incidents(work: Work, now: datetime) -> list[OpenIncident]:
    """Resolve incidents that have been quiet."""
    due = remembered.incidents_to_check(work, now, _SET)
    lines: list[Line] = []
    for incident in due:
        incident.check_at = None
        if incident.is_open and not any(incident.open_by_severity):
            incident.status, incident.resolved_at, incident.resolved_by = IncidentStatus.RESOLVED, now, "all its alerts have ended"
            lines.append(Line(new_id(now), incident.id, None, IncidentEntryKind.RESOLVED, "all its alerts have ended"))
    if due:
        batches.write(work, Written(incidents=due, lines=lines), now)
    return due


def _missed(work: Work, now: datetime) -> Written:
    """Raise an alert for each sender of heartbeats that has fallen silent."""
    items: list[Item] = []
    for sender in sources.overdue(work, now):
        heard = pipeline.silence(sender, firing=True)
        items.append(Item(entry_id(delivery_id(now), 0), sender.policy, pipeline.normalise(heard, sender.policy), now))
    return pipeline.apply(work, items)
