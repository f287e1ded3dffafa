"""When is it quiet, over the days on which clocks are set?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Invalid
from engine.matching.windows import Span, Window, changes_at, current, following, instant, occurrences, require_window

pytestmark = pytest.mark.fast

CHICAGO, BERLIN, LORD_HOWE = "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def local(said: str) -> datetime:
    """A time on a wall clock."""
    return datetime.fromisoformat(said)


def utc(said: str) -> datetime:
    """A moment."""
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


# what the clock shows, where, whether a window ends then, the moment, why
MOMENTS = [
    ("2026-07-01 09:00", BERLIN, False, "2026-07-01 07:00", "summer time"),
    ("2026-03-08 02:30", CHICAGO, False, "2026-03-08 08:00", "it does not exist: the first moment after the gap, 03:00"),
    ("2026-03-08 02:00", CHICAGO, False, "2026-03-08 08:00", "the first moment of the gap is its end"),
    ("2026-03-08 02:30", CHICAGO, True, "2026-03-08 08:00", "an end in the gap too"),
    ("2026-11-01 01:30", CHICAGO, False, "2026-11-01 06:30", "it comes twice: a start is the first"),
    ("2026-11-01 01:30", CHICAGO, True, "2026-11-01 07:30", "and an end the second"),
    ("2026-10-04 02:15", LORD_HOWE, False, "2026-10-03 15:30", "a gap of half an hour"),
    ("2026-04-05 01:45", LORD_HOWE, True, "2026-04-04 15:15", "half an hour that comes twice"),
]


@pytest.mark.parametrize(("shown", "zone", "is_end", "moment", "why"), MOMENTS)
def test_a_time_on_the_wall_is_a_moment(shown: str, zone: str, is_end: bool, moment: str, why: str) -> None:
    assert instant(local(shown), zone, is_end=is_end) == utc(moment), why


# the window of every night, the night, what it covers, why
NIGHTS = [
    ("01:00", "05:00", CHICAGO, "2026-03-08", ("07:00", "10:00"), "three hours long in the night of spring"),
    ("01:00", "05:00", CHICAGO, "2026-11-01", ("06:00", "11:00"), "five hours long in the night of autumn"),
    ("02:15", "02:45", CHICAGO, "2026-03-08", None, "a window that lies in the gap is not"),
    ("01:15", "01:45", CHICAGO, "2026-11-01", ("06:15", "07:45"), "both halves of an hour that comes twice"),
    ("01:00", "05:00", CHICAGO, "2026-07-04", ("06:00", "10:00"), "any other night"),
]


@pytest.mark.parametrize(("start", "end", "zone", "night", "covered", "why"), NIGHTS)
def test_a_window_of_every_night_over_the_nights_of_the_year(
    start: str, end: str, zone: str, night: str, covered: tuple[str, str] | None, why: str
) -> None:
    window = Window(local(f"2026-01-01 {start}"), local(f"2026-01-01 {end}"), zone, "FREQ=DAILY")
    since = utc(f"{night} 00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = occurrences(window, since, since + DAY)
    assert found == ([Span(utc(f"{night} {covered[0]}"), utc(f"{night} {covered[1]}"))] if covered else []), why


def test_hand_over_by_the_wall_clock_is_23_and_25_hours_long() -> None:
    window = Window(local("2026-01-01 09:00"), local("2026-01-02 09:00"), CHICAGO, "FREQ=DAILY")
    lengths = {
        span.start.date().isoformat(): (span.end - span.start) / HOUR for span in occurrences(window, utc("2026-03-01"), utc("2026-11-30"))
    }
    assert (lengths["2026-03-07"], lengths["2026-10-31"], lengths["2026-06-01"]) == (23, 25, 24)


def test_a_window_that_does_not_come_again_is_once() -> None:
    window = Window(local("2026-05-01 22:00"), local("2026-05-02 06:00"), BERLIN)
    span = Span(utc("2026-05-01 20:00"), utc("2026-05-02 04:00"))
    assert current(window, utc("2026-05-02 03:59")) == span
    assert current(window, utc("2026-05-02 04:00")) is None, "its end belongs to it no more"
    assert following(window, utc("2026-04-01"), 5) == [span]
    assert following(window, utc("2026-05-03"), 5) == []
    assert [changes_at(window, utc(said)) for said in ("2026-04-01", "2026-05-02", "2026-06-01")] == [span.start, span.end, None]


def test_the_next_five_are_named_with_that_of_this_moment_first() -> None:
    window = Window(local("2026-01-04 22:00"), local("2026-01-05 02:00"), BERLIN, "FREQ=WEEKLY;BYDAY=SU")
    found = following(window, utc("2026-03-22 21:30"), 5)
    assert [span.start for span in found] == [
        utc(f"{day}:00") for day in ("2026-03-22 21", "2026-03-29 20", "2026-04-05 20", "2026-04-12 20", "2026-04-19 20")
    ]
    assert current(window, utc("2026-03-22 21:30")) == found[0]


def test_a_rule_ends_when_it_says_so() -> None:
    counted = Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=DAILY;COUNT=3")
    until = Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=DAILY;UNTIL=20260103T100000")
    for window in (counted, until):
        assert [span.start.day for span in following(window, utc("2025-01-01"), 9)] == [1, 2, 3]
        assert changes_at(window, utc("2026-01-04")) is None


# the window, the field that is wrong, why
WRONG = [
    (Window(local("2026-01-01 10:00"), local("2026-01-01 10:00")), "ends", "it has no length"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 09:00")), "ends", "it ends before it starts"),
    (Window(local("2026-01-01"), local("2026-03-01"), "UTC", "FREQ=YEARLY"), "ends", "it comes again and is months long"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=SECONDLY"), "rule", "every second"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=DAILY;BYMINUTE=0,1,2"), "rule", "many times an hour"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "every day"), "rule", "no rule"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=DAILY;BYDAY=XX"), "rule", "no day"),
    (Window(local("2026-01-01 10:00"), local("2026-01-01 11:00"), "UTC", "FREQ=DAILY;COUNT=many"), "rule", "no number"),
]


@pytest.mark.parametrize(("window", "field", "why"), WRONG)
def test_a_window_that_is_none_is_refused_at_its_field(window: Window, field: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_window(window)
    assert [fault.field for fault in refused.value.errors] == [field], why


@given(
    zone=st.sampled_from([CHICAGO, BERLIN, LORD_HOWE, "UTC", "Asia/Kolkata", "Africa/Casablanca"]),
    start=st.integers(0, 24 * 60 - 1),
    minutes=st.integers(1, 36 * 60),
    day=st.integers(0, 364),
    offset=st.integers(0, 24 * 60 - 1),
)
def test_a_moment_is_in_the_window_exactly_when_one_of_its_times_covers_it(
    zone: str, start: int, minutes: int, day: int, offset: int
) -> None:
    begins = local("2025-12-25 00:00") + timedelta(minutes=start)
    window = Window(begins, begins + timedelta(minutes=minutes), zone, "FREQ=DAILY")
    now = utc("2026-01-01") + timedelta(days=day, minutes=offset)
    covers = [span for span in occurrences(window, now - 3 * DAY, now + 3 * DAY) if span.start <= now < span.end]
    assert current(window, now) == max(covers, key=lambda span: span.end, default=None)
    changes = changes_at(window, now)
    assert changes is not None and changes > now
    assert (current(window, changes - timedelta(seconds=1)) is None) == (not covers), "until then nothing changes"
