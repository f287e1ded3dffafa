"""What does the page of one incident remember?"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import reflex as rx

from engine.errors import AiopsError, Invalid, NotFound
from engine.model.incidents import IncidentEntryView, IncidentView, MembershipView
from engine.model.views import Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Permission, Scorer, Severity
from engine.operations import incidents, people, reports
from engine.operations.live import PRESENCE, lookers
from state import words
from state.call import actor_of, call, requires, show, tell
from state.incidents import PersonChoice
from state.live import watch

_ALERTS = Paging(limit=50)
_LINES = Paging(limit=100)
_BY_PEOPLE = {
    "acknowledged",
    "assigned",
    "comment",
    "edited",
    "severity",
    "status",
    "resolved",
    "reopened",
    "merged",
    "split",
    "alert_moved",
}
_SHOWN = {"people": sorted(_BY_PEOPLE), "alerts": ["opened", "alert_joined", "alert_refired", "alert_resolved", "alert_flapping"]}
# What stands for a line of the timeline: an icon, and the colour of the circle around it.
_LOOKS = {
    "opened": ("siren", "critical"),
    "alert_joined": ("bell", "error"),
    "alert_refired": ("bell-ring", "error"),
    "alert_resolved": ("bell-off", "good"),
    "alert_flapping": ("activity", "warning"),
    "alert_moved": ("move-right", ""),
    "severity": ("gauge", "warning"),
    "status": ("circle-dot", ""),
    "acknowledged": ("user-check", "good"),
    "assigned": ("user-plus", ""),
    "comment": ("message-square", "info"),
    "edited": ("pencil", ""),
    "resolved": ("check", "good"),
    "reopened": ("rotate-ccw", "critical"),
    "merged": ("merge", ""),
    "split": ("split", ""),
}
_SAID_BY = {Scorer.GROUP: "same group", Scorer.RETURNED: "returned", Scorer.PERSON: "by hand"}


@dataclass
class MemberRow:
    """An alert of the incident."""

    id: str
    href: str
    title: str
    mark: str
    severity: str
    service: str
    resource: str
    count: str
    at: str
    why: str
    reason: str
    score: int
    is_over: bool
    has_left: bool


@dataclass
class Line:
    """A line of the timeline."""

    id: str
    at: str
    icon: str
    look: str
    who: str
    said: str
    more: str
    is_comment: bool
    fresh: bool = False


@dataclass
class Head:
    """What the page says at its top."""

    id: str = ""
    number: int = 0
    title: str = ""
    mark: str = ""
    severity: str = ""
    severity_by: str = ""
    status: str = ""
    status_word: str = ""
    status_kind: str = ""
    owner: str = ""
    owner_id: str = ""
    acknowledged_by: str = ""
    acknowledged_at: str = ""
    opened_at: str = ""
    last_alert_at: str = ""
    resolved_at: str = ""
    resolved_by: str = ""
    cause: str = ""
    resolution: str = ""
    lasted: str = ""
    alerts: int = 0
    open_alerts: int = 0
    environment: str = ""
    grouped_by: str = ""
    services: list[str] = field(default_factory=list)
    is_open: bool = True
    is_merged: bool = False
    reopened: int = 0
    version: int = 0


class IncidentState(rx.State):
    """One incident: its head, its alerts with why they are here, its timeline, and who else looks."""

    loaded: bool = False
    missing: bool = False
    head: Head = Head()
    members: list[MemberRow] = []
    members_total: int = 0
    lines: list[Line] = []
    has_earlier: bool = False
    shown: str = "all"
    others: list[str] = []
    choices: list[PersonChoice] = []
    settled: int = 0
    sent: int = 0
    seen: list[dict[str, str]] = []
    _limit: int = 100
    _version: int = 0
    _newest: str = ""

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Begin anew with another incident."""
        self.loaded = self.missing = False
        self.members, self.lines, self.shown, self._limit, self.head = [], [], "all", 100, Head()
        self._newest = ""

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the incident again."""
        try:
            await self._read()
        except (NotFound, Invalid):
            self.missing, self.loaded = True, True

    @rx.event
    @requires(Permission.VIEW)
    async def show_lines(self, which: str) -> None:
        """Show the lines of people, of alerts, or all."""
        self.shown = which if which in _SHOWN else "all"
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def show_earlier(self) -> None:
        """Show more of the beginning."""
        self._limit += 100
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def act(self, name: str, ids: list[str]) -> None:
        """Acknowledge, resolve, reopen, or take it; split alerts off. What is refused is put back, with the reason."""
        try:
            await self._act(name, [UUID(id) for id in ids[:200]])
        except AiopsError as error:
            await show(self, error)
        finally:
            self.settled += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def comment(self, form: dict[str, Any]) -> None:
        """Write a comment. When it fails, what was typed stays."""
        await call(self, incidents.comment, UUID(self.head.id), form.get("text", ""))
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def resolve(self, form: dict[str, Any]) -> None:
        """Resolve it, with cause and resolution."""
        await call(self, incidents.resolve, UUID(self.head.id), form.get("cause", ""), form.get("resolution", ""))
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def change(self, form: dict[str, Any]) -> None:
        """Change title, severity or status; what somebody else changed meanwhile is not overwritten."""
        severity = form.get("severity") or None
        status = form.get("status") or None
        wanted = {"title": form.get("title") or None, "severity": severity, "status": IncidentStatus(status) if status else None}
        if wanted["severity"] not in (None, "automatic"):
            wanted["severity"] = Severity(str(severity))
        await call(self, incidents.change, UUID(self.head.id), **wanted, version=self._version)
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def merge(self, form: dict[str, Any]) -> None:
        """Put the alerts of another incident, by its number, into this one."""
        said = str(form.get("number", "")).strip().lstrip("#")
        other = await call(self, incidents.numbered, int(said) if said.isdecimal() and len(said) < 10 else 0)
        await call(self, incidents.merge, UUID(self.head.id), [other.id])
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def move(self, form: dict[str, Any]) -> None:
        """Put an alert of another incident, by the address of its page or its id, into this one."""
        said = str(form.get("alert", "")).strip().rstrip("/").rpartition("/")[2]
        await call(self, incidents.move, UUID(self.head.id), [said])
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def choose_people(self) -> None:
        """Read who can be made the owner."""
        page = await call(self, people.members, "", Paging(limit=200))
        self.choices = [PersonChoice(str(person.id), person.name) for person in page.items]

    @rx.event
    @requires(Permission.VIEW)
    async def export(self, form: str) -> rx.event.EventSpec:
        """Give the incident as a file."""
        made = await call(self, reports.incident, UUID(self.head.id), "json" if form == "json" else "markdown")
        return rx.download(data=made.text, filename=made.filename)

    async def _act(self, name: str, ids: list[UUID]) -> None:
        id = UUID(self.head.id)
        act, _, user = name.partition(":")
        if act == "acknowledge":
            await call(self, incidents.acknowledge, id)
        elif act == "resolve":
            await call(self, incidents.resolve, id)
        elif act == "reopen":
            await call(self, incidents.reopen, id)
        elif act == "assign":
            person = (await actor_of(self)).id if user == "me" else UUID(user) if user else None
            await call(self, incidents.assign, id, person)
        elif act == "split":
            made = await call(self, incidents.split, id, ids)
            await tell(self, "good", f"{len(ids)} moved into a new incident, #{made.number}.")

    async def _read(self) -> None:
        said = self.router.url.path.rpartition("/")[2]
        view = await call(self, incidents.numbered, int(said) if said.isdecimal() and len(said) < 10 else 0)
        found = await call(self, incidents.members, view.id, _ALERTS)
        kinds = [IncidentEntryKind(kind) for kind in _SHOWN.get(self.shown, ())]
        told: list[IncidentEntryView] = []
        cursor: str | None = None
        while len(told) < self._limit and (cursor or not told):
            part = await call(self, incidents.timeline, view.id, kinds or None, True, Paging(cursor=cursor, limit=_LINES.limit))
            told, cursor = [*told, *part.items], part.next_cursor
            if cursor is None:
                break
        self.head, self._version = _head(view), view.version
        self.members, self.members_total = [_member(each) for each in found.items], found.total
        # Ids are in the order of time: what was only not shown before does not glow.
        self.lines = [_line(each, fresh=self.loaded and str(each.id) > self._newest) for each in reversed(told)]
        self._newest = max([self._newest, *(line.id for line in self.lines)])
        self.has_earlier, self.loaded, self.missing = cursor is not None, True, False
        self.others = list(lookers(await actor_of(self), self.router.url.path))
        severity = "Resolved" if view.resolved_at else words.severity(view.severity)
        self.seen = [{"number": str(view.number), "title": view.title, "severity": severity, "status": self.head.status_word}]


def _head(view: IncidentView) -> Head:
    said, kind = words.status(view.status)
    is_over = view.resolved_at is not None
    return Head(
        id=str(view.id),
        number=view.number,
        title=view.title,
        mark=words.mark(view.severity),
        severity=words.severity(view.severity),
        severity_by=view.severity_by or "",
        status=view.status.value,
        status_word=said,
        status_kind=kind,
        owner=view.owner_name or "",
        owner_id=str(view.owner_id or ""),
        acknowledged_by=view.acknowledged_by or "",
        acknowledged_at=words.iso(view.acknowledged_at),
        opened_at=words.iso(view.opened_at),
        last_alert_at=words.iso(view.last_alert_at),
        resolved_at=words.iso(view.resolved_at),
        resolved_by=view.resolved_by or "",
        cause=view.cause or "",
        resolution=view.resolution or "",
        lasted=words.length(view.resolved_at - view.opened_at) if view.resolved_at else "",
        alerts=view.alerts,
        open_alerts=view.open_alerts,
        environment=view.environment or "",
        grouped_by=view.grouped_by,
        services=list(view.services),
        is_open=not is_over,
        is_merged=view.merged_into is not None,
        reopened=view.reopened,
        version=view.version,
    )


def _member(each: MembershipView) -> MemberRow:
    is_over = each.status == "resolved"
    return MemberRow(
        id=str(each.alert_id or ""),
        href=f"/alerts/{each.alert_id}" if each.alert_id else "",
        title=each.title,
        mark=words.mark(each.severity, is_over=is_over),
        severity="Resolved" if is_over else words.severity(each.severity) if each.alert_id else "",
        service=each.service or "",
        resource=each.resource or "",
        count=f"×{each.count}" if each.count else "",
        at=words.iso(each.first_seen_at or each.joined_at),
        why=_SAID_BY.get(each.by, each.by.value),
        reason=each.reason,
        score=round(each.score * 100),
        is_over=is_over,
        has_left=each.left_at is not None,
    )


def _line(entry: IncidentEntryView, *, fresh: bool) -> Line:
    icon, look = _LOOKS.get(entry.kind.value, ("circle", ""))
    is_comment = entry.kind is IncidentEntryKind.COMMENT
    said = entry.said if is_comment else entry.said[:1].upper() + entry.said[1:]
    return Line(str(entry.id), words.iso(entry.at), icon, look, entry.actor_name, said, "", is_comment, fresh)


watch("/incidents/[incident_number]", IncidentState.refresh, "incident", "alert", PRESENCE)
