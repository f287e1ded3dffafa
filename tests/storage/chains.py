"""Audit entries of other days, for tests of a chain that is older than the test."""

from datetime import datetime

from sqlalchemy import select

from engine.model.audit import AuditEntry, AuditHead
from engine.model.ids import new_id
from engine.model.vocabulary import ActorKind, Outcome
from engine.storage.audit import GENESIS, hash_of
from engine.storage.database import Database
from engine.storage.work import Tenant, work


def write_at(database: Database, tenant: Tenant, times: list[datetime]) -> list[AuditEntry]:
    """Append an entry for each time, as if the clock had said so."""
    with work(database, tenant) as open_work:
        head = open_work.session.execute(select(AuditHead)).scalar_one_or_none()
        seq, previous = (head.seq, head.hash) if head else (0, GENESIS)
        made = []
        for time in times:
            seq += 1
            entry = _entry(tenant, seq, time, previous)
            previous = entry.hash
            made.append(entry)
        open_work.session.add_all(made)
        open_work.session.add(head or AuditHead(org_id=tenant.org_id, seq=0, hash=b""))
        open_work.session.flush()
        head = open_work.session.get_one(AuditHead, tenant.org_id)
        head.seq, head.hash = seq, previous
    return made


def _entry(tenant: Tenant, seq: int, time: datetime, previous: bytes) -> AuditEntry:
    entry = AuditEntry(
        org_id=tenant.org_id,
        id=new_id(time),
        seq=seq,
        at=time,
        actor_kind=ActorKind.SYSTEM,
        actor_id=tenant.org_id,
        actor_name="clock",
        operation="test.act",
        outcome=Outcome.DONE,
        target=f"thing {seq}",
        detail={"number": seq},
        address="",
        trace_id="",
        previous_hash=previous,
        hash=b"",
    )
    entry.hash = hash_of(entry)
    return entry
