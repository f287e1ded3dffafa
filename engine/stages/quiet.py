"""What keeps an alert quiet at this moment?

Silences follow from the time alone and inhibition from what fires: when a silence ends, or the alert that inhibited others does,
the others are heard because nothing keeps them quiet any more. A team's silences and inhibitions concern its alerts alone.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import blake2b
from uuid import UUID

import re2
from msgspec import Struct

from engine.matching.conditions import Patterns
from engine.matching.windows import Window, changes_at, current
from engine.model.silences import Matcher

_FIELDS = ("service", "environment", "resource", "team", "severity")

# An inhibition, the values that have to be the same, and whether the alert is one of its targets too.
Key = tuple[UUID, tuple[str, ...], bool]
Labels = Mapping[str, str]


class Silence(Struct, frozen=True, kw_only=True):
    """A silence as the pipeline needs it."""

    id: UUID
    matchers: tuple[Matcher, ...]
    window: Window
    comment: str = ""
    author: str = ""
    team_id: UUID | None = None


class Inhibition(Struct, frozen=True, kw_only=True):
    """An inhibition as the pipeline needs it."""

    id: UUID
    name: str
    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    reason: str = ""
    expires: datetime | None = None
    team_id: UUID | None = None


def matchable(fields: Mapping[str, str | None], labels: Labels) -> dict[str, str]:
    """By what matchers know an alert: its labels, and its fields where no label has their name."""
    return {name: value for name in _FIELDS if (value := fields.get(name))} | dict(labels)


class Matching:
    """Matchers that have to hold together, compiled; the quick ones are asked first."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self._tests = [_test(matcher) for matcher in sorted(matchers, key=lambda each: "~" in each.op)]

    def __call__(self, labels: Labels) -> bool:
        return all(holds(labels) for holds in self._tests)


def _test(matcher: Matcher) -> Callable[[Labels], bool]:
    name, wanted = matcher.name, not matcher.op.startswith("!")
    if "~" not in matcher.op:
        return partial(_same, name, matcher.value, wanted)
    pattern = re2.compile(matcher.value)
    return lambda labels: (pattern.fullmatch(labels.get(name, "")) is not None) is wanted


def _same(name: str, value: str, wanted: bool, labels: Labels) -> bool:
    return (labels.get(name, "") == value) is wanted


class _Choice:
    """Which of many lists of matchers may hold together: those that ask for a value or an expression that the labels have."""

    def __init__(self, many: Sequence[Sequence[Matcher]]) -> None:
        self._always: list[int] = []
        self._by_value: dict[str, dict[str, list[int]]] = {}
        self._by_expression: dict[str, dict[int, list[int]]] = {}
        self._patterns = Patterns()
        for place, matchers in enumerate(many):
            same = next((each for each in matchers if each.op == "=" and each.value), None)
            like = next((each for each in matchers if each.op == "=~" and not each.holds("")), None)
            if same is not None:
                self._by_value.setdefault(same.name, {}).setdefault(same.value, []).append(place)
            elif like is not None:
                number = self._patterns.add(like.name, like.value)
                self._by_expression.setdefault(like.name, {}).setdefault(number, []).append(place)
            else:
                self._always.append(place)
        self._patterns.ready()

    def of(self, labels: Labels) -> list[int]:
        """Their places, in order."""
        found = list(self._always)
        for name, places in self._by_value.items():
            found += places.get(labels.get(name, ""), ())
        for name, numbers in self._by_expression.items():
            for number in self._patterns.match(name, labels[name]) if name in labels else ():
                found += numbers[number]
        return sorted(found)


class Silences:
    """The silences of an organization. Which of them are in force is known until the first of them begins or ends."""

    def __init__(self, silences: Sequence[Silence]) -> None:
        self._silences = silences
        self._matching = {silence.id: Matching(silence.matchers) for silence in silences}
        self._active: list[tuple[Silence, datetime]] = []
        self._choice = _Choice([])
        self._since: datetime | None = None
        self.until: datetime | None = None

    def active(self, now: datetime) -> list[tuple[Silence, datetime]]:
        """Those in force now, each with its end."""
        if self._since is None or now < self._since or (self.until is not None and now >= self.until):
            spans = [(silence, current(silence.window, now)) for silence in self._silences]
            self._active = [(silence, span.end) for silence, span in spans if span is not None]
            self._choice = _Choice([silence.matchers for silence, _ in self._active])
            changes = [at for silence in self._silences if (at := changes_at(silence.window, now)) is not None]
            self._since, self.until = now, min(changes, default=None)
        return self._active

    def muting(self, labels: Labels, now: datetime, team_id: UUID | None = None) -> list[tuple[Silence, datetime]]:
        """Those that keep an alert of a team quiet now, each with its end."""
        active = self.active(now)
        mine = (active[place] for place in self._choice.of(labels))
        return [each for each in mine if each[0].team_id in (None, team_id) and self._matching[each[0].id](labels)]


class Inhibitions:
    """The inhibitions of an organization."""

    def __init__(self, inhibitions: Sequence[Inhibition]) -> None:
        self._inhibitions = [(each, Matching(each.sources), Matching(each.targets)) for each in inhibitions]

    def as_source(self, labels: Labels, team_id: UUID | None = None) -> list[Key]:
        """What an alert of a team inhibits while it fires."""
        asked = [parts for parts in self._inhibitions if parts[0].team_id in (None, team_id)]
        return [(each.id, _values(each, labels), targets(labels)) for each, sources, targets in asked if sources(labels)]

    def as_target(self, labels: Labels, now: datetime, team_id: UUID | None = None) -> list[tuple[Inhibition, Key]]:
        """By which firing sources an alert of a team would be kept quiet now.

        As in Alertmanager, one that is source and target at once is not kept quiet by others that are: nor by itself.
        """
        found: list[tuple[Inhibition, Key]] = []
        for each, sources, targets in self._inhibitions:
            if each.team_id not in (None, team_id) or (each.expires is not None and each.expires <= now) or not targets(labels):
                continue
            sides = (False,) if sources(labels) else (False, True)
            found += [(each, (each.id, _values(each, labels), side)) for side in sides]
        return found


def _values(inhibition: Inhibition, labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in inhibition.equal)


def token(key: Key) -> str:
    """A key in short, as it is kept and looked up."""
    id, values, side = key
    same = blake2b("\0".join(values).encode(), digest_size=12).hexdigest()
    return f"{id.hex}:{same}:{int(side)}"
