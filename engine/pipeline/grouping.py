"""Which incidents do the alerts of a batch join, and what does that change in them?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from engine.model.heard import Known, Memory, Policy, Told
from engine.model.ids import new_id
from engine.model.vocabulary import AlertEntryKind, IncidentEntryKind
from engine.stages import correlate
from engine.stages.correlate import OpenIncident
from engine.storage import remembered
from engine.storage.batches import Entry, Line, Member
from engine.storage.work import Work

_MOST_NAMED = 20
_ENDS = (AlertEntryKind.RESOLVED, AlertEntryKind.TIMED_OUT, AlertEntryKind.STALE, AlertEntryKind.CLOSED)
_FIRES = (AlertEntryKind.OPENED, AlertEntryKind.REFIRED, AlertEntryKind.REOPENED)
_SAID = {
    IncidentEntryKind.ALERT_JOINED: "joined",
    IncidentEntryKind.ALERT_REFIRED: "fired again",
    IncidentEntryKind.ALERT_RESOLVED: "resolved",
    IncidentEntryKind.ALERT_FLAPPING: "began to flap: until it is steady, its changes are not told here",
}


class Item(Struct):
    """One alert on its way through the stages. `id` is that of the line it will write into the alert's history."""

    id: UUID
    policy: Policy
    known: Known
    at: datetime
    repeated: bool = False


class Happened(Struct):
    """What an alert's hearing, or time, or a person, did to it."""

    item: Item
    memory: Memory
    told: Told

    def entry(self) -> Entry:
        """The line of the alert's history that says so."""
        item, told = self.item, self.told
        severity = told.severity if told.changed_severity or told.kind is AlertEntryKind.OPENED else None
        before = told.severity_before if told.changed_severity else None
        starts_at = item.known.heard.starts_at
        return Entry(item.id, self.memory.id, item.policy.team_id, told.kind, severity, before, starts_at, told.said)


class Grouping:
    """Correlation of a batch."""

    def __init__(self, work: Work, happened: Sequence[Happened]) -> None:
        self._work = work
        at = min((each.item.at for each in happened), default=work.now)
        fired = [each.item for each in happened if each.told.kind in _FIRES]
        keys = {key for item in fired for scorer in correlate.SCORERS for key in scorer.keys(item.known)}
        changed = [each.memory for each in happened if each.memory.is_changed]
        ids = {memory.incident_id for memory in changed if memory.incident_id is not None}
        found = remembered.incidents(work, keys, ids, at - correlate.WINDOW)
        self._by_id = {incident.id: incident for incident in found}
        self._by_key: dict[str, list[OpenIncident]] = {}
        for incident in found:
            self._by_key.setdefault(incident.group_key, []).append(incident)
        self._changed: dict[UUID, OpenIncident] = {}
        self._members: dict[tuple[UUID, UUID], Member] = {}
        self._lines: list[Line] = []
        self._told: dict[tuple[UUID, UUID | None, IncidentEntryKind], list[tuple[Memory, str]]] = {}

    def follow(self, happened: Happened) -> None:
        """Let what happened to an alert have its effect on incidents."""
        item, memory, told = happened.item, happened.memory, happened.told
        if told.went_on:
            self._went_on(item, memory, told)
        elif told.kind in _FIRES:
            self._fired(item, memory, told)
        elif told.kind in _ENDS:
            self._ended(item, memory, told)
        elif told.kind is AlertEntryKind.STEADY and memory.firing:
            self._steady(item, memory, told)
        if told.began_to_flap and (incident := self._of(memory)) is not None:
            self._tell(incident, item, memory, IncidentEntryKind.ALERT_FLAPPING)

    def _went_on(self, item: Item, memory: Memory, told: Told) -> None:
        """It fired before and still does: maybe from a new start, maybe with another severity."""
        restarted = told.kind is AlertEntryKind.REFIRED
        if not (restarted or told.changed_severity) or (incident := self._of(memory)) is None:
            return
        if told.changed_severity:
            correlate.count(incident, told.severity_before, -1)
            correlate.count(incident, told.severity, 1)
        if restarted:
            incident.firings += 1
            incident.last_alert_at = max(incident.last_alert_at, item.at)
            self._tell(incident, item, memory, IncidentEntryKind.ALERT_REFIRED)
        self._change(incident)

    def _fired(self, item: Item, memory: Memory, told: Told) -> None:
        """It begins to fire: in the incident it was in, if that goes on or ended lately; else where it belongs now."""
        incident = self._of(memory)
        if incident is not None and correlate.returns(incident, item.at):
            if not incident.is_open:
                correlate.reopen(incident)
                self._line(incident, IncidentEntryKind.REOPENED, f"“{item.known.heard.title}” fires again", item)
            incident.last_alert_at = max(incident.last_alert_at, item.at)
            if not told.flapping:
                self._tell(incident, item, memory, IncidentEntryKind.ALERT_REFIRED)
        elif told.flapping and incident is not None:
            return  # its changes open nothing while it flaps
        else:
            incident = self._place(item, memory)
        correlate.begin(incident, told.severity)
        self._change(incident)

    def _steady(self, item: Item, memory: Memory, told: Told) -> None:
        """It does not flap any more, and fires: what resolved meanwhile is open again."""
        if (incident := self._of(memory)) is None or incident.is_open:
            return
        correlate.reopen(incident)
        self._line(incident, IncidentEntryKind.REOPENED, f"“{item.known.heard.title}” is steady, and still fires", item)
        correlate.begin(incident, told.severity)
        self._change(incident)

    def _ended(self, item: Item, memory: Memory, told: Told) -> None:
        """It is over."""
        if (incident := self._of(memory)) is None:
            return
        correlate.count(incident, told.severity, -1)
        correlate.quiet(incident, item.at)
        if not told.flapping:
            self._tell(incident, item, memory, IncidentEntryKind.ALERT_RESOLVED)
        self._change(incident)

    def _place(self, item: Item, memory: Memory) -> OpenIncident:
        keys = [key for scorer in correlate.SCORERS for key in scorer.keys(item.known)]
        near = [incident for key in keys for incident in self._by_key.get(key, ())]
        placement = correlate.place(item.known, near, item.at)
        incident, reason = placement.incident, placement.reason
        if incident is None:
            incident = correlate.opened(new_id(item.at), item.known, item.at)
            self._by_id[incident.id] = incident
            self._by_key.setdefault(incident.group_key, []).append(incident)
            reason = f"opened it: {reason}"
            self._line(incident, IncidentEntryKind.OPENED, f"grouped by {incident.grouped_by}", item)
        correlate.join(incident, item.known, item.policy.team_id, item.at)
        memory.incident_id, memory.is_changed = incident.id, True
        team_id = item.policy.team_id
        self._members[incident.id, memory.id] = Member(incident.id, memory.id, team_id, placement.by, placement.score, reason)
        self._tell(incident, item, memory, IncidentEntryKind.ALERT_JOINED)
        return incident

    def _of(self, memory: Memory) -> OpenIncident | None:
        return self._by_id.get(memory.incident_id) if memory.incident_id else None

    def _change(self, incident: OpenIncident) -> None:
        self._changed[incident.id] = incident

    def _line(self, incident: OpenIncident, kind: IncidentEntryKind, said: str, item: Item) -> None:
        self._lines.append(Line(new_id(item.at), incident.id, None, kind, said))

    def _tell(self, incident: OpenIncident, item: Item, memory: Memory, kind: IncidentEntryKind) -> None:
        self._told.setdefault((incident.id, item.policy.team_id, kind), []).append((memory, item.known.heard.title))

    def result(self) -> tuple[list[OpenIncident], list[Member], list[Line]]:
        """What is to be written: incidents with their numbers, memberships, and a line for each thing that happened to many."""
        new = [incident for incident in self._changed.values() if incident.is_new]
        for incident, number in zip(new, remembered.numbers(self._work, len(new)), strict=True):
            incident.number = number
        for (incident_id, team_id, kind), told in self._told.items():
            first, title = told[0]
            ids = [str(memory.id) for memory, _ in told[:_MOST_NAMED]]
            for memory, _ in told:
                memory.incident_number = self._by_id[incident_id].number
            more = f" and {len(told) - 1} more" if len(told) > 1 else ""
            said = f"“{title}”{more} {_SAID[kind]}"
            line = Line(
                new_id(self._work.now), incident_id, team_id, kind, said, alert_id=first.id, detail={"alerts": ids, "count": len(told)}
            )
            self._lines.append(line)
        return list(self._changed.values()), list(self._members.values()), self._lines
