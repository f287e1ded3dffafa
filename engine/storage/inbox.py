"""What was delivered, and what of it still waits?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from engine.model.heard import Delivery
from engine.model.ids import floor_id, time_of
from engine.model.inbox import DeliveryView, Inbox, Pending
from engine.model.views import Page, Paging
from engine.storage import lanes, rows
from engine.storage.paging import Order, read
from engine.storage.work import Work

REPEATS_WITHIN = timedelta(minutes=5)
_MOST_DELIVERIES = 256
_MOST_ALERTS = 1500
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Post:
    """A delivery that is to be kept."""

    id: UUID
    org_id: UUID
    team_id: UUID | None
    source_id: UUID
    kind: str
    delivery: Delivery
    alerts: int
    part: int | None = None


@dataclass(frozen=True)
class Waiting:
    """A delivery that waits. `repeated`: the same body of the same source came within five minutes before; `part`: this one of it."""

    id: UUID
    source_id: UUID
    kind: str
    delivery: Delivery
    repeated: bool
    part: int | None = None


def append(work: Work, posts: Sequence[Post]) -> None:
    """Keep deliveries of this organization, and let a worker know. Several requests share the transaction; twice is once."""
    heads = [msgspec.json.encode(post.delivery.headers).decode() for post in posts]
    columns: list[list[Any]] = [
        [post.id for post in posts],
        [post.team_id for post in posts],
        [post.source_id for post in posts],
        [post.kind for post in posts],
        [post.delivery.received_at for post in posts],
        heads,
        [post.delivery.body for post in posts],
        [blake2b(post.delivery.body, digest_size=16).digest() for post in posts],
        [post.alerts for post in posts],
        [post.part for post in posts],
    ]
    db = rows.connection(work)
    with db.pipeline():  # one trip to the server for all three
        db.execute(_APPEND, [work.org_id, *columns])  # pyright: ignore[reportArgumentType]
        woken = lanes.wake(db, work.org_id, lanes.INBOX)
    if woken.rowcount:
        work.touch("inbox")


_APPEND = """
WITH came AS (
    INSERT INTO inbox (org_id, id, team_id, source_id, kind, received_at, headers, body, body_hash, alerts, part)
    SELECT %s::uuid, * FROM unnest(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::timestamptz[], %s::jsonb[], %b::bytea[], %b::bytea[],
        %b::int4[], %b::int4[])
    ON CONFLICT DO NOTHING RETURNING org_id, id, alerts, length(body) AS bytes)
INSERT INTO pending (org_id, id, alerts, bytes) SELECT org_id, id, alerts, bytes FROM came
"""


def waiting(work: Work) -> list[Waiting]:
    """The next deliveries of this organization, the oldest first: as many as make a batch."""
    rows.run(work, "SET LOCAL enable_seqscan = off")  # fresh weeks have no statistics yet, and are never read whole
    queue = rows.fetch(work, _QUEUE, {"org": work.org_id, "most": _MOST_DELIVERIES})
    taken: list[UUID] = []
    alerts = size = 0
    for id, count, bytes in queue:
        if taken and (alerts + count > _MOST_ALERTS or size + bytes > _MOST_BYTES):
            break
        taken.append(id)
        alerts, size = alerts + count, size + bytes
    if not taken:
        return []
    since = floor_id(time_of(taken[0]) - REPEATS_WITHIN)
    bounds = {"org": work.org_id, "ids": taken, "first": taken[0], "last": taken[-1], "since": since}
    found = rows.fetch(work, _WAITING, bounds)
    return [Waiting(row[0], row[1], row[2], Delivery(row[5], row[4], row[3]), row[6], row[7]) for row in found]


_QUEUE = "SELECT id, alerts, bytes FROM pending WHERE org_id = %(org)s ORDER BY id LIMIT %(most)s"
# The bounds let whole weeks be skipped.
_WAITING = """
SELECT id, source_id, kind, received_at, headers, body, EXISTS (
    SELECT 1 FROM inbox o WHERE o.org_id = i.org_id AND o.source_id = i.source_id AND o.body_hash = i.body_hash
        AND o.id < i.id AND o.id >= %(since)s AND o.received_at >= i.received_at - interval '5 minutes'), part
FROM inbox i WHERE org_id = %(org)s AND id = ANY (%(ids)s) AND id >= %(first)s AND id <= %(last)s ORDER BY id
"""


def applied(work: Work, ids: Sequence[UUID]) -> None:
    """These deliveries wait no more."""
    rows.run(work, "DELETE FROM pending WHERE org_id = %(org)s AND id = ANY (%(ids)s)", {"org": work.org_id, "ids": list(ids)})


def drop(work: Work, ids: Sequence[UUID]) -> None:
    """Let these deliveries be as if they had not come."""
    applied(work, ids)
    rows.run(work, "DELETE FROM inbox WHERE org_id = %(org)s AND id = ANY (%(ids)s)", {"org": work.org_id, "ids": list(ids)})


def oldest(work: Work) -> datetime | None:
    """Since when the oldest delivery of this organization waits."""
    query = select(Pending.id).where(Pending.org_id == work.org_id).order_by(Pending.id).limit(1)
    first = work.session.execute(query).scalar_one_or_none()
    return None if first is None else time_of(first)


def deliveries(work: Work, source_id: UUID | None, ids: Sequence[UUID] | None, paging: Paging) -> Page[DeliveryView]:
    """Deliveries as they came, the newest first: of a source, or those named."""
    waits = select(Pending.id).where(Pending.org_id == Inbox.org_id, Pending.id == Inbox.id).exists()
    query = select(Inbox, waits.label("waits")).where(Inbox.org_id == work.org_id)
    if source_id is not None:
        query = query.where(Inbox.source_id == source_id)
    if ids is not None:
        query = query.where(Inbox.id.in_(ids))
    found, page = read(work.session, query, Order((Inbox.id,), descending=True), paging)
    return Page(tuple(_view(row[0], row[1]) for row in found), page.next_cursor, page.total, page.total_is_capped)


def _view(row: Inbox, waits: bool) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        source_id=row.source_id,
        kind=row.kind,
        received_at=row.received_at,
        headers=row.headers,
        body=row.body.decode("utf-8", "replace"),
        alerts=row.alerts,
        waiting=waits,
    )
