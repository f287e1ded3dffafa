"""How are an incident, its alerts and its timeline shown?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from engine.model.incidents import IncidentEntryView, IncidentView, MembershipView
from engine.model.vocabulary import IncidentEntryKind, Scorer
from state import words

# What stands for a line of the timeline: an icon, and the colour of the circle around it.
_LOOKS = {
    "opened": ("siren", "critical"),
    "alert_joined": ("bell", "error"),
    "alert_refired": ("bell-ring", "error"),
    "alert_resolved": ("bell-off", "good"),
    "alert_flapping": ("activity", "warning"),
    "alert_moved": ("move-right", ""),
    "severity": ("gauge", "warning"),
    "status": ("circle-dot", ""),
    "acknowledged": ("user-check", "good"),
    "assigned": ("user-plus", ""),
    "comment": ("message-square", "info"),
    "edited": ("pencil", ""),
    "resolved": ("check", "good"),
    "reopened": ("rotate-ccw", "critical"),
    "merged": ("merge", ""),
    "split": ("split", ""),
    "asked": ("list-checks", "info"),
}
_FOLDED = {IncidentEntryKind.ALERT_JOINED, IncidentEntryKind.ALERT_REFIRED, IncidentEntryKind.ALERT_RESOLVED}
_SAID_BY = {Scorer.GROUP: "same group", Scorer.RETURNED: "returned", Scorer.PERSON: "by hand"}


@dataclass
class MemberRow:
    """An alert of the incident."""

    id: str
    href: str
    title: str
    mark: str
    severity: str
    service: str
    resource: str
    count: str
    at: str
    why: str
    reason: str
    score: int
    is_over: bool
    has_left: bool
    quiet: str = ""
    quiet_by: str = ""


@dataclass
class Line:
    """A line of the timeline."""

    id: str
    at: str
    icon: str
    look: str
    who: str
    said: str
    more: str
    is_comment: bool
    fresh: bool = False


@dataclass
class Head:
    """What the page says at its top."""

    id: str = ""
    number: int = 0
    title: str = ""
    mark: str = ""
    severity: str = ""
    severity_by: str = ""
    status: str = ""
    status_word: str = ""
    status_kind: str = ""
    owner: str = ""
    owner_id: str = ""
    acknowledged_by: str = ""
    acknowledged_at: str = ""
    opened_at: str = ""
    last_alert_at: str = ""
    resolved_at: str = ""
    resolved_by: str = ""
    cause: str = ""
    resolution: str = ""
    lasted: str = ""
    alerts: int = 0
    open_alerts: int = 0
    environment: str = ""
    grouped_by: str = ""
    services: list[str] = field(default_factory=list)
    is_open: bool = True
    is_merged: bool = False
    reopened: int = 0
    version: int = 0


def head_of(view: IncidentView) -> Head:
    """What the page says at its top."""
    said, kind = words.status(view.status)
    is_over = view.resolved_at is not None
    return Head(
        id=str(view.id),
        number=view.number,
        title=view.title,
        mark=words.mark(view.severity),
        severity=words.severity(view.severity),
        severity_by=view.severity_by or "",
        status=view.status.value,
        status_word=said,
        status_kind=kind,
        owner=view.owner_name or "",
        owner_id=str(view.owner_id or ""),
        acknowledged_by=view.acknowledged_by or "",
        acknowledged_at=words.iso(view.acknowledged_at),
        opened_at=words.iso(view.opened_at),
        last_alert_at=words.iso(view.last_alert_at),
        resolved_at=words.iso(view.resolved_at),
        resolved_by=view.resolved_by or "",
        cause=view.cause or "",
        resolution=view.resolution or "",
        lasted=words.length(view.resolved_at - view.opened_at) if view.resolved_at else "",
        alerts=view.alerts,
        open_alerts=view.open_alerts,
        environment=view.environment or "",
        grouped_by=view.grouped_by,
        services=list(view.services),
        is_open=not is_over,
        is_merged=view.merged_into is not None,
        reopened=view.reopened,
        version=view.version,
    )


def member_of(each: MembershipView) -> MemberRow:
    """An alert of the incident as a row."""
    is_over = each.status == "resolved"
    return MemberRow(
        id=str(each.alert_id or ""),
        href=f"/alerts/{each.alert_id}" if each.alert_id else "",
        title=each.title,
        mark=words.mark(each.severity, is_over=is_over),
        severity="Resolved" if is_over else words.severity(each.severity) if each.alert_id else "",
        service=each.service or "",
        resource=each.resource or "",
        count=f"×{each.count}" if each.count else "",
        at=words.iso(each.first_seen_at or each.joined_at),
        why=_SAID_BY.get(each.by, each.by.value),
        reason=each.reason,
        score=round(each.score * 100),
        is_over=is_over,
        has_left=each.left_at is not None,
        quiet=words.quiet(each.muted_by),
        quiet_by=", ".join(by.name for by in each.muted_by),
    )


def lines_of(entries: Sequence[IncidentEntryView], seen: str, *, folds: bool) -> list[Line]:
    """A timeline, the oldest first, as it is shown; what came after the line `seen` is fresh.

    Where it `folds`, alerts that do the same one after the other are one line, which says how many and in what time.
    """
    lines: list[Line] = []
    for _, run in groupby(entries, key=lambda entry: entry.kind if folds and entry.kind in _FOLDED else entry.id):
        first, *others = run
        last = others[-1] if others else first
        line = _line(first, fresh=str(last.id) > seen)
        if others:
            many = sum(int(other.detail.get("count", 1)) for other in others)
            took = last.at - first.at
            line.more = f"then {many} more, in {words.length(took)}" if took > timedelta(seconds=1) else f"and {many} more"
        lines.append(line)
    return lines


def _line(entry: IncidentEntryView, *, fresh: bool) -> Line:
    icon, look = _LOOKS.get(entry.kind.value, ("circle", ""))
    is_comment = entry.kind is IncidentEntryKind.COMMENT
    said = entry.said if is_comment else entry.said[:1].upper() + entry.said[1:]
    return Line(str(entry.id), words.iso(entry.at), icon, look, entry.actor_name, said, "", is_comment, fresh)
