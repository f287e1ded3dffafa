"""How many wrong tries are too many, and for how long?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from engine.identity import throttle
from engine.identity.throttle import WINDOW, Subject

pytestmark = pytest.mark.fast
NOW = datetime(2025, 6, 11, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAIR, ADDRESS, ACCOUNT = throttle.sign_in("ada@example.com", "198.51.100.7")


@dataclass(frozen=True)
class Tries:
    """What was counted (subject: minutes ago, tries, this one included), the seconds to wait, and why."""

    counts: dict[Subject, tuple[int, int]]
    wait: int
    why: str


TRIES = [
    Tries({}, 0, "nothing was counted"),
    Tries({PAIR: (0, 1), ADDRESS: (0, 1), ACCOUNT: (0, 1)}, 0, "the first try"),
    Tries({PAIR: (0, 5)}, 0, "five wrong tries are a person's"),
    Tries({PAIR: (0, 6)}, 901, "the sixth waits for the window"),
    Tries({PAIR: (14, 6)}, 61, "which began with the first of them"),
    Tries({PAIR: (15, 6)}, 1, "at its very end"),
    Tries({ADDRESS: (0, 30)}, 0, "an office may share an address"),
    Tries({ADDRESS: (5, 31)}, 601, "a machine that tries many accounts"),
    Tries({ACCOUNT: (0, 50)}, 0, "wide: a stranger alone cannot lock a person out"),
    Tries({ACCOUNT: (0, 51)}, 901, "many machines that try one account"),
    Tries({PAIR: (10, 6), ADDRESS: (2, 31)}, 781, "the longer of two waits"),
    Tries({Subject(b"another", 1): (0, 99)}, 0, "somebody else's tries"),
]


@pytest.mark.parametrize("case", TRIES, ids=lambda case: case.why)
def test_the_wait_follows_from_the_counts(case: Tries) -> None:
    counts = {subject.key: (NOW - ago * MINUTE, tries) for subject, (ago, tries) in case.counts.items()}
    assert throttle.wait(counts, [PAIR, ADDRESS, ACCOUNT], NOW) == case.wait


def test_after_the_wait_the_window_is_over() -> None:
    began = NOW - 7 * MINUTE
    seconds = throttle.wait({PAIR.key: (began, 6)}, [PAIR], NOW)
    assert NOW + timedelta(seconds=seconds) > began + WINDOW


def test_a_stranger_at_another_address_does_not_count_against_the_pair() -> None:
    other, _, same_account = throttle.sign_in("ada@example.com", "203.0.113.9")
    assert other != PAIR
    assert same_account == ACCOUNT


def test_an_address_is_counted_whatever_the_account() -> None:
    pair, same_address, account = throttle.sign_in("bob@example.com", "198.51.100.7")
    assert same_address == ADDRESS
    assert (pair, account) != (PAIR, ACCOUNT)


def test_unknown_tokens_are_counted_by_address_and_apart_from_sign_ins() -> None:
    [subject] = throttle.token("198.51.100.7")
    assert subject.limit == 60
    assert subject.key not in {PAIR.key, ADDRESS.key, ACCOUNT.key}


def test_what_is_kept_names_nobody() -> None:
    for subject in (PAIR, ADDRESS, ACCOUNT):
        assert len(subject.key) == 32
        assert b"ada" not in subject.key and b"198" not in subject.key
