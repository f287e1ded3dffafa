"""Which conditions fire or have fired, why are they what they are, and what do people do about them?"""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, Field

from engine.errors import NotFound
from engine.model.alerts import AlertEntryView, AlertView, Explanation, Reason
from engine.model.inbox import DeliveryView
from engine.model.ruled import Ruling
from engine.model.views import Bulk, Failed, Page, Paging
from engine.model.vocabulary import AlertStatus, IdentityBy, Permission
from engine.operations.door import Context, operation
from engine.operations.words import Ids, Matchers, Severities, Words, parsed, stated
from engine.pipeline import acts, explaining
from engine.pipeline.quiet_now import with_quiet
from engine.storage import alerts as stored
from engine.storage import inbox, lanes
from engine.storage.alerts import Filter

_HOW = {
    IdentityBy.SENDER: "the sender's own key",
    IdentityBy.LABELS: "a hash of its name and usual labels, as its sender gives no key",
    IdentityBy.FIELDS: "a hash of the fields chosen in the settings of its source",
}


Sort = Literal["first_seen_at", "-first_seen_at", "severity", "-severity"]
AnyWords = Annotated[Words, Field(description="words, or beginnings of words, of title, description and labels")]


@operation("alerts.search", Permission.VIEW, reads=True)
def search(
    ctx: Context,
    status: AlertStatus | None = None,
    severity: Severities | None = None,
    source_id: UUID | None = None,
    incident_id: UUID | None = None,
    service: Words = "",
    environment: Words = "",
    resource: Words = "",
    team: Words = "",
    fingerprint: Words = "",
    matcher: Matchers | None = None,
    q: AnyWords = "",
    acknowledged: bool | None = None,
    since: Annotated[AwareDatetime, Field(description="first seen from then on")] | None = None,
    until: Annotated[AwareDatetime, Field(description="first seen before then")] | None = None,
    sort: Sort = "-first_seen_at",
    page: Paging = Paging(),
) -> Page[AlertView]:
    """Find alerts, live ones and those of the history. `severity` none: not stated, which sorts last."""
    named = {"service": service, "environment": environment, "resource": resource, "team": team}
    which = Filter(
        status=status,
        severities=stated(severity),
        source_id=source_id,
        incident_id=incident_id,
        fields={name: value for name, value in named.items() if value},
        matchers=tuple(parsed(each) for each in matcher or []),
        words=q,
        since=since,
        until=until,
        acknowledged=acknowledged,
        fingerprint=fingerprint,
    )
    found = stored.listed(ctx.work, which, sort, page)
    return replace(found, items=with_quiet(ctx.work, found.items))


@operation("alerts.those", Permission.VIEW, reads=True)
def those(ctx: Context, ids: Ids) -> tuple[AlertView, ...]:
    """Show some alerts, in the order they are named; what is not there is left out."""
    found = {view.id: view for view in with_quiet(ctx.work, stored.some(ctx.work, ids))}
    return tuple(found[id] for id in dict.fromkeys(ids) if id in found)


@operation("alerts.show", Permission.VIEW, reads=True)
def show(ctx: Context, alert_id: UUID) -> AlertView:
    """Show one alert."""
    return _alert(ctx, alert_id)


@operation("alerts.history", Permission.VIEW, reads=True)
def history(ctx: Context, alert_id: UUID, page: Paging = Paging()) -> Page[AlertEntryView]:
    """Everything that happened to an alert, the newest first."""
    _alert(ctx, alert_id)
    return stored.entries(ctx.work, alert_id, page)


@operation("alerts.deliveries", Permission.VIEW, reads=True)
def deliveries(ctx: Context, alert_id: UUID, page: Paging = Paging()) -> Page[DeliveryView]:
    """The deliveries that told of an alert, as they came, the newest first; those past their retention are gone."""
    _alert(ctx, alert_id)
    told = stored.entries(ctx.work, alert_id, page)
    ids = list({entry.delivery_id for entry in told.items if entry.delivery_id is not None})
    found = inbox.deliveries(ctx.work, None, ids, Paging(limit=200))
    return Page(found.items, told.next_cursor, told.total, told.total_is_capped)


@operation("alerts.explain", Permission.VIEW, reads=True)
def explain(ctx: Context, alert_id: UUID) -> Explanation:
    """Say why an alert is what it is: its identity, how it was read, each decision about it, and why it is in its incident."""
    row = stored.facts(ctx.work, alert_id)
    if row is None:
        raise NotFound("There is no such alert.")
    ruling = msgspec.convert(row.ruling, Ruling) if row.ruling is not None else Ruling()
    stated = ruling.before.fields.get("severity", row.severity)
    word = f"its sender says “{row.severity_word}”" if row.severity_word else "its sender states none"
    reasons = [
        Reason("identity", f"fingerprint {row.fingerprint}", _HOW[row.identity_by], row.first_seen_at),
        Reason("normalise", f"severity {stated or 'not stated'}", word),
        *(Reason("normalise", "noted", note) for note in row.notes),
    ]
    reasons += _ruled(ctx, alert_id, ruling)
    reasons += [Reason("quiet", f"quiet by {each.by}", each.name) for each in _alert(ctx, alert_id).muted_by]
    told = stored.entries(ctx.work, alert_id, Paging(limit=50))
    reasons += [Reason("dedup", entry.kind.value, entry.said, entry.at) for entry in told.items]
    for member, number in stored.memberships(ctx.work, alert_id):
        decision = f"in incident #{number}" if member.left_at is None else f"was in incident #{number}"
        reasons.append(Reason("correlate", decision, member.reason, member.joined_at, member.score, member.by))
    return Explanation(alert_id, row.fingerprint, row.identity_by, tuple(reasons))


def _ruled(ctx: Context, alert_id: UUID, ruling: Ruling) -> list[Reason]:
    """What enrichment and rules did, and why."""
    found = [Reason("enrich", each.name, "; ".join(each.did), ruling.at) for each in ruling.enriched]
    why = explaining.replayed(ctx.work, ruling, explaining.subject_of(_alert(ctx, alert_id), ruling.at or ctx.work.now))
    for ran in ruling.ran:
        said = "; ".join(ran.did) or "holds, and has nothing left to do"
        found.append(Reason("rules", f"“{ran.name}”, version {ran.version}", said, ruling.at, trace=why.get(ran.rule_id, ())))
    return found


@operation("alerts.acknowledge", Permission.RESPOND, thing=True)
def acknowledge(ctx: Context, ids: Ids) -> Bulk:
    """Say that somebody looks after these alerts; their incidents are acknowledged with them."""
    return _on_each(ctx, ids, acts.acknowledge)


@operation("alerts.resolve", Permission.RESPOND, thing=True)
def resolve(ctx: Context, ids: Ids) -> Bulk:
    """Close alerts by hand. One that is sent again from the same start stays closed; from a new start, it fires again."""
    return _on_each(ctx, ids, acts.close)


@operation("alerts.delete", Permission.CONFIGURE, thing=True)
def delete(ctx: Context, ids: Ids) -> Bulk:
    """Delete alerts with their histories, for good; the timelines of their incidents stay."""
    lanes.alone(ctx.work)
    teams = stored.teams_of(ctx.work, list(dict.fromkeys(ids)))
    may = [id for id, team_id in teams.items() if ctx.actor.may(Permission.CONFIGURE, team_id)]
    if teams and not may:
        ctx.require(Permission.CONFIGURE, next(iter(teams.values())))
    gone = acts.delete(ctx.work, may, acts.Who(ctx.actor.id, ctx.actor.name, ctx.work.now))
    return _bulk(ids, gone, "There is no such alert.")


def _on_each(ctx: Context, ids: list[UUID], act: acts.Act) -> Bulk:
    lanes.alone(ctx.work)
    who = acts.Who(ctx.actor.id, ctx.actor.name, ctx.work.now)
    found = acts.those(ctx.work, list(dict.fromkeys(ids)))
    may = [each for each in found if ctx.actor.may(Permission.RESPOND, each.team_id)]
    if found and not may:
        ctx.require(Permission.RESPOND, found[0].team_id)
    done = act(ctx.work, may, who)
    return _bulk(ids, done, "There is no such live alert, or your role does not allow this for its team.")


def _bulk(ids: list[UUID], done: list[UUID], why: str) -> Bulk:
    return Bulk(tuple(done), tuple(Failed(id, why) for id in dict.fromkeys(ids) if id not in set(done)))


def _alert(ctx: Context, alert_id: UUID) -> AlertView:
    if (found := stored.one(ctx.work, alert_id)) is None:
        raise NotFound("There is no such alert.")
    return with_quiet(ctx.work, [found])[0]
