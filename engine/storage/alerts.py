"""Which alerts are there?

Live ones and the history are read as one list; each is reached by an index, so a page costs the same wherever it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, cast, delete, func, literal, or_, select, union_all
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col

from engine.model.alerts import Alert, AlertEntry, AlertEntryView, AlertHistory, AlertView, IncidentRef, LinkView
from engine.model.ids import floor_id, place_of, time_of
from engine.model.incidents import Incident, IncidentAlert
from engine.model.sources import Source
from engine.model.views import CAP, Facets, Page, Paging
from engine.model.vocabulary import AlertEntryKind, AlertStatus, Severity
from engine.stages.normalise import label_token, tokens_of
from engine.storage.paging import Order, counted, read
from engine.storage.work import Work

# What came with a delivery; the other lines were written by time or by people.
DELIVERED = frozenset(
    {
        AlertEntryKind.OPENED,
        AlertEntryKind.HEARD,
        AlertEntryKind.REPEATED,
        AlertEntryKind.REFIRED,
        AlertEntryKind.REOPENED,
        AlertEntryKind.RESOLVED,
        AlertEntryKind.LATE,
    }
)
_SAID = {
    AlertEntryKind.OPENED: "fires for the first time",
    AlertEntryKind.HEARD: "heard again: nothing new",
    AlertEntryKind.REPEATED: "the same body again within five minutes: counted once",
    AlertEntryKind.REFIRED: "fires again, from a new start",
    AlertEntryKind.REOPENED: "heard again after time alone had closed it",
    AlertEntryKind.RESOLVED: "its sender says that it is over",
    AlertEntryKind.LATE: "late",
    AlertEntryKind.TIMED_OUT: "not sent again before it expired: over",
    AlertEntryKind.STALE: "not heard of for several times its usual interval: closed as stale",
    AlertEntryKind.STEADY: "steady again",
    AlertEntryKind.ACKNOWLEDGED: "acknowledged",
    AlertEntryKind.CLOSED: "closed by hand",
    AlertEntryKind.MOVED: "moved to another incident",
}


@dataclass(frozen=True)
class Match:
    """One label matcher: `=`, `!=`, `=~` or `!~` (anchored, as in Prometheus). A label that is missing is empty."""

    name: str
    operator: str
    value: str


@dataclass(frozen=True)
class Filter:
    """Which alerts; what is empty does not restrict."""

    status: AlertStatus | None = None
    severities: tuple[Severity | None, ...] = ()
    source_id: UUID | None = None
    incident_id: UUID | None = None
    fields: dict[str, str] = field(default_factory=dict)  # service, environment, resource, team
    matchers: tuple[Match, ...] = ()
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None
    acknowledged: bool | None = None
    fingerprint: str = ""


_SORTS = {"first_seen_at": ("id",), "severity": ("severity_rank", "id")}
_SHOWN = """id team_id source_id fingerprint title description severity severity_rank status labels annotations service environment
    resource team count deliveries starts_at ends_at first_seen_at last_seen_at acknowledged_by acknowledged_at flapping closed_by links
    incident_id incident_number""".split()
Table = type[Alert] | type[AlertHistory]


def listed(work: Work, which: Filter, sort: str, paging: Paging) -> Page[AlertView]:
    """A part of the list: `first_seen_at` or `severity` (the worst first), with `-` before it the other way round."""
    tables: tuple[Table, ...] = (Alert,) if which.status is AlertStatus.FIRING else (Alert, AlertHistory)
    halves = [_half(work, table, which) for table in tables]
    found: Any = (union_all(*halves) if len(halves) > 1 else halves[0]).subquery("found")
    query = _named(work, found)
    names = _SORTS[sort.removeprefix("-")]
    order = Order(tuple(found.c[name] for name in names), descending=sort.startswith("-"))
    rows, page = read(work.session, query, order, paging)
    return Page(tuple(_view(row) for row in rows), page.next_cursor, page.total, page.total_is_capped)


def facets(work: Work, which: Filter) -> Facets:
    """What the newest alerts of a filter have in common: the live ones, and with no status those of the history too."""
    tables: tuple[Table, ...] = (Alert,) if which.status is AlertStatus.FIRING else (Alert, AlertHistory)
    halves = [_half(work, table, which).order_by(table.id.desc()).limit(CAP + 1) for table in tables]
    found: Any = (union_all(*(select(half.subquery()) for half in halves)) if len(halves) > 1 else halves[0]).subquery("found")
    names = ("severity", "source_id", "service", "environment")
    query = select(found.c.id, *(found.c[name] for name in names)).order_by(found.c.id.desc())
    return counted(work.session, query, names)


def some(work: Work, ids: Sequence[UUID]) -> tuple[AlertView, ...]:
    """The alerts of these ids, live or over."""
    halves = [_half(work, table, Filter()).where(col(table.id).in_(ids)) for table in (Alert, AlertHistory)]
    return tuple(_view(row) for row in work.session.execute(_named(work, union_all(*halves).subquery("found"))))


def _named(work: Work, found: Any) -> Select[Any]:
    """Rows with the names of their sources."""
    name = select(Source.name).where(Source.org_id == work.org_id, Source.id == found.c.source_id).scalar_subquery()
    return select(*(found.c[shown] for shown in _SHOWN), func.coalesce(name, "").label("source"))


def _half(work: Work, table: Table, which: Filter) -> Any:
    columns: list[Any] = [getattr(table, name) for name in _SHOWN]
    return select(*columns).where(table.org_id == work.org_id, *_conditions(table, which))


def _conditions(table: Table, which: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool] | None] = [
        None if which.status is None else col(table.status) == which.status,
        None if which.source_id is None else col(table.source_id) == which.source_id,
        None if which.since is None else col(table.id) >= floor_id(which.since),
        None if which.until is None else col(table.id) < floor_id(which.until),
        None if which.acknowledged is None else col(table.acknowledged_at).is_not(None) == which.acknowledged,
        None if not which.fingerprint else col(table.fingerprint) == which.fingerprint,
        None if not which.severities else or_(*(col(table.severity).is_not_distinct_from(literal(s)) for s in which.severities)),
        None if which.incident_id is None else col(table.id).in_(_members(which.incident_id)),
        None if not tokens_of(which.words) else col(table.search).op("@@")(_wordy(which.words)),
    ]
    found += [and_(_has(table, name, value), getattr(table, name) == value) for name, value in which.fields.items()]
    found += [_matches(table, match) for match in which.matchers]
    return [condition for condition in found if condition is not None]


def _members(incident_id: UUID) -> Select[Any]:
    return select(IncidentAlert.alert_id).where(IncidentAlert.incident_id == incident_id, col(IncidentAlert.left_at).is_(None))


def _wordy(words: str) -> ColumnElement[Any]:
    """All of these words, or words that begin with them."""
    return cast(literal(" & ".join(f"'{token}':*" for token in tokens_of(words)[:20])), TSQUERY)


def _has(table: Table, name: str, value: str) -> ColumnElement[bool]:
    """Whether the token of a label or field is there: what the index knows."""
    token = label_token(name, value).replace("\\", "\\\\").replace("'", "''")
    return col(table.search).op("@@")(cast(literal(f"'{token}'"), TSQUERY))


def _matches(table: Table, match: Match) -> ColumnElement[bool]:
    said = func.coalesce(col(table.labels).op("->>")(match.name), "")
    if match.operator == "=":
        same = said == match.value
        return and_(_has(table, match.name, match.value), same) if match.value else same
    if match.operator == "!=":
        return said != match.value
    pattern, any_case = match.value.removeprefix("(?i)"), "*" if match.value.startswith("(?i)") else ""
    operator = ("~" if match.operator == "=~" else "!~") + any_case
    return said.op(operator, is_comparison=True)(f"^(?:{pattern})$")


def one(work: Work, alert_id: UUID) -> AlertView | None:
    """One alert, live or over."""
    return next(iter(some(work, [alert_id])), None)


def teams_of(work: Work, ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """The alerts among these that may be seen, live or over, and whose they are."""
    found: dict[UUID, UUID | None] = {}
    for table in (Alert, AlertHistory):
        query = select(table.id, table.team_id).where(table.org_id == work.org_id, col(table.id).in_(ids))
        found |= {row.id: row.team_id for row in work.session.execute(query)}
    return found


def facts(work: Work, alert_id: UUID) -> Alert | AlertHistory | None:
    """Everything kept of one alert."""
    for table in (Alert, AlertHistory):
        if (row := work.session.get(table, (work.org_id, alert_id))) is not None:
            return row
    return None


def _view(row: Any) -> AlertView:
    return AlertView(
        id=row.id,
        fingerprint=row.fingerprint,
        source=row.source,
        title=row.title,
        description=row.description,
        severity=row.severity,
        status=row.status,
        muted_by=(),
        labels=row.labels,
        annotations=row.annotations,
        service=row.service,
        environment=row.environment,
        resource=row.resource,
        team=row.team,
        count=row.count,
        deliveries=row.deliveries,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        flapping=row.flapping,
        closed_by=row.closed_by,
        links=tuple(LinkView(link["title"], link["url"]) for link in row.links),
        incident=IncidentRef(row.incident_id, row.incident_number) if row.incident_id and row.incident_number else None,
        source_id=row.source_id,
        team_id=row.team_id,
    )


def entries(work: Work, alert_id: UUID, paging: Paging) -> Page[AlertEntryView]:
    """An alert's history, the newest first."""
    query = select(AlertEntry).where(AlertEntry.org_id == work.org_id, AlertEntry.alert_id == alert_id)
    found, page = read(work.session, query, Order((AlertEntry.id,), descending=True), paging)
    return Page(tuple(_entry(row[0]) for row in found), page.next_cursor, page.total, page.total_is_capped)


def _entry(row: AlertEntry) -> AlertEntryView:
    delivery, index = place_of(row.id) if row.kind in DELIVERED else (None, None)
    said = _SAID[row.kind] + (f": {row.said}" if row.said else "")
    return AlertEntryView(row.id, time_of(row.id), row.kind, row.severity, row.severity_before, row.starts_at, said, delivery, index)


def memberships(work: Work, alert_id: UUID) -> list[tuple[IncidentAlert, int]]:
    """Every incident an alert is or was in with its number, the latest first."""
    same = and_(Incident.org_id == IncidentAlert.org_id, Incident.id == IncidentAlert.incident_id)
    query = select(IncidentAlert, Incident.number).join(Incident, same)
    mine = query.where(IncidentAlert.org_id == work.org_id, IncidentAlert.alert_id == alert_id)
    return [(row[0], row[1]) for row in work.session.execute(mine.order_by(col(IncidentAlert.joined_at).desc()).limit(100))]


def forget_old(work: Work, before: datetime) -> None:
    """Remove alerts that were over only after their own week had been dropped: first seen before then, and ended since."""
    work.session.execute(delete(AlertHistory).where(AlertHistory.org_id == work.org_id, col(AlertHistory.id) < floor_id(before)))
