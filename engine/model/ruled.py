"""What came of enrichment and rules for one alert? Kept with it, so that it can be explained later."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field


class Enriched(Struct, frozen=True):
    """That something was added: by which extraction or table, and what, in words."""

    name: str
    did: tuple[str, ...]


class Ran(Struct, frozen=True):
    """That a version of a rule matched, and what it did, in words."""

    rule_id: UUID
    version: int
    name: str
    did: tuple[str, ...]


class Gate(Struct, frozen=True):
    """A threshold that has to be reached before an incident opens."""

    rule_id: UUID
    count: int
    of: Literal["alerts", "fingerprints"]
    minutes: int


class Before(Struct):
    """What an alert said where rules have changed it; None: nothing."""

    fields: dict[str, str | None] = field(default_factory=dict)
    labels: dict[str, str | None] = field(default_factory=dict)


class Ruling(Struct, kw_only=True, omit_defaults=True):
    """What all of them together say. `group`: the values by which alerts are one incident, and `grouped_by` which rule says so.

    `at` is the moment of which it was asked; `sender_group` is only kept while the alert waits to be placed.
    """

    at: datetime | None = None
    enriched: list[Enriched] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)
    before: Before = field(default_factory=Before)
    group: tuple[str, ...] = ()
    grouped_by: str = ""
    hold_minutes: int = 0
    threshold: Gate | None = None
    suppressed_by: str = ""
    notify_only: str = ""
    analyse: str = ""
    runbooks: dict[str, str] = field(default_factory=dict)
    sender_group: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added and no rule held."""
        return not self.enriched and not self.ran
