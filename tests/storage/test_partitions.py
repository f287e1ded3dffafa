"""Do tables that grow stay flat, without losing what must be kept?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from engine.model.audit import AuditVerdict
from engine.model.views import Paging
from engine.storage import audit, partitions
from engine.storage.audit import Wanted
from engine.storage.embedded import Embedded
from engine.storage.partitions import WEEK, Upkeep
from engine.storage.work import Tenant, work
from tests.storage.chains import write_at
from tests.storage.tenants import found
from tests.testkit.database import SCHEMA, TestDatabase, made_database

NOW = datetime(2025, 6, 11, 9, 30, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)
LONG = timedelta(days=400)
FIVE_WEEKS = tuple(f"audit_2025w{week}" for week in range(24, 29))


@pytest.fixture
def bare(cluster: Embedded) -> Iterator[TestDatabase]:
    """A database with the schema and no weeks yet."""
    with made_database(cluster, f"bare_{uuid4().hex[:12]}", SCHEMA) as made:
        yield made


def keep_up(database: TestDatabase, now: datetime, keep: timedelta = LONG) -> Upkeep:
    """One round of the duty."""
    return partitions.keep_up(database.owner, {"audit": keep}, now)


def weeks(database: TestDatabase) -> list[str]:
    """The weeks that exist."""
    with database.owner.connect() as db:
        names = db.execute(text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass ORDER BY 1"))
        return [name for name in names.scalars() if name != "audit_default"]


def counts(database: TestDatabase) -> dict[str, int]:
    """How many rows lie in which partition."""
    with database.owner.connect() as db:
        rows = db.execute(text("SELECT tableoid::regclass::text AS name, count(*) AS rows FROM audit GROUP BY 1"))
        return {row.name: row.rows for row in rows}


def verdict(database: TestDatabase, tenant: Tenant) -> AuditVerdict:
    """What the verifier says of a chain."""
    with work(database.database, tenant) as open_work:
        return audit.verify(open_work, lambda done, note: None)


# Making weeks


def test_this_week_and_the_four_after_it_are_made(bare: TestDatabase) -> None:
    assert keep_up(bare, NOW) == Upkeep(FIVE_WEEKS, (), 0)
    assert weeks(bare) == list(FIVE_WEEKS)


CALENDAR = [
    (datetime(2025, 6, 9, tzinfo=UTC), "audit_2025w24", "a week begins on Monday at midnight"),
    (datetime(2025, 6, 8, 23, 59, 59, 999999, tzinfo=UTC), "audit_2025w23", "and ends with Sunday's last microsecond"),
    (datetime(2026, 12, 31, tzinfo=UTC), "audit_2026w53", "a year may have 53 weeks"),
    (datetime(2027, 1, 3, tzinfo=UTC), "audit_2026w53", "the first days of a year may belong to the old one"),
    (datetime(2024, 12, 30, tzinfo=UTC), "audit_2025w01", "the last days of a year may belong to the new one"),
]


def test_an_entry_lies_in_its_week_of_the_calendar(bare: TestDatabase) -> None:
    tenant = found(bare.database)
    for now, week, why in CALENDAR:
        keep_up(bare, now)
        before = counts(bare).get(week, 0)
        write_at(bare.database, tenant, [now])
        assert counts(bare).get(week, 0) == before + 1, why


def test_a_second_round_changes_nothing(bare: TestDatabase) -> None:
    keep_up(bare, NOW)
    assert keep_up(bare, NOW) == Upkeep((), (), 0)


def test_the_next_week_makes_one_more(bare: TestDatabase) -> None:
    keep_up(bare, NOW)
    assert keep_up(bare, NOW + WEEK).made == ("audit_2025w29",)


def test_two_rounds_at_the_same_moment_do_not_disturb_each_other(bare: TestDatabase) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: keep_up(bare, NOW), range(2)))
    assert sorted(done[0].made + done[1].made) == list(FIVE_WEEKS)


def test_a_week_is_guarded_like_its_table(bare: TestDatabase) -> None:
    keep_up(bare, NOW)
    unguarded = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND NOT (relrowsecurity AND relforcerowsecurity)"
    with bare.owner.connect() as db:
        assert db.execute(text(unguarded)).scalars().all() == []


# Rows that came before their week


def test_strays_move_into_their_week_when_it_is_made(bare: TestDatabase) -> None:
    tenant = found(bare.database)
    write_at(bare.database, tenant, [NOW, NOW + DAY, NOW + WEEK, NOW + 10 * WEEK])
    assert counts(bare) == {"audit_default": 4}
    assert keep_up(bare, NOW).strays == 3
    assert counts(bare) == {"audit_2025w24": 2, "audit_2025w25": 1, "audit_default": 1}
    assert verdict(bare, tenant).intact


def test_after_strays_were_moved_the_log_is_still_append_only_and_guarded(bare: TestDatabase) -> None:
    tenant = found(bare.database)
    write_at(bare.database, tenant, [NOW, NOW + 10 * WEEK])
    keep_up(bare, NOW)
    with bare.owner.connect() as db:
        for table in ("audit_default", "audit_2025w24"):
            triggers = db.execute(text("SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:t AS regclass)"), {"t": table}).scalars()
            assert list(triggers) == ["append_only"], table
        db.execute(text("SELECT set_config('app.org', :org, true)"), {"org": str(tenant.org_id)})
        with pytest.raises(Exception, match="append-only"):
            db.execute(text("DELETE FROM audit"))
    with work(bare.database, found(bare.database)) as other:
        assert audit.matching(other, Wanted(), Paging()).items == ()


def test_entries_can_be_written_while_weeks_are_made(bare: TestDatabase) -> None:
    tenant = found(bare.database)
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [write_at(bare.database, tenant, [NOW + n * DAY]) for n in range(30)])
        with suppress(OperationalError):  # who writes for long is not waited for: the duty comes again
            keep_up(bare, NOW)
        writing.result()
    keep_up(bare, NOW)
    assert sum(counts(bare).values()) == 30
    assert verdict(bare, tenant).intact


# Dropping weeks


@dataclass(frozen=True)
class Drop:
    """A retention, the weeks it drops on NOW of those from six weeks before, and why."""

    keep: timedelta
    dropped: int
    why: str


DROPS = [
    Drop(timedelta(days=60), 0, "nothing is that old"),
    Drop(timedelta(days=38), 0, "the oldest week is only partly past it"),
    Drop(timedelta(days=37, hours=9, minutes=31), 0, "its last minute is still to be kept"),
    Drop(timedelta(days=37, hours=9, minutes=30), 1, "to the moment: wholly past it"),
    Drop(timedelta(days=30), 2, "two weeks and some days more"),
    Drop(timedelta(days=2), 6, "this week is never dropped while it runs"),
]


def test_only_weeks_wholly_past_the_retention_are_dropped(bare: TestDatabase) -> None:
    keep_up(bare, NOW - 6 * WEEK)
    keep_up(bare, NOW - 2 * WEEK)
    before = weeks(bare)
    for case in DROPS:
        keep_up(bare, NOW, case.keep)
        assert weeks(bare) == before[case.dropped :] + list(FIVE_WEEKS[-2:]), case.why


def test_a_chain_whose_beginning_was_dropped_is_verified_from_its_anchor(bare: TestDatabase) -> None:
    keep_up(bare, NOW - 6 * WEEK)
    old, young = found(bare.database), found(bare.database)
    write_at(bare.database, old, [NOW - 6 * WEEK + n * DAY for n in range(42)])
    write_at(bare.database, young, [NOW - DAY, NOW])
    keep_up(bare, NOW)
    assert verdict(bare, old) == AuditVerdict(True, 42, None, None, "")
    dropped = keep_up(bare, NOW, timedelta(days=21)).dropped
    assert len(dropped) == 3
    with bare.owner.connect() as db:
        anchored = db.execute(text("SELECT DISTINCT org_id FROM audit_anchor")).scalars().all()
    assert anchored == [old.org_id], "who lost nothing needs no anchor"
    assert verdict(bare, old) == AuditVerdict(True, 23, None, None, "")
    assert verdict(bare, young).checked == 2


def test_a_chain_goes_on_after_each_drop(bare: TestDatabase) -> None:
    tenant = found(bare.database)
    for week in range(8):
        now = NOW + week * WEEK
        keep_up(bare, now, 2 * WEEK)
        write_at(bare.database, tenant, [now, now + timedelta(hours=1)])
        assert verdict(bare, tenant).intact, week
    assert verdict(bare, tenant).checked == 6, "this week and two before it"


def test_a_chain_of_which_nothing_is_left_is_still_bound_to_its_anchor(bare: TestDatabase) -> None:
    keep_up(bare, NOW)
    tenant = found(bare.database)
    write_at(bare.database, tenant, [NOW, NOW])
    keep_up(bare, NOW + 52 * WEEK, DAY)
    assert verdict(bare, tenant) == AuditVerdict(True, 0, None, None, "")
    write_at(bare.database, tenant, [NOW + 52 * WEEK])
    assert verdict(bare, tenant) == AuditVerdict(True, 1, None, None, "")


def test_a_kept_part_that_does_not_follow_its_anchor_is_found(bare: TestDatabase) -> None:
    keep_up(bare, NOW - 2 * WEEK)
    tenant = found(bare.database)
    entries = write_at(bare.database, tenant, [NOW - 2 * WEEK, NOW - 2 * WEEK, NOW, NOW])
    keep_up(bare, NOW, WEEK)
    with bare.owner.begin() as db:
        db.execute(text("UPDATE audit_anchor SET hash = :hash"), {"hash": b"\1" * 32})
    found_fault = verdict(bare, tenant)
    assert (found_fault.intact, found_fault.bad_seq, found_fault.bad_id) == (False, 3, entries[2].id)
