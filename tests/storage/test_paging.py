"""Does a list show every row once, while rows come and go?"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import func, select, text

from engine.errors import Invalid
from engine.model.ids import new_id
from engine.model.jobs import Job
from engine.model.people import Team
from engine.model.views import CAP, Page, Paging
from engine.operations import teams
from engine.storage.database import Database
from engine.storage.paging import Order, read
from engine.storage.work import Tenant, Work, work
from tests.storage.tenants import found
from tests.testkit.people import Company

BY_NAME = Order((func.lower(Team.name), Team.id))
NEWEST_FIRST = Order((Team.created_at, Team.id), descending=True)
START = datetime(2025, 1, 6, tzinfo=UTC)


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization."""
    return found(database)


def add(open_work: Work, *names: str, at: datetime | None = None) -> None:
    """Teams, each a minute after the one before it."""
    at = at or START
    for n, name in enumerate(names):
        time = at + n * timedelta(minutes=1)
        open_work.session.add(Team(org_id=open_work.org_id, id=new_id(time), name=name, created_at=time))
    open_work.session.flush()


def part(open_work: Work, order: Order, **which: Any) -> tuple[list[str], Page[Any]]:
    """The names of one part, and the page."""
    rows, page = read(open_work.session, select(Team), order, Paging(**which))
    return [row[0].name for row in rows], page


def walk(open_work: Work, order: Order, limit: int) -> list[str]:
    """All names, by cursor."""
    seen, page = part(open_work, order, limit=limit)
    while page.next_cursor:
        more, page = part(open_work, order, limit=limit, cursor=page.next_cursor)
        seen += more
    return seen


# By cursor


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
@pytest.mark.parametrize("order", [BY_NAME, NEWEST_FIRST], ids=["by name", "newest first"])
def test_a_cursor_walks_every_row_once_in_order(database: Database, tenant: Tenant, order: Order, limit: int) -> None:
    names = ["b", "A", "c", "ä", "Z", "10", "9"]
    with work(database, tenant) as open_work:
        add(open_work, *names)
        everything = walk(open_work, order, 200)
        assert sorted(everything) == sorted(names)
        assert walk(open_work, order, limit) == everything


def test_rows_that_arrive_meanwhile_neither_repeat_nor_hide_others(database: Database, tenant: Tenant) -> None:
    old = [f"old {n}" for n in range(10)]
    with work(database, tenant) as open_work:
        add(open_work, *old)
        seen, page = part(open_work, NEWEST_FIRST, limit=3)
        while page.next_cursor:
            add(open_work, f"new {len(seen)}", at=START + timedelta(days=len(seen)))
            more, page = part(open_work, NEWEST_FIRST, limit=3, cursor=page.next_cursor)
            seen += more
    assert seen == old[::-1]


def test_a_row_that_is_deleted_does_not_break_the_walk(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        add(open_work, "a", "b", "c", "d")
        _, page = part(open_work, BY_NAME, limit=2)
        open_work.session.execute(text("DELETE FROM team WHERE name IN ('b', 'c')"))
        assert part(open_work, BY_NAME, limit=2, cursor=page.next_cursor)[0] == ["d"]


def test_rows_with_the_same_time_are_told_apart_by_their_id(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        for n in range(9):
            open_work.session.add(Team(org_id=open_work.org_id, id=uuid4(), name=f"{n}", created_at=START))
        assert sorted(walk(open_work, NEWEST_FIRST, 2)) == [f"{n}" for n in range(9)]


@pytest.mark.parametrize(("rows", "limit", "more"), [(0, 5, False), (4, 5, False), (5, 5, False), (6, 5, True)])
def test_there_is_a_next_cursor_exactly_when_there_is_more(database: Database, tenant: Tenant, rows: int, limit: int, more: bool) -> None:
    with work(database, tenant) as open_work:
        add(open_work, *(f"{n}" for n in range(rows)))
        names, page = part(open_work, BY_NAME, limit=limit)
    assert (len(names), page.next_cursor is not None, page.total) == (min(rows, limit), more, rows)


# By page


def test_pages_are_numbered_from_one_and_end_empty(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        add(open_work, *"abcde")
        pages = [part(open_work, BY_NAME, page=n, page_size=2)[0] for n in (1, 2, 3, 4)]
        assert pages == [["a", "b"], ["c", "d"], ["e"], []]
        assert part(open_work, BY_NAME, page=4, page_size=2)[1].total == 5


@pytest.mark.parametrize("paging", [{"limit": 0}, {"limit": 201}, {"page": 0}, {"page_size": 201}, {"cursor": "x" * 501}, {"offset": 5}])
def test_what_asks_for_too_much_is_refused_before_the_database(paging: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Paging(**paging)


def test_the_total_counts_no_further_than_its_cap(database: Database, tenant: Tenant) -> None:
    insert = text(
        "INSERT INTO job SELECT :org, gen_random_uuid(), null, 'x', null, '{}', 'waiting', now(), 0, 0, '', null, '', '', now(), "
        "null, null, null, 0, false FROM generate_series(1, :rows)"
    )
    newest = Order((Job.id,), descending=True)
    with work(database, tenant) as open_work:
        open_work.session.execute(insert, {"org": tenant.org_id, "rows": CAP})
        _, page = read(open_work.session, select(Job), newest, Paging())
        assert (page.total, page.total_is_capped) == (CAP, False)
        open_work.session.execute(insert, {"org": tenant.org_id, "rows": 1})
        _, page = read(open_work.session, select(Job), newest, Paging())
        assert (page.total, page.total_is_capped) == (CAP, True)
        open_work.session.rollback()


# Cursors that are not ours


@dataclass(frozen=True)
class Foreign:
    """A cursor, and why it is not one of this list."""

    cursor: str
    why: str


def encoded(said: Any) -> str:
    """A cursor with these values."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


ID, TIME = str(UUID(int=1)), START.isoformat()
FOREIGN = [
    Foreign("not base64 at all!", "other signs"),
    Foreign("ÄÖÜ", "letters outside ASCII"),
    Foreign("AAAA", "base64 of something else"),
    Foreign(encoded([]), "no values"),
    Foreign(encoded(["a", 7]), "one too few"),
    Foreign(encoded(["a", {"u": ID}, 1, 7]), "one too many"),
    Foreign(encoded([{"u": ID}, "a", 7]), "the wrong kinds"),
    Foreign(encoded([{"t": TIME}, {"u": ID}, 7]), "of a list with another order"),
    Foreign(encoded(["a", {"u": "x"}, 7]), "an id that is none"),
    Foreign(encoded(["a", {"u": None}, 7]), "an id that is null"),
    Foreign(encoded(["a", {"t": 5}, 7]), "a time that is a number"),
    Foreign(encoded(["a", {}, 7]), "nothing in it"),
    Foreign(encoded([None, {"u": ID}, 7]), "a null"),
    Foreign(encoded({"a": 1, "b": 2}), "an object"),
    Foreign(encoded(5), "a number"),
    Foreign(encoded(None), "null"),
    Foreign(encoded(["a\x00", {"u": ID}, 7]), "PostgreSQL knows no NUL"),
    Foreign(encoded(["\ud800", {"u": ID}, 7]), "half a character"),
    Foreign(encoded(["a", {"u": ID}]), "without the total"),
    Foreign(encoded(["a", {"u": ID}, -1]), "a total below nothing"),
    Foreign(encoded(["a", {"u": ID}, 10_002]), "a total that nobody counts to"),
]


@pytest.mark.parametrize("case", FOREIGN, ids=lambda case: case.why)
def test_a_foreign_cursor_is_named_as_the_fault(database: Database, tenant: Tenant, case: Foreign) -> None:
    with pytest.raises(Invalid) as caught, work(database, tenant) as open_work:
        part(open_work, BY_NAME, cursor=case.cursor)
    assert [error.field for error in caught.value.errors] == ["cursor"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
likely = st.lists(values | st.fixed_dictionaries({"u": st.uuids().map(str)}) | st.fixed_dictionaries({"t": st.datetimes().map(str)}))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(encoded([{"t": "0001-01-01T00:00:00+14:00"}, {"u": ID}]))
@example(encoded([{"t": "9999-12-31T23:59:59-14:00"}, {"u": ID}]))
@example(encoded([{"t": "2025-01-01"}, {"u": ID}]))
@example("[" * 400)
@given(st.text(max_size=500) | likely.map(encoded).filter(lambda cursor: len(cursor) <= 500))
def test_a_garbled_cursor_is_an_answer_or_invalid_and_never_anything_else(database: Database, tenant: Tenant, cursor: str) -> None:
    for order in (BY_NAME, NEWEST_FIRST):
        try:
            with work(database, tenant) as open_work:
                assert part(open_work, order, cursor=cursor)[0] == []
        except Invalid as error:
            assert error.errors[0].field == "cursor"


def test_a_cursor_of_another_organization_opens_nothing(acme: Company, beta: Company) -> None:
    cursor = teams.all(acme.owner, Paging(limit=1)).next_cursor
    assert {team.name for team in teams.all(beta.owner, Paging(cursor=cursor)).items} <= {beta.red.name, beta.blue.name}
