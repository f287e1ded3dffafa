"""When is it quiet, on the clock of the people who said so?

A window is a start and an end on the wall clock of a zone, and maybe a rule by which it comes again (RFC 5545, RRULE). Clocks
are set forward and back: a time that does not exist is the first moment after the gap; of a time that exists twice, a window
begins at the first and ends at the second, so that it covers all that people may have meant. Nothing of this is stored: what
is quiet follows from the time alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from engine.errors import Invalid

LONGEST = timedelta(days=31)
_SHORTEST = timedelta(minutes=1)
_MOST = 1000
_DAY = timedelta(days=1)
_FREQUENCY = re.compile(r"(?:^|;)FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)")
_ENDS = re.compile(r"(?:^|;)(?:COUNT|UNTIL)=")
_TOO_OFTEN = re.compile(r"(?:^|;)BY(?:HOUR|MINUTE|SECOND)=")


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, both without a zone: as the wall clock of `zone` shows them. `rule`: when it comes again; empty: never."""

    start: datetime
    end: datetime
    zone: str = "UTC"
    rule: str = ""


@dataclass(frozen=True, order=True)
class Span:
    """A time that a window covers, in UTC; its end belongs to it no more."""

    start: datetime
    end: datetime


def require_window(window: Window) -> Window:
    """Refuse a window that is none. Raises Invalid with the field that is wrong."""
    length = window.end - window.start
    if length < _SHORTEST:
        raise Invalid.field("ends", "A window ends at least a minute after it starts.")
    if window.rule and length > LONGEST:
        raise Invalid.field("ends", f"A window that comes again is at most {LONGEST.days} days long.")
    if not window.rule:
        return window
    if not _FREQUENCY.search(window.rule) or _TOO_OFTEN.search(window.rule):
        raise Invalid.field("rule", "Write how it comes again as in FREQ=WEEKLY;BYDAY=SU: daily, weekly, monthly or yearly, without hours.")
    try:
        next(iter(_rule(window)), None)
    except (ValueError, TypeError) as error:
        raise Invalid.field("rule", f"This rule cannot be read: {error}.") from None
    return window


def occurrences(window: Window, since: datetime, until: datetime, most: int = _MOST) -> list[Span]:
    """What a window covers that touches the time from `since` to `until`, in order. Times in UTC."""
    found: list[Span] = []
    for span in _from(window, since):
        if span.start >= until or len(found) >= most:
            break
        found.append(span)
    return found


def current(window: Window, now: datetime) -> Span | None:
    """The time that a window covers now. Of two that overlap, the one that lasts longer."""
    spans = [span for span in occurrences(window, now, now + timedelta(microseconds=1)) if span.start <= now < span.end]
    return max(spans, key=lambda span: span.end, default=None)


def following(window: Window, now: datetime, most: int) -> list[Span]:
    """The next times that a window covers, that of this moment first; at most so many."""
    found: list[Span] = []
    for span in _from(window, now):
        found.append(span)
        if len(found) >= most:
            break
    return found


def changes_at(window: Window, now: datetime) -> datetime | None:
    """When what a window says of this moment is over: the end of the time it covers, or the start of the next; None: never."""
    if (span := current(window, now)) is not None:
        return span.end
    return next((span.start for span in _from(window, now) if span.start > now), None)


def last(window: Window) -> Span | None:
    """The last time that a window covers; None when it comes again without end, or more often than anybody reckons with."""
    if window.rule and not _ENDS.search(window.rule):
        return None
    spans = list(islice(_from(window, instant(window.start, window.zone) - _DAY), _MOST + 1))
    return spans[-1] if 0 < len(spans) <= _MOST else None


def _from(window: Window, since: datetime) -> Iterator[Span]:
    """The times that a window covers, from the first that ends after `since`."""
    length = window.end - window.start
    if not window.rule:
        starts: Iterator[datetime] = iter((window.start,))
    else:
        # A day to spare on each side: no zone is further from UTC, and no clock is set by more.
        earliest = since.astimezone(UTC).replace(tzinfo=None) - length - _DAY
        starts = iter(_rule(window).xafter(earliest, inc=True))
    for start in starts:
        span = Span(instant(start, window.zone), instant(start + length, window.zone, is_end=True))
        if span.end > since and span.start < span.end:
            yield span


@lru_cache(maxsize=10_000)
def _rule(window: Window) -> rrule:
    """The rule, which remembers its times: it can only count them from the first one on."""
    made = rrulestr(window.rule, dtstart=window.start, cache=True)
    if not isinstance(made, rrule):
        raise ValueError("more than one rule")
    return made


def instant(local: datetime, zone: str, *, is_end: bool = False) -> datetime:
    """The moment in UTC at which the wall clock of a zone shows this time."""
    place = ZoneInfo(zone)
    early, late = (local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if is_end else early
    # The clock never shows it: the second reading is before the gap, the first behind it.
    before, behind = late, early
    offset = before.astimezone(place).utcoffset()
    while behind - before > timedelta(seconds=1):
        middle = before + (behind - before) / 2
        before, behind = (middle, behind) if middle.astimezone(place).utcoffset() == offset else (before, middle)
    return behind.replace(microsecond=0)
