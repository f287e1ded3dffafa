"""How are ids made?

UUIDv7 (RFC 9562, section 5.7) from the time of receipt: they sort by time, and a time is a bound of a partition.
"""

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_turn = count()
_PLACES = 20
MOST_PLACES = (1 << _PLACES) - 1


def new_id(now: datetime) -> UUID:
    """A fresh id of that time; the 12 bits after the millisecond are its fraction (method 3 of section 6.2).

    After them a count of this process, so that ids of one moment sort as they were made (method 1), and 48 random bits.
    """
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1000)
    fraction = rest * 4096 // 1000
    tail = ((next(_turn) & 0x3FFF) << 48) | int.from_bytes(os.urandom(6))
    return UUID(int=(millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | tail)


def delivery_id(now: datetime) -> UUID:
    """A fresh id whose last 20 bits are zero, so that each alert of the delivery has one of its own right after it."""
    return UUID(int=new_id(now).int >> _PLACES << _PLACES)


def entry_id(delivery: UUID, index: int) -> UUID:
    """The id of what one alert of a delivery did; the same whenever it is made again."""
    return UUID(int=delivery.int + index + 1)


def place_of(entry: UUID) -> tuple[UUID, int]:
    """The delivery and the place in it that an entry's id was made of."""
    delivery = entry.int >> _PLACES << _PLACES
    return UUID(int=delivery), entry.int - delivery - 1


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
