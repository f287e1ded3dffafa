"""How do tests of the stages say what was heard, and let minutes pass?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from engine.model.heard import Heard, Known, Memory, Policy, Told
from engine.stages import dedup
from engine.stages.normalise import normalise

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
SOURCE = UUID(int=1)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def minutes_of(moment: datetime | None) -> float | None:
    """How many minutes after noon it is."""
    return None if moment is None else (moment - NOON).total_seconds() / 60


def policy(**more: Any) -> Policy:
    """The settings of a source as they are when nobody has set anything."""
    return Policy(source_id=SOURCE, team_id=None, **({"scope": SOURCE.bytes} | more))


def firing(start: float | None = None, **more: Any) -> Heard:
    """A hearing that it fires, since so many minutes after noon; None: the sender does not say."""
    return Heard(**({"title": "Disk full", "firing": True, "key": "k", "starts_at": None if start is None else at(start)} | more))


def resolved(start: float | None = None, end: float | None = None, **more: Any) -> Heard:
    """A hearing that it is over."""
    times = {"starts_at": None if start is None else at(start), "ends_at": None if end is None else at(end)}
    return Heard(**({"title": "Disk full", "firing": False, "key": "k"} | times | more))


def known(heard: Heard, settings: Policy | None = None) -> Known:
    """A hearing in our words."""
    return normalise(heard, settings or policy())


@dataclass
class Life:
    """One alert as it is remembered, as long as its re-fire window is open."""

    policy: Policy
    memory: Memory | None = None

    def hear(self, heard: Heard, minute: float, *, repeated: bool = False) -> Told:
        """Hear of it, so many minutes after noon."""
        now, words = at(minute), known(heard, self.policy)
        if self.memory is None:
            self.memory = Memory(id=UUID(int=2), identity=words.identity, first_seen_at=now, last_seen_at=now, is_new=True)
            self.memory.known, self.memory.content = words, words.content
        return dedup.hear(self.memory, words, now, self.policy, repeated)

    def written(self) -> None:
        """A batch ends: what is remembered is in the database, and read again."""
        self.is_.is_new, self.is_.is_changed, self.is_.known = False, False, None

    def age(self, minute: float) -> str | None:
        """Let time do what is due."""
        kind = dedup.due(self.is_, at(minute), self.policy)
        if kind is not None and kind.value == "steady":
            self.is_.flapping = False
        elif kind is not None:
            dedup.close(self.is_, at(minute), self.policy, kind.value)
        return kind.value if kind else None

    def close(self, minute: float, by: str = "Ada") -> None:
        """Somebody closes it."""
        dedup.close(self.is_, at(minute), self.policy, by)

    @property
    def is_(self) -> Memory:
        """What is remembered."""
        assert self.memory is not None
        return self.memory


def life(*said: tuple[Heard, float], **settings: Any) -> Life:
    """An alert of which this was heard, each at its minute."""
    made = Life(policy(**settings))
    for heard, minute in said:
        made.hear(heard, minute)
    return made
