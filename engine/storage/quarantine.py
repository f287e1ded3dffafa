"""What could not be understood, and what became of it?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from engine.model.heard import Delivery
from engine.model.ids import new_id
from engine.model.inbox import Inbox, Quarantine
from engine.model.sources import Source
from engine.model.views import Page, Paging
from engine.model.vocabulary import QuarantineState
from engine.storage.paging import Order, read
from engine.storage.work import Work


def add(work: Work, source: Source, delivery: Delivery, reason: str) -> UUID:
    """Keep a body that was refused."""
    row = Quarantine(
        org_id=work.org_id,
        id=new_id(delivery.received_at),
        team_id=source.team_id,
        source_id=source.id,
        kind=source.kind,
        reason=reason,
        received_at=delivery.received_at,
        headers=delivery.headers,
        body=delivery.body,
        state=QuarantineState.WAITING,
    )
    work.session.add(row)
    work.touch("quarantine", row.id, source.team_id)
    return row.id


def listed(work: Work, state: QuarantineState, source_id: UUID | None, paging: Paging) -> Page[Quarantine]:
    """Entries in this state, the newest first."""
    query = select(Quarantine).where(Quarantine.org_id == work.org_id, Quarantine.state == state)
    if source_id is not None:
        query = query.where(Quarantine.source_id == source_id)
    found, page = read(work.session, query, Order((Quarantine.id,), descending=True), paging)
    return Page(tuple(row[0] for row in found), page.next_cursor, page.total, page.total_is_capped)


def some(work: Work, ids: Sequence[UUID]) -> list[Quarantine]:
    """Entries by id, as far as they may be seen, locked."""
    query = select(Quarantine).where(Quarantine.org_id == work.org_id, Quarantine.id.in_(ids)).order_by(Quarantine.id)
    return list(work.session.execute(query.with_for_update()).scalars())


def waiting(work: Work, source_id: UUID | None, limit: int) -> list[UUID]:
    """Entries that wait, the oldest first."""
    query = select(Quarantine.id).where(Quarantine.org_id == work.org_id, Quarantine.state == QuarantineState.WAITING)
    if source_id is not None:
        query = query.where(Quarantine.source_id == source_id)
    return list(work.session.execute(query.order_by(Quarantine.id).limit(limit)).scalars())


def delivery(work: Work, row: Quarantine) -> Delivery | None:
    """The body of an entry: its own, or that of the delivery it came in; None when that was dropped by retention."""
    if row.delivery_id is None:
        return Delivery(row.body, row.headers, row.received_at)
    kept = work.session.execute(select(Inbox).where(Inbox.org_id == work.org_id, Inbox.id == row.delivery_id)).scalar_one_or_none()
    return None if kept is None else Delivery(kept.body, kept.headers, kept.received_at)


def handled(work: Work, ids: Sequence[UUID], state: QuarantineState, by: str, at: datetime) -> None:
    """What became of entries; what was replayed stays so."""
    mine = update(Quarantine).where(Quarantine.org_id == work.org_id, Quarantine.id.in_(ids))
    work.session.execute(mine.where(col(Quarantine.state) != QuarantineState.REPLAYED).values(state=state, handled_by=by, handled_at=at))
