"""Does a reader of the audit trail touch only the weeks it needs, by index and without sorting?"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from engine.model.views import Paging
from engine.storage import audit
from engine.storage.audit import Wanted
from engine.storage.embedded import Embedded
from engine.storage.partitions import WEEK
from engine.storage.work import Tenant, Work, work
from tests.storage.chains import write_at
from tests.storage.tenants import found
from tests.storage.test_partitions import DAY, FIVE_WEEKS, NOW, keep_up
from tests.testkit.database import SCHEMA, TestDatabase, made_database


@pytest.fixture(scope="module")
def weeks_of_entries(cluster: Embedded) -> Iterator[tuple[TestDatabase, Tenant]]:
    """Sixteen weeks of two organizations' entries, as a busy installation has them."""
    with made_database(cluster, "sixteen_weeks", SCHEMA) as bare:
        yield bare, _sixteen_weeks(bare)


def _sixteen_weeks(bare: TestDatabase) -> Tenant:
    for back in (15, 10, 5, 0):
        keep_up(bare, NOW - back * WEEK)
    mine, other = found(bare.database), found(bare.database)
    times = [NOW - 15 * WEEK + n * timedelta(hours=1) for n in range(int(15 * WEEK / timedelta(hours=1)))]
    write_at(bare.database, mine, times)
    write_at(bare.database, other, times[::4])
    with bare.owner.begin() as db:
        db.execute(text("ANALYZE audit"))
    return mine


@contextmanager
def explained(open_work: Work) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The plans of the statements that run in the block, as PostgreSQL would carry them out now."""
    ran: list[tuple[str, Any]] = []
    db = open_work.session.connection()

    def note(_db: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        ran.append((statement, parameters))

    event.listen(db, "before_cursor_execute", note)
    yield lambda: [db.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()[0]["Plan"] for sql, values in ran[:2]]
    event.remove(db, "before_cursor_execute", note)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """All steps of a plan."""
    return [plan] + [node for part in plan.get("Plans", []) for node in nodes(part)]


def tables(plan: dict[str, Any]) -> set[str]:
    """The partitions that a plan reads."""
    return {node["Relation Name"] for node in nodes(plan) if str(node.get("Relation Name", "")).startswith("audit_")}


def sorts(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps that sort more than an empty partition."""
    return [node for node in nodes(plan) if node["Node Type"] == "Sort" and node["Plan Rows"] > 10]


def test_a_query_with_a_time_reads_only_the_weeks_it_needs(weeks_of_entries: tuple[TestDatabase, Tenant]) -> None:
    database, tenant = weeks_of_entries
    wanted = Wanted(since=NOW - 10 * DAY, until=NOW - 3 * DAY)
    with work(database.database, tenant) as open_work, explained(open_work) as plans:
        page = audit.matching(open_work, wanted, Paging(limit=200))
        for plan in plans():
            assert tables(plan) == {"audit_2025w22", "audit_2025w23"}, json.dumps(plan)
    assert (page.total, len(page.items)) == (7 * 24, 7 * 24)


def test_a_query_since_a_time_skips_every_older_week(weeks_of_entries: tuple[TestDatabase, Tenant]) -> None:
    database, tenant = weeks_of_entries
    with work(database.database, tenant) as open_work, explained(open_work) as plans:
        audit.matching(open_work, Wanted(since=NOW - DAY), Paging())
        for plan in plans():
            assert tables(plan) <= {*FIVE_WEEKS, "audit_default"}


def test_the_newest_entries_are_read_by_index_and_not_by_sorting_all(weeks_of_entries: tuple[TestDatabase, Tenant]) -> None:
    database, tenant = weeks_of_entries
    with work(database.database, tenant) as open_work, explained(open_work) as plans:
        page = audit.matching(open_work, Wanted(), Paging(limit=50))
        (whole,) = plans()
    # The total is counted by the same statement, once and before the rows: in any order, so without sorting.
    counting = [part for part in whole["Plans"] if part["Parent Relationship"] == "InitPlan" and part["Node Type"] == "Aggregate"]
    assert len(counting) == 1
    assert sorts(counting[0]) == []
    reading = whole | {"Plans": [part for part in whole["Plans"] if part not in counting]}
    assert [entry.seq for entry in page.items] == list(range(page.total, page.total - 50, -1))
    full = {"audit_2025w23", "audit_2025w22", "audit_2025w10"}
    read = {node["Relation Name"]: node["Node Type"] for node in nodes(reading) if node.get("Relation Name") in full}
    assert read == dict.fromkeys(full, "Index Scan"), json.dumps(reading)
    assert "Merge Append" in {node["Node Type"] for node in nodes(reading)}, "the weeks are merged, not sorted together"
    assert sorts(reading) == [], json.dumps(reading)


def test_a_page_further_back_is_read_by_index_too(weeks_of_entries: tuple[TestDatabase, Tenant]) -> None:
    database, tenant = weeks_of_entries
    with work(database.database, tenant) as open_work:
        first = audit.matching(open_work, Wanted(), Paging(limit=200))
        with explained(open_work) as plans:
            audit.matching(open_work, Wanted(), Paging(limit=50, cursor=first.next_cursor))
            (reading,) = plans()  # the total came with the cursor
    assert sorts(reading) == [], json.dumps(reading)
