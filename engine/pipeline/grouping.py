"""Which incidents do the alerts of a batch join, and what does that change in them?"""

from collections.abc import Sequence
from uuid import UUID

from engine.model.heard import Memory, Told
from engine.model.ids import new_id
from engine.model.vocabulary import AlertEntryKind, IncidentEntryKind
from engine.pipeline import book as books
from engine.pipeline import quieting
from engine.pipeline.book import Book
from engine.pipeline.item import Happened, Item
from engine.pipeline.quieting import Quieting
from engine.stages import correlate
from engine.stages.correlate import OpenIncident
from engine.storage import remembered
from engine.storage.batches import Line, Member, Written
from engine.storage.jobs import Errand
from engine.storage.work import Work

_MOST_NAMED = 20
# What a rule may ask for: kinds of jobs.
NOTIFY, ANALYSE, RUNBOOK = "notify", "analyse", "runbook"
_ENDS = (AlertEntryKind.RESOLVED, AlertEntryKind.TIMED_OUT, AlertEntryKind.STALE, AlertEntryKind.CLOSED)
_SAID = {
    IncidentEntryKind.ALERT_JOINED: "joined",
    IncidentEntryKind.ALERT_REFIRED: "fired again",
    IncidentEntryKind.ALERT_RESOLVED: "resolved",
    IncidentEntryKind.ALERT_FLAPPING: "began to flap: until it is steady, its changes are not told here",
}


class Grouping:
    """Correlation of a batch."""

    def __init__(self, work: Work, happened: Sequence[Happened], book: Book | None = None) -> None:
        self._work = work
        self._quieting = Quieting(work, book or books.of(work), happened)
        at = min((each.item.at for each in happened), default=work.now)
        fired = [each.item for each in happened if each.is_fresh]
        keys = {key for item in fired for scorer in correlate.SCORERS for key in scorer.keys(item.known)}
        changed = [each.memory for each in happened if each.memory.is_changed or each.memory.waits]
        ids = {memory.incident_id for memory in changed if memory.incident_id is not None}
        found = remembered.incidents(work, keys, ids, at - correlate.WINDOW)
        self._by_id = {incident.id: incident for incident in found}
        self._by_key: dict[str, list[OpenIncident]] = {}
        for incident in found:
            self._by_key.setdefault(incident.group_key, []).append(incident)
        self._changed: dict[UUID, OpenIncident] = {}
        self._members: dict[tuple[UUID, UUID], Member] = {}
        self._lines: list[Line] = []
        self._errands: list[Errand] = []
        self._told: dict[tuple[UUID, UUID | None, IncidentEntryKind], list[tuple[Memory, str]]] = {}

    def follow(self, happened: Happened) -> None:
        """Let what happened to an alert have its effect on incidents."""
        item, memory, told = happened.item, happened.memory, happened.told
        if memory.waits and memory.firing and told.went_on:
            if memory.known is item.known:
                self.look_again(item, memory)
        elif told.went_on:
            self._went_on(item, memory, told)
        elif happened.begins:
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
        self._quieting.begins(memory)
        if self._quieting.holds(item, memory):
            self._notify(item, memory)
            return
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
        elif (incident := self._place(item, memory, begins=True)) is None:
            return
        correlate.begin(incident, told.severity)
        self._change(incident)

    def look_again(self, item: Item, memory: Memory) -> None:
        """It fires and waits: is there still something to wait for? If not, it enters its incident, once."""
        if self._quieting.holds(item, memory):
            return
        incident = self._of(memory)
        if incident is None or not correlate.returns(incident, item.at):
            incident = self._place(item, memory, begins=False)
        elif not incident.is_open:
            correlate.reopen(incident)
            self._line(incident, IncidentEntryKind.REOPENED, f"“{item.known.heard.title}” still fires, and is not quiet any more", item)
        if incident is None:
            return
        quieting.free(memory)
        incident.last_alert_at = max(incident.last_alert_at, item.at)
        correlate.begin(incident, memory.severity)
        self._change(incident)

    def index(self, item: Item, memory: Memory) -> None:
        """Note anew what it inhibits."""
        self._quieting.inhibits(item, memory)

    def _notify(self, item: Item, memory: Memory) -> None:
        if item.known.ruling is not None and (rule := item.known.ruling.notify_only):
            self._errands.append(Errand(NOTIFY, {"alert": str(memory.id), "rule": rule}, str(item.id), team_id=item.policy.team_id))

    def _steady(self, item: Item, memory: Memory, told: Told) -> None:
        """It does not flap any more, and fires: what resolved meanwhile is open again."""
        if (incident := self._of(memory)) is None or incident.is_open or memory.waits:
            return
        correlate.reopen(incident)
        self._line(incident, IncidentEntryKind.REOPENED, f"“{item.known.heard.title}” is steady, and still fires", item)
        correlate.begin(incident, told.severity)
        self._change(incident)

    def _ended(self, item: Item, memory: Memory, told: Told) -> None:
        """It is over."""
        if self._quieting.ends(memory) or (incident := self._of(memory)) is None:
            return
        correlate.count(incident, told.severity, -1)
        correlate.quiet(incident, item.at)
        if not told.flapping:
            self._tell(incident, item, memory, IncidentEntryKind.ALERT_RESOLVED)
        self._change(incident)

    def _place(self, item: Item, memory: Memory, *, begins: bool) -> OpenIncident | None:
        """Put it where it belongs; None: it would open an incident, and may not yet."""
        keys = [key for scorer in correlate.SCORERS for key in scorer.keys(item.known)]
        near = [incident for key in keys for incident in self._by_key.get(key, ())]
        placement = correlate.place(item.known, near, item.at)
        incident, reason = placement.incident, placement.reason
        if incident is None:
            if self._quieting.keeps_shut(item, memory, begins=begins):
                return None
            incident = correlate.opened(new_id(item.at), item.known, item.at)
            self._by_id[incident.id] = incident
            self._by_key.setdefault(incident.group_key, []).append(incident)
            reason = f"opened it: {reason}"
            self._line(incident, IncidentEntryKind.OPENED, f"grouped by {incident.grouped_by}", item)
            self._ask(incident, item)
        correlate.join(incident, item.known, item.policy.team_id, item.at)
        memory.incident_id, memory.is_changed = incident.id, True
        team_id = item.policy.team_id
        self._members[incident.id, memory.id] = Member(incident.id, memory.id, team_id, placement.by, placement.score, reason)
        self._tell(incident, item, memory, IncidentEntryKind.ALERT_JOINED)
        return incident

    def _ask(self, incident: OpenIncident, item: Item) -> None:
        """Hand on what rules ask for when an incident opens."""
        ruling = item.known.ruling
        asked = [] if ruling is None else [(RUNBOOK, runbook, rule) for runbook, rule in ruling.runbooks.items()]
        asked += [(ANALYSE, "", ruling.analyse)] if ruling is not None and ruling.analyse else []
        for kind, what, rule in asked:
            payload = {"incident": str(incident.id), "rule": rule} | ({"runbook": what} if what else {})
            self._errands.append(Errand(kind, payload, f"{incident.id}:{what}"))
            said = f"the rule “{rule}” asks for " + (f"the runbook {what}" if what else "its analysis")
            self._line(incident, IncidentEntryKind.ASKED, said, item)

    def _of(self, memory: Memory) -> OpenIncident | None:
        return self._by_id.get(memory.incident_id) if memory.incident_id else None

    def _change(self, incident: OpenIncident) -> None:
        self._changed[incident.id] = incident

    def _line(self, incident: OpenIncident, kind: IncidentEntryKind, said: str, item: Item) -> None:
        self._lines.append(Line(new_id(item.at), incident.id, None, kind, said))

    def _tell(self, incident: OpenIncident, item: Item, memory: Memory, kind: IncidentEntryKind) -> None:
        self._told.setdefault((incident.id, item.policy.team_id, kind), []).append((memory, item.known.heard.title))

    def into(self, written: Written) -> Written:
        """Add what is to be written: incidents with their numbers, memberships, and a line for each thing that happened to many."""
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
        written.incidents, written.members, written.lines = list(self._changed.values()), list(self._members.values()), self._lines
        written.hits, written.released, written.errands = self._quieting.hits, sorted(self._quieting.released), self._errands
        return written
