"""What does every page show around its own? What is open now, and what the palette finds."""

import re
from dataclasses import dataclass

import reflex as rx

from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import incidents, overview
from state.call import call, requires
from state.sharing import following

_FEW = Paging(limit=8)
_OURS = re.compile(r"/([\w-]+(/[\w-]+)*)?(\?[\w=&%.+-]*)?")


@dataclass
class Found:
    """An incident that the palette offers."""

    number: int
    title: str
    status: str


class FrameState(rx.State):
    """The numbers in the sidebar and in the tab's title; `urgent_number` is the newest critical incident that waits, or 0."""

    open_incidents: int = 0
    critical: int = 0
    firing_alerts: int = 0
    quarantined: int = 0
    urgent_number: int = 0
    urgent_title: str = ""
    found: list[Found] = []

    @rx.event
    @requires(Permission.VIEW)
    async def count(self) -> None:
        """Count again what is open."""
        with following():
            now = await call(self, overview.pulse)
        self.open_incidents, self.critical = now.open_incidents, now.critical
        self.firing_alerts, self.quarantined = now.firing_alerts, now.quarantined
        self.urgent_number = now.urgent.number if now.urgent else 0
        self.urgent_title = now.urgent.title if now.urgent else ""

    @rx.event
    @requires(Permission.VIEW)
    async def look_up(self, words: str) -> None:
        """Find incidents by words of their titles, for the palette."""
        words = words.strip()[:200]
        if len(words) < 2:
            self.found = []
            return
        page = await call(self, incidents.search, q=words, page=_FEW)
        self.found = [Found(each.number, each.title, each.status.replace("_", " ")) for each in page.items]

    @rx.event
    @requires(Permission.VIEW)
    async def go(self, path: str) -> rx.event.EventSpec | None:
        """Go to a page of ours."""
        return rx.redirect(path) if _OURS.fullmatch(path) else None
