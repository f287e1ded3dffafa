"""How many wrong tries are too many?

Counted for the account from one address, for the address, and for the account from anywhere: the last limit is wide, so
that a stranger cannot lock a person out from a single machine.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Subject:
    """What tries are counted for, and how many of them fit into the window. Kept as a hash: it may name a person."""

    key: bytes
    limit: int


def sign_in(email: str, address: str) -> list[Subject]:
    """The subjects of a sign-in."""
    return [_subject(f"pair:{email}:{address}", 5), _subject(f"address:{address}", 30), _subject(f"account:{email}", 50)]


def token(address: str) -> list[Subject]:
    """The subjects of a token, link or session that is unknown."""
    return [_subject(f"token:{address}", 60)]


def wait(counts: Mapping[bytes, tuple[datetime, int]], subjects: list[Subject], now: datetime) -> int:
    """Seconds until the next try is looked at; 0 is at once. `counts`: since when, and how many, this try included."""
    over = [counts[s.key][0] for s in subjects if s.key in counts and counts[s.key][1] > s.limit]
    return max((int((since + WINDOW - now).total_seconds()) + 1 for since in over), default=0)


def _subject(text: str, limit: int) -> Subject:
    return Subject(hashlib.sha256(text.encode()).digest(), limit)
