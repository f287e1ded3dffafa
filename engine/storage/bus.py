"""How do open pages learn that something changed?

One connection a process listens; a notice names an organization, kinds, ids and teams, never content. It is filtered
here, before a tab's queue, and the tab asks again through the door. After a lost connection every tab refreshes.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from engine.log import logger
from engine.storage.work import CHANNEL, Tenant

_MOST_WAITING = 256
_RETRY = 1.0


@dataclass(frozen=True)
class Notice:
    """Something changed. Without ids: read everything again."""

    org_id: UUID | None
    kinds: frozenset[str]
    ids: tuple[UUID, ...] = ()
    teams: tuple[UUID, ...] = ()

    def concerns(self, tenant: Tenant) -> bool:
        """Whether this tenant may see what changed."""
        if self.org_id is not None and self.org_id != tenant.org_id:
            return False
        return not self.teams or tenant.all_teams or any(team in tenant.teams for team in self.teams)


EVERYTHING = Notice(None, frozenset())


@dataclass(eq=False)
class Subscription:
    """The notices of one tab. A tab that falls behind gets one `refresh` in place of what it missed."""

    tenant: Tenant
    _queue: asyncio.Queue[Notice] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))

    def put(self, notice: Notice) -> None:
        """Add a notice; never blocks."""
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            notice = EVERYTHING
        self._queue.put_nowait(notice)

    async def next(self) -> Notice:
        """The next notice."""
        return await self._queue.get()

    def waiting(self) -> list[Notice]:
        """All that has come meanwhile."""
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]


class Bus:
    """The notices of this process. Used from one event loop."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._tabs: set[Subscription] = set()
        self._watchers: list[Callable[[Notice], None]] = []
        self.connected = False
        self.heard = 0

    @contextmanager
    def subscribe(self, tenant: Tenant) -> Iterator[Subscription]:
        """The notices that concern a tenant, while the block runs."""
        subscription = Subscription(tenant)
        self._tabs.add(subscription)
        try:
            yield subscription
        finally:
            self._tabs.discard(subscription)

    def watch(self, watcher: Callable[[Notice], None]) -> None:
        """Call this for every notice of every organization: for our own caches."""
        self._watchers.append(watcher)

    @property
    def tabs(self) -> int:
        """How many tabs listen now."""
        return len(self._tabs)

    async def run(self) -> None:
        """Listen until cancelled; after a lost connection, connect again and have everything refreshed."""
        first = True
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True, connect_timeout=5) as db:
                    await db.execute(f"LISTEN {CHANNEL}")
                    self.connected = True
                    if not first:
                        logger().info("bus.reconnected", tabs=self.tabs)
                        self.tell(EVERYTHING)
                    first = False
                    async for notice in _heard(db):
                        self.tell(notice)
            except psycopg.OperationalError:
                if self.connected:
                    logger().warning("bus.lost", tabs=self.tabs)
                self.connected, first = False, False
                await asyncio.sleep(_RETRY)

    def tell(self, notice: Notice) -> None:
        """Give a notice to the tabs of this process that it concerns."""
        self.heard += 1
        for watcher in self._watchers:
            watcher(notice)
        for tab in self._tabs:
            if notice.concerns(tab.tenant):
                tab.put(notice)


async def _heard(db: psycopg.AsyncConnection[tuple[object, ...]]) -> AsyncIterator[Notice]:
    async for heard in db.notifies():
        try:
            notice = _read(heard.payload)
        except (ValueError, TypeError, LookupError, AttributeError):
            logger().warning("bus.garbled", sent_by=heard.pid)  # somebody else speaks on our channel: the others go on
            continue
        yield notice


def _read(payload: str) -> Notice:
    said = json.loads(payload)
    return Notice(
        UUID(said["o"]) if said["o"] else None,
        frozenset(said["k"].split(",")),
        tuple(UUID(id) for id in said["i"]),
        tuple(UUID(id) for id in said["t"]),
    )
