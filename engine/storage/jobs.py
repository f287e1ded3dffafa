"""What is handed to the workers, and who has it?

A job is written in the transaction that wants it (so it is neither lost nor done for nothing), is due at a time, and is
leased to one worker. Each lease has a higher fence; who writes with an old one has lost the job and learns so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from engine.errors import LostLease
from engine.model.ids import new_id
from engine.model.jobs import Job, JobView, Lane
from engine.model.views import Page, Paging
from engine.model.vocabulary import JobState
from engine.storage.paging import Order, read
from engine.storage.work import Work

LANE = "job"
LEASE = timedelta(seconds=30)
_OPEN = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True)
class Errand:
    """What to hand on. `key` makes it happen once; `due_at` None is now; only members of the team see a team's job."""

    kind: str
    payload: dict[str, Any]
    key: str | None = None
    due_at: datetime | None = None
    team_id: UUID | None = None
    created_by: str = ""


@dataclass(frozen=True)
class Leased:
    """A job in the hands of one worker."""

    org_id: UUID
    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int
    fence: int
    created_by: str


def enqueue(work: Work, errand: Errand) -> UUID:
    """Hand on an errand in this transaction. With a key that was used before, nothing happens and that job's id returns."""
    due = errand.due_at or work.now
    row = Job(
        org_id=work.org_id,
        id=new_id(work.now),
        team_id=errand.team_id,
        kind=errand.kind,
        key=errand.key,
        payload=errand.payload,
        due_at=due,
        created_by=errand.created_by,
        created_at=work.now,
    )
    kept = insert(Job).values(row.model_dump()).on_conflict_do_nothing().returning(Job.id)
    if (made := work.session.execute(kept).scalar_one_or_none()) is None:
        same = select(Job.id).where(Job.org_id == work.org_id, Job.kind == errand.kind, Job.key == errand.key)
        return work.session.execute(same).scalar_one()
    _bring_forward(work, due)
    work.touch("job", made, errand.team_id)
    return made


def enqueue_all(work: Work, errands: Sequence[Errand]) -> None:
    """Hand on errands, each with a key, that are due now; those with a key that was used before are left out."""
    if not errands:
        return
    now = work.now
    made = [
        Job(
            org_id=work.org_id,
            id=new_id(now),
            team_id=each.team_id,
            kind=each.kind,
            key=each.key,
            payload=each.payload,
            due_at=now,
            created_by=each.created_by,
            created_at=now,
        )
        for each in errands
    ]
    work.session.execute(insert(Job).values([row.model_dump() for row in made]).on_conflict_do_nothing())
    _bring_forward(work, now)


def organizations_due(work: Work) -> list[UUID]:
    """Organizations that have a job due now, the longest waiting first. Needs no tenant."""
    due = select(Lane.org_id).where(Lane.kind == LANE, Lane.due_at <= func.clock_timestamp())
    return list(work.session.execute(due.order_by(Lane.due_at).limit(100)).scalars())


def claim(work: Work, owner: str, limit: int) -> list[Leased]:
    """Lease jobs of this organization that are due, or whose worker has vanished; set when its lane is due next."""
    # The lane is locked first: an enqueue at the same moment is seen now, or brings the lane forward after us.
    work.session.execute(select(Lane.org_id).where(Lane.org_id == work.org_id, Lane.kind == LANE).with_for_update())
    rows = work.session.execute(_CLAIM, {"org": work.org_id, "owner": owner, "limit": limit, "until": work.now + LEASE}).all()
    next_due = select(func.min(func.greatest(Job.due_at, func.coalesce(Job.lease_until, Job.due_at))))
    next_due = next_due.where(Job.org_id == work.org_id, Job.state.in_(_OPEN))
    lane = update(Lane).where(Lane.org_id == work.org_id, Lane.kind == LANE)
    work.session.execute(lane.values(due_at=next_due.scalar_subquery()))
    for row in rows:
        work.touch("job", row.id, row.team_id)
    return [Leased(work.org_id, r.id, r.kind, r.payload, r.attempts, r.fence, r.created_by) for r in rows]


# The CTE is run once; as a sub-select the planner may run it again for each row, and take more than the limit.
_CLAIM = text("""
WITH due AS MATERIALIZED (
    SELECT id FROM job WHERE org_id = :org AND ((state = 'waiting' AND due_at <= now())
        OR (state = 'running' AND lease_until < now()))
    ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED)
UPDATE job SET state = 'running', lease_owner = :owner, lease_until = :until, fence = fence + 1, attempts = attempts + 1
FROM due WHERE job.org_id = :org AND job.id = due.id
RETURNING job.id, team_id, kind, payload, attempts, fence, created_by
""")


def renew(work: Work, job: Leased, progress: float, note: str) -> bool:
    """Keep the lease, and say how far it is. Returns whether somebody asked to cancel. Raises LostLease."""
    changed = {"lease_until": work.now + LEASE, "progress": min(max(progress, 0.0), 1.0), "note": note[:200]}
    return _write(work, job, changed)


def finish(work: Work, job: Leased, result: dict[str, Any]) -> None:
    """The job is done. Raises LostLease."""
    _write(work, job, {"state": JobState.DONE, "progress": 1.0, "result": result, "finished_at": work.now, "lease_until": None})


def fail(work: Work, job: Leased, error: str, again_at: datetime | None) -> None:
    """The job failed: for good, or to be tried again at a time. Raises LostLease."""
    ended = {"state": JobState.FAILED, "finished_at": work.now} if again_at is None else {"state": JobState.WAITING, "due_at": again_at}
    _write(work, job, {**ended, "error": error[:500], "lease_until": None})
    if again_at is not None:
        _bring_forward(work, again_at)


def drop(work: Work, job: Leased) -> None:
    """The job was cancelled while it ran. Raises LostLease."""
    _write(work, job, {"state": JobState.CANCELLED, "finished_at": work.now, "lease_until": None})


def cancel(work: Work, id: UUID) -> JobState | None:
    """Cancel what has not begun, or ask what runs to end. Returns the state found; None: no such job."""
    row = work.session.execute(select(Job).where(Job.org_id == work.org_id, Job.id == id).with_for_update()).scalar_one_or_none()
    if row is None:
        return None
    found = row.state
    if found is JobState.WAITING:
        row.state, row.finished_at = JobState.CANCELLED, work.now
    elif found is JobState.RUNNING:
        row.cancel_asked = True
    work.touch("job", id, row.team_id)
    return found


def is_to_end(work: Work, id: UUID) -> bool:
    """Whether this is a job that was asked to end."""
    return bool(work.session.execute(select(Job.cancel_asked).where(Job.org_id == work.org_id, Job.id == id)).scalar_one_or_none())


def one(work: Work, id: UUID) -> JobView | None:
    """One job."""
    row = work.session.execute(select(Job).where(Job.org_id == work.org_id, Job.id == id)).scalar_one_or_none()
    return _view(row) if row else None


def newest(work: Work, kind: str, paging: Paging, hidden: Sequence[str] = ()) -> Page[JobView]:
    """Jobs of a kind (empty: all but the hidden ones), newest first."""
    query = select(Job).where(Job.org_id == work.org_id, col(Job.kind).not_in(hidden))
    query = query.where(Job.kind == kind) if kind else query
    rows, page = read(work.session, query, Order((Job.id,), descending=True), paging)
    return Page(tuple(_view(row[0]) for row in rows), page.next_cursor, page.total, page.total_is_capped)


def sweep(work: Work, older_than: datetime, limit: int = 5000) -> int:
    """Remove some of the organization's jobs that finished before then. Returns how many; call again until it is few."""
    old = select(Job.id).where(Job.org_id == work.org_id, col(Job.finished_at) < older_than).limit(limit)
    gone = delete(Job).where(Job.org_id == work.org_id, Job.id.in_(old))
    return _count(work.session.execute(gone))


def waiting_since(work: Work) -> datetime | None:
    """Since when the oldest due lane waits, over all organizations. Needs no tenant; None: nothing is late."""
    late = or_(Lane.lease_until.is_(None), Lane.lease_until < func.now())
    oldest = select(func.min(Lane.due_at)).where(Lane.kind == LANE, Lane.due_at <= func.now(), late)
    return work.session.execute(oldest).scalar_one()


def _write(work: Work, job: Leased, values: dict[str, Any]) -> bool:
    mine = Job.org_id == job.org_id, Job.id == job.id, Job.fence == job.fence, Job.state == JobState.RUNNING
    written = update(Job).where(*mine).values(**values).returning(Job.cancel_asked, Job.team_id)
    row = work.session.execute(written).one_or_none()
    if row is None:
        raise LostLease(f"job {job.id} was taken over by another worker; what this one did since is not written")
    work.touch("job", job.id, row.team_id)
    return row.cancel_asked


def _bring_forward(work: Work, due: datetime) -> None:
    lane = insert(Lane).values(org_id=work.org_id, kind=LANE, due_at=due, fence=0)
    sooner = func.least(Lane.due_at, lane.excluded.due_at)  # least() passes over a null
    work.session.execute(lane.on_conflict_do_update(index_elements=["org_id", "kind"], set_={"due_at": sooner}))


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _view(row: Job) -> JobView:
    return JobView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        due_at=row.due_at,
        attempts=row.attempts,
        progress=row.progress,
        note=row.note,
        result=row.result,
        error=row.error,
        created_by=row.created_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
