"""What travels through the pipeline?"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from engine.model.heard import Known, Memory, Policy, Told
from engine.model.vocabulary import AlertEntryKind
from engine.storage.batches import Entry

_BEGINS = (AlertEntryKind.OPENED, AlertEntryKind.REFIRED, AlertEntryKind.REOPENED)


class Item(Struct):
    """One alert on its way through the stages. `id` is that of the line it will write into the alert's history."""

    id: UUID
    policy: Policy
    known: Known
    at: datetime
    repeated: bool = False


class Happened(Struct):
    """What an alert's hearing, or time, or a person, did to it."""

    item: Item
    memory: Memory
    told: Told
    looked_at: bool = False  # nothing happened to it; it is asked about anew, with all that is known of it

    @property
    def is_fresh(self) -> bool:
        """Whether `item` says what rules and enrichment have made of it: what is only heard again is not asked about again."""
        return self.begins or self.looked_at or self.memory.known is self.item.known

    @property
    def begins(self) -> bool:
        """Whether it begins to fire."""
        return self.told.kind in _BEGINS and not self.told.went_on

    def entry(self) -> Entry:
        """The line of the alert's history that says so."""
        item, told = self.item, self.told
        severity = told.severity if told.changed_severity or told.kind is AlertEntryKind.OPENED else None
        before = told.severity_before if told.changed_severity else None
        starts_at = item.known.heard.starts_at
        return Entry(item.id, self.memory.id, item.policy.team_id, told.kind, severity, before, starts_at, told.said)
