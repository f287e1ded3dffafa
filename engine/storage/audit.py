"""What was done, in a chain that shows every change of the past.

`hash = SHA-256(previous hash ‖ canonical JSON of the row)`; the chain of an organization is appended under an advisory
lock as the last thing before a commit. Whoever can rewrite the whole table can rewrite the chain: export it off the machine.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from engine.identity.actor import Actor
from engine.model.audit import AuditAnchor, AuditEntry, AuditHead, AuditVerdict, AuditView, RefusalCount
from engine.model.ids import new_id
from engine.model.views import Page, Paging
from engine.model.vocabulary import Outcome
from engine.storage.paging import Order, read
from engine.storage.partitions import before, since
from engine.storage.work import Work

GENESIS = b"\x00" * 32
_BATCH = 2000


@dataclass(frozen=True)
class Act:
    """What an entry says: which operation, on what, with which facts, and how it ended."""

    operation: str
    outcome: Outcome
    target: str = ""
    detail: dict[str, Any] | None = None


def append(work: Work, actor: Actor, act: Act) -> UUID:
    """Add an entry to the chain of the actor's organization. Call it last: it holds the chain until the commit."""
    work.session.flush()
    _hold_chain(work)
    head = work.session.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    at = work.session.execute(select(func.clock_timestamp())).scalar_one()
    entry = AuditEntry(
        org_id=work.org_id,
        id=new_id(at),
        seq=seq,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        operation=act.operation,
        outcome=act.outcome,
        target=act.target,
        detail=act.detail or {},
        address=actor.request.address,
        trace_id=actor.request.trace_id,
        previous_hash=previous,
        hash=b"",
    )
    entry.hash = hash_of(entry)
    work.session.add(entry)
    moved = insert(AuditHead).values(org_id=work.org_id, seq=seq, hash=entry.hash)
    work.session.execute(moved.on_conflict_do_update(index_elements=["org_id"], set_={"seq": seq, "hash": entry.hash}))
    work.touch("audit", entry.id)
    return entry.id


def refuse(work: Work, actor: Actor, act: Act) -> None:
    """Note a refusal: the first of an actor, an operation and a minute is an entry, the others are counted with it."""
    minute = work.now.replace(second=0, microsecond=0)
    key = {"org_id": work.org_id, "actor_id": actor.id, "operation": act.operation, "minute": minute}
    counted = work.session.execute(
        insert(RefusalCount)
        .values(**key, audit_id=new_id(work.now), count=1)
        .on_conflict_do_update(index_elements=list(key), set_={"count": RefusalCount.count + 1})
        .returning(RefusalCount.count)
    ).scalar_one()
    if counted == 1:
        entry = append(work, actor, act)
        row = work.session.get_one(RefusalCount, tuple(key.values()))
        row.audit_id = entry
    work.touch("audit")


def forget_refusals(work: Work, older_than: datetime) -> None:
    """Remove counts of refusals from before then; the entries themselves stay, and count as one."""
    work.session.execute(delete(RefusalCount).where(RefusalCount.org_id == work.org_id, RefusalCount.minute < older_than))


def hash_of(entry: AuditEntry) -> bytes:
    """The hash that belongs to an entry as it stands."""
    row = {
        "org_id": str(entry.org_id),
        "id": str(entry.id),
        "seq": entry.seq,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": [str(entry.actor_kind), str(entry.actor_id), entry.actor_name],
        "operation": entry.operation,
        "outcome": str(entry.outcome),
        "target": entry.target,
        "detail": _as_kept(entry.detail),
        "request": [entry.address, entry.trace_id],
    }
    canonical = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(entry.previous_hash + canonical.encode()).digest()


def _as_kept(value: Any) -> Any:
    """JSON as PostgreSQL gives it back: it keeps the number, not how it was written (1e22, 10.0, -0.0)."""
    if isinstance(value, dict):
        return {key: _as_kept(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_kept(part) for part in value]
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value


def _hold_chain(work: Work) -> None:
    """Until the commit, nobody else appends to the chain of this organization."""
    work.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"audit {work.org_id}", 0))))


def verify(work: Work, progress: Callable[[float, str], None]) -> AuditVerdict:
    """Walk the organization's chain from its anchor to its head; the verdict names the first bad row."""
    session = work.session
    anchor = session.execute(select(AuditAnchor.seq, AuditAnchor.hash).order_by(AuditAnchor.seq.desc()).limit(1)).one_or_none()
    expected, previous = (anchor.seq + 1, anchor.hash) if anchor else (1, GENESIS)
    first, held = expected, False
    last = session.execute(select(AuditHead.seq)).scalar_one_or_none() or 0
    while True:
        query = select(AuditEntry).where(AuditEntry.org_id == work.org_id, AuditEntry.seq >= expected)
        batch = session.execute(query.order_by(AuditEntry.seq, AuditEntry.id).limit(_BATCH)).scalars().all()
        for entry in batch:
            if fault := _fault(entry, expected, previous):
                return AuditVerdict(False, expected - first, entry.seq, entry.id, fault)
            expected, previous = entry.seq + 1, entry.hash
        session.expunge_all()
        if not held:  # whoever waits for the chain may hold what `progress` needs
            progress(min(1.0, (expected - first) / max(1, last - first + 1)), f"{expected - first} entries checked")
        if len(batch) < _BATCH:
            if held:
                break
            _hold_chain(work)  # what was appended during the walk is walked too, then compared with the head
            held = True
    fault = _fault_of_head(work, expected - 1, previous)
    return AuditVerdict(not fault, expected - first, expected if fault else None, None, fault)


def _fault_of_head(work: Work, last: int, previous: bytes) -> str:
    head = work.session.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
    said = head.seq if head else 0
    if said > last:
        return f"entries from {last + 1} to {said} are missing at the end"
    if said < last or (head and head.hash != previous):
        return f"the head of the chain was edited: it does not agree with entry {last}"
    return ""


def _fault(entry: AuditEntry, expected: int, previous: bytes) -> str:
    if entry.seq != expected:
        return f"entry {expected} is missing, or its order was changed"
    if entry.previous_hash != previous:
        return f"entry {entry.seq} does not follow the entry before it"
    if entry.hash != hash_of(entry):
        return f"entry {entry.seq} was edited"
    return ""


@dataclass(frozen=True)
class Wanted:
    """Which entries to read."""

    words: str = ""
    operation: str = ""
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


def matching(work: Work, wanted: Wanted, paging: Paging) -> Page[AuditView]:
    """Entries of the organization, newest first."""
    count = select(RefusalCount.count).where(RefusalCount.org_id == AuditEntry.org_id, RefusalCount.audit_id == AuditEntry.id)
    query = select(AuditEntry, count.scalar_subquery().label("refusals")).where(*_conditions(work, wanted))
    rows, page = read(work.session, query, Order((AuditEntry.id,), descending=True), paging)
    return Page(tuple(_view(row[0], row[1]) for row in rows), page.next_cursor, page.total, page.total_is_capped)


def _conditions(work: Work, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[Any] = [AuditEntry.org_id == work.org_id]
    id_column: Any = AuditEntry.id
    if wanted.since:
        conditions.append(since(id_column, wanted.since))
    if wanted.until:
        conditions.append(before(id_column, wanted.until))
    if wanted.operation:
        conditions.append(AuditEntry.operation == wanted.operation)
    if wanted.outcome:
        conditions.append(AuditEntry.outcome == wanted.outcome)
    for word in wanted.words.split()[:8]:
        columns: list[Any] = [AuditEntry.actor_name, AuditEntry.operation, AuditEntry.target, AuditEntry.address]
        conditions.append(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return [and_(*conditions)]


def _view(entry: AuditEntry, refusals: int | None) -> AuditView:
    return AuditView(
        id=entry.id,
        seq=entry.seq,
        at=entry.at,
        actor_kind=entry.actor_kind,
        actor_name=entry.actor_name,
        operation=entry.operation,
        outcome=entry.outcome,
        target=entry.target,
        detail=entry.detail,
        address=entry.address,
        trace_id=entry.trace_id,
        times=refusals or 1,
    )


def operations_seen(work: Work) -> tuple[str, ...]:
    """The operations that occur in the last entries, for a filter."""
    newest = select(AuditEntry.operation).where(AuditEntry.org_id == work.org_id).order_by(AuditEntry.id.desc()).limit(2000)
    return tuple(work.session.execute(select(newest.subquery().c.operation).distinct().order_by(text("1"))).scalars())
