"""Does the list of silences say what is quiet until when, and are they extended and ended there?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from engine.model.vocabulary import Role
from engine.operations import silences
from engine.operations.silences import SilenceView
from engine.storage.database import Database
from state.silences import SilencesState, again
from tests.state.visits import Visit
from tests.testkit.people import Company, found_company

HOUR = timedelta(hours=1)


@pytest.fixture
def company(database: Database) -> Company:
    """An organization of its own: a list is of all silences."""
    return found_company(database, "Silent")


def made(company: Company, comment: str, starts: float = -1, hours: float = 2, rule: str = "", team: UUID | None = None) -> SilenceView:
    """A silence from so many hours from now on."""
    begins = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + starts * HOUR
    times = {"starts": begins.isoformat(), "ends": (begins + hours * HOUR).isoformat(), "rule": rule}
    return silences.create(company.owner, times | {"matchers": [{"name": "job", "value": "x"}], "comment": comment}, team)


def opened(company: Company, role: Role = Role.OPERATOR) -> Visit:
    """The list, open."""
    return Visit(SilencesState, company.people[role], "/silences", "/silences").arrived()


def comments(page: Visit) -> list[str]:
    """The comments of the rows as they stand."""
    return [row.comment for row in page.rows]


def test_each_says_what_is_quiet_why_and_until_when(company: Company) -> None:
    now, later = made(company, "now"), made(company, "later", 5)
    daily = made(company, "daily", -1, 2, "FREQ=DAILY")
    page = opened(company, Role.VIEWER)
    assert (comments(page), page.total, page.loaded, page.over) == (["daily", "later", "now"], "3 silences", True, False)
    assert now.current and later.next and daily.current
    assert [(row.state, row.kind, row.when, row.at, row.again, row.is_once) for row in page.rows] == [
        ("In force", "suggested", "ends", daily.current.ends_at.isoformat(), "every day", False),
        ("To come", "info", "begins", later.next.starts_at.isoformat(), "", True),
        ("In force", "suggested", "ends", now.current.ends_at.isoformat(), "", True),
    ]
    row = page.rows[2]
    assert (row.id, row.href, row.matchers, row.author) == (str(now.id), f"/silences/{now.id}", 'job="x"', company.owner.name)


def test_it_is_searched_by_words_of_the_comment(company: Company) -> None:
    made(company, "upgrade of db"), made(company, "backup")
    page = opened(company)
    page.do("search", "db")
    assert (comments(page), page.total) == (["upgrade of db"], "1 silence")
    page.do("search", "")
    assert page.total == "2 silences"


def test_those_that_are_over_are_shown_apart(company: Company) -> None:
    silences.end(company.owner, made(company, "done").id)
    made(company, "counts")
    page = opened(company)
    assert comments(page) == ["counts"]
    page.do("show", "over")
    (row,) = page.rows
    assert (row.comment, row.state, row.kind, row.when, row.is_over, row.at != "") == ("done", "Over", "", "ended", True, True)
    page.do("show", "now")
    assert comments(page) == ["counts"]


@pytest.mark.parametrize("hours", [1, 24])
def test_one_is_extended_by_hours(company: Company, hours: int) -> None:
    one = made(company, "longer")
    page = opened(company)
    page.do("extend", str(one.id), hours)
    assert one.ends_at and silences.show(company.owner, one.id).ends_at == one.ends_at + hours * HOUR
    assert page.rows[0].at == (one.ends_at + hours * HOUR).isoformat() and page.toasts == []


def test_one_that_comes_again_or_is_over_is_not_extended(company: Company) -> None:
    again_and_again, over = made(company, "again", rule="FREQ=DAILY;COUNT=3"), made(company, "over")
    endless = made(company, "endless", rule="FREQ=DAILY")
    silences.end(company.owner, over.id)
    before = [silences.show(company.owner, each.id) for each in (again_and_again, over, endless)]
    page = opened(company)
    for each in before:
        page.do("extend", str(each.id), 1)
    assert page.toasts == ["This silence comes again and again: change what it says instead.", "This silence is over; make a new one."]
    assert [silences.show(company.owner, each.id) for each in before] == before


def test_one_is_ended(company: Company) -> None:
    one = made(company, "enough")
    page = opened(company)
    page.do("end", str(one.id))
    assert (comments(page), silences.show(company.owner, one.id).over) == ([], True)
    assert page.toasts == ["“enough” is over. What still fires is in its incident now."]
    page.do("end", str(one.id))
    assert page.toasts[1:] == ["This silence is over; make a new one."]


def test_a_team_sees_and_ends_its_own(company: Company) -> None:
    red, blue, every = (
        made(company, name, team=team) for name, team in (("red", company.red.id), ("blue", company.blue.id), ("all", None))
    )
    page = Visit(SilencesState, company.red.people[Role.OPERATOR], "/silences", "/silences").arrived()
    assert comments(page) == ["all", "red"]
    for each in (red, blue, every):
        page.do("end", str(each.id))
    assert [silences.show(company.owner, each.id).over for each in (red, blue, every)] == [True, False, False]
    assert len(page.toasts) == 3 and page.toasts[1] == "There is no such silence."


# a rule of RFC 5545, and what it is in words; what is not short is shown as it is
AGAIN: list[tuple[Any, str]] = [
    ("", ""),
    ("FREQ=DAILY", "every day"),
    ("FREQ=WEEKLY", "every week"),
    ("freq=monthly", "every month"),
    ("FREQ=YEARLY;", "every year"),
    ("FREQ=WEEKLY;BYDAY=MO,TU", "every week on Mo, Tu"),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
    ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3"),
]


@pytest.mark.parametrize(("rule", "words"), AGAIN)
def test_how_it_comes_again_is_said_in_words_where_that_is_short(rule: str, words: str) -> None:
    assert again(rule) == words
