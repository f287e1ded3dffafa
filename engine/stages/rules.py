"""What does the operator say about this alert?

Rules are asked in the order of their priority, each about the alert as those before have left it. What a later rule says
counts; a rule that stops is the last. All of it is decided by the alert and the moment alone, so that the same rules in
whatever order they were read, and the same delivery twice, come to the same.
"""

import re
from collections.abc import Collection, Sequence
from uuid import UUID

from msgspec import Struct

from engine.matching.conditions import Patterns, Subject, Test, compiled, expression
from engine.model.conditions import All, Comparison, Condition, Op
from engine.model.ruled import Before, Gate, Ran, Ruling
from engine.model.rulings import Actions
from engine.model.vocabulary import Severity

_TEMPLATE = re.compile(r"\{\{\s*([a-z]+(?:\.[^{}\s]+)?)\s*\}\}")
_LONGEST, _LONGEST_FIELD = 1000, 300


class Rule(Struct, frozen=True, kw_only=True):
    """One version of a rule."""

    id: UUID
    version: int
    name: str
    priority: int
    when: Condition
    then: Actions
    stop: bool = False
    team_id: UUID | None = None


class RuleSet:
    """The rules of an organization, compiled."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = sorted(rules, key=lambda rule: (rule.priority, rule.id))
        self._patterns = Patterns()
        self._tests: list[Test] = [compiled(rule.when, self._patterns) for rule in self.rules]
        # Rules that ask for values of a field, or for an expression, are only asked about alerts that have them.
        self._always: list[int] = []
        self._by_value: dict[str, dict[str, list[int]]] = {}
        self._by_expression: dict[str, dict[int, list[int]]] = {}
        for place, rule in enumerate(self.rules):
            if (asked := _asks_for(rule.when, (Op.IS, Op.IN))) is not None:
                for value in asked.value if isinstance(asked.value, list) else (asked.value,):
                    self._by_value.setdefault(asked.field, {}).setdefault(value, []).append(place)
            elif (asked := _asks_for(rule.when, (Op.MATCHES, Op.LIKE))) is not None:
                self._by_expression.setdefault(asked.field, {}).setdefault(expression(asked, self._patterns), []).append(place)
            else:
                self._always.append(place)
        self._patterns.ready()

    def judge(self, subject: Subject, team_id: UUID | None = None) -> Ruling:
        """Ask the rules about an alert of a team. What they set is set in `subject`, and what was there noted in the ruling."""
        ruling = Ruling()
        asked = -1
        while (place := self._next(subject, team_id, asked)) is not None:
            asked, rule = place, self.rules[place]
            act(rule, subject, ruling)
            if rule.stop:
                break
        return ruling

    def _next(self, subject: Subject, team_id: UUID | None, asked: int) -> int | None:
        """The next rule after one that holds."""
        for place in self._candidates(subject):
            if place > asked and self.rules[place].team_id in (None, team_id) and self._tests[place](subject):
                return place
        return None

    def _candidates(self, subject: Subject) -> list[int]:
        found = list(self._always)
        for name, places in self._by_value.items():
            found += places.get(subject.value(name), ())
        for name, places in self._by_expression.items():
            for number in subject.hits(name, self._patterns):
                found += places.get(number, ())
        return sorted(set(found))


def _asks_for(condition: Condition, ops: Collection[Op]) -> Comparison | None:
    """The comparison of such a kind without which the condition cannot hold."""
    if isinstance(condition, Comparison):
        return condition if condition.op in ops else None
    parts = condition.all if isinstance(condition, All) else ()
    return next((found for part in parts if (found := _asks_for(part, ops)) is not None), None)


def act(rule: Rule, subject: Subject, ruling: Ruling) -> bool:
    """Do what a rule says. Returns whether the alert is seen in another way now."""
    then, did = rule.then, list[str]()
    if then.severity is not None and _set(subject, ruling, "severity", then.severity.value):
        did.append(f"severity {then.severity}")
    for name in ("service", "environment", "team"):
        said: str | None = getattr(then, name)
        if said is not None and _set(subject, ruling, name, filled(said, subject)):
            did.append(f"{name} {subject.fields[name]}")
    for name, said in then.labels.items():
        value = filled(said, subject)
        if value and (old := subject.labels.get(name)) != value:
            ruling.before.labels.setdefault(name, old)
            subject.labels[name] = value
            did.append(f"label {name}={value}")
    if changed := bool(did):
        subject.changed()
    _decide(rule, subject, ruling, did)
    ruling.ran.append(Ran(rule.id, rule.version, rule.name, tuple(did)))
    return changed


def undo(subject: Subject, before: Before) -> None:
    """Have an alert say again what it said before rules changed it."""
    for held, was in ((subject.fields, before.fields), (subject.labels, before.labels)):
        for name, value in was.items():
            if value is None:
                held.pop(name, None)
            else:
                held[name] = value
    subject.changed()


def _decide(rule: Rule, subject: Subject, ruling: Ruling, did: list[str]) -> None:
    then = rule.then
    if then.group_by:
        ruling.group = tuple(f"{name.removeprefix('labels.')} {subject.value(name) or '–'}" for name in then.group_by)
        ruling.grouped_by = rule.name
        did.append("grouped by " + ", ".join(then.group_by))
    if then.hold_minutes:
        ruling.hold_minutes = then.hold_minutes
        did.append(f"held for {then.hold_minutes} min")
    if then.threshold is not None:
        ruling.threshold = Gate(rule.id, then.threshold.count, then.threshold.of, then.threshold.minutes)
        did.append(f"opens at {then.threshold.count} {then.threshold.of} in {then.threshold.minutes} min")
    if then.suppress:
        ruling.suppressed_by = rule.name
        did.append("suppressed")
    for name in ("notify_only", "analyse"):
        if getattr(then, name):
            setattr(ruling, name, rule.name)
            did.append(name.replace("_", " "))
    if then.runbook and then.runbook not in ruling.runbooks:
        ruling.runbooks[then.runbook] = rule.name
        did.append(f"runs {then.runbook}")


def _set(subject: Subject, ruling: Ruling, name: str, value: str) -> bool:
    value = value[:_LONGEST_FIELD]
    if not value or (old := subject.fields.get(name)) == value:
        return False
    ruling.before.fields.setdefault(name, old)
    subject.fields[name] = value
    return True


def filled(said: str, subject: Subject) -> str:
    """A text with what the alert says in its places; what it does not say is left out."""
    return _TEMPLATE.sub(lambda found: subject.value(found[1]), said)[:_LONGEST] if "{{" in said else said


def named_in(said: str) -> list[str]:
    """The fields that a text has places for."""
    return _TEMPLATE.findall(said)


def severity_of(subject: Subject) -> Severity | None:
    """The severity as rules have left it."""
    said = subject.fields.get("severity")
    return Severity(said) if said else None
