"""What keeps an alert quiet at this moment?

Silences follow from the time alone and inhibition from what fires, so nothing of it is stored: when a silence ends, or the alert
that inhibited others does, the others are heard because nothing keeps them quiet any more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from engine.matching.conditions import Subject
from engine.matching.windows import Window, changes_at, current
from engine.model.silences import Matcher

_FIELDS = ("service", "environment", "resource", "team", "severity")

# An inhibition, the values that have to be the same, and whether the alert is one of its targets too.
Key = tuple[UUID, tuple[str, ...], bool]


class Silence(Struct, frozen=True, kw_only=True):
    """A silence as the pipeline needs it."""

    id: UUID
    matchers: tuple[Matcher, ...]
    window: Window
    comment: str = ""
    author: str = ""


class Inhibition(Struct, frozen=True, kw_only=True):
    """An inhibition as the pipeline needs it."""

    id: UUID
    name: str
    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


def matchable(subject: Subject) -> dict[str, str]:
    """By what matchers know an alert: its labels, and its fields where no label has their name."""
    return {name: value for name in _FIELDS if (value := subject.fields.get(name))} | subject.labels


def hold(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold."""
    return all(matcher.holds(labels.get(matcher.name, "")) for matcher in matchers)


class Silences:
    """The silences of an organization. Which of them are in force is known until the first of them begins or ends."""

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._silences = silences
        self._active: list[tuple[Silence, datetime]] = []
        self._since: datetime | None = None
        self.until: datetime | None = None

    def active(self, now: datetime) -> list[tuple[Silence, datetime]]:
        """Those in force now, each with its end."""
        if self._since is None or now < self._since or (self.until is not None and now >= self.until):
            spans = [(silence, current(silence.window, now)) for silence in self._silences]
            self._active = [(silence, span.end) for silence, span in spans if span is not None]
            changes = [at for silence in self._silences if (at := changes_at(silence.window, now)) is not None]
            self._since, self.until = now, min(changes, default=None)
        return self._active

    def muting(self, labels: Mapping[str, str], now: datetime) -> list[tuple[Silence, datetime]]:
        """Those that keep an alert quiet now, each with its end."""
        return [(silence, end) for silence, end in self.active(now) if hold(silence.matchers, labels)]


class Inhibitions:
    """The inhibitions of an organization."""

    def __init__(self, inhibitions: Sequence[Inhibition]) -> None:
        self._inhibitions = inhibitions

    def as_source(self, labels: Mapping[str, str]) -> list[Key]:
        """What an alert inhibits while it fires."""
        return [(each.id, _values(each, labels), hold(each.targets, labels)) for each in self._inhibitions if hold(each.sources, labels)]

    def inhibited_by(self, labels: Mapping[str, str], firing: Mapping[Key, Collection[UUID]]) -> list[tuple[Inhibition, UUID]]:
        """By what an alert is kept quiet: the inhibition, and one of the firing alerts that do it.

        As in Alertmanager, one that is source and target at once is not kept quiet by others that are: nor by itself.
        """
        found: list[tuple[Inhibition, UUID]] = []
        for each in self._inhibitions:
            if not hold(each.targets, labels):
                continue
            sides = (False,) if hold(each.sources, labels) else (False, True)
            by = [id for side in sides for id in firing.get((each.id, _values(each, labels), side), ())]
            if by:
                found.append((each, min(by)))
        return found


def _values(inhibition: Inhibition, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in inhibition.equal)
