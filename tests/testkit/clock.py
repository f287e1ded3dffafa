"""Moments as tests say them, and waiting for what happens by itself."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
PATIENCE = 30.0  # seconds; generous, as it is only waited for as long as it takes, also on a machine that does other things


def moment() -> datetime:
    """Now, as precisely as a sender says it and as the database keeps it whole."""
    return datetime.now(UTC).replace(microsecond=0)


def iso(at: datetime) -> str:
    """A moment as senders write it."""
    return at.isoformat().replace("+00:00", "Z")


def until(happens: Callable[[], T], within: float = PATIENCE, why: Callable[[], str] = lambda: "") -> T:
    """Wait until `happens()` is true, and return it. After `within` seconds the test fails and says `why()`."""
    deadline = time.monotonic() + within
    while not (found := happens()):
        assert time.monotonic() < deadline, f"not within {within} s {why()}".strip()
        time.sleep(0.02)
    return found
