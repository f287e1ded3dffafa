"""How do fifty open pages cost what one costs?

They show the same list to people who see the same, and hear the same notice: the first of them reads, the others take what it
read. A read is shared only by those who heard no later notice than the one it began after, so nobody is shown what was before.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from engine.identity.actor import Actor
from engine.operations import alerts, facets, incidents, overview
from engine.operations.live import heard, is_connected

R = TypeVar("R")
# What depends on nothing of the person but what they may see.
SHARED = frozenset(
    operation.name
    for operation in (incidents.search, incidents.those, facets.incidents, alerts.search, alerts.those, facets.alerts, overview.pulse)
)
_MOST = 64
_LONGEST = 2.0  # seconds for which a read is shared, should no notice come
_following: ContextVar[bool] = ContextVar("following", default=False)


@dataclass
class _Read:
    began_after: int
    at: float
    result: "asyncio.Task[Any]"


_reads: dict[tuple[object, ...], _Read] = {}


@contextmanager
def following() -> Iterator[None]:
    """Within this block a page follows a notice. What a person's own act brings about is read by itself."""
    token = _following.set(True)
    try:
        yield
    finally:
        _following.reset(token)


async def read(actor: Actor, operation: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    """Carry out an operation, or take what another page reads at this moment. Raises what the operation raises."""
    name = getattr(operation, "name", "")
    if not _following.get() or name not in SHARED or not is_connected():
        return await asyncio.to_thread(operation, actor, *args, **kwargs)
    key = (name, _sight(actor), _frozen(args), _frozen(kwargs))
    now, clock, known = heard(), time.monotonic(), _reads.get(key)
    if known is None or known.began_after < now or clock - known.at > _LONGEST or _has_failed(known):
        if len(_reads) >= _MOST:
            _reads.clear()
        known = _reads[key] = _Read(now, clock, asyncio.create_task(asyncio.to_thread(operation, actor, *args, **kwargs)))
    return await asyncio.shield(known.result)


@dataclass(frozen=True)
class Drawn:
    """Rows as a page shows them, and by the id of each a mark of what it says."""

    items: Sequence[Any]
    rows: list[Any]
    marks: dict[str, int]


_drawn: dict[tuple[str, int], Drawn] = {}


def drawn(row: Callable[[Any], Any], items: Sequence[Any]) -> Drawn:
    """The rows of these items: made once for all pages that share the read. Nobody may change them."""
    key = row.__qualname__, id(items)
    if (known := _drawn.get(key)) is None:
        if len(_drawn) >= _MOST:
            _drawn.clear()
        rows = [row(item) for item in items]
        known = _drawn[key] = Drawn(items, rows, {each.id: hash(tuple(vars(each).values())) for each in rows})
    return known


def _has_failed(known: _Read) -> bool:
    return known.result.done() and (known.result.cancelled() or known.result.exception() is not None)


def _sight(actor: Actor) -> tuple[object, ...]:
    """Everything by which two people may see something else."""
    return actor.org_id, actor.role, actor.instance_admin, tuple(sorted(actor.teams.items()))


def _frozen(value: Any) -> object:
    if isinstance(value, dict):
        return tuple(sorted((name, _frozen(part)) for name, part in value.items()))
    if isinstance(value, list | tuple):
        return tuple(_frozen(part) for part in value)
    return repr(value) if isinstance(value, BaseModel) else value
