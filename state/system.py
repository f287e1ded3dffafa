"""What do the dashboard and the system page remember? How the installation is, and what happened lately."""

from dataclasses import dataclass

import reflex as rx

from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import audit, people, system, tokens
from state.call import actor_of, call, may, requires
from state.live import watch


@dataclass
class ProcessRow:
    """A process as a row."""

    kind: str
    name: str
    version: str
    started_at: str
    seen_at: str


@dataclass
class ActRow:
    """Something that was done lately."""

    at: str
    actor: str
    operation: str
    target: str
    refused: bool


class SystemState(rx.State):
    """The installation's state."""

    loaded: bool = False
    well: bool = True
    faults: list[str] = []
    processes: list[ProcessRow] = []
    tick: str = ""
    queue: str = ""
    disk: str = ""
    database: str = ""
    revision: str = ""
    people: int = 0
    tokens: int = 0
    acts: list[ActRow] = []

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Measure again."""
        found = await call(self, system.status)
        self.faults, self.well = [fault.words for fault in found.faults], not found.faults
        self.processes = [
            ProcessRow(str(b.kind), b.process, b.version, b.started_at.isoformat(), b.seen_at.isoformat()) for b in found.processes
        ]
        self.tick = f"{found.tick_age.total_seconds():.0f} s ago" if found.tick_age is not None else "never"
        self.queue = f"{found.queue_age.total_seconds():.0f} s" if found.queue_age else "empty"
        self.disk = f"{found.disk_free:.0%} free, {found.disk_free_bytes / 2**30:,.0f} GiB"
        self.database, self.revision = f"{found.database_bytes / 2**20:,.0f} MiB", found.revision or "none"
        self.loaded = True

    @rx.event
    @requires(Permission.VIEW)
    async def refresh_dashboard(self) -> None:
        """Measure again, and read what happened lately where that is permitted."""
        await SystemState.refresh.fn(self)
        self.people = (await call(self, people.members, "", Paging(limit=1))).total
        actor = await actor_of(self)
        if may(actor, Permission.MANAGE_TOKENS):
            self.tokens = (await call(self, tokens.all, Paging(limit=1))).total
        if may(actor, Permission.VIEW_AUDIT):
            page = await call(self, audit.search, page=Paging(limit=8))
            self.acts = [ActRow(e.at.isoformat(), e.actor_name, e.operation, e.target, str(e.outcome) == "refused") for e in page.items]


watch("/", SystemState.refresh_dashboard, "people", "token", "audit")
watch("/system", SystemState.refresh, "job")
