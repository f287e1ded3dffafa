"""What changes while somebody looks?"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from engine.errors import Unavailable
from engine.identity.actor import Actor
from engine.operations.door import runtime, tenant_of
from engine.storage.bus import Notice, Subscription

__all__ = ["Notice", "Subscription", "heard", "is_connected", "look", "lookers", "subscribe"]

PRESENCE = "presence"  # the kind of the notice that somebody came or left
# Who has which page open in this process: organization and path, to one entry a tab.
_looking: dict[tuple[UUID, str], list[Actor]] = {}


@contextmanager
def subscribe(actor: Actor) -> Iterator[Subscription]:
    """The notices of what this actor may see, while the block runs. They name things; ask for them through the door."""
    bus = runtime().bus
    if bus is None:
        raise Unavailable("bus", "this process does not listen for changes")
    with bus.subscribe(tenant_of(actor)) as subscription:
        yield subscription


@contextmanager
def look(actor: Actor, path: str) -> Iterator[None]:
    """Be one of those who have a page open, while the block runs; the others' pages are told."""
    place = actor.org_id, path
    _looking.setdefault(place, []).append(actor)
    _tell(actor.org_id)
    try:
        yield
    finally:
        _looking[place].remove(actor)
        if not _looking[place]:
            del _looking[place]
        _tell(actor.org_id)


def lookers(actor: Actor, path: str) -> tuple[str, ...]:
    """The names of the others who have a page open in this process."""
    return tuple(sorted({other.name for other in _looking.get((actor.org_id, path), ()) if other.id != actor.id}))


def _tell(org_id: UUID) -> None:
    if (bus := runtime().bus) is not None:
        bus.tell(Notice(org_id, frozenset({PRESENCE})))


def heard() -> int:
    """How many notices this process has heard; it rises with each."""
    bus = runtime().bus
    return bus.heard if bus is not None else 0


def is_connected() -> bool:
    """Whether changes reach this process at once; after a lost connection everything is read again."""
    bus = runtime().bus
    return bus is not None and bus.connected
