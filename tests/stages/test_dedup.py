"""Does the same always end the same, and is nothing counted twice?"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.heard import Heard
from engine.model.vocabulary import AlertEntryKind as Kind
from engine.model.vocabulary import Severity
from engine.stages import dedup
from tests.stages.hearing import Life, at, firing, known, life, minutes_of, policy, resolved

pytestmark = pytest.mark.fast

HOUR = 60.0


def summary(found: Life) -> tuple[bool, int, int]:
    """Whether it fires, how often it fired, and how often it was heard of."""
    return found.is_.firing, found.is_.count, found.is_.deliveries


# Counting: firings, and times heard


def test_the_first_hearing_opens_it() -> None:
    found = Life(policy())
    told = found.hear(firing(0, severity="critical"), 1)
    assert (told.kind, told.severity, told.changed_severity, told.went_on) == (Kind.OPENED, Severity.CRITICAL, False, False)
    assert summary(found) == (True, 1, 1)
    assert (minutes_of(found.is_.starts_at), found.is_.ends_at, found.is_.closed_at) == (0, None, None)


def test_a_re_send_raises_only_deliveries_and_when_it_was_last_seen() -> None:
    found = life((firing(0), 0))
    found.written()
    told = found.hear(firing(0), 5)
    assert (told.kind, told.went_on, summary(found)) == (Kind.HEARD, True, (True, 1, 2))
    assert (minutes_of(found.is_.last_seen_at), found.is_.is_changed, found.is_.known) == (5, False, None)


def test_a_new_start_is_a_new_firing_though_it_never_ended() -> None:
    found = life((firing(0), 0))
    told = found.hear(firing(3), 3)
    assert (told.kind, told.went_on, summary(found)) == (Kind.REFIRED, True, (True, 2, 2))
    assert minutes_of(found.is_.starts_at) == 3


def test_a_sender_that_says_no_times_fires_anew_only_after_an_end() -> None:
    found = life((firing(), 0), (firing(), 1), (firing(), 2))
    assert summary(found) == (True, 1, 3)
    found.hear(resolved(), 3)
    assert found.hear(firing(), 4).kind is Kind.REFIRED
    assert summary(found) == (True, 2, 5)
    assert minutes_of(found.is_.starts_at) == 4


def test_the_same_body_within_five_minutes_counts_once() -> None:
    found = life((firing(0), 0))
    told = found.hear(firing(0), 1, repeated=True)
    assert (told.kind, summary(found), minutes_of(found.is_.last_seen_at)) == (Kind.REPEATED, (True, 1, 1), 1)


def test_a_repeated_body_that_tells_something_new_is_still_believed() -> None:
    found = life((firing(), 0), (resolved(), 1))
    assert found.hear(firing(), 2, repeated=True).kind is Kind.REFIRED
    assert found.is_.firing


@pytest.mark.parametrize(
    ("second", "why"),
    [(0.5, "Grafana may say another start for one fingerprint"), (-2, "the other half of a pair saw it before")],
)
def test_two_starts_that_alternate_are_two_firings_and_never_more(second: float, why: str) -> None:
    found = life((firing(0), 1), (firing(second), 1))
    for minute in range(2, 20):
        told = found.hear(firing((0, second)[minute % 2]), minute)
        assert (told.kind, told.went_on) == (Kind.HEARD, True), why
    assert summary(found) == (True, 2, 20)
    assert (minutes_of(found.is_.starts_at), found.is_.flapping) == (max(0, second), False)


def test_only_the_latest_starts_are_remembered_and_very_old_ones_do_not_count_again() -> None:
    found = life(*((firing(minute), minute) for minute in range(40)))
    assert (found.is_.count, len(found.is_.episodes)) == (40, dedup.MOST_EPISODES)
    found.hear(firing(1), 41)
    assert found.is_.count == 40


# Late, and out of order


def test_a_late_delivery_counts_but_does_not_move_the_alert_back() -> None:
    found = life((firing(0), 0), (resolved(0, 10), 10))
    told = found.hear(firing(5), 11)
    assert (told.kind, summary(found)) == (Kind.LATE, (False, 2, 3))
    assert told.said == "it tells of a start before the end at 2026-01-02 12:10:00 UTC"
    assert minutes_of(found.is_.ends_at) == 10


def test_a_late_end_does_not_end_what_started_after_it() -> None:
    found = life((firing(20), 20))
    told = found.hear(resolved(0, 10), 21)
    assert (told.kind, told.went_on, summary(found)) == (Kind.LATE, True, (True, 1, 2))
    assert told.said == "it tells of an end before the start at 2026-01-02 12:20:00 UTC"
    assert found.is_.ends_at is None


def test_an_earlier_start_is_counted_and_the_later_one_stays() -> None:
    found = life((firing(10, severity="critical", title="now"), 10))
    told = found.hear(firing(5, severity="info", title="then"), 11)
    assert (told.kind, summary(found)) == (Kind.LATE, (True, 2, 2))
    assert (minutes_of(found.is_.starts_at), found.is_.severity) == (10, Severity.CRITICAL)
    assert found.is_.known is not None
    assert found.is_.known.heard.title == "now"


def test_an_end_at_the_very_start_ends_it() -> None:
    assert not life((firing(5), 5), (resolved(5, 5), 6)).is_.firing


def test_an_end_that_is_said_to_be_before_its_start_has_no_negative_length() -> None:
    found = life((firing(5), 5), (resolved(5, 3), 6))
    assert (found.is_.firing, minutes_of(found.is_.ends_at)) == (False, 5)


def test_an_end_heard_before_any_start_opens_nothing() -> None:
    found = Life(policy())
    told = found.hear(resolved(0, 5, severity="critical"), 6)
    assert (told.kind, told.said) == (Kind.RESOLVED, "its end was heard before any start, so no incident was opened")
    assert summary(found) == (False, 0, 1)
    assert (found.is_.severity, minutes_of(found.is_.closed_at)) == (Severity.CRITICAL, 6)


def test_the_start_that_follows_its_own_end_counts_and_stays_over() -> None:
    found = life((resolved(0, 5), 6))
    assert found.hear(firing(0), 7).kind is Kind.LATE
    assert (summary(found), minutes_of(found.is_.starts_at), minutes_of(found.is_.ends_at)) == ((False, 1, 2), 0, 5)


def test_a_start_after_an_end_that_was_heard_alone_fires() -> None:
    found = life((resolved(0, 5), 6))
    assert found.hear(firing(8), 8).kind is Kind.REFIRED
    assert summary(found) == (True, 1, 2)


def test_a_second_end_changes_nothing_but_the_later_end_is_kept() -> None:
    found = life((firing(0), 0), (resolved(0, 5), 5))
    assert found.hear(resolved(0, 4), 6).kind is Kind.HEARD
    assert minutes_of(found.is_.ends_at) == 5
    found.hear(resolved(0, 7), 7)
    assert (minutes_of(found.is_.ends_at), minutes_of(found.is_.closed_at)) == (7, 5)


@pytest.mark.parametrize(
    ("ahead", "why"),
    [(0.05, "a clock three seconds ahead, and an alert of one second"), (60.0, "a clock in another zone")],
)
def test_an_end_without_a_time_ends_it_whatever_the_clock_of_the_sender_said_of_its_start(ahead: float, why: str) -> None:
    found = life((firing(ahead), 0))
    assert found.hear(resolved(), 0.02).kind is Kind.RESOLVED, why
    assert not found.is_.firing


# Firing again


def test_within_the_window_it_is_the_same_alert_and_after_it_a_new_one() -> None:
    found = life((firing(0), 0), (resolved(0, 5), 5), refire=1800)
    assert dedup.is_same(found.is_, at(35), found.policy)
    assert not dedup.is_same(found.is_, at(35) + timedelta(seconds=1), found.policy)


def test_what_fires_is_the_same_alert_for_ever() -> None:
    assert dedup.is_same(life((firing(0), 0)).is_, at(99 * HOUR), policy())


def test_an_alert_that_comes_back_fires_again_with_a_count() -> None:
    found = life((firing(0), 0), (resolved(0, 5), 5))
    told = found.hear(firing(10), 10)
    assert (told.kind, told.went_on, summary(found)) == (Kind.REFIRED, False, (True, 2, 3))
    assert (found.is_.ends_at, found.is_.closed_at, found.is_.closed_by) == (None, None, None)
    assert minutes_of(found.is_.ended_at) == 5


def test_when_it_may_fire_no_more_as_the_same_it_is_looked_at() -> None:
    assert minutes_of(life((firing(0), 0), (resolved(0, 5), 5), refire=600).is_.check_at) == 15


# Flapping


def flap(changes: int, every: float = 1, **settings: Any) -> Life:
    """An alert that changed so often, once in `every` minutes; its first opening is no change."""
    found = life((firing(0), 0), **settings)
    for change in range(1, changes + 1):
        found.hear(resolved() if change % 2 else firing(), change * every)
    return found


def test_flapping_begins_with_the_fourth_change_within_the_window_and_is_told_once() -> None:
    found = flap(3)
    assert not found.is_.flapping
    told = found.hear(firing(), 4)
    assert (told.flapping, told.began_to_flap) == (True, True)
    assert told.said == "it flaps: 4 changes within 30 minutes"
    told = found.hear(resolved(), 5)
    assert (told.flapping, told.began_to_flap) == (True, False)


def test_changes_further_apart_than_the_window_are_no_flapping() -> None:
    assert not flap(12, every=11).is_.flapping
    assert flap(12, every=9).is_.flapping


def test_flapping_ends_after_a_quiet_window() -> None:
    found = flap(4)
    assert found.age(33.9) is None
    assert (found.age(34), found.is_.flapping) == ("steady", False)


def test_each_change_begins_the_quiet_window_anew() -> None:
    found = flap(4)
    found.hear(resolved(), 20)
    assert (found.age(40), found.age(50)) == (None, "steady")


@pytest.mark.parametrize(("limit", "window"), [(2, 1800.0), (10, 1800.0), (32, 86_400.0), (33, 86_400.0), (100, 86_400.0)])
def test_flapping_begins_at_the_number_of_changes_that_is_set(limit: int, window: float) -> None:
    found = flap(limit - 1, flap_changes=limit, flap=window)
    assert not found.is_.flapping
    found.hear(resolved() if limit % 2 else firing(), limit)
    assert found.is_.flapping


def test_a_re_send_is_no_change() -> None:
    found = life((firing(0), 0))
    for minute in range(1, 30):
        found.hear(firing(0), minute)
    assert (found.is_.changes, found.is_.flapping) == ([], False)


# Silence


@pytest.mark.parametrize(
    ("settings", "beats", "over", "why"),
    [
        ({"resends": True}, [0, 1, 2], 17, "no less than 15 minutes"),
        ({"resends": True}, [0, 10, 20], 60, "four times its usual interval"),
        ({"resends": True}, [0], None, "one hearing has no interval"),
        ({}, [0, 1, 2], None, "this kind says a thing once, so silence means nothing"),
        ({"stale": 1200.0}, [0], 20, "the setting decides for any kind"),
        ({"stale": 1200.0, "resends": True}, [0, 10, 20], 40, "and before the interval does"),
    ],
)
def test_an_alert_is_stale_only_where_silence_means_something(
    settings: dict[str, Any], beats: list[float], over: float | None, why: str
) -> None:
    found = life(*((firing(0), minute) for minute in beats), **settings)
    if over is None:
        assert found.age(1000 * HOUR) is None, why
        return
    assert found.age(over - 0.1) is None, why
    assert (found.age(over), found.is_.firing, found.is_.closed_by) == ("stale", False, "stale"), why
    assert minutes_of(found.is_.ends_at) == over


def test_a_stale_alert_that_is_heard_of_again_goes_on() -> None:
    found = life((firing(0), 0), stale=1200.0)
    found.age(20)
    told = found.hear(firing(0), 25)
    assert (told.kind, told.went_on, summary(found)) == (Kind.REOPENED, False, (True, 1, 2))


@pytest.mark.parametrize("by", ["stale", "timed_out"])
def test_what_time_closed_goes_on_with_whichever_of_two_starts_is_heard(by: str) -> None:
    found = life((firing(0), 0), (firing(1), 1), (firing(0), 2))
    found.close(20, by)
    assert found.hear(firing(0), 25).kind is Kind.REOPENED, "one of a pair is down, the other still tells of its own start"
    assert (found.is_.firing, found.is_.count) == (True, 2)


def test_the_sender_s_end_after_a_stale_one_is_the_sender_s() -> None:
    found = life((firing(0), 0), stale=1200.0)
    found.age(20)
    assert found.hear(resolved(0, 18), 22).kind is Kind.HEARD
    assert (found.is_.closed_by, minutes_of(found.is_.ends_at)) == ("sender", 18)
    assert found.hear(firing(0), 23).kind is Kind.LATE


def test_an_alert_that_is_re_sent_is_looked_at_when_its_silence_would_be_too_long() -> None:
    found = life((firing(0), 0), resends=True)
    for minute in (1, 2, 3):
        found.written()
        found.hear(firing(0), minute)
    assert found.is_.check_at is not None, "nobody looks at what has no time at which to look"


# What ends by itself


def test_an_alert_ends_when_it_said_it_would() -> None:
    found = life((firing(0, expires_at=at(4)), 0))
    assert (minutes_of(found.is_.check_at), found.age(3.9)) == (4, None)
    assert (found.age(6), found.is_.closed_by, minutes_of(found.is_.ends_at)) == ("timed_out", "timed_out", 4)


def test_each_re_send_puts_the_end_off_and_none_brings_it_nearer() -> None:
    found = life((firing(0, expires_at=at(4)), 0), (firing(0, expires_at=at(6)), 2), (firing(0, expires_at=at(5)), 3))
    assert (found.age(5.9), found.age(6)) == (None, "timed_out")


def test_what_timed_out_goes_on_with_the_next_delivery() -> None:
    found = life((firing(0, expires_at=at(4)), 0))
    found.age(4)
    told = found.hear(firing(0, expires_at=at(14)), 10)
    assert (told.kind, summary(found), minutes_of(found.is_.expires_at)) == (Kind.REOPENED, (True, 1, 2), 14)
    assert minutes_of(found.is_.check_at) == 14


def test_what_expires_is_never_stale() -> None:
    found = life((firing(0, expires_at=at(10 * HOUR)), 0), (firing(0), 1), stale=60.0, resends=True)
    assert found.age(9 * HOUR) is None


# A person's word


def test_what_a_person_closed_stays_closed_while_the_same_start_is_re_sent() -> None:
    found = life((firing(0), 0))
    found.close(5)
    for minute in (6, 7, 8):
        assert found.hear(firing(0), minute).kind is Kind.LATE
    assert (found.is_.firing, found.is_.closed_by, minutes_of(found.is_.ends_at), found.is_.count) == (False, "Ada", 5, 1)


def test_a_new_start_after_a_person_s_close_fires() -> None:
    found = life((firing(0), 0))
    found.close(5)
    assert found.hear(firing(9), 9).kind is Kind.REFIRED
    assert (found.is_.firing, found.is_.closed_by) == (True, None)


def test_the_sender_s_end_does_not_take_a_person_s_close_away() -> None:
    found = life((firing(0), 0))
    found.close(5)
    found.hear(resolved(0, 4), 6)
    assert (found.is_.closed_by, found.is_.firing) == ("Ada", False)


def test_a_person_closes_also_what_says_that_it_starts_in_the_future() -> None:
    found = life((firing(90), 0))
    found.close(5)
    found.hear(firing(90), 6)
    assert not found.is_.firing


# Severity, acknowledgement, and hearings that say nothing new


def test_a_change_of_severity_is_told_with_what_it_was() -> None:
    found = life((firing(0, severity="warning"), 0))
    told = found.hear(firing(0, severity="critical"), 1)
    assert (told.kind, told.changed_severity, told.severity_before, told.severity) == (
        Kind.HEARD,
        True,
        Severity.WARNING,
        Severity.CRITICAL,
    )
    assert (found.is_.severity, found.is_.is_changed) == (Severity.CRITICAL, True)


def test_a_late_hearing_does_not_change_the_severity() -> None:
    found = life((firing(5, severity="critical"), 5))
    assert not found.hear(firing(0, severity="info"), 6).changed_severity
    assert found.is_.severity is Severity.CRITICAL


def test_an_acknowledgement_there_is_one_here_and_the_first_counts() -> None:
    found = life((firing(0), 0))
    found.written()
    found.hear(firing(None, acknowledged_by="Grace"), 3)
    assert (found.is_.acknowledged_by, minutes_of(found.is_.acknowledged_at), found.is_.is_changed) == ("Grace", 3, True)
    found.hear(firing(None, acknowledged_by="Linus"), 4)
    assert found.is_.acknowledged_by == "Grace"


def test_an_acknowledgement_ends_with_what_was_acknowledged() -> None:
    found = life((firing(0), 0), (firing(None, acknowledged_by="Grace"), 1), (resolved(0, 2), 2), (firing(3), 3))
    assert (found.is_.acknowledged_by, found.is_.acknowledged_at) == (None, None)


@pytest.mark.parametrize(("written", "why"), [(True, "in a later batch"), (False, "in the same batch")])
def test_a_bare_hearing_leaves_what_was_told_before(written: bool, why: str) -> None:
    found = life((firing(0, title="Disk of db-1 is full", severity="critical"), 0))
    if written:
        found.written()
    told = found.hear(firing(None, title="event k", bare=True, acknowledged_by="Grace"), 1)
    assert (told.kind, told.changed_severity, found.is_.severity) == (Kind.HEARD, False, Severity.CRITICAL), why
    assert found.is_.known is None or found.is_.known.heard.title == "Disk of db-1 is full", why


def test_a_bare_hearing_that_is_the_first_is_all_there_is_to_tell() -> None:
    found = life((firing(None, title="event k", bare=True), 0), (firing(None, title="Disk full", severity="critical"), 1))
    assert found.is_.known is not None
    assert (found.is_.known.heard.title, found.is_.severity) == ("Disk full", Severity.CRITICAL)


def test_what_is_told_anew_is_written_anew_and_the_same_again_is_not() -> None:
    found = life((firing(0), 0))
    found.written()
    found.hear(firing(0, description="92 %"), 1)
    assert found.is_.known is not None
    assert (found.is_.known.heard.description, found.is_.is_changed) == ("92 %", True)
    found.written()
    found.hear(firing(0, description="92 %"), 2)
    assert (found.is_.known, found.is_.is_changed) == (None, False)


# Whatever the order


SEVERITIES = ("critical", "error", "warning", "info", None)


def fires(start: int) -> Heard:
    """A firing whose words follow from its start."""
    return firing(start, severity=SEVERITIES[start % 5], title=f"since {start}")


def ends(start: int, after: int) -> Heard:
    """The end of what a start began."""
    return resolved(start, start + after, severity=SEVERITIES[start % 5], title=f"since {start}")


START = st.integers(0, 12)
HEARD = st.one_of(st.tuples(st.just(fires), st.tuples(START)), st.tuples(st.just(ends), st.tuples(START, st.integers(0, 12))))
Said = tuple[Callable[..., Heard], tuple[int, ...]]


def end_state(said: list[Said], batches: int = 0) -> dict[str, Any]:
    """What is remembered after all of that; every so many hearings a batch ends."""
    found, title = Life(policy()), ""
    for place, (make, times) in enumerate(said):
        found.hear(make(*times), 20 + place * 0.01)
        title = found.is_.known.heard.title if found.is_.known else title
        if batches and place % batches == batches - 1:
            found.written()
    is_ = found.is_
    assert is_.firing == bool(is_.count and is_.starts_at and (is_.ended_at is None or is_.starts_at > is_.ended_at))
    assert is_.firing == (is_.closed_at is None)
    shown: dict[str, datetime | None] = {"starts": is_.starts_at, "ends": is_.ends_at, "ended": is_.ended_at}
    numbers = {"firing": is_.firing, "severity": is_.severity, "count": is_.count, "title": title}
    return numbers | {name: minutes_of(moment) for name, moment in shown.items()}


@given(st.data(), st.lists(HEARD, min_size=1, max_size=8, unique=True), st.integers(0, 4))
@settings(max_examples=400, deadline=None)
def test_in_any_order_and_however_often_the_same_hearings_end_the_same(data: st.DataObject, said: list[Said], batches: int) -> None:
    more = data.draw(st.lists(st.sampled_from(said), max_size=8))
    shuffled = data.draw(st.permutations(said + more))
    assert end_state(shuffled, batches) == end_state(said)


@given(st.lists(HEARD, min_size=1, max_size=8, unique=True).flatmap(lambda said: st.permutations(said)))
@settings(max_examples=100, deadline=None)
def test_each_delivery_heard_once_is_one_delivery_in_any_order(said: list[Said]) -> None:
    found = Life(policy())
    for make, times in said:
        found.hear(make(*times), 20)
        found.hear(make(*times), 20, repeated=True)
    assert found.is_.deliveries == len(said)
    assert found.is_.count == len({times[0] for make, times in said if make is fires})


@given(st.lists(HEARD, min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_it_fires_exactly_when_the_latest_start_is_later_than_the_latest_end(said: list[Said]) -> None:
    starts = [times[0] for make, times in said if make is fires]
    over = [sum(times) for make, times in said if make is ends]
    expected = bool(starts) and (not over or max(starts) > max(over))
    assert end_state(said)["firing"] is expected


def test_a_hearing_does_not_depend_on_who_else_was_heard() -> None:
    assert known(firing(0)).content == known(firing(5)).content, "the times are no content, so a re-send writes nothing"
