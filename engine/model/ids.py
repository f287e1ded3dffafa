"""How are ids made?

UUIDv7 (RFC 9562, section 5.7) from the time of receipt: they sort by time, and a time is a bound of a partition.
"""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> UUID:
    """A fresh id of that time; the 12 bits after the millisecond are its fraction (method 3 of section 6.2)."""
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1000)
    fraction = rest * 4096 // 1000
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | tail)


def floor_id(time: datetime) -> UUID:
    """The least id of that time: `id >= floor_id(t)` is `since t`, and lets partitions be skipped."""
    millis = max(0, (time - _EPOCH) // timedelta(milliseconds=1))
    return UUID(int=millis << 80)


def time_of(id: UUID) -> datetime:
    """When the id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=id.int >> 80)


def new_trace() -> str:
    """A trace id, for what does not begin with a request."""
    return os.urandom(16).hex()
