"""How is an incident told on paper?"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from engine.model.incidents import IncidentEntryView, IncidentView, MembershipView

_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]<>#|~&"})


def markdown(
    incident: IncidentView, alerts: Sequence[MembershipView], total: int, lines: Sequence[IncidentEntryView], *, is_cut: bool = False
) -> str:
    """An incident with its alerts, of which there are `total`, and its timeline, which may be cut, as Markdown. What senders
    wrote is escaped."""
    over = incident.resolved_at or (lines[-1].at if lines else incident.opened_at)
    facts = [
        ("Severity", incident.severity or "not stated"),
        ("Status", incident.status.replace("_", " ")),
        ("Owner", incident.owner_name or "nobody"),
        ("Opened", _utc(incident.opened_at)),
        ("Acknowledged", f"{_utc(incident.acknowledged_at)} by {incident.acknowledged_by}" if incident.acknowledged_at else "no"),
        ("Resolved", f"{_utc(incident.resolved_at)} by {incident.resolved_by}" if incident.resolved_at else "no"),
        ("Lasted" if incident.resolved_at else "So far", duration(over - incident.opened_at)),
        ("Services", ", ".join(incident.services) or "not stated"),
        ("Environment", incident.environment or "not stated"),
        ("Grouped by", incident.grouped_by),
    ]
    parts = [f"# #{incident.number} {_safe(incident.title)}", ""]
    parts += [f"- **{name}:** {_safe(str(value))}" for name, value in facts]
    parts += ["", f"## Alerts ({total})", "", "| Severity | Alert | Status | Why here |", "|---|---|---|---|"]
    parts += [
        f"| {a.severity or 'not stated'} | {_safe(a.title)} | {'left' if a.left_at else a.status or ''} | {_safe(a.reason)} |"
        for a in alerts
    ]
    if total > len(alerts):
        parts.append(f"\n{total - len(alerts)} more are not listed.")
    parts += ["", "## Timeline", ""]
    parts += [f"- `{_utc(line.at)}` {_safe(f'{line.actor_name} {line.said}')}" for line in lines]
    parts += ["", "Later lines are not listed."] if is_cut else []
    parts += ["", "## Cause", "", _safe(incident.cause or "Not written down."), ""]
    parts += ["## Resolution", "", _safe(incident.resolution or "Not written down."), ""]
    return "\n".join(parts)


def as_json(
    incident: IncidentView, alerts: Sequence[MembershipView], total: int, lines: Sequence[IncidentEntryView], *, is_cut: bool = False
) -> str:
    """The same for programs."""
    said = {"incident": _plain(incident), "alerts": _plain(tuple(alerts)), "alerts_total": total, "timeline": _plain(tuple(lines))}
    said["timeline_is_cut"] = is_cut
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def duration(length: timedelta) -> str:
    """A length of time as people say it: `1 h 04 min`, `3 min`, `40 s`."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _safe(said: str) -> str:
    return " ".join(said.translate(_SPECIAL).split())


def _plain(value: Any) -> Any:
    return TypeAdapter(type(value) if not isinstance(value, tuple) else tuple[Any, ...]).dump_python(value, mode="json")
