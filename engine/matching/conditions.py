"""Does a condition hold for an alert, and why?

A condition is compiled once into a function that looks at a `Subject`: the alert as it is seen at this moment. All regular
expressions on one field are one automaton (RE2's set), so a hundred of them cost little more than one; JSON Logic is compiled
and reads a document that is made once for an alert. `explain` says the same slowly, with the value that each part has seen.
"""

from calendar import month_abbr, monthrange
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import re2
from datalogic_py import DataHandle, DataLogicError, Engine

from engine.matching.windows import instant
from engine.model.conditions import All, AnyOf, Comparison, Condition, Logic, Not, Op, TimeRange, Times, Weekday
from engine.model.vocabulary import Severity

_FAMILIES = ["Core", "ExtString", "ExtArray", "ExtControl", "ExtMath", "ErrorHandling"]  # nothing that knows the time
_BUDGET = 20_000  # operations of one evaluation: what is hostile ends in microseconds
_DAYS = list(Weekday)
_DAY = timedelta(days=1)
_encode = msgspec.json.Encoder().encode
_engine = Engine(strict_operator_names=True, families=_FAMILIES, config={"ops_budget": _BUDGET})

_QUIETLY = re2.Options()
_QUIETLY.log_errors = False

Test = Callable[["Subject"], bool]
Automaton = Callable[[str], Iterable[int]]  # the numbers of the expressions that match a whole text


@dataclass(slots=True)
class Subject:
    """An alert as conditions see it, at a moment. Whoever changes it calls `changed`."""

    now: datetime
    fields: dict[str, str | None]
    labels: dict[str, str]
    annotations: dict[str, str]
    _document: DataHandle | None = None
    _hits: dict[tuple["Patterns", str], frozenset[int]] | None = None

    def value(self, field: str) -> str:
        """What a field says; nothing is the empty text."""
        kind, _, name = field.partition(".")
        if name:
            return (self.labels if kind == "labels" else self.annotations).get(name, "")
        return self.fields.get(field) or ""

    def changed(self) -> None:
        """What was remembered of it holds no more."""
        self._document = self._hits = None

    def document(self) -> DataHandle:
        """The alert as a JSON document."""
        if self._document is None:
            self._document = DataHandle(_encode(self.fields | {"labels": self.labels, "annotations": self.annotations}).decode())
        return self._document

    def hits(self, field: str, patterns: "Patterns") -> frozenset[int]:
        """Which expressions match a field."""
        if self._hits is None:
            self._hits = {}
        found = self._hits.get((patterns, field))
        if found is None:
            found = self._hits[patterns, field] = patterns.match(field, self.value(field))
        return found


class Patterns:
    """All regular expressions of a set of conditions, an automaton a field. `ready` is called when all are added."""

    def __init__(self) -> None:
        self._said: dict[str, dict[str, int]] = {}
        self._automata: dict[str, list[Automaton]] = {}

    def add(self, field: str, pattern: str) -> int:
        """Add an expression for a field; its number among those of the field."""
        known = self._said.setdefault(field, {})
        return known.setdefault(pattern, len(known))

    def ready(self) -> None:
        """Make the automata."""
        for field, patterns in self._said.items():
            self._automata[field] = _automata([*patterns])

    def match(self, field: str, value: str) -> frozenset[int]:
        """The numbers of the expressions that match the whole value."""
        return frozenset(number for match in self._automata[field] for number in match(value))


def _automata(patterns: Sequence[str], first: int = 0) -> list[Automaton]:
    """One automaton where the patterns fit into its memory, else several; what they say are numbers from `first` on."""
    made = re2.Set.FullMatchSet(_QUIETLY)
    for pattern in patterns:
        made.Add(pattern)
    try:
        made.Compile()
    except re2.error:
        if len(patterns) == 1:
            alone = re2.compile(patterns[0], _QUIETLY)
            return [lambda value: (first,) if alone.fullmatch(value) else ()]
        half = len(patterns) // 2
        return _automata(patterns[:half], first) + _automata(patterns[half:], first + half)
    if first == 0:
        return [lambda value: made.Match(value) or ()]
    return [lambda value: [first + number for number in made.Match(value) or ()]]


def compiled(condition: Condition, patterns: Patterns) -> Test:
    """The condition as a function. Its expressions are added to `patterns`."""
    if isinstance(condition, Comparison):
        return _comparison(condition, patterns)
    if isinstance(condition, All):
        tests = tuple(compiled(part, patterns) for part in condition.all)
        return lambda subject: all(test(subject) for test in tests)
    if isinstance(condition, AnyOf):
        tests = tuple(compiled(part, patterns) for part in condition.any)
        return lambda subject: any(test(subject) for test in tests)
    if isinstance(condition, Not):
        inner = compiled(condition.not_, patterns)
        return lambda subject: not inner(subject)
    if isinstance(condition, Times):
        ranges = condition.times
        return lambda subject: any(within(each, subject.now) for each in ranges)
    return _logic(condition)


def _comparison(condition: Comparison, patterns: Patterns) -> Test:
    field, op, value = condition.field, condition.op, condition.value
    if isinstance(value, list):
        known, wanted = frozenset(value), op is Op.IN
        return lambda subject: (subject.value(field) in known) is wanted
    if op in (Op.IS, Op.IS_NOT):
        wanted = op is Op.IS
        return lambda subject: (subject.value(field) == value) is wanted
    if op in (Op.EXISTS, Op.MISSING):
        wanted = op is Op.EXISTS
        return lambda subject: (subject.value(field) != "") is wanted
    if op in _EXPRESSIONS:
        number = expression(condition, patterns)
        wanted = _EXPRESSIONS[op]
        return lambda subject: (number in subject.hits(field, patterns)) is wanted
    holds, bound = _ORDERS[op], order(field, value)
    return lambda subject: (seen := order(field, subject.value(field))) is not None and bound is not None and holds(seen, bound)


_EXPRESSIONS = {Op.MATCHES: True, Op.MATCHES_NOT: False, Op.LIKE: True, Op.NOT_LIKE: False}
_ORDERS: dict[Op, Callable[[float, float], bool]] = {
    Op.GREATER: lambda seen, bound: seen > bound,
    Op.AT_LEAST: lambda seen, bound: seen >= bound,
    Op.LESS: lambda seen, bound: seen < bound,
    Op.AT_MOST: lambda seen, bound: seen <= bound,
}


def order(field: str, value: str) -> float | None:
    """Where a value stands among others: severities by how bad they are, else as a number; None where it has no place."""
    if field == "severity":
        return -float(Severity(value).rank) if value in list(Severity) else None
    try:
        return float(value)
    except ValueError:
        return None


def expression(condition: Comparison, patterns: Patterns) -> int:
    """Add the expression of a comparison; its number."""
    said = str(condition.value)
    return patterns.add(condition.field, wildcard(said) if condition.op in (Op.LIKE, Op.NOT_LIKE) else said)


def wildcard(said: str) -> str:
    """The regular expression of a text with `*` (anything) and `?` (one letter)."""
    return "(?s)" + "".join({"*": ".*", "?": "."}.get(char) or re2.escape(char) for char in said)


def within(range: TimeRange, now: datetime) -> bool:
    """Whether a moment is in a time of the week, by the wall clock of its zone. A range past midnight belongs to the day it began."""
    local = now.astimezone(ZoneInfo(range.zone))
    clock = local.timetz().replace(tzinfo=None)
    if range.since < range.until:
        return _is_day(range, local) and range.since <= clock < range.until
    return (_is_day(range, local) and clock >= range.since) or (_is_day(range, local - _DAY) and clock < range.until)


def turn(range: TimeRange, now: datetime) -> datetime:
    """The next moment at which `within` may say something else: when the range begins or ends, or a day does."""
    today = now.astimezone(ZoneInfo(range.zone)).date()
    clocks = {time.min, range.since, range.until}
    moments = (instant(datetime.combine(today + n * _DAY, clock), range.zone) for n in (0, 1, 2) for clock in clocks)
    return min(moment for moment in moments if moment > now)


def _is_day(range: TimeRange, local: datetime) -> bool:
    from_end = local.day - monthrange(local.year, local.month)[1] - 1
    return (
        _DAYS[local.weekday()] in range.days
        and (not range.month_days or local.day in range.month_days or from_end in range.month_days)
        and (not range.months or local.month in range.months)
        and (not range.years or local.year in range.years)
    )


def _logic(condition: Logic) -> Test:
    rule = _engine.compile(_encode(condition.logic).decode())

    def test(subject: Subject) -> bool:
        try:
            result = rule.evaluate_data_str(subject.document())
        except DataLogicError:
            return False  # what cannot be evaluated holds for nothing; `explain` says what is wrong
        return result == "true" or (result != "false" and _engine.truthy(result))

    return test


def faults_of_logic(logic: Any) -> list[str]:
    """What is wrong with an expression of JSON Logic, a sentence each."""
    return [f"{fault['message']} at {fault['pointer'] or 'the top'}" for fault in _engine.check(logic) if fault["severity"] == "error"]


@dataclass(frozen=True)
class Trace:
    """A part of a condition: what it says, whether it holds, the value it has seen, and the parts within."""

    said: str
    holds: bool
    seen: str = ""
    parts: tuple["Trace", ...] = ()


def explain(condition: Condition, subject: Subject) -> Trace:
    """Why a condition holds for an alert, or does not: every part of it."""
    patterns = Patterns()
    test = compiled(condition, patterns)
    patterns.ready()
    subject.changed()
    holds = test(subject)
    subject.changed()
    if isinstance(condition, Comparison):
        return Trace(words(condition), holds, subject.value(condition.field))
    if isinstance(condition, All | AnyOf):
        parts = condition.all if isinstance(condition, All) else condition.any
        return Trace("all of" if isinstance(condition, All) else "any of", holds, "", tuple(explain(part, subject) for part in parts))
    if isinstance(condition, Not):
        return Trace("not", holds, "", (explain(condition.not_, subject),))
    if isinstance(condition, Times):
        return Trace("at " + " or ".join(words_of_times(condition.times)), holds, subject.now.isoformat(timespec="minutes"))
    return _explained(condition, subject, holds)


def _explained(condition: Logic, subject: Subject, holds: bool) -> Trace:
    document = _encode(subject.fields | {"labels": subject.labels, "annotations": subject.annotations}).decode()
    told: Mapping[str, Any] = msgspec.json.decode(_engine.evaluate_with_trace(_encode(condition.logic).decode(), document))
    said = _said_by_node(told.get("expression_tree", {}))
    steps = tuple(
        Trace(said.get(step["node_id"], ""), _truthy(step["result"]), str(step["error"] or _encode(step["result"]).decode())[:200])
        for step in told.get("steps", ())[:50]
    )
    return Trace(_encode(condition.logic).decode()[:500], holds, str(told.get("error") or ""), steps)


def _said_by_node(tree: Mapping[str, Any]) -> dict[int, str]:
    found = {tree["id"]: tree["expression"][:200]} if tree else {}
    for child in tree.get("children", ()):
        found |= _said_by_node(child)
    return found


def _truthy(value: Any) -> bool:
    return _engine.truthy(_encode(value).decode())


def words(condition: Comparison) -> str:
    """A comparison as people read it."""
    value = condition.value
    said = f" {', '.join(value)}" if isinstance(value, list) else f" {value}" if value else ""
    return f"{condition.field} {condition.op}{said}"


def words_of_times(times: Iterable[TimeRange]) -> list[str]:
    """Times of the week as people read them."""
    return [f"{_days(each)} {each.since:%H:%M}–{each.until:%H:%M} {each.zone}" for each in times]


def _days(range: TimeRange) -> str:
    said = [" ".join(range.days)]
    said += [f"on the {', '.join(map(str, range.month_days))}"] if range.month_days else []
    said += [f"in {', '.join(month_abbr[month] for month in range.months)}"] if range.months else []
    said += [", ".join(map(str, range.years))] if range.years else []
    return " ".join(said)
