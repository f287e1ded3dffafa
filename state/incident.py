"""What does the page of one incident remember?"""

from typing import Any
from uuid import UUID

import reflex as rx

from engine.model.incidents import IncidentEntryView
from engine.model.views import Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Permission, Severity
from engine.operations import incidents, people, reports
from engine.operations.live import PRESENCE, lookers
from state import words
from state.call import actor_of, answering, call, requires, tell
from state.incident_rows import Head, Line, MemberRow, head_of, lines_of, member_of
from state.incidents import PersonChoice
from state.live import watch
from state.thing import ThingState

_ALERTS = Paging(limit=50)
_LINES = Paging(limit=100)
_AFTER_ALL = "~"  # no line is fresh after this
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
_SHOWN = {"people": sorted(_BY_PEOPLE), "alerts": ["opened", "alert_joined", "alert_refired", "alert_resolved", "alert_flapping", "asked"]}


class IncidentState(ThingState, rx.State):
    """One incident: its head, its alerts with why they are here, its timeline, and who else looks."""

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
        async with answering(self):
            await self._act(name, [UUID(id) for id in ids[:200]])
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def comment(self, form: dict[str, Any]) -> None:
        """Write a comment. When it fails, what was typed stays."""
        await call(self, incidents.comment, await self._id(), form.get("text", ""))
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def resolve(self, form: dict[str, Any]) -> None:
        """Resolve it, with cause and resolution."""
        await call(self, incidents.resolve, await self._id(), form.get("cause", ""), form.get("resolution", ""))
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
        await call(self, incidents.change, await self._id(), **wanted, version=self._version)
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def merge(self, form: dict[str, Any]) -> None:
        """Put the alerts of another incident, by its number, into this one."""
        said = str(form.get("number", "")).strip().lstrip("#")
        other = await call(self, incidents.numbered, int(said) if said.isdecimal() and len(said) < 10 else 0)
        await call(self, incidents.merge, await self._id(), [other.id])
        self.sent += 1
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def move(self, form: dict[str, Any]) -> None:
        """Put an alert of another incident, by the address of its page or its id, into this one."""
        said = str(form.get("alert", "")).strip().rstrip("/").rpartition("/")[2]
        await call(self, incidents.move, await self._id(), [said])
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
        made = await call(self, reports.incident, await self._id(), "json" if form == "json" else "markdown")
        return rx.download(data=made.text, filename=made.filename)

    async def _act(self, name: str, ids: list[UUID]) -> None:
        id = await self._id()
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

    async def _id(self) -> UUID:
        """Which incident it is: somebody who comes back may act before the page was read again."""
        if not self.head.id:
            await self._read()
        return UUID(self.head.id)

    async def _read(self) -> None:
        said = self._named()
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
        self.head, self._version = head_of(view), view.version
        self.members, self.members_total = [member_of(each) for each in found.items], found.total
        # Ids are in the order of time: what was only not shown before does not glow.
        self.lines = lines_of(told[::-1], self._newest if self.loaded else _AFTER_ALL, folds=self.shown == "all")
        self._newest = max([self._newest, *(str(each.id) for each in told)])
        self.has_earlier = cursor is not None
        self.others = list(lookers(await actor_of(self), self.router.url.path))
        severity = "Resolved" if view.resolved_at else words.severity(view.severity)
        self.seen = [{"number": str(view.number), "title": view.title, "severity": severity, "status": self.head.status_word}]


watch("/incidents/[incident_number]", IncidentState.refresh, "incident", "alert", "silence", "inhibition", PRESENCE)
