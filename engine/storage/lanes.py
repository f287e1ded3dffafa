"""Which organization has work of a kind, and which worker has it in hand?

A lane that has nothing to do is not looked at. Who writes work holds the lane's row with the weakest lock while the
transaction is open, and who puts a lane to rest takes the strongest: so no work can slip in between unseen, and yet writers
never wait for a worker.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text

from engine.errors import LostLease
from engine.storage.work import Work

INBOX, CHECK = "inbox", "check"
# Short: the fence shuts out who had it before, not the clock; and so long an organization whose turn failed lets others go first.
LEASE = timedelta(seconds=5)


@dataclass(frozen=True)
class Held:
    """A lane in the hands of one worker."""

    org_id: UUID
    kind: str
    fence: int


def due(work: Work, kind: str) -> list[UUID]:
    """Organizations whose lane has work now and is in nobody's hands, the longest waiting first. Needs no tenant."""
    return list(work.session.execute(_DUE, {"kind": kind}).scalars())


_DUE = text("""
SELECT org_id FROM lane WHERE kind = :kind AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
ORDER BY due_at LIMIT 100
""")


def wake(db: psycopg.Connection[Any], org_id: UUID, kind: str) -> psycopg.Cursor[Any]:
    """Say, in the transaction that writes work, that there is some. The cursor's `rowcount` says whether the lane was at rest.

    Two statements: the second must see what whoever put the lane to rest meanwhile has left.
    """
    lane = {"org": org_id, "kind": kind}
    db.execute("SELECT 1 FROM lane WHERE org_id = %(org)s AND kind = %(kind)s FOR KEY SHARE", lane)
    return db.execute(_WAKE, lane)


_WAKE = """
UPDATE lane SET due_at = now() WHERE org_id = %(org)s AND kind = %(kind)s AND (due_at IS NULL OR due_at > now())
"""


def hold(work: Work, kind: str, owner: str) -> Held | None:
    """Take the organization's lane, if it has work and nobody else has it. Its fence rises, so who had it before is shut out."""
    row = work.session.execute(_HOLD, {"org": work.org_id, "kind": kind, "owner": owner, "seconds": LEASE.seconds}).scalar_one_or_none()
    return None if row is None else Held(work.org_id, kind, row)


_HOLD = text("""
UPDATE lane SET lease_owner = :owner, lease_until = now() + make_interval(secs => :seconds), fence = fence + 1
WHERE org_id = :org AND kind = :kind AND due_at <= now() AND (lease_until IS NULL OR lease_until < now()) RETURNING fence
""")


def enter(work: Work, held: Held) -> None:
    """Be alone with the alerts and incidents of the organization until the transaction ends. Raises LostLease."""
    alone(work)
    lane = {"org": held.org_id, "kind": held.kind}
    fence = work.session.execute(text("SELECT fence FROM lane WHERE org_id = :org AND kind = :kind"), lane).scalar_one()
    if fence != held.fence:
        raise LostLease(f"the lane {held.kind} was taken over by another worker")


def alone(work: Work) -> None:
    """One transaction at a time changes the alerts and incidents of an organization: wait until it is this one."""
    work.session.execute(_ALONE, {"key": work.org_id.int & 0x7FFF_FFFF_FFFF_FFFF})


_ALONE = text("SELECT pg_advisory_xact_lock(:key)")


def renew(work: Work, held: Held) -> None:
    """Keep the lane. Raises LostLease."""
    lane = {"org": held.org_id, "kind": held.kind, "fence": held.fence, "seconds": LEASE.seconds}
    if work.session.execute(_RENEW, lane).scalar_one_or_none() is None:
        raise LostLease(f"the lane {held.kind} was taken over by another worker")


_RENEW = text("""
UPDATE lane SET lease_until = now() + make_interval(secs => :seconds)
WHERE org_id = :org AND kind = :kind AND fence = :fence RETURNING fence
""")


def rest(work: Work, held: Held, next_due: str) -> None:
    """Give the lane back; it is due next at what the SQL expression `next_due` says, seen once no writer is half-way.

    While writers come and go without a pause, it is only given back and stays due.
    """
    lane = {"org": held.org_id, "kind": held.kind, "fence": held.fence}
    locked = text("SELECT 1 FROM lane WHERE org_id = :org AND kind = :kind AND fence = :fence FOR UPDATE SKIP LOCKED")
    quiet = work.session.execute(locked, lane).scalar_one_or_none() is not None
    changed = f"due_at = ({next_due}), " if quiet else ""
    given = f"UPDATE lane SET {changed}lease_owner = NULL, lease_until = NULL WHERE org_id = :org AND kind = :kind AND fence = :fence"  # noqa: S608
    work.session.execute(text(given), lane)


def bring_forward(work: Work, kind: str, at: datetime) -> None:
    """Let the lane be due then, if it is not due before. The caller is alone with the organization, or holds the lane."""
    work.session.execute(_FORWARD, {"org": work.org_id, "kind": kind, "at": at})


_FORWARD = text("UPDATE lane SET due_at = least(due_at, :at) WHERE org_id = :org AND kind = :kind AND (due_at IS NULL OR due_at > :at)")
