"""Which conditions fire or have fired, why are they what they are, and what do people do about them?"""

import re
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

import re2
from pydantic import AfterValidator, AwareDatetime, Field
from pydantic_core import PydanticCustomError

from engine.errors import NotFound
from engine.model.alerts import AlertEntryView, AlertView, Explanation, Reason
from engine.model.inbox import DeliveryView
from engine.model.views import Bulk, Facet, Facets, Failed, Page, Paging
from engine.model.vocabulary import AlertStatus, IdentityBy, Permission, Severity
from engine.operations.door import Context, operation
from engine.operations.words import Ids, Words
from engine.pipeline import acts
from engine.storage import alerts as stored
from engine.storage import inbox, lanes, sources
from engine.storage.alerts import Filter, Match

_MATCHER = re.compile(r'\s*([^=!~"\s]+)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s=~][^"]*?|))\s*', re.DOTALL)
_FOREIGN = re.compile(r"\(\?(?!:)|\\[pPzZACQE]")  # what RE2 and PostgreSQL do not read alike
_HOW = {
    IdentityBy.SENDER: "the sender's own key",
    IdentityBy.LABELS: "a hash of its name and usual labels, as its sender gives no key",
    IdentityBy.FIELDS: "a hash of the fields chosen in the settings of its source",
}


def _matcher(said: str) -> str:
    found = _MATCHER.fullmatch(said)
    if found is None:
        raise PydanticCustomError("matcher", 'Write name="value", with =, !=, =~ or !~ between them.')
    if "~" in found[2]:
        _require_linear(_value(found))
    return said


def _require_linear(pattern: str) -> None:
    """Refuse an expression that is not matched in linear time, or that our database reads in another way. Raises PydanticCustomError."""
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise PydanticCustomError("matcher", "This is no regular expression: {why}", {"why": str(error)}) from None
    if foreign := _FOREIGN.search(pattern.removeprefix("(?i)")):
        raise PydanticCustomError("matcher", "“{part}” cannot be used here; only (?i) at the beginning and (?:…).", {"part": foreign[0]})


def _value(found: re.Match[str]) -> str:
    return found[4] if found[3] is None else found[3].replace('\\"', '"').replace("\\\\", "\\")


Matcher = Annotated[str, Field(max_length=500), AfterValidator(_matcher)]
Sort = Literal["first_seen_at", "-first_seen_at", "severity", "-severity"]
Stated = Literal["critical", "error", "warning", "info", "none"]
Severities = Annotated[list[Stated], Field(max_length=5)]
Matchers = Annotated[list[Matcher], Field(max_length=20, description='label matchers such as `job=~"node.*"`; all must hold')]
AnyWords = Annotated[Words, Field(description="words, or beginnings of words, of title, description and labels")]


@operation(Permission.VIEW, reads=True)
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
        severities=_stated(severity),
        source_id=source_id,
        incident_id=incident_id,
        fields={name: value for name, value in named.items() if value},
        matchers=tuple(_parsed(each) for each in matcher or []),
        words=q,
        since=since,
        until=until,
        acknowledged=acknowledged,
        fingerprint=fingerprint,
    )
    return stored.listed(ctx.work, which, sort, page)


@operation(Permission.VIEW, reads=True)
def facets(
    ctx: Context,
    status: AlertStatus | None = None,
    severity: Severities | None = None,
    source_id: UUID | None = None,
    service: Words = "",
    environment: Words = "",
    matcher: Matchers | None = None,
    q: AnyWords = "",
    acknowledged: bool | None = None,
) -> Facets:
    """Count what the alerts that would be found have in common: severity, source, service, environment."""
    named = {"service": service, "environment": environment}
    which = Filter(
        status=status,
        severities=_stated(severity),
        source_id=source_id,
        fields={name: value for name, value in named.items() if value},
        matchers=tuple(_parsed(each) for each in matcher or []),
        words=q,
        acknowledged=acknowledged,
    )
    found = stored.facets(ctx.work, which)
    names = sources.names(ctx.work, [UUID(v.value) for facet in found.facets if facet.name == "source_id" for v in facet.values])
    return replace(found, facets=tuple(_with_names(facet, names) for facet in found.facets))


@operation(Permission.VIEW, reads=True)
def those(ctx: Context, ids: Ids) -> tuple[AlertView, ...]:
    """Show some alerts, in the order they are named; what is not there is left out."""
    found = {view.id: view for view in stored.some(ctx.work, ids)}
    return tuple(found[id] for id in dict.fromkeys(ids) if id in found)


@operation(Permission.VIEW, reads=True)
def show(ctx: Context, alert_id: UUID) -> AlertView:
    """Show one alert."""
    return _alert(ctx, alert_id)


@operation(Permission.VIEW, reads=True)
def history(ctx: Context, alert_id: UUID, page: Paging = Paging()) -> Page[AlertEntryView]:
    """Everything that happened to an alert, the newest first."""
    _alert(ctx, alert_id)
    return stored.entries(ctx.work, alert_id, page)


@operation(Permission.VIEW, reads=True)
def deliveries(ctx: Context, alert_id: UUID, page: Paging = Paging()) -> Page[DeliveryView]:
    """The deliveries that told of an alert, as they came, the newest first; those past their retention are gone."""
    _alert(ctx, alert_id)
    told = stored.entries(ctx.work, alert_id, page)
    ids = list({entry.delivery_id for entry in told.items if entry.delivery_id is not None})
    found = inbox.deliveries(ctx.work, None, ids, Paging(limit=200))
    return Page(found.items, told.next_cursor, told.total, told.total_is_capped)


@operation(Permission.VIEW, reads=True)
def explain(ctx: Context, alert_id: UUID) -> Explanation:
    """Say why an alert is what it is: its identity, how it was read, each decision about it, and why it is in its incident."""
    row = stored.facts(ctx.work, alert_id)
    if row is None:
        raise NotFound("There is no such alert.")
    word = f"its sender says “{row.severity_word}”" if row.severity_word else "its sender states none"
    reasons = [
        Reason("identity", f"fingerprint {row.fingerprint}", _HOW[row.identity_by], row.first_seen_at),
        Reason("normalise", f"severity {row.severity or 'not stated'}", word),
        *(Reason("normalise", "noted", note) for note in row.notes),
    ]
    told = stored.entries(ctx.work, alert_id, Paging(limit=50))
    reasons += [Reason("dedup", entry.kind.value, entry.said, entry.at) for entry in told.items]
    for member, number in stored.memberships(ctx.work, alert_id):
        decision = f"in incident #{number}" if member.left_at is None else f"was in incident #{number}"
        reasons.append(Reason("correlate", decision, member.reason, member.joined_at, member.score, member.by))
    return Explanation(alert_id, row.fingerprint, row.identity_by, tuple(reasons))


@operation(Permission.RESPOND, thing=True)
def acknowledge(ctx: Context, ids: Ids) -> Bulk:
    """Say that somebody looks after these alerts; their incidents are acknowledged with them."""
    return _on_each(ctx, ids, acts.acknowledge)


@operation(Permission.RESPOND, thing=True)
def resolve(ctx: Context, ids: Ids) -> Bulk:
    """Close alerts by hand. One that is sent again from the same start stays closed; from a new start, it fires again."""
    return _on_each(ctx, ids, acts.close)


@operation(Permission.CONFIGURE, thing=True)
def delete(ctx: Context, ids: Ids) -> Bulk:
    """Delete alerts with their histories, for good; the timelines of their incidents stay."""
    lanes.alone(ctx.work)
    teams = stored.teams_of(ctx.work, list(dict.fromkeys(ids)))
    may = [id for id, team_id in teams.items() if ctx.actor.may(Permission.CONFIGURE, team_id)]
    if teams and not may:
        ctx.require(Permission.CONFIGURE, next(iter(teams.values())))
    gone = acts.delete(ctx.work, may, acts.Who(ctx.actor.id, ctx.actor.name, ctx.work.now))
    return _bulk(ids, gone, "There is no such alert.")


def _with_names(facet: Facet, names: dict[UUID, str]) -> Facet:
    if facet.name != "source_id":
        return facet
    return replace(facet, values=tuple(replace(value, label=names.get(UUID(value.value), "")) for value in facet.values))


def _stated(severity: list[Stated] | None) -> tuple[Severity | None, ...]:
    return tuple(None if each == "none" else Severity(each) for each in severity or [])


def _parsed(said: str) -> Match:
    """The parts of a matcher that was found right."""
    found = _MATCHER.fullmatch(said)
    assert found is not None, "checked at the door"
    return Match(found[1], found[2], _value(found))


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
    return found
