"""Of which alerts of the past would a rule have held, and what would it have changed?

The history is read in parts, and in each part alerts that look the same to the rule are one line, counted by the database: so a
million alerts take seconds. It is asked about alerts as they were kept, after the rules of then.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from engine.matching.conditions import Patterns, compiled
from engine.model.alerts import AlertView
from engine.model.conditions import Comparison, Condition, Logic, parts_of, times_of
from engine.model.ruled import Ruling
from engine.model.rulings import RuleSpec
from engine.stages import rules as asked
from engine.storage import alerts, history
from engine.storage.work import Work

_SHOWN, _BARS, _LATELY = 50, 60, 1000
# A name with a dot in it is a path to JSON Logic, and the whole name to us.
_IN_TEXTS = re.compile(r"(labels|annotations)\.[^.]+$")
_LOOKS_AROUND = ("missing", "missing_some", "val", "exists")
_EVERYTHING = ("title", "description", "severity", "service", "environment", "resource", "team", "source", "status")


@dataclass(frozen=True)
class Bar:
    """How many alerts began to be heard of from a moment on, until the next bar, and of how many the rule held."""

    at: datetime
    alerts: int
    matched: int


@dataclass(frozen=True)
class Rehearsed:
    """What a rule would have done: alerts looked at and matched, how often it would have changed what, the newest of them, and
    a picture over time."""

    alerts: int
    matched: int
    changes: dict[str, int]
    newest: tuple[AlertView, ...]
    bars: tuple[Bar, ...]


def lately(work: Work, rule: RuleSpec, now: datetime) -> Rehearsed:
    """Ask about the newest thousand alerts."""
    rehearsing = _Rehearsing(rule, now - timedelta(days=400), now)
    rehearsing.take(history.newest(work, rehearsing.reads, _LATELY))
    return rehearsing.result(work)


def over_history(work: Work, rule: RuleSpec, since: datetime, until: datetime, progress: Callable[[float, str], None]) -> Rehearsed:
    """Ask about all alerts first seen in a time; `progress` may end it by raising."""
    rehearsing = _Rehearsing(rule, since, until)
    parts = history.parts(work, since, until)
    for number, part in enumerate(parts):
        progress(number / max(1, len(parts)), f"{rehearsing.alerts:,} alerts looked at, {rehearsing.matched:,} matched")
        rehearsing.take(history.counted(work, rehearsing.reads, part, rehearsing.width))
    return rehearsing.result(work)


class _Rehearsing:
    """A rule that is asked about lines of the history."""

    def __init__(self, rule: RuleSpec, since: datetime, until: datetime) -> None:
        patterns = Patterns()
        self._test = compiled(rule.when, patterns)
        patterns.ready()
        self._rule = asked.Rule(id=UUID(int=0), version=0, name=rule.name, priority=0, when=rule.when, then=rule.then)
        self._changes_fields = rule.then.severity is not None or any(
            (rule.then.service, rule.then.environment, rule.then.team, rule.then.labels)
        )
        self.reads = history.Reads(tuple(_fields(rule)), is_timed=bool(times_of(rule.when)))
        self._since, self.width = since, max(timedelta(minutes=1), (until - since) / _BARS)
        self.alerts = self.matched = 0
        self._bars: Counter[int] = Counter()
        self._matched: Counter[int] = Counter()
        self._changes: Counter[str] = Counter()
        self._newest: list[UUID] = []

    def take(self, lines: Iterable[history.Line]) -> None:
        """Ask about some."""
        for line in lines:
            place = (line.at - self._since) // self.width
            self.alerts += line.count
            self._bars[place] += line.count
            subject = line.subject
            if not self._test(subject):
                continue
            self.matched += line.count
            self._matched[place] += line.count
            if len(self._newest) < _SHOWN or line.newest > self._newest[-1]:
                self._newest = sorted((*self._newest, line.newest), reverse=True)[:_SHOWN]
            if self._changes_fields:
                ruling = Ruling()
                asked.act(self._rule, subject, ruling)
                for change in ruling.before.fields.keys() | {f"label {name}" for name in ruling.before.labels}:
                    self._changes[change] += line.count

    def result(self, work: Work) -> Rehearsed:
        """What came of it."""
        newest = {view.id: view for view in alerts.some(work, self._newest)}
        bars = tuple(Bar(self._since + place * self.width, self._bars[place], self._matched[place]) for place in sorted(self._bars))
        shown = tuple(newest[id] for id in self._newest if id in newest)
        return Rehearsed(self.alerts, self.matched, dict(self._changes), shown, bars)


def _fields(rule: RuleSpec) -> Iterator[str]:
    """What has to be read of an alert to ask the rule, and to know what it changes."""
    yield from sorted(_asked(rule.when))
    then = rule.then
    yield from (name for name in ("severity", "service", "environment", "team") if getattr(then, name) is not None)
    yield from (f"labels.{name}" for name in then.labels)
    for said in (then.service, then.environment, then.team, *then.labels.values()):
        yield from asked.named_in(said or "")


def _asked(condition: Condition) -> set[str]:
    if isinstance(condition, Comparison):
        return {condition.field}
    if isinstance(condition, Logic):
        named = _named(condition.logic)
        return {*_EVERYTHING, "labels", "annotations"} if named is None else named
    return {name for part in parts_of(condition) for name in _asked(part)}


def _named(logic: Any) -> set[str] | None:
    """The fields that an expression of JSON Logic names; None: it may look at any."""
    if not isinstance(logic, dict | list):
        return set()
    said: dict[str, Any] = cast(dict[str, Any], logic) if isinstance(logic, dict) else {}
    if any(name in _LOOKS_AROUND for name in said):
        return None
    if "var" in said:
        first: Any = said["var"][0] if isinstance(said["var"], list) and said["var"] else said["var"]
        is_known = isinstance(first, str) and (first in _EVERYTHING or _IN_TEXTS.match(first) is not None)
        return {str(first)} if is_known and len(said) == 1 else None
    found = [_named(part) for part in (said.values() if said else cast(list[Any], logic))]
    return None if None in found else {name for part in found if part for name in part}
