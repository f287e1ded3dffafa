"""Is a unit of work one transaction, told once to whoever looks?"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from engine.errors import Conflict
from engine.model.ids import new_id
from engine.model.people import Team
from engine.operations import teams
from engine.storage.database import Database
from engine.storage.work import CHANNEL, Tenant, Work, work
from tests.storage.tenants import found
from tests.testkit.people import Company

ONE, TWO, RED, BLUE = uuid4(), uuid4(), uuid4(), uuid4()
Heard = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def heard(database: Database) -> Iterator[Heard]:
    """What was told since the test began, in order."""
    with psycopg.connect(database.dsn, autocommit=True) as db:
        db.execute(f"LISTEN {CHANNEL}")

        def read() -> list[dict[str, Any]]:
            db.execute(f"NOTIFY {CHANNEL}, 'the end'")
            told = []
            for notice in db.notifies():
                if notice.payload == "the end":
                    return told
                told.append(json.loads(notice.payload))
            raise AssertionError("unreachable")

        yield read


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization."""
    return found(database)


def add_team(open_work: Work, name: str) -> None:
    """Some row to find again, or not."""
    open_work.session.add(Team(org_id=open_work.org_id, id=new_id(open_work.now), name=name, created_at=open_work.now))


def names(database: Database, tenant: Tenant) -> list[str]:
    """The rows that were kept."""
    with work(database, tenant) as open_work:
        return sorted(open_work.session.execute(select(Team.name)).scalars())


# One transaction


def test_what_is_written_is_kept_together(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        add_team(open_work, "a")
        add_team(open_work, "b")
    assert names(database, tenant) == ["a", "b"]


@pytest.mark.parametrize("error", [Conflict("no"), ZeroDivisionError(), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_any_error_leaves_nothing_behind_and_tells_nobody(database: Database, tenant: Tenant, heard: Heard, error: BaseException) -> None:
    with pytest.raises(type(error)), work(database, tenant) as open_work:
        add_team(open_work, "a")
        open_work.session.flush()
        open_work.touch("people", ONE)
        raise error
    assert names(database, tenant) == []
    assert heard() == []


def test_a_row_that_the_database_refuses_at_the_commit_leaves_nothing_behind(database: Database, tenant: Tenant, heard: Heard) -> None:
    with pytest.raises(Exception, match="duplicate key"), work(database, tenant) as open_work:
        open_work.touch("people", ONE)
        add_team(open_work, "same")
        add_team(open_work, "SAME")
    assert names(database, tenant) == []
    assert heard() == []


def test_a_connection_goes_back_to_the_pool_after_an_error(database: Database, tenant: Tenant) -> None:
    before = database.in_use
    for _ in range(30):
        with pytest.raises(Conflict), work(database, tenant):
            raise Conflict("again")
    assert database.in_use == before


def test_now_is_the_clock_of_the_database_and_stands_still(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        time.sleep(0.01)
        assert open_work.now == open_work.session.execute(text("SELECT now()")).scalar_one()
        assert open_work.now < open_work.session.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert open_work.now.utcoffset() == timedelta()


def test_a_work_can_go_on_as_another_tenant_and_keeps_what_it_wrote(database: Database, tenant: Tenant) -> None:
    other = found(database)
    with work(database, tenant) as open_work:
        add_team(open_work, "mine")
        open_work.become(other)
        assert open_work.session.execute(select(Team.name)).scalars().all() == []
        add_team(open_work, "theirs")
    assert (names(database, tenant), names(database, other)) == (["mine"], ["theirs"])


def test_a_work_without_an_organization_says_so(database: Database) -> None:
    with work(database, Tenant()) as open_work, pytest.raises(AssertionError, match="has no organization"):
        _ = open_work.org_id


# What the commit tells


@dataclass(frozen=True)
class Told:
    """What was touched (kind, id, team), what is told of it, and why."""

    name: str
    touched: list[tuple[str, UUID | None, UUID | None]]
    kinds: str
    ids: list[UUID]
    why: str
    teams: list[UUID] = field(default_factory=list)


MANY = [uuid4() for _ in range(21)]
TOLD = [
    Told("one thing", [("job", ONE, None)], "job", [ONE], "a page refreshes just this row"),
    Told("twice the same", [("job", ONE, None), ("job", ONE, None)], "job", [ONE], "one notice names a thing once"),
    Told("two kinds", [("people", ONE, None), ("job", TWO, None)], "job,people", [ONE, TWO], "one notice for the whole commit"),
    Told("a kind alone", [("audit", None, None)], "audit", [], "no id: read everything of the kind again"),
    Told("as many as fit", [("job", id, None) for id in MANY[:20]], "job", MANY[:20], "twenty ids fit"),
    Told("too many", [("job", id, None) for id in MANY], "job", [], "more than twenty: refresh"),
    Told("too many of two kinds", [(f"k{n % 2}", id, None) for n, id in enumerate(MANY)], "k0,k1", [], "the limit is that of the notice"),
    Told("a thing of a team", [("job", ONE, RED)], "job", [ONE], "only that team's tabs hear it", [RED]),
    Told("things of two teams", [("job", ONE, RED), ("job", TWO, BLUE)], "job", [ONE, TWO], "both teams hear it", sorted([RED, BLUE])),
    Told("audited", [("job", ONE, RED), ("audit", TWO, None)], "audit,job", [ONE, TWO], "who sees the log sees every team", [RED]),
    Told("of a team and of all", [("job", ONE, RED), ("job", TWO, None)], "job", [], "all must hear it, and none of them a foreign id"),
    Told("of too many teams", [("job", ONE, team) for team in MANY], "job", [], "a notice has 8000 bytes: all refresh"),
]


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_a_commit_tells_once_and_only_ids(database: Database, tenant: Tenant, heard: Heard, case: Told) -> None:
    with work(database, tenant) as open_work:
        for kind, id, team_id in case.touched:
            open_work.touch(kind, id, team_id)
    said = {"o": str(tenant.org_id), "k": case.kinds, "i": [str(id) for id in case.ids], "t": [str(team) for team in case.teams]}
    assert heard() == [said], case.why


def test_a_commit_that_touched_nothing_tells_nothing(database: Database, tenant: Tenant, heard: Heard) -> None:
    with work(database, tenant) as open_work:
        add_team(open_work, "silent")
    assert heard() == []


def test_two_commits_of_the_same_thing_are_told_twice(database: Database, tenant: Tenant, heard: Heard) -> None:
    for _ in range(2):
        with work(database, tenant) as open_work:
            open_work.touch("job", ONE)
    assert [notice["i"] for notice in heard()] == [[str(ONE)]] * 2


def test_nothing_is_told_before_the_commit(database: Database, tenant: Tenant, heard: Heard) -> None:
    with work(database, tenant) as open_work:
        open_work.touch("job", ONE)
        open_work.session.flush()
        assert heard() == []
    assert len(heard()) == 1


def test_an_operation_tells_of_its_deed_and_its_audit_entry_at_once_without_content(
    database: Database, acme: Company, heard: Heard
) -> None:
    teams.create(acme.owner, "Payment secrets")
    [notice] = heard()
    assert notice["k"] == "audit,people"
    assert len(notice["i"]) == 2
    assert "Payment" not in json.dumps(notice)
