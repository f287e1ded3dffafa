"""What does the installation itself remember: set-up, leases, heartbeats, timers, failed sign-ins?

All of it is read and written as the tenant INSTANCE.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.identity.throttle import WINDOW, Subject
from engine.model.ids import new_id
from engine.model.instance import Failure, Heartbeat, Instance, Lease, Timer
from engine.model.vocabulary import ProcessKind
from engine.storage.work import Work

SETUP_LIVES = timedelta(hours=24)
GONE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Holding:
    """A lease in our hands; `fence` is higher than that of every holder before."""

    name: str
    owner: str
    fence: int


@dataclass(frozen=True)
class Beat:
    """A process of ours that was heard."""

    process: str
    kind: ProcessKind
    version: str
    started_at: datetime
    seen_at: datetime
    tick_at: datetime | None


def settle(work: Work) -> Instance:
    """The installation's row, locked; made when there is none."""
    fresh = insert(Instance).values(id=new_id(work.now), created_at=work.now).on_conflict_do_nothing()
    work.session.execute(fresh)
    return work.session.execute(select(Instance).with_for_update()).scalar_one()


def offer_setup(work: Work, secret_hash: bytes) -> bool:
    """Replace the set-up link. Returns whether set-up is still to be done."""
    instance = settle(work)
    if instance.setup_done_at is not None:
        return False
    instance.setup_hash, instance.setup_expires_at = secret_hash, work.now + SETUP_LIVES
    work.session.add(instance)
    return True


def is_set_up(work: Work) -> bool:
    """Whether the first owner exists."""
    return work.session.execute(select(Instance.setup_done_at)).scalar_one_or_none() is not None


def hold(work: Work, name: str, owner: str, length: timedelta) -> Holding | None:
    """Take or keep a lease. None: somebody else holds it."""
    until = work.now + length
    taken = insert(Lease).values(name=name, owner=owner, until=until, fence=1)
    free = (Lease.owner == owner) | (Lease.until < work.now)
    fence = case((Lease.owner == owner, Lease.fence), else_=Lease.fence + 1)
    taken = taken.on_conflict_do_update(index_elements=["name"], set_={"owner": owner, "until": until, "fence": fence}, where=free)
    found = work.session.execute(taken.returning(Lease.fence)).scalar_one_or_none()
    return Holding(name, owner, found) if found is not None else None


def let_go(work: Work, name: str, owner: str) -> None:
    """Give a lease back, so that the next one need not wait."""
    work.session.execute(update(Lease).where(Lease.name == name, Lease.owner == owner).values(until=work.now))


def beat(work: Work, mine: Beat) -> None:
    """Say that a process is alive; processes unheard for long are forgotten."""
    values = {"kind": mine.kind, "version": mine.version, "started_at": mine.started_at, "seen_at": work.now}
    row = insert(Heartbeat).values(process=mine.process, tick_at=None, **values)
    work.session.execute(row.on_conflict_do_update(index_elements=["process"], set_=values))
    work.session.execute(delete(Heartbeat).where(Heartbeat.seen_at < work.now - GONE_AFTER))


def ticked(work: Work, process: str) -> None:
    """Say that the leader's tick ran."""
    work.session.execute(update(Heartbeat).where(Heartbeat.process == process).values(tick_at=work.now))


def bury(work: Work, process: str) -> None:
    """Forget a process that ended as it should."""
    work.session.execute(delete(Heartbeat).where(Heartbeat.process == process))


def beats(work: Work) -> list[Beat]:
    """The processes heard lately."""
    rows = work.session.execute(select(Heartbeat).order_by(Heartbeat.kind, Heartbeat.process)).scalars()
    return [Beat(r.process, r.kind, r.version, r.started_at, r.seen_at, r.tick_at) for r in rows]


def plan(work: Work, timers: Mapping[str, int]) -> None:
    """Make the timers that do not exist yet due now, and give all their length in seconds."""
    for name, seconds in timers.items():
        row = insert(Timer).values(name=name, every_seconds=seconds, due_at=work.now, error="")
        work.session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"every_seconds": seconds}))


def timers_due(work: Work) -> list[str]:
    """Timers that are due, as one set; each is moved on by its length, so that a missed round is not made up for."""
    due = select(Timer).where(Timer.due_at <= work.now).order_by(Timer.due_at).limit(100).with_for_update(skip_locked=True)
    rows = list(work.session.execute(due).scalars())
    for row in rows:
        row.due_at, row.ran_at = work.now + timedelta(seconds=row.every_seconds), work.now
        work.session.add(row)
    return [row.name for row in rows]


def timer_ended(work: Work, name: str, error: str) -> None:
    """Keep how a timer's duty ended; what failed comes again in a minute at the latest."""
    ended = update(Timer).where(Timer.name == name).values(error=error[:500])
    soon = work.now + timedelta(minutes=1)
    work.session.execute(ended.values(due_at=func.least(Timer.due_at, soon)) if error else ended)


def forget_failures(work: Work) -> None:
    """Remove counts of failed sign-ins whose window is over."""
    work.session.execute(delete(Failure).where(Failure.since < work.now - WINDOW))


def timer_errors(work: Work) -> dict[str, str]:
    """Duties whose last round failed, and how."""
    return {row.name: row.error for row in work.session.execute(select(Timer.name, Timer.error).where(Timer.error != ""))}


def count_failures(work: Work, subjects: Sequence[Subject]) -> dict[bytes, tuple[datetime, int]]:
    """Count a try for each subject before it is looked at: tries at the same moment are counted too."""
    rows = [{"subject": s.key, "since": work.now, "count": 1} for s in sorted(subjects, key=lambda s: s.key)]
    tried = insert(Failure).values(rows)
    fresh = Failure.since < work.now - WINDOW
    changed = {"count": case((fresh, 1), else_=Failure.count + 1), "since": case((fresh, work.now), else_=Failure.since)}
    tried = tried.on_conflict_do_update(index_elements=["subject"], set_=changed)
    answer = work.session.execute(tried.returning(Failure.subject, Failure.since, Failure.count))
    return {bytes(subject): (since, count) for subject, since, count in answer}


def forgive(work: Work, subjects: Sequence[Subject]) -> None:
    """The try was right: it does not count, and the pair of account and address begins anew."""
    keys = [s.key for s in subjects]
    work.session.execute(delete(Failure).where(Failure.subject == keys[0]))
    work.session.execute(update(Failure).where(Failure.subject.in_(keys[1:]), Failure.count > 0).values(count=Failure.count - 1))


def failures_since(work: Work, time: datetime) -> int:
    """Failed sign-ins of all subjects counted since then, for metrics."""
    return len(work.session.execute(select(Failure.subject).where(Failure.since >= time).limit(10_000)).all())
