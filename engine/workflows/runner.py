"""How is a job carried out?"""

import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from uuid import UUID

from engine.errors import AiopsError, Conflict, LostLease, Unavailable
from engine.log import logger, trace_id
from engine.operations.door import PROGRESS
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.jobs import Leased
from engine.storage.work import Tenant, work
from engine.workflows.handlers import HANDLERS

MOST_TRIES = 5
_FIRST_WAIT = timedelta(seconds=5)


class Cancelled(Exception):
    """Somebody asked to cancel the job that is running."""


@dataclass
class Running:
    """A job in hand and how far it is."""

    job: Leased
    done: float = 0.0
    note: str = ""
    future: Future[None] | None = None


@dataclass
class Runner:
    """Carries out jobs of all organizations, `slots` at a time. `owner` names this worker in leases."""

    database: Database
    owner: str
    slots: int = 2
    _running: dict[UUID, Running] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.slots, thread_name_prefix="job")

    def take_due(self) -> int:
        """Lease what is due and there are slots for, and begin it. Returns how many were begun."""
        begun = 0
        with work(self.database, Tenant()) as open_work:
            organizations = jobs.organizations_due(open_work)
        for org_id in organizations:
            free = max(0, self.slots - len(self._running))
            with work(self.database, Tenant(org_id, all_teams=True)) as open_work:
                # Without a free slot nothing is taken, but the lane learns what is really waiting.
                leased = jobs.claim(open_work, self.owner, free)
            for job in leased:
                self._begin(job)
                begun += 1
        return begun

    def renew(self) -> None:
        """Keep the leases of all that is running."""
        for running in list(self._running.values()):
            try:
                self._report(running)
            except (LostLease, Cancelled):
                continue  # its own thread learns it at its next step

    def close(self) -> None:
        """Wait for what is running. What is waiting stays for another worker."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self, job: Leased) -> None:
        running = Running(job)
        with self._lock:
            self._running[job.id] = running
        running.future = self._pool.submit(self._carry_out, running)

    def _carry_out(self, running: Running) -> None:
        job = running.job
        trace_id.set(str(job.id))
        tenant = Tenant(job.org_id, all_teams=True)

        def progress(done: float, note: str) -> None:
            running.done, running.note = done, note
            self._report(running)

        PROGRESS.set(progress)
        try:
            if job.attempts > MOST_TRIES:
                raise Conflict(f"given up: {MOST_TRIES} workers have died while they carried it out")
            result = HANDLERS[job.kind](job)
            with work(self.database, tenant) as open_work:
                jobs.finish(open_work, job, result)
            logger().info("job.done", job=str(job.id), kind=job.kind)
        except LostLease:
            logger().warning("job.lost", job=str(job.id), kind=job.kind)
        except Cancelled:
            with work(self.database, tenant) as open_work:
                jobs.drop(open_work, job)
            logger().info("job.cancelled", job=str(job.id), kind=job.kind)
        except Exception as error:  # a handler may fail in any way: the job keeps it, the worker goes on
            self._failed(job, error)
        finally:
            with self._lock:
                self._running.pop(job.id, None)

    def _report(self, running: Running) -> None:
        with work(self.database, Tenant(running.job.org_id, all_teams=True)) as open_work:
            asked_to_end = jobs.renew(open_work, running.job, running.done, running.note)
        if asked_to_end:
            raise Cancelled

    def _failed(self, job: Leased, error: Exception) -> None:
        known = isinstance(error, AiopsError) and not isinstance(error, Unavailable)
        final = known or job.attempts >= MOST_TRIES or job.kind not in HANDLERS
        said = str(error) if isinstance(error, AiopsError) else f"{type(error).__name__}; see the worker's log"
        if job.kind not in HANDLERS:
            said = f"no worker of this version carries out jobs of the kind {job.kind}"
        logger().error("job.failed", job=str(job.id), kind=job.kind, final=final, exc_info=error if not known else None)
        try:
            with work(self.database, Tenant(job.org_id, all_teams=True)) as open_work:
                wait = _FIRST_WAIT * 2 ** (job.attempts - 1) * random.uniform(0.75, 1.25)  # noqa: S311 jitter
                jobs.fail(open_work, job, said, None if final else open_work.now + wait)
        except Exception:  # the lease runs out, and the job is taken again
            logger().exception("job.unwritten", job=str(job.id))
