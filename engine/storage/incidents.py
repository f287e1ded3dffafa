"""Which incidents are there, and what happened in each?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, any_, case, cast, delete, func, literal, or_, select, true
from sqlmodel import col

from engine.model.alerts import Alert, AlertHistory
from engine.model.ids import floor_id, new_id, time_of
from engine.model.incidents import Incident, IncidentAlert, IncidentEntry, IncidentEntryView, IncidentView, MembershipView
from engine.model.people import Team
from engine.model.views import Facets, Page, Paging
from engine.model.vocabulary import IncidentEntryKind, IncidentStatus, Severity
from engine.stages.normalise import tokens_of
from engine.storage.paging import Order, counted, read
from engine.storage.work import Work


@dataclass(frozen=True)
class Filter:
    """Which incidents; what is empty does not restrict."""

    open: bool | None = None
    statuses: tuple[IncidentStatus, ...] = ()
    severities: tuple[Severity | None, ...] = ()
    owner_id: UUID | None = None
    acknowledged: bool | None = None
    service: str = ""
    environment: str = ""
    words: str = ""
    since: datetime | None = None


_SORTS = {"opened_at": ("id",), "severity": ("severity_rank", "id"), "number": ("number",)}


def listed(work: Work, which: Filter, sort: str, paging: Paging) -> Page[Incident]:
    """A part of the list; `-` before the sort is the other way round."""
    query = select(Incident).where(Incident.org_id == work.org_id, *_conditions(work, which))
    columns = tuple(getattr(Incident, name) for name in _SORTS[sort.removeprefix("-")])
    found, page = read(work.session, query, Order(columns, descending=sort.startswith("-")), paging)
    return Page(tuple(row[0] for row in found), page.next_cursor, page.total, page.total_is_capped)


def facets(work: Work, which: Filter) -> Facets:
    """What the newest incidents of a filter have in common. Services of incidents whose words are hidden are not counted."""
    told = case((_is_told(work), Incident.services), else_=literal([], Incident.services.type)).label("service")
    owner = func.coalesce(cast(Incident.owner_id, Text), "none").label("owner_id")
    columns = (Incident.status, Incident.severity, owner, Incident.owner_name, Incident.environment, told)
    query = select(*columns).where(Incident.org_id == work.org_id, *_conditions(work, which)).order_by(col(Incident.id).desc())
    return counted(work.session, query, ("severity", "status", "owner_id", "environment", "service"), {"owner_id": "owner_name"})


def _conditions(work: Work, which: Filter) -> list[ColumnElement[bool]]:
    is_resolved = col(Incident.status) == IncidentStatus.RESOLVED
    found: list[ColumnElement[bool] | None] = [
        None if which.open is None else (~is_resolved if which.open else is_resolved),
        None if not which.statuses else col(Incident.status).in_(which.statuses),
        None if not which.severities else or_(*(col(Incident.severity).is_not_distinct_from(each) for each in which.severities)),
        None if which.owner_id is None else col(Incident.owner_id) == which.owner_id,
        None if which.acknowledged is None else col(Incident.acknowledged_at).is_not(None) == which.acknowledged,
        None if which.since is None else col(Incident.id) >= floor_id(which.since),
        None if not which.service else and_(literal(which.service) == any_(col(Incident.services)), _is_told(work)),
        None if not which.environment else col(Incident.environment) == which.environment,
        None if not which.words else and_(_is_told(work), *(_said(token) for token in tokens_of(which.words)[:20])),
    ]
    return [condition for condition in found if condition is not None]


def _is_told(work: Work) -> ColumnElement[bool]:
    """Whether the words of an incident are shown to this tenant: what is hidden is not found by guessing either."""
    mine = or_(col(Incident.title_edited), col(Incident.title_team_id).is_(None), col(Incident.title_team_id).in_(work.tenant.teams))
    return true() if work.tenant.all_teams else mine


def teams_in(work: Work, incident_ids: Sequence[UUID]) -> set[UUID | None]:
    """Whose the alerts are that are in these incidents now, seen or not."""
    query = select(IncidentAlert.team_id).where(IncidentAlert.org_id == work.org_id, col(IncidentAlert.incident_id).in_(incident_ids))
    return set(work.session.execute(query.where(col(IncidentAlert.left_at).is_(None)).distinct()).scalars())


def _said(token: str) -> ColumnElement[bool]:
    return col(Incident.title).icontains(token, autoescape=True)


def one(work: Work, incident_id: UUID) -> Incident | None:
    """One incident."""
    return work.session.execute(select(Incident).where(Incident.org_id == work.org_id, Incident.id == incident_id)).scalar_one_or_none()


def some(work: Work, ids: Sequence[UUID]) -> list[Incident]:
    """The incidents of these ids that there are."""
    return list(work.session.execute(select(Incident).where(Incident.org_id == work.org_id, col(Incident.id).in_(ids))).scalars())


def numbered(work: Work, number: int) -> Incident | None:
    """The incident of that number."""
    return work.session.execute(select(Incident).where(Incident.org_id == work.org_id, Incident.number == number)).scalar_one_or_none()


def view(work: Work, row: Incident) -> IncidentView:
    """An incident as it is shown; to whom its leading alert is foreign, without that alert's words."""
    mine = row.title_team_id is None or work.tenant.all_teams or row.title_team_id in work.tenant.teams
    sees_title = row.title_edited or mine
    return IncidentView(
        id=row.id,
        number=row.number,
        title=row.title if sees_title else f"Incident #{row.number}",
        status=row.status,
        severity=row.severity,
        severity_by=row.severity_by,
        environment=row.environment,
        services=tuple(row.services) if sees_title else (),
        alerts=row.alert_count,
        open_alerts=sum(row.open_by_severity),
        firings=row.firings,
        owner_id=row.owner_id,
        owner_name=row.owner_name,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        opened_at=row.opened_at,
        last_alert_at=row.last_alert_at,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        cause=row.cause,
        resolution=row.resolution,
        merged_into=row.merged_into,
        reopened=row.reopened,
        grouped_by=row.grouped_by if sees_title else "",
        version=row.version,
    )


def members(work: Work, incident_id: UUID, paging: Paging) -> Page[MembershipView]:
    """Why its alerts are in an incident; of those that may not be seen, only whose they are."""
    query = select(IncidentAlert).where(IncidentAlert.org_id == work.org_id, IncidentAlert.incident_id == incident_id)
    found, page = read(work.session, query, Order((IncidentAlert.alert_id,)), paging)
    rows: list[IncidentAlert] = [row[0] for row in found]
    seen = _seen(work, [row.alert_id for row in rows])
    teams = _teams(work, {row.team_id for row in rows if row.team_id is not None and row.alert_id not in seen})
    return Page(tuple(_member(row, seen, teams) for row in rows), page.next_cursor, page.total, page.total_is_capped)


def _seen(work: Work, ids: Sequence[UUID]) -> dict[UUID, Any]:
    found: dict[UUID, Any] = {}
    for table in (Alert, AlertHistory):
        shown = (table.id, table.title, table.severity, table.status, table.service, table.resource, table.count, table.first_seen_at)
        query = select(*shown).where(table.org_id == work.org_id, col(table.id).in_(ids))
        found |= {row.id: row for row in work.session.execute(query)}
    return found


def _teams(work: Work, ids: set[UUID]) -> dict[UUID, str]:
    query = select(Team.id, Team.name).where(Team.org_id == work.org_id, col(Team.id).in_(ids))
    return {id: name for id, name in work.session.execute(query)} if ids else {}


def _member(row: IncidentAlert, seen: dict[UUID, Any], teams: dict[UUID, str]) -> MembershipView:
    alert = seen.get(row.alert_id)
    gone = "an alert past its retention" if row.team_id is None else f"1 alert of team {teams.get(row.team_id, '')}"
    return MembershipView(
        alert_id=row.alert_id if alert else None,
        title=alert.title if alert else gone,
        severity=alert.severity if alert else None,
        status=alert.status if alert else None,
        service=alert.service if alert else None,
        resource=alert.resource if alert else None,
        count=alert.count if alert else None,
        first_seen_at=alert.first_seen_at if alert else None,
        by=row.by,
        score=row.score,
        reason=row.reason if alert else "",
        joined_at=row.joined_at,
        left_at=row.left_at,
    )


def alert_ids(work: Work, incident_ids: Sequence[UUID]) -> list[UUID]:
    """The alerts that are in these incidents now."""
    query = select(IncidentAlert.alert_id).where(IncidentAlert.org_id == work.org_id, col(IncidentAlert.incident_id).in_(incident_ids))
    return list(work.session.execute(query.where(col(IncidentAlert.left_at).is_(None))).scalars())


def timeline(
    work: Work, incident_id: UUID, kinds: Sequence[IncidentEntryKind], paging: Paging, *, newest: bool = False
) -> Page[IncidentEntryView]:
    """What happened in an incident, the oldest first, or the `newest`."""
    query = select(IncidentEntry).where(IncidentEntry.org_id == work.org_id, IncidentEntry.incident_id == incident_id)
    if kinds:
        query = query.where(col(IncidentEntry.kind).in_(kinds))
    found, page = read(work.session, query, Order((IncidentEntry.id,), descending=newest), paging)
    return Page(tuple(_entry(row[0]) for row in found), page.next_cursor, page.total, page.total_is_capped)


def tell(work: Work, row: Incident, kind: IncidentEntryKind, said: str, by: tuple[UUID, str]) -> IncidentEntry:
    """Write a line into the timeline of an incident: what somebody, by id and name, did."""
    line = IncidentEntry(org_id=row.org_id, id=new_id(work.now), incident_id=row.id, kind=kind, actor_id=by[0], actor_name=by[1], said=said)
    work.session.add(line)
    return line


def _entry(row: IncidentEntry) -> IncidentEntryView:
    return IncidentEntryView(row.id, time_of(row.id), row.kind, row.actor_name, row.alert_id, row.said, row.detail)


def forget_old(work: Work, before: datetime, limit: int = 2000) -> None:
    """Remove some incidents that were resolved before then, with the memberships of their alerts; call again."""
    old = select(Incident.id).where(Incident.org_id == work.org_id, col(Incident.resolved_at) < before).order_by(Incident.id).limit(limit)
    ids = list(work.session.execute(old).scalars())
    work.session.execute(delete(IncidentAlert).where(IncidentAlert.org_id == work.org_id, col(IncidentAlert.incident_id).in_(ids)))
    work.session.execute(delete(Incident).where(Incident.org_id == work.org_id, col(Incident.id).in_(ids)))
