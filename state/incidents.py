"""What does the list of incidents remember?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import reflex as rx

from engine.model.incidents import IncidentView
from engine.model.views import Bulk, Facets, Page, Paging
from engine.model.vocabulary import ListPage, Permission
from engine.operations import bulk, facets, incidents, people
from state import words
from state.call import actor_of, call, requires, tell
from state.lists import FacetRow, ListState
from state.live import watch
from state.sharing import drawn

_FACETS = {"severity": "Severity", "status": "Status", "owner_id": "Owner", "service": "Service", "environment": "Environment"}
_DONE = {"acknowledge": "acknowledged", "resolve": "resolved", "reopen": "reopened", "assign": "assigned"}


@dataclass
class IncidentRow:
    """An incident as a row."""

    id: str
    number: int
    href: str
    title: str
    mark: str
    severity: str
    status: str
    status_kind: str
    owner: str
    alerts: str
    services: str
    opened_at: str
    resolved_at: str
    is_over: bool
    fresh: bool = False


@dataclass
class PersonChoice:
    """Somebody who can be made the owner."""

    id: str
    name: str


class IncidentsState(ListState, rx.State):
    """The list of incidents."""

    LIST: ClassVar[ListPage] = ListPage.INCIDENTS
    FACETS: ClassVar[dict[str, str]] = _FACETS
    FILTERS: ClassVar[tuple[str, ...]] = ("state",)
    ORDERS: ClassVar[tuple[str, ...]] = ("severity", "-severity", "number", "-number", "opened_at", "-opened_at")

    rows: list[IncidentRow] = []
    facets: list[FacetRow] = [FacetRow(name, title, "") for name, title in _FACETS.items()]
    choices: list[PersonChoice] = []
    seen: list[dict[str, str]] = []

    @rx.event
    @requires(Permission.VIEW)
    async def choose_people(self) -> None:
        """Read who can be made the owner."""
        page = await call(self, people.members, "", Paging(limit=200))
        self.choices = [PersonChoice(str(person.id), person.name) for person in page.items]

    async def _act(self, name: str, ids: list[str]) -> None:
        if name == "merge":
            numbers = {row.id: row.number for row in self.rows}
            first, *others = sorted(ids, key=lambda id: numbers.get(id, 0))
            if others:
                merged = await call(self, incidents.merge, UUID(first), others)
                await tell(self, "good", f"{len(others)} merged into #{merged.number}.")
            return
        act, _, user = name.partition(":")
        if act in _DONE:
            person = (await actor_of(self)).id if user == "me" else UUID(user) if user else None
            await self._say_done(await call(self, bulk.incidents, ids, act, person), act)

    async def _say_done(self, done: Bulk, name: str) -> None:
        if done.failed:
            await tell(self, "warning", f"{len(done.success)} {_DONE[name]}, {len(done.failed)} not: {done.failed[0].error}")

    async def _page(self, part: Paging) -> Page[Any]:
        return await call(self, incidents.search, **self._which(self.filters), sort=self.sort or "-opened_at", page=part)

    async def _some(self, ids: list[str]) -> Sequence[IncidentView]:
        return await call(self, incidents.those, ids)

    async def _counts(self, filters: dict[str, str]) -> Facets:
        return await call(self, facets.incidents, **self._which(filters))

    def _which(self, said: dict[str, str]) -> dict[str, Any]:
        state = said.get("state", "open")
        which: dict[str, Any] = {"q": self.words, "service": said.get("service", ""), "environment": said.get("environment", "")}
        which |= {"open": state != "resolved"} if state != "all" else {}
        which |= {name: [said[name]] for name in ("severity", "status") if said.get(name)}
        return which | ({"owner_id": said["owner_id"]} if said.get("owner_id", "none") != "none" else {})

    def _row(self, item: IncidentView) -> IncidentRow:
        return row(item)

    def _put(self, items: Sequence[IncidentView]) -> None:
        super()._put(items)
        newest = drawn(self._row, items).rows[:20]
        seen = [{"number": str(r.number), "title": r.title, "severity": r.severity, "status": r.status} for r in newest]
        if seen != self.seen:
            self.seen = seen


def row(view: IncidentView) -> IncidentRow:
    """An incident as a row."""
    said, kind = words.status(view.status)
    is_over = view.resolved_at is not None
    return IncidentRow(
        id=str(view.id),
        number=view.number,
        href=f"/incidents/{view.number}",
        title=view.title,
        mark=words.mark(view.severity, is_over=is_over),
        severity="Resolved" if is_over else words.severity(view.severity),
        status=said,
        status_kind=kind,
        owner=view.owner_name or view.acknowledged_by or "",
        alerts=f"{view.open_alerts} of {view.alerts}" if view.open_alerts != view.alerts else str(view.alerts),
        services=", ".join(view.services[:4]) + (" …" if len(view.services) > 4 else ""),
        opened_at=words.iso(view.opened_at),
        resolved_at=words.iso(view.resolved_at),
        is_over=is_over,
    )


watch("/incidents", IncidentsState.refresh, "incident")
