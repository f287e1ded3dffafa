"""A database in which nobody else leaves jobs, and jobs that do what a test wants."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from engine.model.jobs import JobView
from engine.model.vocabulary import JobState
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.jobs import Errand, Leased
from engine.storage.work import INSTANCE, Tenant, work
from engine.workflows.handlers import HANDLERS
from tests.testkit.clock import until
from tests.testkit.database import TestDatabase

KIND = "test.work"


@pytest.fixture
def database(own_database: TestDatabase, scratch: Path) -> Iterator[Database]:
    """Its pool; what a test leaves open is taken out of the way."""
    own_database.open_door(scratch)
    yield own_database.database
    with own_database.owner.begin() as db:
        db.execute(text("UPDATE lane SET due_at = null"))
        db.execute(text("SELECT set_config('app.instance', 'on', true)"))
        db.execute(text("DELETE FROM lease"))
        db.execute(text("DELETE FROM timer"))
        db.execute(text("DELETE FROM heartbeat"))


@pytest.fixture
def carried_out_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Leased], dict[str, Any]]], None]:
    """Make a function the handler of the test's jobs."""
    return lambda handler: monkeypatch.setitem(HANDLERS, KIND, handler)


def hand_on(database: Database, tenant: Tenant, kind: str = KIND, **payload: Any) -> UUID:
    """Enqueue a job."""
    with work(database, tenant) as open_work:
        return jobs.enqueue(open_work, Errand(kind, payload))


def show(database: Database, tenant: Tenant, id: UUID) -> JobView:
    """The job as people see it."""
    with work(database, tenant) as open_work:
        view = jobs.one(open_work, id)
    assert view is not None
    return view


def ends(database: Database, tenant: Tenant, id: UUID, *states: JobState) -> JobView:
    """The job, as soon as it is in one of these states (none: it has ended)."""
    wanted = states or (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
    until(lambda: show(database, tenant, id).state in wanted)
    return show(database, tenant, id)


def make_due(database: Database, tenant: Tenant) -> None:
    """Time passes: what waits is due, and the leases of what runs are over."""
    with work(database, tenant) as open_work:
        moved = "UPDATE job SET due_at = now(), lease_until = CASE WHEN state = 'running' THEN now() - interval '1 second' END"
        open_work.session.execute(text(f"{moved} WHERE state IN ('waiting', 'running')"))
        open_work.session.execute(text("UPDATE lane SET due_at = now() WHERE org_id = :org"), {"org": tenant.org_id})


def as_installation(database: Database, sql: str) -> list[Any]:
    """A statement on the installation's own rows."""
    with work(database, INSTANCE) as open_work:
        result = open_work.session.execute(text(sql))
        return list(result.all()) if result.returns_rows else []
