"""How is the installation?"""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from engine.model.fields import Seconds
from engine.model.inbox import Proof
from engine.storage import census, instance, jobs, migrate, proof
from engine.storage.database import Database
from engine.storage.instance import Beat
from engine.storage.work import INSTANCE, work

DISK_LEAST = 0.10
TICK_MOST = timedelta(seconds=15)
QUEUE_MOST = timedelta(minutes=5)
INTAKE_MOST = timedelta(minutes=1)


@dataclass(frozen=True)
class Fault:
    """Something that is wrong: `what` stays the same while it lasts, `words` say how bad it is and what to do."""

    what: str
    words: str


@dataclass(frozen=True)
class Health:
    """What was measured. No faults: all is well."""

    now: datetime
    revision: str | None
    processes: tuple[Beat, ...]
    tick_age: Seconds | None
    disk_free: float
    disk_free_bytes: int
    queue_age: Seconds
    database_bytes: int
    intake_age: Seconds
    proof_at: datetime | None
    proof_seconds: float | None
    faults: tuple[Fault, ...]


def measure(database: Database, data_dir: Path) -> Health:
    """Measure now. Raises sqlalchemy's OperationalError when the database does not answer."""
    with work(database, INSTANCE) as open_work:
        beats = tuple(instance.beats(open_work))
        waiting = jobs.waiting_since(open_work)
        errors = instance.timer_errors(open_work)
        size = open_work.session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        revision = open_work.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        proved, now = proof.last(open_work), open_work.now
    intake_age = census.queue_age(database)
    usage = shutil.disk_usage(next(p for p in (data_dir, *data_dir.parents) if p.exists()))
    ticks = [beat.tick_at for beat in beats if beat.tick_at]
    tick_age = now - max(ticks) if ticks else None
    queue_age = max(now - waiting, timedelta()) if waiting else timedelta()
    free = usage.free / usage.total
    head = migrate.newest()
    checks = [
        (revision != head, "schema", f"the schema is at {revision}, not at {head}: run `python -m engine migrate up`"),
        (tick_age is None or tick_age > TICK_MOST, "tick", f"the worker's tick is {_age(tick_age)}: see the worker's log"),
        (free < DISK_LEAST, "disk", f"the disk of {data_dir} has {free:.0%} free: make room or move AIOPS_DATA_DIR"),
        (queue_age > QUEUE_MOST, "queue", f"the oldest job waits, {_age(queue_age)}: see the worker's log"),
        (intake_age > INTAKE_MOST, "intake", f"the oldest delivery waits, {_age(intake_age)}: see the worker's log"),
        (bool(proved and proved.error), "proof", f"{proved.error if proved else ''}: see the worker's log"),
        *((True, f"duty {name}", f"the duty {name} failed: {error}; see the worker's log") for name, error in errors.items()),
    ]
    faults = tuple(Fault(what, words) for bad, what, words in checks if bad)
    return Health(now, revision, beats, tick_age, free, usage.free, queue_age, size, intake_age, *_proof(proved), faults)


def _proof(proved: Proof | None) -> tuple[datetime | None, float | None]:
    return (proved.at, proved.seconds) if proved else (None, None)


def _age(age: timedelta | None) -> str:
    return "missing" if age is None else f"{age.total_seconds():.0f} s old"
