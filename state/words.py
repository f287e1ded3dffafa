"""How are things said to an operator?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from engine.model.alerts import Quiet
from engine.model.sources import SourceView
from engine.model.vocabulary import IncidentStatus, QuietBy, Severity

UNSTATED = "unstated"
_STATUS_KIND = {
    IncidentStatus.DETECTED: "critical",
    IncidentStatus.INVESTIGATING: "warning",
    IncidentStatus.ROOT_CAUSE_FOUND: "",
    IncidentStatus.MITIGATED: "info",
    IncidentStatus.RESOLVED: "good",
}

_QUIET = {
    QuietBy.SILENCE: "silenced",
    QuietBy.INHIBITION: "inhibited",
    QuietBy.RULE: "quiet by a rule",
    QuietBy.HOLD: "held",
    QuietBy.THRESHOLD: "below its threshold",
}


def severity(of: Severity | None) -> str:
    """A severity as a word with a capital."""
    return of.value.capitalize() if of else "Not stated"


def mark(of: Severity | None, *, is_over: bool = False) -> str:
    """The shape that stands for a severity, or for what is over."""
    return "good" if is_over else of.value if of else UNSTATED


def status(of: IncidentStatus) -> tuple[str, str]:
    """A status as words, and the kind of tag that it is."""
    return of.value.replace("_", " ").capitalize(), _STATUS_KIND[of]


def quiet(by: Sequence[Quiet]) -> str:
    """What keeps an alert quiet, in a word; empty for nothing."""
    return _QUIET[by[0].by] if by else ""


def iso(at: datetime | None) -> str:
    """A time as the browser reads it; empty for none."""
    return at.astimezone(UTC).isoformat() if at else ""


def length(of: timedelta | None) -> str:
    """A length of time: `1 m 48 s`, `2 h 05 min`, `240 ms`."""
    if of is None:
        return "–"
    seconds = max(0.0, of.total_seconds())
    if round(seconds * 1000) < 1000:
        return f"{seconds * 1000:.0f} ms"
    if round(seconds) < 60:
        return f"{seconds:.1f} s" if round(seconds, 1) < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes < 48 * 60 else f"{minutes // 1440} d {minutes // 60 % 24} h"


def source_status(source: SourceView) -> tuple[str, str]:
    """How a source is, in a word, and the kind of tag that it is."""
    if source.paused:
        return "Paused", ""
    if source.silent:
        return "Silent", "warning"
    if source.last_failure_at and (source.last_seen_at is None or source.last_failure_at >= source.last_seen_at):
        return "Failing", "critical"
    return ("Heard", "good") if source.last_seen_at else ("Waiting", "info")
