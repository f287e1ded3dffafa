"""Does the installation say what is wrong with it, and what to do?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from engine.model.vocabulary import ProcessKind
from engine.storage import health, instance, jobs, migrate
from engine.storage.database import Database
from engine.storage.health import Health, measure
from engine.storage.instance import Beat
from engine.storage.jobs import Errand
from engine.storage.work import INSTANCE, work
from tests.storage.tenants import found
from tests.testkit.database import TestDatabase


@pytest.fixture
def well(fresh: TestDatabase) -> TestDatabase:
    """An installation in which all is well: a web process, and a worker that ticks."""
    with work(fresh.database, INSTANCE) as open_work:
        for process, kind in (("web-1", ProcessKind.WEB), ("worker-1", ProcessKind.WORKER)):
            instance.beat(open_work, Beat(process, kind, "1.0", open_work.now, open_work.now, None))
        instance.ticked(open_work, "worker-1")
        instance.plan(open_work, {"sweep": 600})
    return fresh


def of(fresh: TestDatabase, scratch: Path) -> Health:
    """Measured now."""
    return measure(fresh.database, scratch)


def as_installation(fresh: TestDatabase, sql: str) -> None:
    """A statement as the installation."""
    with work(fresh.database, INSTANCE) as open_work:
        open_work.session.execute(text(sql))


def test_when_all_is_well_there_is_no_fault_and_everything_is_measured(well: TestDatabase, scratch: Path) -> None:
    found_health = of(well, scratch)
    assert found_health.faults == ()
    assert [beat.process for beat in found_health.processes] == ["web-1", "worker-1"]
    assert found_health.revision == migrate.newest()
    assert found_health.tick_age is not None and found_health.tick_age < timedelta(seconds=5)
    assert found_health.queue_age == timedelta()
    assert found_health.database_bytes > 1_000_000
    assert 0 < found_health.disk_free <= 1 and found_health.disk_free_bytes > 0


def make_the_schema_old(fresh: TestDatabase, _: pytest.MonkeyPatch) -> None:
    with fresh.owner.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))


def stop_the_tick(fresh: TestDatabase, _: pytest.MonkeyPatch) -> None:
    as_installation(fresh, "UPDATE heartbeat SET tick_at = now() - interval '20 seconds' WHERE tick_at IS NOT NULL")


def end_the_worker(fresh: TestDatabase, _: pytest.MonkeyPatch) -> None:
    as_installation(fresh, "DELETE FROM heartbeat WHERE process = 'worker-1'")


def fill_the_disk(_: TestDatabase, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(health, "DISK_LEAST", 1.01)  # as much as no disk has free


def leave_a_job(fresh: TestDatabase, _: pytest.MonkeyPatch) -> None:
    with work(fresh.database, found(fresh.database)) as open_work:
        jobs.enqueue(open_work, Errand("test", {}, due_at=open_work.now - timedelta(minutes=6)))


def fail_a_duty(fresh: TestDatabase, _: pytest.MonkeyPatch) -> None:
    with work(fresh.database, INSTANCE) as open_work:
        instance.timer_ended(open_work, "sweep", "OSError: no room")


@dataclass(frozen=True)
class Broken:
    """What is broken, which fault is named, and what its words say, with what to do."""

    breaks: Callable[[TestDatabase, pytest.MonkeyPatch], None]
    what: str
    says: tuple[str, ...]


BROKEN = [
    Broken(make_the_schema_old, "schema", (f"at 0000, not at {migrate.newest()}", "run `python -m engine migrate up`")),
    Broken(stop_the_tick, "tick", ("20 s old", "see the worker's log")),
    Broken(end_the_worker, "tick", ("missing", "see the worker's log")),
    Broken(fill_the_disk, "disk", ("free", "make room or move AIOPS_DATA_DIR")),
    Broken(leave_a_job, "queue", ("360 s old", "see the worker's log")),
    Broken(fail_a_duty, "duty sweep", ("the duty sweep failed", "OSError: no room", "see the worker's log")),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.breaks.__name__)
def test_each_fault_is_named_with_what_to_do(well: TestDatabase, scratch: Path, monkeypatch: pytest.MonkeyPatch, case: Broken) -> None:
    case.breaks(well, monkeypatch)
    [fault] = of(well, scratch).faults
    assert fault.what == case.what
    for words in case.says:
        assert words in fault.words


def test_a_job_of_a_moment_ago_is_no_fault(well: TestDatabase, scratch: Path) -> None:
    with work(well.database, found(well.database)) as open_work:
        jobs.enqueue(open_work, Errand("test", {}, due_at=open_work.now - timedelta(minutes=4)))
    measured = of(well, scratch)
    assert measured.faults == ()
    assert measured.queue_age >= timedelta(minutes=4)


def test_a_data_directory_that_is_not_there_yet_is_measured_where_it_will_be(well: TestDatabase, scratch: Path) -> None:
    assert measure(well.database, scratch / "not" / "yet").disk_free > 0


def test_a_database_that_does_not_answer_is_an_error_and_not_a_fault(scratch: Path) -> None:
    nowhere = make_url("postgresql+psycopg:///nowhere?host=/nonexistent")
    with pytest.raises(OperationalError):
        measure(Database(nowhere, pool_size=1, statement_timeout_ms=100, name="nowhere"), scratch)
