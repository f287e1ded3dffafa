"""Do ids sort by time, and is a time a bound of them?"""

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.ids import floor_id, new_id, time_of

pytestmark = pytest.mark.fast
times = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 the zone is added
millisecond = timedelta(milliseconds=1)


@given(times)
def test_an_id_is_a_uuid_of_version_7(now: datetime) -> None:
    made = new_id(now)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert UUID(str(made)) == made


@given(times, times)
def test_ids_sort_by_time_to_the_microsecond(one: datetime, other: datetime) -> None:
    earlier, later = sorted([one, other])
    if earlier < later:
        assert new_id(earlier) < new_id(later)
        assert str(new_id(earlier)) < str(new_id(later)), "as text too"


@given(times)
def test_the_floor_of_a_time_is_below_its_ids_and_above_those_before(now: datetime) -> None:
    assert floor_id(now) <= new_id(now)
    if now.timestamp() >= 1:
        assert new_id(now - millisecond) < floor_id(now)


@given(times)
def test_the_time_of_an_id_is_its_time_to_the_millisecond(now: datetime) -> None:
    assert timedelta() <= now - time_of(new_id(now)) < millisecond
    assert time_of(floor_id(now)) == time_of(new_id(now))


@given(times)
def test_the_same_moment_in_another_zone_gives_the_same_bound(now: datetime) -> None:
    if now.year < 9999:
        assert floor_id(now.astimezone(timezone(timedelta(hours=5, minutes=45)))) == floor_id(now)


def test_ids_of_the_same_moment_differ() -> None:
    now = datetime(2025, 1, 6, tzinfo=UTC)
    assert len({new_id(now) for _ in range(10_000)}) == 10_000


def test_a_time_before_1970_is_the_least_bound() -> None:
    assert floor_id(datetime(1900, 1, 1, tzinfo=UTC)) == UUID(int=0)


def test_an_id_matches_the_example_of_the_standard() -> None:
    """RFC 9562, appendix A.6: 2022-02-22 19:22:22 UTC is 0x017F22E279B0."""
    now = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    assert str(floor_id(now)).startswith("017f22e2-79b0-")
    assert str(new_id(now)).startswith("017f22e2-79b0-7000-")
