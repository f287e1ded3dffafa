"""Which incident is an alert part of, why, and how sure is that?

Scorers look at an alert and the open incidents that share one of their keys with it, and nothing else: so the cost of
placing an alert stays flat however much history there is. The highest score wins; no score at all opens an incident.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from msgspec import Struct, field

from engine.model.heard import Known
from engine.model.vocabulary import IncidentStatus, Scorer, Severity

WINDOW = timedelta(minutes=5)
REOPEN = timedelta(minutes=30)
RESOLVE_AFTER = timedelta(minutes=5)
_LEAST = 0.5
_AS_GROUP = 0.8  # below what a scorer with better reasons may say, and below a person's 1
_GROUPS = ("cluster", "namespace", "service")
_MOST_SERVICES = 50
_LONGEST_GROUP = 600  # what an index can hold, in four-byte letters too
UNSTATED = 4  # the place of `not stated` in open_by_severity
_WORST_FIRST: tuple[tuple[Severity | None, int], ...] = (
    (Severity.CRITICAL, 0),
    (Severity.ERROR, 1),
    (Severity.WARNING, 2),
    (None, UNSTATED),
    (Severity.INFO, 3),
)


class OpenIncident(Struct, kw_only=True):
    """An incident as far as placing alerts needs it, and what a batch has made of it."""

    id: UUID
    group_key: str
    grouped_by: str
    last_alert_at: datetime
    opened_at: datetime
    number: int = 0
    status: IncidentStatus = IncidentStatus.DETECTED
    title: str = ""
    title_team_id: UUID | None = None
    title_edited: bool = False
    severity: Severity | None = None
    severity_by: str | None = None
    team_ids: list[UUID] = field(default_factory=list)
    everybody: bool = False
    environment: str | None = None
    services: list[str] = field(default_factory=list)
    alert_count: int = 0
    open_by_severity: list[int] = field(default_factory=lambda: [0] * 5)
    firings: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    reopened: int = 0
    check_at: datetime | None = None
    version: int = 1
    is_new: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.resolved_at is None


class Placement(Struct, frozen=True):
    """That an alert belongs to an incident (None: to a new one), who says so, how sure (0 to 1), and why."""

    incident: OpenIncident | None
    by: Scorer
    score: float
    reason: str


class Scores(Protocol):
    """A way to tell that an alert belongs to an incident. Stronger ones plug in here."""

    by: Scorer

    def keys(self, known: Known) -> Sequence[str]:
        """By which keys open incidents are looked up for this alert."""
        ...

    def score(self, known: Known, incident: OpenIncident, now: datetime) -> tuple[float, str]:
        """How surely (0 to 1) the alert belongs to the incident, and why."""
        ...


class ByGroup:
    """The default: the same environment, and the same cluster, namespace and service, else the sender's own group."""

    by = Scorer.GROUP

    def keys(self, known: Known) -> Sequence[str]:
        """One key: what it has in common with its group."""
        return (group_of(known),)

    def score(self, known: Known, incident: OpenIncident, now: datetime) -> tuple[float, str]:
        """Fairly sure within five minutes after the incident's last alert, and not at all after."""
        if incident.group_key != group_of(known) or not incident.is_open or now - incident.last_alert_at > WINDOW:
            return 0.0, ""
        return _AS_GROUP, f"same {incident.grouped_by}, within {WINDOW.seconds // 60} min of its last alert"


SCORERS: tuple[Scores, ...] = (ByGroup(),)


def group_of(known: Known) -> str:
    """What an alert has in common with the others of its group, in words."""
    heard = known.heard
    said = [f"environment {heard.environment}"] if heard.environment else []
    labels = heard.labels
    parts = list(known.ruling.group) if known.ruling is not None else []
    parts = parts or [f"{name} {value}" for name in _GROUPS if (value := (heard.service if name == "service" else labels.get(name)))]
    if not parts:
        parts = [f"group {heard.group}" if heard.group else f"alert {known.fingerprint}"]
    words = ", ".join(said + parts)
    return words if len(words) <= _LONGEST_GROUP else f"{words[:200]}… {sha256(words.encode()).hexdigest()[:32]}"


def place(known: Known, incidents: Iterable[OpenIncident], now: datetime) -> Placement:
    """The incident with the highest score among those that share a key with the alert; none: a new one."""
    best = Placement(None, Scorer.GROUP, 1.0, "no open incident of its group within the window")
    highest = _LEAST
    for incident in incidents:
        for scorer in SCORERS:
            score, reason = scorer.score(known, incident, now)
            if score > highest or (score == highest and best.incident is not None and incident.last_alert_at > best.incident.last_alert_at):
                best, highest = Placement(incident, scorer.by, score, reason), score
    return best


def returns(incident: OpenIncident, now: datetime) -> bool:
    """Whether an alert that fires again is still of the incident it was in: an open one, or one resolved lately."""
    return incident.is_open or (incident.resolved_at is not None and now - incident.resolved_at <= REOPEN)


def opened(id: UUID, known: Known, now: datetime) -> OpenIncident:
    """A new incident around its leading alert."""
    group, heard = group_of(known), known.heard
    return OpenIncident(
        id=id,
        group_key=group,
        grouped_by=group,
        last_alert_at=now,
        opened_at=now,
        environment=heard.environment,
        is_new=True,
    )


def join(incident: OpenIncident, known: Known, team_id: UUID | None, now: datetime) -> None:
    """Count an alert in, and let the incident be seen by those who see the alert."""
    heard = known.heard
    if not incident.alert_count and not incident.title_edited:
        incident.title = f"{heard.service}: {heard.title}" if heard.service else heard.title
        incident.title_team_id = team_id
    if heard.service and heard.service not in incident.services and len(incident.services) < _MOST_SERVICES:
        incident.services = [*incident.services, heard.service]
    if team_id is None:
        incident.everybody = True
    elif team_id not in incident.team_ids:
        incident.team_ids = [*incident.team_ids, team_id]
    incident.alert_count += 1
    incident.last_alert_at = max(incident.last_alert_at, now)


def begin(incident: OpenIncident, severity: Severity | None) -> None:
    """One of its alerts fires."""
    incident.firings += 1
    incident.check_at = None
    count(incident, severity, 1)


def count(incident: OpenIncident, severity: Severity | None, change: int) -> None:
    """One firing alert of that severity more or less; the incident is as bad as its worst, unless somebody has set it."""
    place = UNSTATED if severity is None else severity.rank - 1
    counts = list(incident.open_by_severity)
    counts[place] = max(0, counts[place] + change)
    incident.open_by_severity = counts
    if incident.severity_by is None and any(counts):
        incident.severity = highest(counts)


def highest(counts: Sequence[int]) -> Severity | None:
    """The worst severity that fires. Not stated ranks as a warning: below one that is stated, above info."""
    return next(severity for severity, place in _WORST_FIRST if counts[place])


def reopen(incident: OpenIncident) -> None:
    """The problem is back."""
    incident.status = IncidentStatus.INVESTIGATING if incident.acknowledged_at else IncidentStatus.DETECTED
    incident.resolved_at = incident.resolved_by = None
    incident.reopened += 1


def quiet(incident: OpenIncident, now: datetime) -> None:
    """When the last alert has ended, the incident resolves after five quiet minutes."""
    if incident.is_open and not any(incident.open_by_severity):
        incident.check_at = now + RESOLVE_AFTER
