"""Does a worker go on, and does exactly one of several lead?"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from engine.model.vocabulary import JobState
from engine.storage import health
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from engine.storage.jobs import Leased
from engine.storage.work import CHANNEL
from engine.workflows import worker as worker_module
from engine.workflows.duties import Duties, Keeping
from engine.workflows.worker import Worker
from tests.storage.tenants import found
from tests.testkit.clock import PATIENCE, until
from tests.testkit.database import RETENTION, TestDatabase
from tests.workflows.conftest import as_installation, ends, hand_on

Handles = Callable[[Callable[[Leased], dict[str, Any]]], None]
KEEPING = Keeping(RETENTION, jobs=timedelta(days=14))
LISTENING = "SELECT pid FROM pg_stat_activity WHERE query = %s AND datname = %s"


@pytest.fixture
def make(own_database: TestDatabase, database: Database) -> Iterator[Callable[[str], Worker]]:
    """A worker of that name. Its duties have ended when the test has: the next test's would be taken for them."""
    made: list[Worker] = []

    def worker(name: str) -> Worker:
        made.append(Worker(database, Unproved(database, own_database.owner, KEEPING), name, "1.0"))
        return made[-1]

    yield worker
    for each in made:
        each._pool.shutdown(wait=True)


class Unproved(Duties):
    """Duties of a worker that applies no deliveries, so that a proof alert would wait for nothing."""

    def prove(self) -> None:
        """Nothing to prove."""


@pytest.fixture
def superuser(cluster: Embedded) -> Iterator[psycopg.Connection]:
    """Whoever may end connections."""
    with psycopg.connect(cluster._superuser_url(), autocommit=True) as db:
        yield db


@contextmanager
def running(worker: Worker) -> Iterator[threading.Thread]:
    """The worker at work, until the block ends."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001 whatever it is, the test says so
            failed.append(error)

    thread = threading.Thread(target=run, name=worker.process)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert failed == [], "a worker ends without an error, whatever it met"


def ticked(database: Database) -> list[str]:
    """Which processes have ticked."""
    return [row[0] for row in as_installation(database, "SELECT process FROM heartbeat WHERE tick_at IS NOT NULL ORDER BY 1")]


def lease_is_past(database: Database) -> None:
    """Time passes, and the leader does not keep its lease."""
    as_installation(database, "UPDATE lease SET until = now() - interval '1 second'")


# A day at work


def test_a_worker_starts_ticks_and_stops_when_it_is_told_to(database: Database, make: Callable[[str], Worker]) -> None:
    worker = make("one")
    with running(worker) as thread:
        until(lambda: ticked(database) == ["one"])
        worker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert as_installation(database, "SELECT process FROM heartbeat") == [], "it ended as it should: nobody misses it"
    assert as_installation(database, "SELECT name FROM lease WHERE until > now()") == [], "and the next one need not wait"


def test_a_notice_wakes_a_worker_before_its_second_is_over(
    database: Database,
    make: Callable[[str], Worker],
    carried_out_by: Handles,
    superuser: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "_TICK", 3600.0)
    carried_out_by(lambda job: {"n": 1})
    tenant = found(database)
    with running(make("one")):
        until(lambda: ticked(database))
        until(lambda: superuser.execute(LISTENING, [f"LISTEN {CHANNEL}", database.url.database]).fetchall())
        assert ends(database, tenant, hand_on(database, tenant)).state is JobState.DONE


def test_without_notices_a_worker_still_looks_every_second(
    database: Database, make: Callable[[str], Worker], carried_out_by: Handles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Worker, "_listen", lambda self: None)
    carried_out_by(lambda job: {"n": 1})
    tenant = found(database)
    with running(make("one")):
        until(lambda: ticked(database))
        assert ends(database, tenant, hand_on(database, tenant)).state is JobState.DONE


def test_a_worker_survives_the_end_of_all_its_connections(
    database: Database, make: Callable[[str], Worker], carried_out_by: Handles, superuser: psycopg.Connection
) -> None:
    carried_out_by(lambda job: {"n": job.payload["n"]})
    tenant = found(database)
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s"
    with running(make("one")) as thread:
        until(lambda: ticked(database))
        for n in range(3):
            assert superuser.execute(end_all, [database.url.database, database.url.username]).rowcount >= 1
            assert ends(database, tenant, hand_on(database, tenant, n=n)).result == {"n": n}
        assert thread.is_alive()
        until(lambda: superuser.execute(LISTENING, [f"LISTEN {CHANNEL}", database.url.database]).fetchall())


def test_a_worker_waits_for_a_database_that_is_away_and_can_be_stopped_meanwhile() -> None:
    nowhere = Database(make_url("postgresql+psycopg:///nowhere?host=/nonexistent"), pool_size=1, statement_timeout_ms=100, name="nowhere")
    worker = Worker(nowhere, Duties(nowhere, None, KEEPING), "lonely", "1.0")
    with running(worker) as thread:
        time.sleep(0.3)
        assert thread.is_alive()


def test_a_round_that_fails_in_an_unknown_way_is_not_the_last(
    database: Database, make: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, calls = make("one"), []
    tick = worker._tick

    def fails_first() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a fault of ours")
        tick()

    monkeypatch.setattr(worker, "_tick", fails_first)
    with running(worker):
        until(lambda: ticked(database) == ["one"])


# One leads


def test_of_two_workers_only_one_ticks_and_the_other_takes_over_when_it_stops(database: Database, make: Callable[[str], Worker]) -> None:
    first, second = make("first"), make("second")
    with running(second):
        with running(first):
            until(lambda: len(as_installation(database, "SELECT 1 FROM heartbeat")) == 2)
            until(lambda: ticked(database))
            time.sleep(1.2)
            [leader] = ticked(database)
            (first if leader == "first" else second).stop()
            follower = "second" if leader == "first" else "first"
            until(lambda: ticked(database) == [follower])


def test_a_leader_that_vanished_is_followed_when_its_lease_is_past(database: Database, make: Callable[[str], Worker]) -> None:
    vanished, other = make("vanished"), make("other")
    for worker in (vanished, other):
        worker._beat()
    vanished._tick()
    other._tick()
    assert ticked(database) == ["vanished"]
    lease_is_past(database)
    other._tick()
    assert ticked(database) == ["other", "vanished"]
    assert as_installation(database, "SELECT owner, fence FROM lease") == [("other", 2)]
    before = as_installation(database, "SELECT tick_at FROM heartbeat WHERE process = 'vanished'")
    vanished._tick()
    assert as_installation(database, "SELECT tick_at FROM heartbeat WHERE process = 'vanished'") == before, "it does not lead any more"


def test_a_new_leader_does_not_begin_every_duty_anew(database: Database, make: Callable[[str], Worker]) -> None:
    done: list[str] = []
    for name in ("first", "second"):
        worker = make(name)
        worker.duties = Counted(worker.duties, name, done)  # pyright: ignore
        worker._tick()
        worker._pool.shutdown(wait=True)
        lease_is_past(database)
    assert done == ["first"]


class Counted:
    """One duty that notes by whom it was done."""

    def __init__(self, _: Duties, name: str, done: list[str]) -> None:
        self._name, self._done = name, done

    def table(self) -> dict[str, tuple[int, Callable[[], None]]]:
        """The duty."""
        return {"counted": (3600, lambda: self._done.append(self._name))}


# Duties


def test_a_duty_that_fails_is_a_fault_until_it_goes_well(
    own_database: TestDatabase, database: Database, make: Callable[[str], Worker], scratch: Path
) -> None:
    def faults() -> dict[str, str]:
        measured = health.measure(database, scratch)
        return {fault.what: fault.words for fault in measured.faults if fault.what.startswith("duty")}

    worker = make("one")
    worker.duties = replace(worker.duties, owner=None)
    worker._beat()
    worker._tick()
    until(faults)
    assert list(faults()) == ["duty partitions"], "the other duties go well"
    assert "AIOPS_DATABASE_OWNER_URL is not set" in faults()["duty partitions"]
    worker._tick()
    assert faults(), "it stays a fault until the next round"
    worker.duties = replace(worker.duties, owner=own_database.owner)
    as_installation(database, "UPDATE timer SET due_at = now()")
    worker._tick()
    until(lambda: not faults())


def test_a_duty_that_takes_long_is_not_begun_twice_and_does_not_stop_the_tick(database: Database, make: Callable[[str], Worker]) -> None:
    gate, begun = threading.Event(), []

    class Slow:
        def table(self) -> dict[str, tuple[int, Callable[[], None]]]:
            return {"slow": (1, lambda: (begun.append(1), gate.wait(5)))}  # pyright: ignore

    worker = make("one")
    worker.duties = Slow()  # pyright: ignore
    for _ in range(3):
        as_installation(database, "UPDATE timer SET due_at = now() - interval '1 second'")
        worker._tick()
    until(lambda: begun)
    gate.set()
    worker._pool.shutdown(wait=True)
    assert begun == [1]
