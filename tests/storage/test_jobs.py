"""Is what is handed on neither lost nor done twice at once?"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from engine.errors import Conflict, LostLease
from engine.model.jobs import JobView
from engine.model.views import Paging
from engine.model.vocabulary import JobState
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.jobs import LEASE, Errand, Leased
from engine.storage.work import Tenant, Work, work
from tests.storage.tenants import found
from tests.testkit.database import TestDatabase

HOUR = timedelta(hours=1)


@pytest.fixture
def database(own_database: TestDatabase) -> Database:
    """A database in which no other test leaves jobs."""
    return own_database.database


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization."""
    return found(database)


def enqueue(database: Database, tenant: Tenant, kind: str = "test", **more: Any) -> UUID:
    """Hand on one errand."""
    with work(database, tenant) as open_work:
        return jobs.enqueue(open_work, Errand(kind, more.pop("payload", {}), **more))


def claim(database: Database, tenant: Tenant, owner: str = "one", limit: int = 100) -> list[Leased]:
    """Lease what is due."""
    with work(database, tenant) as open_work:
        return jobs.claim(open_work, owner, limit)


def show(database: Database, tenant: Tenant, id: UUID) -> JobView:
    """The job as people see it."""
    with work(database, tenant) as open_work:
        view = jobs.one(open_work, id)
    assert view is not None
    return view


def state(database: Database, tenant: Tenant, id: UUID) -> JobState:
    """Where it is in its life."""
    return show(database, tenant, id).state


def run(database: Database, tenant: Tenant, sql: str, **values: Any) -> Any:
    """A statement as that organization."""
    with work(database, tenant) as open_work:
        result = open_work.session.execute(text(sql), values)
        return result.scalars().all() if result.returns_rows else result.rowcount


def lane(database: Database, tenant: Tenant) -> datetime | None:
    """When workers look at this organization again."""
    return run(database, tenant, "SELECT due_at FROM lane WHERE org_id = :org AND kind = 'job'", org=tenant.org_id)[0]


def lapse(database: Database, tenant: Tenant) -> None:
    """The worker vanished a while ago: the leases of this organization are over."""
    run(database, tenant, "UPDATE job SET lease_until = now() - interval '1 second' WHERE state = 'running'")
    run(database, tenant, "UPDATE lane SET due_at = now() - interval '1 second' WHERE org_id = :org AND kind = 'job'", org=tenant.org_id)


def is_due(database: Database, tenant: Tenant) -> bool:
    """Whether workers see that there is something to do, without being in the organization."""
    with work(database, Tenant()) as open_work:
        return tenant.org_id in jobs.organizations_due(open_work)


# Handing on


def test_an_errand_waits_with_its_transaction_and_is_claimed_after_it(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant, payload={"n": 1}, created_by="Ada")
    assert is_due(database, tenant)
    [leased] = claim(database, tenant)
    assert leased == Leased(tenant.org_id, id, "test", {"n": 1}, attempts=1, fence=1, created_by="Ada")
    assert state(database, tenant, id) is JobState.RUNNING


def test_an_errand_of_a_transaction_that_fails_was_never_there(database: Database, tenant: Tenant) -> None:
    with pytest.raises(Conflict), work(database, tenant) as open_work:
        jobs.enqueue(open_work, Errand("test", {}))
        raise Conflict("after all not")
    assert not is_due(database, tenant)
    assert claim(database, tenant) == []


def test_nobody_claims_before_the_commit(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        open_work.session.execute(text("INSERT INTO team VALUES (:org, :id, 'first', now(), 1)"), {"org": tenant.org_id, "id": uuid4()})
        jobs.enqueue(open_work, Errand("test", {}))
        assert not is_due(database, tenant)


def test_a_key_makes_an_errand_happen_once(database: Database, tenant: Tenant) -> None:
    first = enqueue(database, tenant, key="daily", payload={"n": 1})
    assert enqueue(database, tenant, key="daily", payload={"n": 2}) == first
    [leased] = claim(database, tenant)
    assert (leased.id, leased.payload) == (first, {"n": 1})
    with work(database, tenant) as open_work:
        jobs.finish(open_work, leased, {})
    assert enqueue(database, tenant, key="daily") == first, "also after it is done"
    assert claim(database, tenant) == []


def test_a_key_belongs_to_its_kind_and_organization(database: Database, tenant: Tenant) -> None:
    other = found(database)
    ids = {
        enqueue(database, tenant, key="daily"),
        enqueue(database, tenant, "another", key="daily"),
        enqueue(database, other, key="daily"),
        enqueue(database, tenant),
        enqueue(database, tenant),
    }
    assert len(ids) == 5


def test_a_key_used_by_eight_at_once_makes_one_job(database: Database, tenant: Tenant) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: enqueue(database, tenant, key="once"), range(16)))
    assert len(ids) == 1
    assert len(claim(database, tenant)) == 1


def test_what_is_due_later_is_not_claimed_before(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        later = open_work.now + HOUR
        jobs.enqueue(open_work, Errand("test", {}, due_at=later))
    assert not is_due(database, tenant)
    assert claim(database, tenant) == []
    assert lane(database, tenant) == later, "and the organization is looked at then"


def test_an_errand_due_now_is_not_held_up_by_one_due_later(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        later = open_work.now + HOUR
        jobs.enqueue(open_work, Errand("later", {}, due_at=later))
    enqueue(database, tenant, "now")
    assert is_due(database, tenant)
    assert [leased.kind for leased in claim(database, tenant)] == ["now"]
    assert lane(database, tenant) < later, "first the lease of what runs"


def test_no_more_are_claimed_than_there_is_room_for(database: Database, tenant: Tenant) -> None:
    for _ in range(5):
        enqueue(database, tenant)
    assert [len(claim(database, tenant, limit=limit)) for limit in (1, 3, 3)] == [1, 3, 1]


def test_what_waits_longest_is_claimed_first(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        for minutes in (1, 3, 2):
            jobs.enqueue(open_work, Errand(f"{minutes} min ago", {}, due_at=open_work.now - timedelta(minutes=minutes)))
    claimed = [claim(database, tenant, limit=1)[0].kind for _ in range(3)]
    assert claimed == ["3 min ago", "2 min ago", "1 min ago"]


# Leases


def test_workers_claim_disjoint_jobs(database: Database, tenant: Tenant) -> None:
    ids = {enqueue(database, tenant) for _ in range(40)}
    begin = threading.Barrier(4)

    def worker(name: int) -> list[UUID]:
        begin.wait()
        mine: list[UUID] = []
        while taken := claim(database, tenant, f"worker {name}", limit=3):
            mine += [leased.id for leased in taken]
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [id for mine in pool.map(worker, range(4)) for id in mine]
    assert len(taken) == len(set(taken))
    assert set(taken) == ids


def test_a_job_whose_lease_holds_is_not_taken_over(database: Database, tenant: Tenant) -> None:
    enqueue(database, tenant)
    claim(database, tenant)
    assert claim(database, tenant, "two") == []
    assert not is_due(database, tenant)


def test_after_a_lease_the_organization_is_looked_at_again(database: Database, tenant: Tenant) -> None:
    enqueue(database, tenant)
    with work(database, tenant) as open_work:
        jobs.claim(open_work, "one", 1)
        now = open_work.now
    assert lane(database, tenant) == now + LEASE


Write = Callable[[Work, Leased], object]
ENDINGS: list[Write] = [
    lambda open_work, job: jobs.renew(open_work, job, 0.9, "still at it"),
    lambda open_work, job: jobs.finish(open_work, job, {"by": "the old one"}),
    lambda open_work, job: jobs.fail(open_work, job, "by the old one", None),
    lambda open_work, job: jobs.fail(open_work, job, "by the old one", open_work.now + HOUR),
    lambda open_work, job: jobs.drop(open_work, job),
]


@pytest.mark.parametrize("write", ENDINGS, ids=["renew", "finish", "fail for good", "fail and retry", "drop"])
def test_who_lost_the_lease_learns_so_and_writes_nothing(
    database: Database, tenant: Tenant, write: Callable[[Work, Leased], object]
) -> None:
    id = enqueue(database, tenant)
    [old] = claim(database, tenant, "one")
    lapse(database, tenant)
    assert is_due(database, tenant)
    [new] = claim(database, tenant, "two")
    assert (new.id, new.attempts, new.fence) == (id, 2, old.fence + 1)
    before = show(database, tenant, id)
    with pytest.raises(LostLease, match="taken over"), work(database, tenant) as open_work:
        write(open_work, old)
    assert show(database, tenant, id) == before
    with work(database, tenant) as open_work:
        jobs.finish(open_work, new, {"by": "the new one"})
    assert show(database, tenant, id).result == {"by": "the new one"}


@pytest.mark.parametrize("write", ENDINGS, ids=["renew", "finish", "fail for good", "fail and retry", "drop"])
def test_a_job_that_has_ended_is_not_written_again(database: Database, tenant: Tenant, write: Write) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        jobs.finish(open_work, leased, {"n": 1})
    with pytest.raises(LostLease), work(database, tenant) as open_work:
        write(open_work, leased)
    assert show(database, tenant, id).result == {"n": 1}


def test_a_late_worker_whose_job_nobody_took_may_go_on(database: Database, tenant: Tenant) -> None:
    enqueue(database, tenant)
    [leased] = claim(database, tenant)
    lapse(database, tenant)
    with work(database, tenant) as open_work:
        assert jobs.renew(open_work, leased, 0.5, "") is False
    assert claim(database, tenant, "two") == []


def test_another_organization_can_neither_claim_nor_finish_it(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with pytest.raises(LostLease), work(database, found(database)) as open_work:
        jobs.finish(open_work, leased, {})
    assert state(database, tenant, id) is JobState.RUNNING


@pytest.mark.parametrize(("said", "kept"), [(-1.0, 0.0), (0.25, 0.25), (7.0, 1.0)])
def test_progress_is_a_part_of_one_and_a_note_is_short(database: Database, tenant: Tenant, said: float, kept: float) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        jobs.renew(open_work, leased, said, "n" * 500)
    assert (show(database, tenant, id).progress, len(show(database, tenant, id).note)) == (kept, 200)


# The lane: no job is orphaned, whoever comes first


def test_an_enqueue_that_waits_for_a_claim_brings_the_lane_forward_after_it(database: Database, tenant: Tenant) -> None:
    with ThreadPoolExecutor(1) as pool:
        with work(database, tenant) as claiming:
            assert jobs.claim(claiming, "one", 10) == []
            enqueued = pool.submit(enqueue, database, tenant)
            wait_for_a_lock(database)
        enqueued.result(timeout=30)
    assert is_due(database, tenant)
    assert len(claim(database, tenant)) == 1


def test_a_claim_that_waits_for_an_enqueue_sees_its_job_or_leaves_the_lane_due(database: Database, tenant: Tenant) -> None:
    with ThreadPoolExecutor(1) as pool:
        with work(database, tenant) as enqueuing:
            jobs.enqueue(enqueuing, Errand("test", {}))
            enqueuing.session.flush()
            claimed = pool.submit(claim, database, tenant)
            wait_for_a_lock(database)
        found_now = claimed.result(timeout=30)
    assert found_now or is_due(database, tenant)
    assert len(found_now + claim(database, tenant)) == 1


def wait_for_a_lock(database: Database) -> None:
    """Until some connection waits for another one."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
    for _ in range(200):
        with database.engine.connect() as db:
            if db.execute(waiting).scalar_one():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_no_job_is_orphaned_while_many_enqueue_and_claim(database: Database, tenant: Tenant) -> None:
    done: list[UUID] = []
    ended = threading.Event()

    def worker() -> None:
        while not ended.is_set() or is_due(database, tenant):
            if is_due(database, tenant):
                for leased in claim(database, tenant, limit=2):
                    with work(database, tenant) as open_work:
                        jobs.finish(open_work, leased, {})
                    done.append(leased.id)

    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(worker) for _ in range(2)]
        ids = list(pool.map(lambda _: enqueue(database, tenant), range(120)))
        ended.set()
        for future in workers:
            future.result(timeout=30)
    assert sorted(done) == sorted(ids)


# Endings


def test_a_finished_job_has_its_result(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        jobs.finish(open_work, leased, {"rows": 3})
        now = open_work.now
    view = show(database, tenant, id)
    assert (view.state, view.progress, view.result, view.error, view.finished_at) == (JobState.DONE, 1.0, {"rows": 3}, "", now)
    claim(database, tenant)
    assert lane(database, tenant) is None, "nothing is left to do here"


def test_a_job_to_be_retried_waits_until_its_time(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        later = open_work.now + HOUR
        jobs.fail(open_work, leased, "no answer", later)
    view = show(database, tenant, id)
    assert (view.state, view.due_at, view.error, view.finished_at) == (JobState.WAITING, later, "no answer", None)
    assert claim(database, tenant) == []
    run(database, tenant, "UPDATE job SET due_at = now()")
    [again] = claim(database, tenant)
    assert (again.attempts, again.fence) == (2, 2)


def test_a_job_that_failed_for_good_is_not_taken_again(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        jobs.fail(open_work, leased, "x" * 900, None)
    view = show(database, tenant, id)
    assert (view.state, len(view.error)) == (JobState.FAILED, 500)
    lapse(database, tenant)
    assert claim(database, tenant) == []


def test_a_waiting_job_is_cancelled_at_once(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    with work(database, tenant) as open_work:
        assert jobs.cancel(open_work, id) is JobState.WAITING
    assert state(database, tenant, id) is JobState.CANCELLED
    assert claim(database, tenant) == []


def test_a_running_job_is_asked_to_end_and_learns_so_at_its_next_step(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        assert jobs.cancel(open_work, id) is JobState.RUNNING
    with work(database, tenant) as open_work:
        assert jobs.renew(open_work, leased, 0.5, "") is True
        jobs.drop(open_work, leased)
    assert state(database, tenant, id) is JobState.CANCELLED


def test_a_job_that_has_ended_stays_as_it_ended(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    [leased] = claim(database, tenant)
    with work(database, tenant) as open_work:
        jobs.finish(open_work, leased, {})
    with work(database, tenant) as open_work:
        assert jobs.cancel(open_work, id) is JobState.DONE
    assert state(database, tenant, id) is JobState.DONE


def test_what_is_not_ours_cannot_be_cancelled(database: Database, tenant: Tenant) -> None:
    id = enqueue(database, tenant)
    with work(database, found(database)) as open_work:
        assert jobs.cancel(open_work, id) is None
        assert jobs.cancel(open_work, uuid4()) is None
    assert state(database, tenant, id) is JobState.WAITING


def test_the_sweep_removes_only_what_finished_long_ago(database: Database, tenant: Tenant) -> None:
    for kind in ("old", "recent", "running"):
        enqueue(database, tenant, kind)
    for leased in claim(database, tenant):
        if leased.kind != "running":
            with work(database, tenant) as open_work:
                jobs.finish(open_work, leased, {})
    enqueue(database, tenant, "waiting")
    run(database, tenant, "UPDATE job SET finished_at = now() - interval '15 days' WHERE kind = 'old'")
    run(database, tenant, "UPDATE job SET created_at = now() - interval '99 days'")
    with work(database, tenant) as open_work:
        assert jobs.sweep(open_work, open_work.now - timedelta(days=14)) == 1
    with work(database, tenant) as open_work:
        assert {view.kind for view in jobs.newest(open_work, "", Paging()).items} == {"recent", "running", "waiting"}


def test_a_sweep_of_very_many_goes_in_parts(database: Database, tenant: Tenant) -> None:
    for _ in range(5):
        enqueue(database, tenant)
    run(database, tenant, "UPDATE job SET state = 'done', finished_at = now() - interval '15 days'")
    swept = []
    for _ in range(3):
        with work(database, tenant) as open_work:
            swept.append(jobs.sweep(open_work, open_work.now, limit=3))
    assert swept == [3, 2, 0]


def test_how_long_the_oldest_job_waits_is_known_without_being_in_its_organization(fresh: TestDatabase) -> None:
    def since() -> datetime | None:
        with work(fresh.database, Tenant()) as open_work:
            return jobs.waiting_since(open_work)

    one, two = found(fresh.database), found(fresh.database)
    assert since() is None
    with work(fresh.database, one) as open_work:
        long_ago = open_work.now - HOUR
        jobs.enqueue(open_work, Errand("test", {}, due_at=long_ago))
        jobs.enqueue(open_work, Errand("test", {}, due_at=open_work.now + HOUR))
    enqueue(fresh.database, two)
    assert since() == long_ago
    claim(fresh.database, one)
    assert since() == lane(fresh.database, two), "what runs does not wait"
    claim(fresh.database, two)
    assert since() is None
