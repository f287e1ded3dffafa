"""How do many requests share one commit?

Each waits for its own delivery to be on disk, but while one transaction is under way the next ones gather, and go together.
What waits is bounded in number and bytes; who comes too many is told to come again.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import psycopg
from sqlalchemy.exc import OperationalError

from engine.errors import Unavailable
from engine.operations.door import runtime
from engine.storage import inbox
from engine.storage.inbox import Post
from engine.storage.work import Tenant, work

_MOST_WAITING = 4096
_MOST_BYTES = 64 * 1024 * 1024
_MOST_AT_ONCE = 256
_STEADY, _GATHER = 0.01, 0.004  # seconds
_MANY = 6  # so many gather by themselves
_BYTES_AT_ONCE = 16 * 1024 * 1024


class Overloaded(Unavailable):
    """More comes than can be kept."""

    slug = "overloaded"
    title = "Too much at once"


class Keeper:
    """Keeps deliveries. One event loop's; `write` does the writing, in a thread."""

    def __init__(self, write: Callable[[Sequence[Post]], None]) -> None:
        self._write = write
        self._queue: list[tuple[Post, asyncio.Future[None]]] = []
        self._bytes = 0
        self._flushing: asyncio.Task[None] | None = None
        self._written_at, self._last = 0.0, 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keep")

    async def keep(self, post: Post) -> None:
        """Return when the delivery is on disk. Raises Overloaded, and whatever the database raises: then it may not be kept."""
        size = len(post.delivery.body)
        if len(self._queue) >= _MOST_WAITING or self._bytes + size > _MOST_BYTES:
            raise Overloaded("inbox", "More is delivered than can be kept; send it again in a few seconds.")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((post, kept))
        self._bytes += size
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await kept

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            if self._last < _MANY and loop.time() - self._written_at < _STEADY:
                await asyncio.sleep(_GATHER)  # they come in a stream: a commit of several costs hardly more than one of one
            taken = self._take()
            error: BaseException | None = None
            try:
                await loop.run_in_executor(self._thread, self._write, [post for post, _ in taken])
            except Exception as failure:  # every waiting request must hear of it, whatever it is
                error = failure
            self._written_at, self._last = loop.time(), len(taken)
            for _, kept in taken:
                if not kept.done():
                    kept.set_exception(error) if error else kept.set_result(None)
        self._flushing = None

    def _take(self) -> list[tuple[Post, asyncio.Future[None]]]:
        taken, size = 0, 0
        for post, _ in self._queue[:_MOST_AT_ONCE]:
            size += len(post.delivery.body)
            if taken and size > _BYTES_AT_ONCE:
                break
            taken += 1
        first, self._queue = self._queue[:taken], self._queue[taken:]
        self._bytes -= sum(len(post.delivery.body) for post, _ in first)
        return first


def write(posts: Sequence[Post]) -> None:
    """Write deliveries, in one transaction for each organization."""
    by_organization = groupby(sorted(posts, key=attrgetter("org_id", "id")), key=attrgetter("org_id"))
    batches = [(org_id, list(mine)) for org_id, mine in by_organization]
    for org_id, mine in batches:
        try:
            _append(org_id, mine)
        except (psycopg.OperationalError, OperationalError):  # such as a connection that has died since; twice is once
            runtime().database.keeping.engine.dispose()
            _append(org_id, mine)


def _append(org_id: UUID, posts: Sequence[Post]) -> None:
    with work(runtime().database.keeping, Tenant(org_id, all_teams=True)) as open_work:
        inbox.append(open_work, posts)
