"""What changes while somebody looks?"""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import Unavailable
from engine.identity.actor import Actor
from engine.operations.door import runtime, tenant_of
from engine.storage.bus import Notice, Subscription

__all__ = ["Notice", "Subscription", "is_connected", "subscribe"]


@contextmanager
def subscribe(actor: Actor) -> Iterator[Subscription]:
    """The notices of what this actor may see, while the block runs. They name things; ask for them through the door."""
    bus = runtime().bus
    if bus is None:
        raise Unavailable("bus", "this process does not listen for changes")
    with bus.subscribe(tenant_of(actor)) as subscription:
        yield subscription


def is_connected() -> bool:
    """Whether changes reach this process at once; after a lost connection everything is read again."""
    bus = runtime().bus
    return bus is not None and bus.connected
