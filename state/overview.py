"""What does the dashboard remember?"""

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from engine.model.overview import OverviewView, SenderView
from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import demo, overview, system, teams
from state import words
from state.call import actor_of, call, may, requires
from state.incidents import IncidentRow, row
from state.live import watch
from state.people import TeamChoice

RANGES = {"1": "Last hour", "6": "Last 6 h", "24": "Last 24 h", "168": "Last 7 days"}
_WIDTH, _HEIGHT = 240.0, 44.0


@dataclass
class SenderRow:
    """A sender, and how it is."""

    href: str
    name: str
    seen_at: str
    state: str
    mark: str


class OverviewState(rx.State):
    """How it goes."""

    loaded: bool = False
    hours: str = "24"
    team: str = ""
    team_choices: list[TeamChoice] = []
    open_incidents: int = 0
    open_words: str = ""
    open_mark: str = ""
    a_minute: str = ""
    firing: str = ""
    noise: str = "–"
    noise_words: str = ""
    acknowledged_in: str = "–"
    unacknowledged: int = 0
    latency: str = "–"
    slowest: str = "–"
    proof_at: str = ""
    proof: str = ""
    quarantined: int = 0
    incidents_line: str = ""
    heard_line: str = ""
    firings_line: str = ""
    open: list[IncidentRow] = []
    mine: list[IncidentRow] = []
    resolved: list[IncidentRow] = []
    senders: list[SenderRow] = []
    faults: list[str] = []
    has_sources: bool = True
    demo_here: bool = False
    demo_offered: bool = False
    seen: list[dict[str, str]] = []

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Take range and team from the address."""
        said = self.router.url.query_parameters
        self.hours = said.get("hours", "24") if said.get("hours") in RANGES else "24"
        known = await call(self, teams.all, Paging(limit=200))
        self.team_choices = [TeamChoice(str(team.id), team.name) for team in known.items]
        asked = said.get("team", "")
        self.team = asked if asked in {choice.id for choice in self.team_choices} else ""

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Count again."""
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def look_back(self, hours: str) -> None:
        """Choose the time range."""
        self.hours = hours if hours in RANGES else "24"
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def only_team(self, team: str) -> None:
        """Choose a team, or all."""
        self.team = team if team in {choice.id for choice in self.team_choices} else ""
        await self._read()

    @rx.var
    def query(self) -> str:
        """Range and team as the address says them."""
        parts = ([f"hours={self.hours}"] if self.hours != "24" else []) + ([f"team={self.team}"] if self.team else [])
        return "&".join(parts)

    async def _read(self) -> None:
        found = await call(self, overview.show, int(self.hours), UUID(self.team) if self.team else None)
        self._show(found)
        self.faults = [fault.words for fault in (await call(self, system.status)).faults]
        shown = await call(self, demo.show)
        self.demo_here = shown.is_here
        self.demo_offered = shown.may_start and may(await actor_of(self), Permission.CONFIGURE)
        self.loaded = True

    def _show(self, found: OverviewView) -> None:
        counts = [(name, found.open_by_severity[name]) for name in ("critical", "error", "warning", "info", "none")]
        self.open_incidents, self.unacknowledged = found.open_incidents, found.unacknowledged
        self.open_words = ", ".join(f"{n} {'not stated' if name == 'none' else name}" for name, n in counts if n) or "nothing is open"
        self.open_mark = next((name for name, n in counts if n and name != "none"), "")
        self.a_minute = f"{found.alerts_a_minute:,.0f}" if found.alerts_a_minute >= 10 else f"{found.alerts_a_minute:.1f}"
        self.firing = f"{found.firing_alerts:,}{'+' if found.firing_is_capped else ''} fire now, {found.heard:,} heard"
        self.noise = f"{found.noise_reduction:.0%}" if found.noise_reduction is not None else "–"
        self.noise_words = f"{found.incidents:,} incidents of {found.firings:,} firings"
        self.acknowledged_in = words.length(found.acknowledged_in)
        self.latency, self.slowest = words.length(found.latency), words.length(found.slowest)
        self.proof_at, self.quarantined = words.iso(found.proof_at), found.quarantined
        self.proof = f"{found.proof_seconds:.2f} s" if found.proof_seconds is not None else "missing"
        self.heard_line = sparkline([span.heard for span in found.spans])
        self.firings_line = sparkline([span.firings for span in found.spans])
        self.incidents_line = sparkline([span.incidents for span in found.spans])
        self.open, self.mine, self.resolved = [[row(view) for view in part] for part in (found.open, found.mine, found.resolved)]
        self.senders = [_sender(sender) for sender in found.senders]
        self.has_sources = bool(found.senders)
        self.seen = [{"number": str(r.number), "title": r.title, "severity": r.severity, "status": r.status} for r in self.open]


def sparkline(values: list[int]) -> str:
    """The points of a line of numbers, for an SVG of 240 by 44."""
    most = max([*values, 1])
    step = _WIDTH / max(len(values) - 1, 1)
    return " ".join(f"{place * step:.1f},{_HEIGHT - 3 - value / most * (_HEIGHT - 8):.1f}" for place, value in enumerate(values))


def _sender(sender: SenderView) -> SenderRow:
    state = "paused" if sender.paused else "silent" if sender.silent else "failing" if sender.failing else ""
    mark = {"silent": "warning", "failing": "critical", "paused": "info"}.get(state, "good" if sender.last_seen_at else "unstated")
    return SenderRow(f"/sources/{sender.id}", sender.name, words.iso(sender.last_seen_at), state, mark)


watch("/", OverviewState.refresh, "incident", "alert", "source", "quarantine", "job")
