"""Why did a rule hold of an alert, and what would one that is not kept yet do with it?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from engine.matching.conditions import Subject, Trace, explain
from engine.model.alerts import AlertView, TraceLine
from engine.model.ruled import Ruling
from engine.model.rulings import RuleSpec
from engine.stages import rules as asked
from engine.storage import definitions
from engine.storage.work import Work


@dataclass(frozen=True)
class Trial:
    """What a rule would do with an alert: whether it holds and why, and what it would change, in words."""

    holds: bool
    trace: tuple[TraceLine, ...]
    did: tuple[str, ...]


def trial(rule: RuleSpec, view: AlertView, now: datetime) -> Trial:
    """What a rule would do with an alert at a moment."""
    subject = subject_of(view, now)
    trace = explain(rule.when, subject)
    did: tuple[str, ...] = ()
    if trace.holds:
        made = asked.Rule(id=view.id, version=0, name=rule.name, priority=0, when=rule.when, then=rule.then)
        ruling = Ruling()
        asked.act(made, subject, ruling)
        did = ruling.ran[0].did
    return Trial(trace.holds, lines(trace), did)


def subject_of(view: AlertView, now: datetime) -> Subject:
    """An alert that is shown, as conditions see it."""
    fields: dict[str, str | None] = {
        "title": view.title,
        "description": view.description,
        "severity": view.severity.value if view.severity else None,
        "service": view.service,
        "environment": view.environment,
        "resource": view.resource,
        "team": view.team,
        "source": view.source,
        "status": view.status.value,
    }
    return Subject(now, fields, dict(view.labels), view.annotations)


def lines(trace: Trace, depth: int = 0) -> tuple[TraceLine, ...]:
    """A trace as lines, each part below what it is a part of."""
    return (TraceLine(depth, trace.said, trace.holds, trace.seen), *(line for part in trace.parts for line in lines(part, depth + 1)))


def replayed(work: Work, ruling: Ruling, subject: Subject) -> dict[UUID, tuple[TraceLine, ...]]:
    """Why each rule that ran held, each asked again in its version of then, about the alert as those before had left it."""
    asked.undo(subject, ruling.before)
    found: dict[UUID, tuple[TraceLine, ...]] = {}
    again = Ruling()
    for ran in ruling.ran:
        spec = definitions.version(work, ran.rule_id, ran.version)
        if spec is None:
            continue
        rule = RuleSpec.model_validate(spec)
        found[ran.rule_id] = lines(explain(rule.when, subject))
        made = asked.Rule(id=ran.rule_id, version=ran.version, name=ran.name, priority=0, when=rule.when, then=rule.then)
        asked.act(made, subject, again)
        subject.changed()
    return found
