"""How does it go, and what waits for me?"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from engine.errors import NotFound
from engine.model.incidents import Incident, IncidentView
from engine.model.overview import OverviewView, PulseView, SenderView
from engine.model.sources import Source
from engine.model.vocabulary import Permission
from engine.operations.door import Context, operation
from engine.storage import incidents as kept
from engine.storage import overview as stored
from engine.storage import people, proof, quarantine, sources

_PARTS = 48
_LATELY = timedelta(minutes=5)
_FEW = 8
_MOST_SENDERS = 12


@operation("overview.show", Permission.VIEW, reads=True)
def show(ctx: Context, hours: Literal[1, 6, 24, 168] = 24, team_id: UUID | None = None) -> OverviewView:
    """Show how it goes now and went lately, for everything this actor sees or for one team."""
    if team_id is not None and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    now = ctx.work.now
    length = timedelta(hours=hours) / _PARTS
    since = now - timedelta(hours=hours)
    by_severity, unacknowledged = stored.open_incidents(ctx.work, team_id)
    firing, is_capped = stored.firing_alerts(ctx.work, team_id)
    came, lately = stored.intake(ctx.work, since, team_id), stored.intake(ctx.work, now - _LATELY, team_id)
    spans = stored.spans(ctx.work, since, length, _PARTS, team_id)
    incidents = sum(span.incidents for span in spans)
    with ctx.as_installation():
        proved = proof.last(ctx.work)
    return OverviewView(
        since=since,
        until=now,
        open_by_severity=by_severity,
        open_incidents=sum(by_severity.values()),
        unacknowledged=unacknowledged,
        firing_alerts=firing,
        firing_is_capped=is_capped,
        alerts_a_minute=lately.heard / (_LATELY / timedelta(minutes=1)),
        heard=came.heard,
        firings=came.firings,
        incidents=incidents,
        noise_reduction=max(0.0, 1 - incidents / came.firings) if came.firings else None,
        acknowledged_in=stored.acknowledged_in(ctx.work, since, team_id),
        latency=timedelta(seconds=came.waited / came.deliveries) if came.deliveries else None,
        slowest=timedelta(seconds=came.slowest) if came.deliveries else None,
        proof_at=proved.at if proved else None,
        proof_seconds=proved.seconds if proved else None,
        quarantined=len(quarantine.waiting(ctx.work, None, 1000)),
        spans=spans,
        open=_views(ctx, stored.urgent(ctx.work, team_id, _FEW)),
        mine=_views(ctx, stored.owned(ctx.work, ctx.actor.id, _FEW)),
        resolved=_views(ctx, stored.resolved(ctx.work, since, team_id, _FEW)),
        senders=tuple(_sender(source, now) for source in stored.senders(ctx.work, team_id, _MOST_SENDERS)),
    )


@operation("overview.pulse", Permission.VIEW, reads=True)
def pulse(ctx: Context) -> PulseView:
    """Count what is open now: the numbers that every page shows."""
    by_severity, _ = stored.open_incidents(ctx.work, None)
    newest = _views(ctx, stored.unattended(ctx.work)) if by_severity["critical"] else ()
    return PulseView(
        open_incidents=sum(by_severity.values()),
        critical=by_severity["critical"],
        firing_alerts=stored.firing_alerts(ctx.work, None)[0],
        quarantined=len(quarantine.waiting(ctx.work, None, 1000)),
        urgent=next(iter(newest), None),
    )


def _views(ctx: Context, found: list[Incident]) -> tuple[IncidentView, ...]:
    return tuple(kept.view(ctx.work, row) for row in found)


def _sender(source: Source, now: datetime) -> SenderView:
    failing = source.last_failure_at is not None and (source.last_seen_at is None or source.last_failure_at >= source.last_seen_at)
    return SenderView(
        id=source.id,
        name=source.name,
        kind=source.kind,
        last_seen_at=source.last_seen_at,
        silent=sources.is_silent(source, now),
        paused=source.paused,
        demo=source.demo,
        failing=failing,
    )
