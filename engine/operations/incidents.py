"""Which problems are there, and what do people do about them?"""

from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from engine.errors import Conflict, Invalid, NotFound, Stale
from engine.model.incidents import Incident, IncidentEntry, IncidentEntryView, IncidentView, MembershipView
from engine.model.views import Page, Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Permission, Severity
from engine.operations.door import Context, operation
from engine.operations.words import Ids, Severities, Words, stated
from engine.pipeline import acts, quiet_now
from engine.stages.correlate import OpenIncident
from engine.storage import incidents as stored
from engine.storage import lanes, people, remembered
from engine.storage.batches import Written
from engine.storage.incidents import Filter

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Sort = Literal["opened_at", "-opened_at", "severity", "-severity", "number", "-number"]
Statuses = Annotated[list[IncidentStatus], Field(max_length=5)]
TitleWords = Annotated[Words, Field(description="words of the title")]
Since = Annotated[AwareDatetime, Field(description="opened from then on")]
Number = Annotated[int, Field(ge=1, le=2_000_000_000)]


@operation("incidents.search", Permission.VIEW, reads=True)
def search(
    ctx: Context,
    open: bool | None = None,
    status: Statuses | None = None,
    severity: Severities | None = None,
    owner_id: UUID | None = None,
    acknowledged: bool | None = None,
    service: Words = "",
    environment: Words = "",
    q: TitleWords = "",
    since: Since | None = None,
    sort: Sort = "-opened_at",
    page: Paging = Paging(),
) -> Page[IncidentView]:
    """Find incidents."""
    which = Filter(open, tuple(status or []), stated(severity), owner_id, acknowledged, service, environment, q, since)
    found = stored.listed(ctx.work, which, sort, page)
    return Page(tuple(stored.view(ctx.work, row) for row in found.items), found.next_cursor, found.total, found.total_is_capped)


@operation("incidents.those", Permission.VIEW, reads=True)
def those(ctx: Context, ids: Ids) -> tuple[IncidentView, ...]:
    """Show some incidents, in the order they are named; what is not there is left out."""
    found = {row.id: row for row in stored.some(ctx.work, ids)}
    return tuple(stored.view(ctx.work, found[id]) for id in dict.fromkeys(ids) if id in found)


@operation("incidents.show", Permission.VIEW, reads=True)
def show(ctx: Context, incident_id: UUID) -> IncidentView:
    """Show one incident."""
    return stored.view(ctx.work, _incident(ctx, incident_id))


@operation("incidents.numbered", Permission.VIEW, reads=True)
def numbered(ctx: Context, number: Number) -> IncidentView:
    """Show the incident of that number."""
    if (row := stored.numbered(ctx.work, number)) is None:
        raise NotFound(f"There is no incident #{number}.")
    return stored.view(ctx.work, row)


@operation("incidents.members", Permission.VIEW, reads=True)
def members(ctx: Context, incident_id: UUID, page: Paging = Paging()) -> Page[MembershipView]:
    """List the alerts that are or were in an incident, each with who says so, the score and the reason."""
    _incident(ctx, incident_id)
    found = stored.members(ctx.work, incident_id, page)
    quiet = quiet_now.of(ctx.work, [each.alert_id for each in found.items if each.alert_id and each.status == "firing"])
    return replace(found, items=tuple(replace(each, muted_by=quiet.get(each.alert_id, ())) for each in found.items))


@operation("incidents.timeline", Permission.VIEW, reads=True)
def timeline(
    ctx: Context,
    incident_id: UUID,
    kind: Annotated[list[IncidentEntryKind], Field(max_length=20)] | None = None,
    newest: Annotated[bool, Field(description="the newest first")] = False,
    page: Paging = Paging(),
) -> Page[IncidentEntryView]:
    """List what happened in an incident, the oldest first unless asked otherwise."""
    _incident(ctx, incident_id)
    return stored.timeline(ctx.work, incident_id, kind or [], page, newest=newest)


@operation("incidents.acknowledge", Permission.RESPOND, thing=True)
def acknowledge(ctx: Context, incident_id: UUID, note: Text = "") -> IncidentView:
    """Say that somebody looks after an incident. Raises Conflict when it is resolved."""
    row = _mine(ctx, incident_id)
    _require_open(row)
    if row.acknowledged_at is None:
        row.acknowledged_at, row.acknowledged_by = ctx.work.now, ctx.actor.name
        row.status = IncidentStatus.INVESTIGATING if row.status is IncidentStatus.DETECTED else row.status
        _tell(ctx, row, IncidentEntryKind.ACKNOWLEDGED, f"acknowledged{f': {note}' if note else ''}")
    return _saved(ctx, row)


@operation("incidents.assign", Permission.RESPOND, thing=True)
def assign(ctx: Context, incident_id: UUID, user_id: UUID | None = None) -> IncidentView:
    """Give an incident an owner, or none."""
    row = _mine(ctx, incident_id)
    found = people.membership(ctx.work, user_id) if user_id is not None else None
    if user_id is not None and found is None:
        raise NotFound("There is no such person in this organization.")
    name = found[1].name if found is not None else None
    row.owner_id, row.owner_name = user_id, name
    _tell(ctx, row, IncidentEntryKind.ASSIGNED, f"assigned to {name}" if name else "assigned to nobody")
    return _saved(ctx, row)


@operation("incidents.comment", Permission.RESPOND, thing=True)
def comment(ctx: Context, incident_id: UUID, text: Comment) -> IncidentEntryView:
    """Write a comment into the timeline."""
    row = _mine(ctx, incident_id)
    line = _tell(ctx, row, IncidentEntryKind.COMMENT, text)
    ctx.note(f"#{row.number}")
    ctx.work.touch("incident", row.id)
    return IncidentEntryView(line.id, ctx.work.now, line.kind, line.actor_name, None, text, {})


@operation("incidents.change", Permission.RESPOND, thing=True)
def change(
    ctx: Context,
    incident_id: UUID,
    title: Title | None = None,
    severity: Severity | Literal["automatic"] | None = None,
    status: IncidentStatus | None = None,
    version: int | None = None,
) -> IncidentView:
    """Change title, severity (`automatic`: that of its worst open alert) or status. What is left out stays."""
    row = _mine(ctx, incident_id)
    if version is not None and version != row.version:
        raise Stale("This incident was changed meanwhile. Load it again and repeat your change.")
    if title is not None and title != row.title:
        row.title, row.title_edited = title, True
        _tell(ctx, row, IncidentEntryKind.EDITED, f"title changed to “{title}”")
    if severity is not None:
        _set_severity(ctx, row, severity)
    if status is not None and status is not row.status:
        if IncidentStatus.RESOLVED in (status, row.status):
            raise Invalid.field("status", "Resolve or reopen an incident by its own action.")
        row.status = status
        _tell(ctx, row, IncidentEntryKind.STATUS, f"status changed to {status.replace('_', ' ')}")
    return _saved(ctx, row)


@operation("incidents.resolve", Permission.RESPOND, thing=True)
def resolve(ctx: Context, incident_id: UUID, cause: Text = "", resolution: Text = "") -> IncidentView:
    """Resolve an incident, maybe with its cause and what was done. Its alerts keep saying what their senders say."""
    row = _mine(ctx, incident_id)
    _require_open(row)
    row.status, row.resolved_at, row.resolved_by = IncidentStatus.RESOLVED, ctx.work.now, ctx.actor.name
    row.cause, row.resolution, row.check_at = cause or row.cause, resolution or row.resolution, None
    said = "resolved" + (f"; cause: {cause}" if cause else "") + (f"; resolution: {resolution}" if resolution else "")
    _tell(ctx, row, IncidentEntryKind.RESOLVED, said)
    return _saved(ctx, row)


@operation("incidents.reopen", Permission.RESPOND, thing=True)
def reopen(ctx: Context, incident_id: UUID) -> IncidentView:
    """Open a resolved incident again."""
    row = _mine(ctx, incident_id)
    if row.resolved_at is None:
        raise Conflict(f"#{row.number} is open already.")
    if row.merged_into is not None:
        raise Conflict(f"#{row.number} was merged into another incident; reopen that one.")
    row.status = IncidentStatus.INVESTIGATING if row.acknowledged_at else IncidentStatus.DETECTED
    row.resolved_at = row.resolved_by = None
    row.reopened += 1
    _tell(ctx, row, IncidentEntryKind.REOPENED, "reopened")
    return _saved(ctx, row)


@operation("incidents.merge", Permission.RESPOND, thing=True)
def merge(ctx: Context, incident_id: UUID, ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]) -> IncidentView:
    """Put all alerts of other incidents into this one, and resolve those as merged."""
    row = _mine(ctx, incident_id)
    _require_open(row)
    if not (others := [_mine(ctx, id) for id in dict.fromkeys(ids) if id != incident_id]):
        raise Invalid.field("ids", "Name at least one other incident.")
    for team_id in stored.teams_in(ctx.work, [other.id for other in others]):
        ctx.require(Permission.RESPOND, team_id)
    to = _open(ctx, row)
    targets = acts.those(ctx.work, stored.alert_ids(ctx.work, [other.id for other in others]))
    acts.move(ctx.work, targets, to, who := _who(ctx), f"merged into #{row.number}")
    ctx.work.session.expire_all()
    for other in others:
        if other.resolved_at is None:
            other.status, other.resolved_at, other.resolved_by = IncidentStatus.RESOLVED, ctx.work.now, ctx.actor.name
        other.merged_into, other.check_at = row.id, None
        _tell(ctx, other, IncidentEntryKind.MERGED, f"merged into #{row.number}")
        ctx.work.session.add(other)
    numbers = ", ".join(f"#{other.number}" for other in others)
    acts.write(ctx.work, Written(lines=[acts.line(row.id, IncidentEntryKind.MERGED, f"{numbers} merged into this one", who)]), who)
    return _saved(ctx, row)


@operation("incidents.split", Permission.RESPOND, thing=True)
def split(ctx: Context, incident_id: UUID, alert_ids: Ids) -> IncidentView:
    """Put some alerts of an incident into a new one of their own."""
    row = _mine(ctx, incident_id)
    targets = [target for target in acts.those(ctx.work, alert_ids) if target.memory.incident_id == row.id]
    if not targets:
        raise Invalid.field("alert_ids", f"None of these alerts is a live one of #{row.number}.")
    for target in targets:
        ctx.require(Permission.RESPOND, target.team_id)
    to = acts.apart(ctx.work, targets, row.environment, who := _who(ctx))
    acts.move(ctx.work, targets, to, who, f"split from #{row.number}")
    line = acts.line(to.id, IncidentEntryKind.SPLIT, f"split from #{row.number}", who)
    acts.write(ctx.work, Written(lines=[line]), who)
    ctx.work.session.expire_all()
    ctx.note(f"#{to.number}")
    return stored.view(ctx.work, _incident(ctx, to.id))


@operation("incidents.move", Permission.RESPOND, thing=True)
def move(ctx: Context, incident_id: UUID, alert_ids: Ids) -> IncidentView:
    """Put live alerts, wherever they are, into this incident."""
    row = _mine(ctx, incident_id)
    _require_open(row)
    targets = acts.those(ctx.work, alert_ids)
    for target in targets:
        ctx.require(Permission.RESPOND, target.team_id)
    if not targets:
        raise Invalid.field("alert_ids", "None of these is a live alert.")
    acts.move(ctx.work, targets, _open(ctx, row), _who(ctx), "moved by hand")
    ctx.work.session.expire_all()
    ctx.note(f"#{row.number}")
    return stored.view(ctx.work, _incident(ctx, incident_id))


def _incident(ctx: Context, incident_id: UUID) -> Incident:
    if (row := stored.one(ctx.work, incident_id)) is None:
        raise NotFound("There is no such incident.")
    return row


def _mine(ctx: Context, incident_id: UUID) -> Incident:
    """An incident that the actor may act on; from here on nobody else changes incidents of the organization."""
    lanes.alone(ctx.work)
    row = _incident(ctx, incident_id)
    ctx.work.session.refresh(row)
    teams = [None] if row.everybody or not row.team_ids else row.team_ids
    if not any(ctx.actor.may(Permission.RESPOND, team_id) for team_id in teams):
        ctx.require(Permission.RESPOND, teams[0])
    return row


def _require_open(row: Incident) -> None:
    if row.resolved_at is not None:
        raise Conflict(f"#{row.number} is resolved; reopen it first.")


def _open(ctx: Context, row: Incident) -> OpenIncident:
    """The incident as the stages know it, with what was changed so far."""
    ctx.work.session.flush()
    return remembered.incidents(ctx.work, [], [row.id], ctx.work.now)[0]


def _set_severity(ctx: Context, row: Incident, severity: Severity | Literal["automatic"]) -> None:
    if severity == "automatic":
        row.severity_by = None
        counts = row.open_by_severity
        row.severity = acts.correlate.highest(counts) if any(counts) else row.severity
    else:
        row.severity, row.severity_by = severity, ctx.actor.name
    row.severity_rank = row.severity.rank if row.severity else 5
    _tell(ctx, row, IncidentEntryKind.SEVERITY, f"severity set to {row.severity or 'not stated'}")


def _tell(ctx: Context, row: Incident, kind: IncidentEntryKind, said: str) -> IncidentEntry:
    return stored.tell(ctx.work, row, kind, said, (ctx.actor.id, ctx.actor.name))


def _saved(ctx: Context, row: Incident) -> IncidentView:
    row.version += 1
    ctx.work.session.add(row)
    ctx.note(f"#{row.number}")
    ctx.work.touch("incident", row.id)
    return stored.view(ctx.work, row)


def _who(ctx: Context) -> acts.Who:
    return acts.Who(ctx.actor.id, ctx.actor.name, ctx.work.now)
