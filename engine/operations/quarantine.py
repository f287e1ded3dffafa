"""What could not be understood, and what is done about it?"""

from uuid import UUID

from engine import pipeline
from engine.errors import AiopsError, Conflict, NotFound
from engine.integrations.sources import KINDS
from engine.model.heard import Fault
from engine.model.ids import delivery_id
from engine.model.inbox import Quarantine, QuarantinedBody, QuarantineView, Replayed
from engine.model.sources import Source
from engine.model.views import Bulk, Failed, Page, Paging
from engine.model.vocabulary import Permission, QuarantineState
from engine.operations.door import Context, operation
from engine.operations.words import Ids
from engine.storage import inbox, sources
from engine.storage import quarantine as stored
from engine.storage.inbox import Post, Waiting

_AT_ONCE = 1000


@operation("quarantine.all", Permission.VIEW, reads=True)
def all(
    ctx: Context, state: QuarantineState = QuarantineState.WAITING, source_id: UUID | None = None, page: Paging = Paging()
) -> Page[QuarantineView]:
    """List what could not be understood, the newest first."""
    found = stored.listed(ctx.work, state, source_id, page)
    names = sources.names(ctx.work, [row.source_id for row in found.items])
    views = tuple(_view(row, names) for row in found.items)
    return Page(views, found.next_cursor, found.total, found.total_is_capped)


@operation("quarantine.show", Permission.VIEW, reads=True)
def show(ctx: Context, entry_id: UUID) -> QuarantinedBody:
    """Show one entry with its body."""
    found = stored.some(ctx.work, [entry_id])
    if not found:
        raise NotFound("There is no such entry in the quarantine.")
    kept = stored.delivery(ctx.work, found[0])
    names = sources.names(ctx.work, [found[0].source_id])
    body = "(past its retention)" if kept is None else kept.body.decode("utf-8", "replace")
    return QuarantinedBody(_view(found[0], names), kept.headers if kept else {}, body)


@operation("quarantine.replay", Permission.RESPOND, thing=True)
def replay(ctx: Context, ids: Ids) -> Bulk:
    """Deliver entries again, discarded ones too, as their sources are set up now. What is still not understood stays, with its reason."""
    done, failed = _replay(ctx, ids)
    return Bulk(tuple(done), tuple(failed))


@operation("quarantine.replay_all", Permission.RESPOND, thing=True)
def replay_all(ctx: Context, source_id: UUID | None = None) -> Replayed:
    """Deliver everything that waits again, of one source or of all; a thousand at a time."""
    ids = stored.waiting(ctx.work, source_id, _AT_ONCE)
    done, failed = _replay(ctx, ids)
    return Replayed(len(done), len(failed), len(ids) == _AT_ONCE)


@operation("quarantine.discard", Permission.RESPOND, thing=True)
def discard(ctx: Context, ids: Ids) -> Bulk:
    """Decide that entries are not wanted. They are kept, and can be replayed."""
    rows = _mine(ctx, ids, QuarantineState.WAITING)
    stored.handled(ctx.work, [row.id for row in rows], QuarantineState.DISCARDED, ctx.actor.name, ctx.work.now)
    ctx.work.touch("quarantine")
    return Bulk(tuple(row.id for row in rows), _missing(ids, {row.id for row in rows}))


def _mine(ctx: Context, ids: list[UUID], *states: QuarantineState) -> list[Quarantine]:
    """Entries in these states that the actor may act on."""
    rows = [row for row in stored.some(ctx.work, list(dict.fromkeys(ids))) if row.state in states]
    may = [row for row in rows if ctx.actor.may(Permission.RESPOND, row.team_id)]
    if rows and not may:
        ctx.require(Permission.RESPOND, rows[0].team_id)
    return may


def _missing(ids: list[UUID], found: set[UUID]) -> tuple[Failed, ...]:
    why = "There is no such entry that waits, or your role does not allow this for its team."
    return tuple(Failed(id, why) for id in dict.fromkeys(ids) if id not in found)


def _replay(ctx: Context, ids: list[UUID]) -> tuple[list[UUID], list[Failed]]:
    rows = _mine(ctx, ids, QuarantineState.WAITING, QuarantineState.DISCARDED)
    failed = list(_missing(ids, {row.id for row in rows}))
    posts: list[Post] = []
    done: list[UUID] = []
    for row in rows:
        try:
            posts.append(_post(ctx, row))
            done.append(row.id)
        except AiopsError as error:
            failed.append(Failed(row.id, str(error)))
    if posts:
        inbox.append(ctx.work, posts)
    stored.handled(ctx.work, done, QuarantineState.REPLAYED, ctx.actor.name, ctx.work.now)
    ctx.work.touch("quarantine")
    return done, failed


def _post(ctx: Context, row: Quarantine) -> Post:
    """The entry as a delivery: all of a refused body, or the one alert of an accepted delivery. Raises what `accept` raises."""
    source: Source | None = sources.one(ctx.work, row.source_id)
    kept = stored.delivery(ctx.work, row)
    if source is None:
        raise NotFound("Its source was deleted.")
    if kept is None:
        raise NotFound("Its delivery is past its retention.")
    kind = KINDS[source.kind]
    accepted = kind.accept(kept.body, kept.headers)
    id = delivery_id(ctx.work.now)
    heard = pipeline.read(Waiting(id, source.id, source.kind, kept, False), sources.sender(source))
    wanted = heard if row.index is None or len(heard) <= row.index else heard[row.index : row.index + 1]
    faults = [each.reason for each in wanted if isinstance(each, Fault)]
    if faults and len(faults) == len(wanted):
        raise Conflict(f"It still cannot be understood: {faults[0]}")
    return Post(id, source.org_id, source.team_id, source.id, source.kind, kept, accepted.alerts, part=row.index)


def _view(row: Quarantine, names: dict[UUID, str]) -> QuarantineView:
    return QuarantineView(
        id=row.id,
        source_id=row.source_id,
        source=names.get(row.source_id, ""),
        kind=row.kind,
        reason=row.reason,
        received_at=row.received_at,
        delivery_id=row.delivery_id,
        index=row.index,
        state=row.state,
        handled_by=row.handled_by,
        handled_at=row.handled_at,
    )
