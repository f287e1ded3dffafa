"""What does the system page remember? How the installation is."""

from dataclasses import dataclass

import reflex as rx

from engine.model.alerts import Storage
from engine.model.vocabulary import Permission
from engine.operations import system
from state.call import actor_of, call, requires
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
class TableRow:
    """A table of the database as a row."""

    name: str
    rows: str
    size: str
    per_row: str


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
    tables: list[TableRow] = []

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
        if (await actor_of(self)).may(system.storage.permission):
            self.tables = [_table(each) for each in await call(self, system.storage)]
        self.loaded = True


def _table(each: Storage) -> TableRow:
    return TableRow(each.table, f"{each.rows:,}", _size(each.bytes), f"{each.bytes_per_row:,.0f} B" if each.bytes_per_row else "–")


def _size(number: int) -> str:
    return f"{number / 2**30:,.1f} GiB" if number >= 2**30 else f"{number / 2**20:,.1f} MiB"


watch("/system", SystemState.refresh, "job")
