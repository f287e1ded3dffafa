"""What did a sender say about one alert, in our words?

Made by the file of the sender's kind, before any setting of the source, rule or memory has touched it. What the sender did
not say is None: nothing is invented. These are the values that travel between the stages, thousands a second, so they are
msgspec structs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from engine.model.ruled import Ruling
from engine.model.vocabulary import AlertEntryKind, IdentityBy, Severity

# What a firing alert inhibits, and for what one waits that is in no incident.
FIRES, WAITS = "fires:", "waits:"


class Link(Struct, frozen=True):
    """A way back to the sender. Only http and https addresses become links."""

    title: str
    url: str


class Heard(Struct, kw_only=True):
    """One alert as one delivery tells it."""

    title: str
    firing: bool
    key: str | None = None  # the sender's own key of deduplication
    description: str | None = None
    severity: str | None = None  # the sender's word, whatever it is
    service: str | None = None
    environment: str | None = None
    resource: str | None = None
    team: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None
    ends_at: datetime | None = None  # of a resolved alert
    expires_at: datetime | None = None  # of a firing one: it is over then, unless it is sent again before
    group: str = ""  # the sender's own group labels as `name=value, name=value`; empty when it does not group
    acknowledged_by: str | None = None  # the sender says that somebody there has acknowledged it
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()  # what was odd and how it was read, a sentence each
    bare: bool = False  # it says nothing but that the alert goes on: what was told before stays
    beat: bool = False  # no alert but a sign of life: its silence is what raises one


class Fault(Struct, frozen=True):
    """One alert of a delivery that cannot be understood, by its place in the body, and why."""

    index: int
    reason: str


class Delivery(Struct, frozen=True):
    """One post as it came, with the few headers that its kind needs (lower case)."""

    body: bytes
    headers: dict[str, str]
    received_at: datetime


class Accepted(Struct, frozen=True):
    """What the first look at a body says: the body to keep (credentials replaced), alerts in it, and those that are none."""

    body: bytes
    alerts: int
    rejected: tuple[Fault, ...] = ()
    answer: dict[str, Any] | None = None  # facts that the sender's own answer needs, such as its dedup_key


class Policy(Struct, frozen=True, kw_only=True):
    """What the settings of a source mean to the stages. Durations are seconds; `scope` is whose alerts may be the same."""

    source_id: UUID
    team_id: UUID | None
    scope: bytes
    source: str = ""
    kind: str = ""
    default_severity: Severity | None = None
    severities: dict[str, Severity] = field(default_factory=dict)
    fingerprint_fields: tuple[str, ...] = ()
    refire: float = 1800.0
    flap_changes: int = 4
    flap: float = 1800.0
    stale: float = 0.0  # 0: by the usual interval
    resends: bool = False


class Known(Struct):
    """An alert in our words: what was heard, who it is, how bad it is, and by which words it is found."""

    heard: Heard
    identity: bytes
    identity_by: IdentityBy
    fingerprint: str
    severity: Severity | None
    severity_word: str | None
    content: int
    ruling: Ruling | None = None


class Memory(Struct, kw_only=True):
    """What is remembered of an alert, and what a batch has made of it. Times are UTC."""

    id: UUID
    identity: bytes
    first_seen_at: datetime
    last_seen_at: datetime
    firing: bool = False
    severity: Severity | None = None
    count: int = 0
    deliveries: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    episodes: list[datetime] = field(default_factory=list)
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    changes: list[datetime] = field(default_factory=list)
    flapping: bool = False
    check_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    incident_id: UUID | None = None
    incident_number: int | None = None
    content: int = 0
    tokens: list[str] = field(default_factory=list)  # what it inhibits while it fires, and for what it waits
    release_at: datetime | None = None  # when to look again whether it still waits
    tokens_before: list[str] = field(default_factory=list)
    known: Known | None = None  # what to write as its content; None: as it is
    is_new: bool = False
    is_changed: bool = False  # more than that it was heard again

    @property
    def waits(self) -> bool:
        """Whether it fires and yet counts in no incident, as something keeps it quiet."""
        return any(token.startswith(WAITS) for token in self.tokens)


class Told(Struct):
    """One decision of deduplication: what happened, and how the alert was then.

    `went_on`: it fired before and after. `severity_before` counts when `changed_severity`. `said` only when it is unusual.
    """

    kind: AlertEntryKind
    said: str | None = None
    went_on: bool = False
    severity: Severity | None = None
    changed_severity: bool = False
    severity_before: Severity | None = None
    flapping: bool = False
    began_to_flap: bool = False
