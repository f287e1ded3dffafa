"""Which closed sets of words does the product know?"""

from enum import StrEnum


class Role(StrEnum):
    """What a person or token is in an organization or a team; each role can do all that the one before can."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        """0 for the least, 3 for the most."""
        return list(Role).index(self)


class Permission(StrEnum):
    """What a role may allow. `engine/identity/permissions.py` says which role allows which."""

    PROFILE = "profile"
    VIEW = "view"
    RESPOND = "respond"
    CONFIGURE = "configure"
    MANAGE_TEAM = "manage_team"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TOKENS = "manage_tokens"
    VIEW_AUDIT = "view_audit"
    ADMINISTER = "administer"
    INSTANCE = "instance"


class ActorKind(StrEnum):
    """Who acts."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 a word, not a secret
    WORKFLOW = "workflow"
    AGENT = "agent"
    SCHEDULE = "schedule"
    SYSTEM = "system"


class Outcome(StrEnum):
    """How an audited act ended."""

    DONE = "done"
    REFUSED = "refused"


class JobState(StrEnum):
    """Where a job is in its life. `waiting` includes a time that has not come yet."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class LinkKind(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 a word, not a secret


class ProcessKind(StrEnum):
    """Which of our processes reports its heartbeat."""

    WEB = "web"
    WORKER = "worker"


class Severity(StrEnum):
    """How bad an alert is, the worst first. Not stated is None, and counts as a warning where a highest one is sought."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """1 for the worst, 4 for the least; what is not stated is 5."""
        return _RANKS[self]


_RANKS = {severity: place for place, severity in enumerate(Severity, 1)}


class AlertStatus(StrEnum):
    """Whether an alert goes on."""

    FIRING = "firing"
    RESOLVED = "resolved"


class SourceAuth(StrEnum):
    """How a sender proves itself: with a secret (bearer, basic, X-API-KEY), a signature of the body, or by its address alone."""

    SECRET = "secret"  # noqa: S105 a word, not a secret
    SIGNATURE = "signature"
    ADDRESS = "address"


class IdentityBy(StrEnum):
    """What makes two alerts of a source the same one."""

    SENDER = "sender"  # the sender's own key
    LABELS = "labels"  # the usual fields, in their order
    FIELDS = "fields"  # fields chosen for the source


class AlertEntryKind(StrEnum):
    """What happened to an alert in one line of its history."""

    OPENED = "opened"
    HEARD = "heard"
    REPEATED = "repeated"
    REFIRED = "refired"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    LATE = "late"
    TIMED_OUT = "timed_out"
    STALE = "stale"
    STEADY = "steady"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    MOVED = "moved"


class IncidentStatus(StrEnum):
    """Where an incident is in its life."""

    DETECTED = "detected"
    INVESTIGATING = "investigating"
    ROOT_CAUSE_FOUND = "root_cause_found"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class IncidentEntryKind(StrEnum):
    """What happened in one line of an incident's timeline."""

    OPENED = "opened"
    ALERT_JOINED = "alert_joined"
    ALERT_REFIRED = "alert_refired"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_FLAPPING = "alert_flapping"
    ALERT_MOVED = "alert_moved"
    SEVERITY = "severity"
    STATUS = "status"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    COMMENT = "comment"
    EDITED = "edited"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MERGED = "merged"
    SPLIT = "split"
    ASKED = "asked"  # a rule asks for something


class Scorer(StrEnum):
    """Who says that an alert belongs to an incident."""

    GROUP = "group"  # the default grouping
    RETURNED = "returned"  # it was there before
    PERSON = "person"


class DefinitionKind(StrEnum):
    """What an operator can define about alerts."""

    RULE = "rule"
    EXTRACTION = "extraction"
    MAPPING = "mapping"
    SILENCE = "silence"
    INHIBITION = "inhibition"


class ImportKind(StrEnum):
    """Files that are taken over: our own, and those of other products."""

    RULES = "rules"
    ALERTMANAGER = "alertmanager"
    AMTOOL_SILENCES = "amtool-silences"
    ALERTA_BLACKOUTS = "alerta-blackouts"
    KEEP = "keep"


class QuietBy(StrEnum):
    """What keeps a firing alert quiet."""

    SILENCE = "silence"
    INHIBITION = "inhibition"
    RULE = "rule"  # it is suppressed, or people are told without an incident
    HOLD = "hold"  # it has to fire for longer
    THRESHOLD = "threshold"  # more have to fire


class QuarantineState(StrEnum):
    """What became of something that could not be understood."""

    WAITING = "waiting"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class ListPage(StrEnum):
    """Which list a saved view is of."""

    INCIDENTS = "incidents"
    ALERTS = "alerts"
