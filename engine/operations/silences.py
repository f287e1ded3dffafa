"""Which alerts are kept quiet, when, and what would that mean?

A silence is made by whoever may respond to alerts, ended early and extended; it never drops an alert, and what still fires when it
ends enters its incident then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from engine.errors import Conflict, Invalid, NotFound, Stale
from engine.matching import windows
from engine.matching.windows import Span
from engine.model.alerts import AlertView
from engine.model.definitions import Definition, DefinitionView
from engine.model.silences import Matcher, SilenceSpec
from engine.model.views import Page, Paging
from engine.model.vocabulary import AlertStatus, DefinitionKind, Permission
from engine.operations import defining
from engine.operations.definitions import Spec
from engine.operations.door import Context, operation
from engine.operations.words import Words
from engine.pipeline import quiet_now
from engine.stages.quiet import Matching
from engine.storage import alerts
from engine.storage import definitions as stored
from engine.storage.alerts import Filter

_KIND = DefinitionKind.SILENCE
_LOOKED_AT = 10_000
_SHOWN = 20
_LONGEST_LOOK = timedelta(days=92)
_MOST_SHOWN = 500


@dataclass(frozen=True)
class SpanView:
    """A time that a silence covers; its end belongs to it no more."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class SilenceView:
    """A silence as it is shown: what it says, whether it is in force now and until when, and when it is next."""

    id: UUID
    team_id: UUID | None
    comment: str
    author: str
    matchers: tuple[Matcher, ...]
    zone: str
    rule: str
    active: bool
    over: bool
    ends_at: datetime | None
    current: SpanView | None
    next: SpanView | None
    spec: dict[str, Any]
    version: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class Preview:
    """What a silence would mean: how many of the firing alerts it would keep quiet, some of them, and its next times.

    `counted_all` is false when more fire than were looked at.
    """

    muted: int
    counted_all: bool
    alerts: tuple[AlertView, ...]
    spans: tuple[SpanView, ...]


@dataclass(frozen=True)
class Occurrence:
    """A time that a silence covers, in a calendar."""

    silence_id: UUID
    comment: str
    author: str
    team_id: UUID | None
    recurs: bool
    starts_at: datetime
    ends_at: datetime


@operation("silences.all", Permission.VIEW, reads=True)
def all(ctx: Context, over: bool = False, q: Words = "", page: Paging = Paging()) -> Page[SilenceView]:
    """List the silences that count now or later, the newest first; with `over`, those that are over."""
    found = stored.listed(ctx.work, _KIND, q, over, page)
    return Page(tuple(_view(each, ctx.work.now) for each in found.items), found.next_cursor, found.total, found.total_is_capped)


@operation("silences.show", Permission.VIEW, reads=True)
def show(ctx: Context, silence_id: UUID) -> SilenceView:
    """Show one silence."""
    return _view(stored.view(_found(ctx, silence_id)), ctx.work.now)


@operation("silences.create", Permission.RESPOND, team="team_id")
def create(ctx: Context, spec: Spec, team_id: UUID | None = None) -> SilenceView:
    """Keep alerts quiet: once or again and again, all that match or those of a team."""
    row = defining.add_silence(ctx, defining.checked_silence(spec, ctx.work.now), team_id)
    ctx.note(row.name)
    return _view(stored.view(row), ctx.work.now)


@operation("silences.change", Permission.RESPOND, thing=True)
def change(ctx: Context, silence_id: UUID, spec: Spec, version: int | None = None) -> SilenceView:
    """Replace what a silence says; one that is over cannot be changed."""
    row = _mine(ctx, silence_id)
    if version is not None and version != row.version:
        raise Stale("This silence was changed meanwhile. Load it again and repeat your change.")
    kept, ends_at = defining.checked_silence(spec, ctx.work.now)
    return _rewritten(ctx, row, kept, ends_at, "changed")


@operation("silences.extend", Permission.RESPOND, thing=True)
def extend(ctx: Context, silence_id: UUID, ends: AwareDatetime) -> SilenceView:
    """Let a silence that comes once end at another time: later, or earlier."""
    row = _mine(ctx, silence_id)
    if row.spec.get("rule"):
        raise Conflict("This silence comes again and again: change what it says instead.")
    local = ends.astimezone(ZoneInfo(row.spec.get("zone", "UTC"))).replace(tzinfo=None, microsecond=0)
    kept, ends_at = defining.checked_silence(row.spec | {"ends": local.isoformat()}, ctx.work.now)
    return _rewritten(ctx, row, kept, ends_at, f"ends at {ends:%Y-%m-%d %H:%M} now")


@operation("silences.end", Permission.RESPOND, thing=True)
def end(ctx: Context, silence_id: UUID) -> SilenceView:
    """End a silence now, for good. What it kept quiet and still fires enters its incident."""
    row = _mine(ctx, silence_id)
    return _rewritten(ctx, row, row.spec, ctx.work.now, "ended")


@operation("silences.preview", Permission.VIEW, reads=True)
def preview(ctx: Context, spec: Spec) -> Preview:
    """What a silence would keep quiet of what fires now, and the next five times that it covers."""
    kept, _ = defining.checked_silence(spec, ctx.work.now)
    said = SilenceSpec.model_validate(kept)
    matching = Matching(said.matchers)
    looked_at = quiet_now.firing(ctx.work, _LOOKED_AT)
    ids = [id for id, labels in looked_at if matching(labels)]
    shown = {each.id: each for each in alerts.some(ctx.work, ids[:_SHOWN])}
    spans = windows.following(defining.window_of(said), ctx.work.now, 5)
    total = alerts.listed(ctx.work, Filter(status=AlertStatus.FIRING), "-first_seen_at", Paging(limit=1)).total
    return Preview(len(ids), total <= len(looked_at), tuple(shown[id] for id in ids[:_SHOWN] if id in shown), _spans(spans))


@operation("silences.calendar", Permission.VIEW, reads=True)
def calendar(ctx: Context, since: AwareDatetime, until: AwareDatetime) -> tuple[Occurrence, ...]:
    """The times that silences cover from `since` to `until`, at most three months, in order."""
    if not timedelta() < until - since <= _LONGEST_LOOK:
        raise Invalid.field("until", f"Ask for a time of up to {_LONGEST_LOOK.days} days that ends after it begins.")
    found: list[Occurrence] = []
    for row in stored.all_of(ctx.work, _KIND, since):
        said = SilenceSpec.model_validate(row.spec)
        for span in windows.occurrences(defining.window_of(said), since, until, _MOST_SHOWN):
            ends_at = span.end if row.ends_at is None else min(span.end, row.ends_at)
            if span.start < ends_at and ends_at > since:
                found.append(Occurrence(row.id, said.comment, row.author, row.team_id, bool(said.rule), span.start, ends_at))
    return tuple(sorted(found, key=lambda each: (each.starts_at, each.silence_id))[:_MOST_SHOWN])


def _rewritten(ctx: Context, row: Definition, kept: dict[str, Any], ends_at: datetime | None, said: str) -> SilenceView:
    row.name, row.spec, row.ends_at = defining.silence_name(kept), kept, ends_at
    row.version, row.changed_at = row.version + 1, ctx.work.now
    stored.keep(ctx.work, row, f"{said} by {ctx.actor.name}")
    ctx.note(row.name)
    return _view(stored.view(row), ctx.work.now)


def _found(ctx: Context, id: UUID, *, lock: bool = False) -> Definition:
    if (row := stored.one(ctx.work, id, _KIND, lock=lock)) is None:
        raise NotFound("There is no such silence.")
    return row


def _mine(ctx: Context, id: UUID) -> Definition:
    row = _found(ctx, id, lock=True)
    ctx.require(Permission.RESPOND, row.team_id)
    if row.ends_at is not None and row.ends_at <= ctx.work.now:
        raise Conflict("This silence is over; make a new one.")
    return row


def _view(found: DefinitionView, now: datetime) -> SilenceView:
    said = SilenceSpec.model_validate(found.spec)
    over = found.ends_at is not None and found.ends_at <= now
    current = None if over else windows.current(defining.window_of(said), now)
    coming = [] if over else [span for span in windows.following(defining.window_of(said), now, 2) if span.start > now]
    return SilenceView(
        id=found.id,
        team_id=found.team_id,
        comment=said.comment,
        author=said.created_by or found.author,
        matchers=tuple(said.matchers),
        zone=said.zone,
        rule=said.rule,
        active=current is not None,
        over=over,
        ends_at=found.ends_at,
        current=_span(current),
        next=_span(coming[0]) if coming else None,
        spec=found.spec,
        version=found.version,
        created_at=found.created_at,
        changed_at=found.changed_at,
    )


def _span(span: Span | None) -> SpanView | None:
    return None if span is None else SpanView(span.start, span.end)


def _spans(spans: list[Span]) -> tuple[SpanView, ...]:
    return tuple(SpanView(span.start, span.end) for span in spans)
