"""Does the calendar show when it is quiet, on the clock of who looks at it?"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.model.vocabulary import Role
from engine.operations import profile, silences
from engine.storage.database import Database
from state.silences import CalendarState, Day
from tests.state.visits import Visit
from tests.testkit.people import Company, found_company

BERLIN = "Europe/Berlin"  # its clocks are set forward on Sunday, 31 March 2126, and back on Sunday, 27 October 2126


@pytest.fixture
def alone(database: Database) -> Company:
    """An organization of its own: a calendar shows all silences."""
    return found_company(database, "Calendar")


def quiet(company: Company, starts: str, ends: str, zone: str = "UTC", rule: str = "", **other: Any) -> str:
    """A silence between two times of 2126, such as 03-10T22:00; its page."""
    said = {"matchers": [{"name": "job", "value": "x"}], "zone": zone, "rule": rule, "comment": other.get("comment", "quiet")}
    made = silences.create(company.owner, said | {"starts": f"2126-{starts}", "ends": f"2126-{ends}"}, other.get("team"))
    return f"/silences/{made.id}"


def opened(company: Company, query: str, zone: str = "", role: Role = Role.VIEWER) -> Visit:
    """The calendar of somebody in a zone, open at an address."""
    if zone:
        profile.change(company.people[role], time_zone=zone)
    return Visit(CalendarState, company.people[role], f"/silences/calendar?{query}", "/silences/calendar").arrived()


def on(page: Visit, day: str) -> Day:
    """A day of the calendar, such as 03-10."""
    (found,) = [each for each in page.days if each.date == f"2126-{day}"]
    return found


def hours(page: Visit) -> dict[str, list[str]]:
    """The hours of the silences by day, of days that have any."""
    return {each.date[5:]: [one.hours for one in each.silences] for each in page.days if each.silences}


def test_a_month_is_shown_in_whole_weeks_from_monday_on(company: Company) -> None:
    page = opened(company, "at=2126-03-15")
    days = [each.date for each in page.days]
    assert (page.title, page.view, page.zone, page.loaded, page.query) == ("March 2126", "month", "UTC", True, "view=month&at=2126-03-15")
    assert (days[0], days[-1], len(days)) == ("2126-02-25", "2126-03-31", 35)
    assert [each.label for each in page.days][:5] == ["Mon 25", "Tue 26", "Wed 27", "Thu 28", "Fri 1"]
    assert [each.is_outside for each in page.days] == [True] * 4 + [False] * 31
    assert not any(each.is_today for each in page.days) and hours(page) == {}


def test_a_week_is_shown_from_monday_on(company: Company) -> None:
    page = opened(company, "view=week&at=2126-03-31")
    assert [each.date for each in page.days] == [f"2126-03-{day}" for day in range(25, 32)]
    assert (page.title, page.view, any(each.is_outside for each in page.days)) == ("25 March to 31 March 2126", "week", False)


def test_a_silence_is_an_entry_with_its_hours_and_its_page(alone: Company) -> None:
    href = quiet(alone, "03-10T08:00", "03-10T09:30", comment="upgrade")
    again = quiet(alone, "03-10T10:00", "03-10T10:15", rule="FREQ=WEEKLY;COUNT=3", comment="weekly")
    page = opened(alone, "at=2126-03-01")
    first, second = on(page, "03-10").silences
    assert (first.href, first.hours, first.words, first.recurs) == (href, "08:00–09:30", "upgrade", False)
    assert (second.href, second.hours, second.words, second.recurs) == (again, "10:00–10:15", "weekly", True)
    assert list(hours(page)) == ["03-10", "03-17", "03-24"]


# from when, until when, what of it is shown on which day
OVER_DAYS = [
    ("03-10T22:00", "03-11T02:00", {"03-10": ["22:00–…"], "03-11": ["…–02:00"]}),
    ("03-10T22:00", "03-12T02:00", {"03-10": ["22:00–…"], "03-11": ["all day"], "03-12": ["…–02:00"]}),
    ("03-10T22:00", "03-11T00:00", {"03-10": ["22:00–24:00"]}),
    ("03-10T00:00", "03-11T00:00", {"03-10": ["00:00–24:00"]}),
    ("03-10T00:00", "03-10T00:01", {"03-10": ["00:00–00:01"]}),
    ("02-27T12:00", "03-02T12:00", {"02-27": ["12:00–…"], "02-28": ["all day"], "03-01": ["all day"], "03-02": ["…–12:00"]}),
]


@pytest.mark.parametrize(("starts", "ends", "shown"), OVER_DAYS)
def test_a_silence_over_midnight_is_on_each_of_its_days(alone: Company, starts: str, ends: str, shown: dict[str, list[str]]) -> None:
    quiet(alone, starts, ends)
    assert hours(opened(alone, "at=2126-03-15")) == shown


# from when, until when, on the clock of which zone; the zone of who looks, what is shown
IN_ZONES = [
    ("03-10T23:00", "03-10T23:30", "UTC", BERLIN, {"03-11": ["00:00–00:30"]}),
    ("03-11T00:00", "03-11T01:00", BERLIN, "UTC", {"03-10": ["23:00–24:00"]}),
    ("03-10T12:00", "03-10T13:00", BERLIN, "Pacific/Kiritimati", {"03-11": ["01:00–02:00"]}),
    ("03-10T12:00", "03-10T13:00", BERLIN, "America/St_Johns", {"03-10": ["08:30–09:30"]}),
]


@pytest.mark.parametrize(("starts", "ends", "zone", "viewers", "shown"), IN_ZONES)
def test_it_is_shown_on_the_clock_of_who_looks(
    alone: Company, starts: str, ends: str, zone: str, viewers: str, shown: dict[str, list[str]]
) -> None:
    quiet(alone, starts, ends, zone)
    page = opened(alone, "at=2126-03-15", viewers)
    assert (hours(page), page.zone) == (shown, viewers)


# the hours of every day in Berlin; the days around a change of its clocks, for who looks from there, and from UTC
CHANGES = [
    ("01:30", "03:30", "03-30", {"03-30": ["01:30–03:30"], "03-31": ["01:30–03:30"]}, {"03-30": ["00:30–02:30"], "03-31": ["00:30–01:30"]}),
    ("02:15", "02:45", "03-30", {"03-30": ["02:15–02:45"]}, {"03-30": ["01:15–01:45"]}),
    ("02:30", "04:00", "03-30", {"03-30": ["02:30–04:00"], "03-31": ["03:00–04:00"]}, {"03-30": ["01:30–03:00"], "03-31": ["01:00–02:00"]}),
    ("02:00", "02:30", "10-26", {"10-26": ["02:00–02:30"], "10-27": ["02:00–02:30"]}, {"10-26": ["00:00–00:30"], "10-27": ["00:00–01:30"]}),
]


@pytest.mark.parametrize(("since", "until", "day", "there", "in_utc"), CHANGES)
def test_a_change_of_clocks_is_told(
    alone: Company, since: str, until: str, day: str, there: dict[str, list[str]], in_utc: dict[str, list[str]]
) -> None:
    quiet(alone, f"{day}T{since}", f"{day}T{until}", BERLIN, "FREQ=DAILY;COUNT=2")
    query = f"view=week&at=2126-{day}"
    assert hours(opened(alone, query, BERLIN)) == there
    assert hours(opened(alone, query, "UTC")) == in_utc


def test_a_day_of_changed_clocks_is_a_whole_day(alone: Company) -> None:
    quiet(alone, "03-30T12:00", "04-01T12:00", BERLIN)
    quiet(alone, "10-26T12:00", "10-28T12:00", BERLIN)
    assert on(opened(alone, "at=2126-03-31", BERLIN), "03-31").silences[0].hours == "all day"
    assert on(opened(alone, "at=2126-10-27", BERLIN), "10-27").silences[0].hours == "all day"


def test_what_does_not_fit_a_day_of_a_month_is_counted_and_shown_in_the_week(alone: Company) -> None:
    for hour in range(10, 15):
        quiet(alone, f"03-10T{hour}:00", f"03-10T{hour}:30", comment=f"at {hour}")
    day = on(opened(alone, "at=2126-03-10"), "03-10")
    assert ([each.words for each in day.silences], day.more) == (["at 10", "at 11", "at 12"], 2)
    day = on(opened(alone, "view=week&at=2126-03-10"), "03-10")
    assert ([each.words for each in day.silences], day.more) == ([f"at {hour}" for hour in range(10, 15)], 0)


def today(zone: str = "UTC") -> date:
    """The day it is in a zone."""
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date()


NONSENSE = ["x", "2126-13-45", "2126", "9999-12-31", "0001-01-01", "%00", "", "-1", "9" * 3000, "2126-03-10T00:00:00"]


@pytest.mark.parametrize("at", NONSENSE)
@pytest.mark.parametrize("view", ["month", "week"])
def test_nonsense_in_the_address_shows_today(company: Company, view: str, at: str) -> None:
    page = opened(company, f"view={view}&at={at}")
    assert (page.loaded, page.toasts, page.view) == (True, [], view)
    assert [each.date for each in page.days if each.is_today] == [today().isoformat()]


def test_an_unknown_view_is_a_month(company: Company) -> None:
    page = opened(company, "view=year&at=2126-03-10")
    assert (page.view, page.title) == ("month", "March 2126")
    page.do("look", "decade")
    assert page.view == "month"


def test_today_is_that_of_who_looks(alone: Company) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert [each.date for each in opened(alone, "", zone).days if each.is_today] == [today(zone).isoformat()]


# the view, where it begins, where it is after turning by that
TURNS = [
    ("month", "2126-01-31", 1, "2126-02-01"),
    ("month", "2126-12-31", 1, "2127-01-01"),
    ("month", "2126-03-31", -1, "2126-02-01"),
    ("month", "2126-01-01", -1, "2125-12-01"),
    ("week", "2126-03-31", 1, "2126-04-07"),
    ("week", "2126-01-01", -1, "2125-12-25"),
    ("week", "2126-01-01", 10**9, "2126-01-08"),
]


@pytest.mark.parametrize(("view", "at", "by", "then"), TURNS)
def test_it_is_turned_to_the_one_before_and_the_next(company: Company, view: str, at: str, by: int, then: str) -> None:
    page = opened(company, f"view={view}&at={at}")
    page.do("turn", by)
    assert page.query == f"view={view}&at={then}"
    assert then in [each.date for each in page.days]


@pytest.mark.parametrize(("at", "by"), [("2999-12-31", 1), ("1970-01-01", -1)])
@pytest.mark.parametrize("view", ["month", "week"])
def test_it_is_not_turned_past_what_a_calendar_shows(company: Company, view: str, at: str, by: int) -> None:
    page = opened(company, f"view={view}&at={at}")
    for _ in range(2):
        page.do("turn", by)
    assert page.days and page.toasts == []


def test_it_comes_back_to_today_and_is_looked_at_otherwise(company: Company) -> None:
    page = opened(company, "view=week&at=2126-03-10")
    page.do("look", "month")
    assert (page.title, page.query) == ("March 2126", "view=month&at=2126-03-10")
    page.do("turn", 0)
    assert page.query == f"view=month&at={today().isoformat()}" and page.title == f"{today():%B %Y}"


def test_it_shows_the_silences_of_what_one_sees(alone: Company, beta: Company) -> None:
    quiet(alone, "03-10T10:00", "03-10T11:00", comment="of blue", team=alone.blue.id)
    assert hours(opened(alone, "at=2126-03-10", role=Role.OWNER)) == {"03-10": ["10:00–11:00"]}
    assert hours(opened(alone, "at=2126-03-10", role=Role.VIEWER)) == {}
    assert hours(opened(beta, "at=2126-03-10", role=Role.OWNER)) == {}


def test_of_a_silence_that_was_ended_what_was_quiet_is_shown(alone: Company) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    times = {"starts": (now - timedelta(minutes=2)).isoformat(), "ends": (now + timedelta(days=2)).isoformat()}
    made = silences.create(alone.owner, times | {"matchers": [{"name": "job", "value": "x"}], "comment": "short"})
    silences.end(alone.owner, made.id)
    shown = [each for each in opened(alone, "view=week").days if each.silences]
    assert shown and all(date.fromisoformat(each.date) <= today() for each in shown)
