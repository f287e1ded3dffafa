"""Is a lane that has work ever forgotten, or in two hands?"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from engine.errors import LostLease
from engine.storage import lanes, rows
from engine.storage.database import Database
from engine.storage.lanes import CHECK, INBOX, Held
from engine.storage.work import Tenant, Work, work
from tests.storage.tenants import found
from tests.testkit.database import TestDatabase

NEXT = "SELECT now() FROM pending WHERE org_id = :org LIMIT 1"


@pytest.fixture
def database(own_database: TestDatabase) -> Database:
    """A database in which no other test leaves work."""
    return own_database.database


@pytest.fixture
def tenant(database: Database) -> Iterator[Tenant]:
    """A fresh organization. What it has to do is no delivery, so nothing of it is left for the next test."""
    made = found(database)
    yield made
    with work(database, made) as open_work:
        open_work.session.execute(text("DELETE FROM pending WHERE org_id = :o"), {"o": made.org_id})
        open_work.session.execute(text("UPDATE lane SET due_at = NULL, lease_until = NULL WHERE org_id = :o"), {"o": made.org_id})


def wake(database: Database, tenant: Tenant) -> bool:
    """Say that there is work. Returns whether the lane was at rest."""
    with work(database, tenant) as open_work:
        return write(open_work)


def write(open_work: Work) -> bool:
    """Leave something to do, as the inbox does."""
    db = rows.connection(open_work)
    db.execute("INSERT INTO pending (org_id, id, alerts, bytes) VALUES (%s, %s, 1, 1)", (open_work.org_id, uuid4()))
    return bool(lanes.wake(db, open_work.org_id, INBOX).rowcount)


def hold(database: Database, tenant: Tenant, owner: str = "one") -> Held | None:
    """Take the lane."""
    with work(database, tenant) as open_work:
        return lanes.hold(open_work, INBOX, owner)


def held(database: Database, tenant: Tenant, owner: str = "one") -> Held:
    """Take the lane, which is there to be taken."""
    taken = hold(database, tenant, owner)
    assert taken is not None
    return taken


def rest(database: Database, tenant: Tenant, taken: Held) -> None:
    """Give the lane back."""
    with work(database, tenant) as open_work:
        lanes.rest(open_work, taken, NEXT)


def do_all(database: Database, tenant: Tenant, taken: Held) -> int:
    """Do what is there to do."""
    with work(database, tenant) as open_work:
        lanes.enter(open_work, taken)
        return rows.run(open_work, "DELETE FROM pending WHERE org_id = %(org)s", {"org": tenant.org_id})


def lapse(database: Database, tenant: Tenant) -> None:
    """The worker vanished a while ago."""
    with work(database, tenant) as open_work:
        open_work.session.execute(text("UPDATE lane SET lease_until = now() - interval '1 second' WHERE org_id = :o"), {"o": tenant.org_id})


def lane(database: Database, tenant: Tenant, kind: str = INBOX) -> Any:
    """The row of the lane."""
    with work(database, tenant) as open_work:
        return open_work.session.execute(text("SELECT * FROM lane WHERE org_id = :o AND kind = :k"), {"o": tenant.org_id, "k": kind}).one()


def due(database: Database) -> list[UUID]:
    """Organizations that a worker would look at, which is in none of them."""
    with work(database, Tenant()) as open_work:
        return lanes.due(open_work, INBOX)


# Waking and resting


def test_a_new_organization_has_its_lanes_at_rest(database: Database, tenant: Tenant) -> None:
    assert (lane(database, tenant).due_at, lane(database, tenant, CHECK).due_at) == (None, None)
    assert tenant.org_id not in due(database)
    assert hold(database, tenant) is None


def test_who_writes_work_wakes_the_lane_with_its_transaction(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        assert write(open_work)
        assert tenant.org_id not in due(database)
    assert tenant.org_id in due(database)
    assert not wake(database, tenant), "who comes after finds it awake"


def test_work_of_a_transaction_that_fails_wakes_nobody(database: Database, tenant: Tenant) -> None:
    with pytest.raises(RuntimeError), work(database, tenant) as open_work:
        write(open_work)
        raise RuntimeError("after all not")
    assert tenant.org_id not in due(database)


def test_a_lane_without_work_rests_and_with_work_stays_due(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    taken = held(database, tenant)
    rest(database, tenant, taken)
    assert tenant.org_id in due(database), "it was only given back"
    taken = held(database, tenant)
    do_all(database, tenant, taken)
    rest(database, tenant, taken)
    assert (lane(database, tenant).due_at, lane(database, tenant).lease_owner, tenant.org_id in due(database)) == (None, None, False)


def test_the_longest_waiting_organization_is_first(database: Database) -> None:
    tenants = [found(database) for _ in range(3)]
    for minutes, each in zip((1, 3, 2), tenants, strict=True):
        wake(database, each)
        with work(database, each) as open_work:
            moved = "UPDATE lane SET due_at = now() - make_interval(hours => 99, mins => :m) WHERE org_id = :o AND kind = 'inbox'"
            open_work.session.execute(text(moved), {"m": minutes, "o": each.org_id})
    assert due(database)[:3] == [tenants[1].org_id, tenants[2].org_id, tenants[0].org_id]
    for each in tenants:
        do_all(database, each, taken := held(database, each))
        rest(database, each, taken)


# A woken lane is never lost


def test_while_a_writer_is_half_way_the_lane_is_not_put_to_rest(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    taken = held(database, tenant)
    do_all(database, tenant, taken)
    with work(database, tenant) as writing:
        write(writing)
        rest(database, tenant, taken)
    assert lane(database, tenant).lease_owner is None
    assert tenant.org_id in due(database)
    assert do_all(database, tenant, held(database, tenant)) == 1


def test_a_writer_that_comes_while_the_lane_is_put_to_rest_wakes_it_after(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    taken = held(database, tenant)
    do_all(database, tenant, taken)
    with ThreadPoolExecutor(1) as pool:
        with work(database, tenant) as resting:
            lanes.rest(resting, taken, NEXT)
            writing = pool.submit(wake, database, tenant)
            wait_for_a_lock(database)
        assert writing.result(timeout=30) is True, "it saw the rest and ended it"
    assert tenant.org_id in due(database)


def test_writers_never_wait_for_each_other_or_for_a_worker_in_a_batch(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    taken = held(database, tenant)
    with work(database, tenant) as batch:
        lanes.enter(batch, taken)
        with work(database, tenant) as first:
            write(first)
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(wake, database, tenant).result(timeout=30) is False


def wait_for_a_lock(database: Database) -> None:
    """Until some connection waits for another one."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    for _ in range(300):
        with database.engine.connect() as db:
            if db.execute(waiting).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_no_work_is_forgotten_while_many_write_and_workers_come_and_go(database: Database, tenant: Tenant) -> None:
    done: list[int] = []
    ended = threading.Event()

    def worker(owner: str) -> None:
        while not ended.is_set() or tenant.org_id in due(database):
            if tenant.org_id in due(database) and (taken := hold(database, tenant, owner)) is not None:
                done.append(do_all(database, tenant, taken))
                rest(database, tenant, taken)

    with ThreadPoolExecutor(6) as pool:
        workers = [pool.submit(worker, name) for name in ("one", "two")]
        list(pool.map(lambda _: wake(database, tenant), range(200)))
        ended.set()
        for each in workers:
            each.result(timeout=30)
    assert sum(done) == 200
    assert lane(database, tenant).due_at is None


# One hand


def test_a_lane_is_in_one_hand_at_a_time(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda place: hold(database, tenant, f"w{place}"), range(8)))
    assert len([each for each in taken if each is not None]) == 1
    assert tenant.org_id not in due(database)


def test_a_lease_that_is_over_lets_another_worker_in(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    first = held(database, tenant)
    assert hold(database, tenant, "two") is None
    lapse(database, tenant)
    assert tenant.org_id in due(database)
    second = held(database, tenant, "two")
    assert second.fence > first.fence


def test_a_lease_lasts_a_few_seconds_and_each_batch_prolongs_it(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    taken = held(database, tenant)
    lapse(database, tenant)
    with work(database, tenant) as open_work:
        lanes.renew(open_work, taken)
        now: datetime = open_work.now
    assert lane(database, tenant).lease_until == now + timedelta(seconds=5)


def test_a_worker_that_comes_back_late_is_shut_out(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    first = held(database, tenant)
    lapse(database, tenant)
    second = held(database, tenant, "two")
    for step in (lanes.enter, lanes.renew):
        with pytest.raises(LostLease), work(database, tenant) as open_work:
            step(open_work, first)
    rest(database, tenant, first)
    kept = lane(database, tenant)
    assert (kept.lease_owner, kept.fence) == ("two", second.fence), "nor can it give back what is not its own"


def test_what_a_late_worker_wrote_before_it_learned_so_is_undone(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    first = held(database, tenant)
    lapse(database, tenant)
    held(database, tenant, "two")
    with pytest.raises(LostLease), work(database, tenant) as open_work:
        write(open_work)
        lanes.enter(open_work, first)
    with work(database, tenant) as open_work:
        assert open_work.session.execute(text("SELECT count(*) FROM pending")).scalar_one() == 1


def test_two_that_change_alerts_of_an_organization_do_so_one_after_the_other(database: Database, tenant: Tenant) -> None:
    order: list[str] = []

    def second() -> None:
        with work(database, tenant) as open_work:
            lanes.alone(open_work)
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with work(database, tenant) as first:
            lanes.alone(first)
            waiting = pool.submit(second)
            wait_for_a_lock(database)
            order.append("first")
        waiting.result(timeout=30)
    assert order == ["first", "second"]


def test_a_worker_that_waited_for_its_turn_meanwhile_lost_its_lane(database: Database, tenant: Tenant) -> None:
    wake(database, tenant)
    first = held(database, tenant)

    def enters() -> None:
        with work(database, tenant) as open_work:
            lanes.enter(open_work, first)

    with ThreadPoolExecutor(1) as pool:
        with work(database, tenant) as other:
            lanes.alone(other)
            waiting = pool.submit(enters)
            wait_for_a_lock(database)
            lapse(database, tenant)
            held(database, tenant, "two")
        with pytest.raises(LostLease):
            waiting.result(timeout=30)


def test_organizations_do_not_wait_for_each_other(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as first, work(database, found(database)) as second:
        lanes.alone(first)
        lanes.alone(second)


# What is due later


@pytest.mark.parametrize(("first", "second", "expected"), [(None, 5, 5), (9, 5, 5), (5, 9, 5)])
def test_a_lane_is_brought_forward_and_never_put_off(
    database: Database, tenant: Tenant, first: int | None, second: int, expected: int
) -> None:
    with work(database, tenant) as open_work:
        now = open_work.now
        for minutes in (first, second):
            if minutes is not None:
                lanes.bring_forward(open_work, CHECK, now + timedelta(minutes=minutes))
    assert lane(database, tenant, CHECK).due_at == now + timedelta(minutes=expected)


def test_another_organization_can_neither_take_nor_wake_it(database: Database, tenant: Tenant) -> None:
    stranger = found(database)
    assert tenant.org_id is not None
    with work(database, stranger) as open_work:
        lanes.wake(rows.connection(open_work), tenant.org_id, INBOX)
    assert lane(database, tenant).due_at is None or tenant.org_id in due(database)
