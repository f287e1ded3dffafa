"""What have the operators decided, ready to be asked? Compiled once for an organization and revision, in every process that asks.

An alert that says the same as one before is answered from memory, as long as nothing of it depends on the time of day.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from uuid import UUID

import msgspec
from msgspec import Struct
from pydantic import TypeAdapter

from engine.matching.conditions import Subject
from engine.matching.windows import Window
from engine.model.conditions import Condition, Times, parts_of
from engine.model.definitions import Definition
from engine.model.enrichments import Extraction, Mapping
from engine.model.heard import Known, Policy
from engine.model.ruled import Ruling
from engine.model.rulings import RuleSpec
from engine.model.silences import InhibitionSpec, SilenceSpec
from engine.model.vocabulary import DefinitionKind, Severity
from engine.pipeline.item import Item
from engine.stages.enrich import Enrichments
from engine.stages.quiet import Inhibition, Inhibitions, Silence, Silences
from engine.stages.rules import Rule, RuleSet, severity_of
from engine.storage import definitions
from engine.storage.work import Work

_MOST_BOOKS, _MOST_REMEMBERED = 50, 10_000
_FIELDS = ("service", "environment", "resource", "team")
_encode = msgspec.json.Encoder().encode
_rule = TypeAdapter(RuleSpec).validate_python
_silence = TypeAdapter(SilenceSpec).validate_python
_inhibition = TypeAdapter(InhibitionSpec).validate_python


class Outcome(Struct):
    """What enrichment and rules make of what an alert says."""

    fields: dict[str, str | None]
    labels: dict[str, str]
    severity: Severity | None
    ruling: Ruling
    mark: int


class Book:
    """Everything that one organization has decided."""

    def __init__(self, revision: int, found: Sequence[Definition]) -> None:
        self.revision = revision
        of = {kind: [row for row in found if row.kind is kind] for kind in DefinitionKind}
        self.rules = RuleSet([rule(row) for row in of[DefinitionKind.RULE]])
        extractions = [Extraction.model_validate(row.spec) for row in of[DefinitionKind.EXTRACTION]]
        self.enrichments = Enrichments(extractions, [Mapping.model_validate(row.spec) for row in of[DefinitionKind.MAPPING]])
        self.silences = Silences([silence(row) for row in of[DefinitionKind.SILENCE]])
        self.inhibitions = Inhibitions([inhibition(row) for row in of[DefinitionKind.INHIBITION]])
        self._says_something = any(of[kind] for kind in (DefinitionKind.RULE, DefinitionKind.EXTRACTION, DefinitionKind.MAPPING))
        self._is_timeless = not any(_is_timed(each.when) for each in self.rules.rules)
        self._remembered: dict[tuple[int, str, bool], Outcome] = {}

    def judge(self, item: Item) -> None:
        """Ask enrichment and rules about an alert, and change it as they say."""
        known = item.known
        if not self._says_something or known.heard.bare:
            return
        key = (known.content, item.policy.source, known.heard.firing)
        outcome = self._remembered.get(key) if self._is_timeless else None
        if outcome is None:
            outcome = self.outcome(subject(known, item.policy, item.at), item.policy.team_id)
            if self._is_timeless:
                if len(self._remembered) >= _MOST_REMEMBERED:
                    self._remembered.clear()
                self._remembered[key] = outcome
        if outcome.ruling.is_empty:
            return
        heard = known.heard
        for name in _FIELDS:
            setattr(heard, name, outcome.fields.get(name))
        heard.labels, known.severity = outcome.labels, outcome.severity
        known.content ^= outcome.mark
        known.ruling = msgspec.structs.replace(outcome.ruling, at=item.at)

    def outcome(self, alert: Subject, team_id: UUID | None) -> Outcome:
        """What becomes of an alert of a team. Changes `alert`."""
        enriched = self.enrichments.apply(alert)
        ruling = self.rules.judge(alert, team_id)
        ruling.enriched = enriched
        said = _encode((ruling, alert.fields, alert.labels))
        mark = int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)
        return Outcome(alert.fields, alert.labels, severity_of(alert), ruling, mark)


def subject(known: Known, policy: Policy, now: datetime) -> Subject:
    """An alert as conditions see it."""
    heard = known.heard
    fields: dict[str, str | None] = {
        "title": heard.title,
        "description": heard.description,
        "severity": known.severity.value if known.severity else None,
        "service": heard.service,
        "environment": heard.environment,
        "resource": heard.resource,
        "team": heard.team,
        "source": policy.source,
        "kind": policy.kind,
        "status": "firing" if heard.firing else "resolved",
    }
    return Subject(now, fields, dict(heard.labels), heard.annotations)


def rule(row: Definition) -> Rule:
    """A rule as it is asked."""
    spec = _rule(row.spec)
    return Rule(
        id=row.id,
        version=row.version,
        name=row.name,
        priority=row.priority,
        when=spec.when,
        then=spec.then,
        stop=spec.stop,
        team_id=row.team_id,
    )


def silence(row: Definition) -> Silence:
    """A silence as it is asked."""
    spec = _silence(row.spec)
    window = Window(spec.starts, spec.ends, spec.zone, spec.rule)
    return Silence(id=row.id, matchers=tuple(spec.matchers), window=window, comment=spec.comment, author=row.author, team_id=row.team_id)


def inhibition(row: Definition) -> Inhibition:
    """An inhibition as it is asked."""
    spec = _inhibition(row.spec)
    return Inhibition(
        id=row.id,
        name=row.name,
        sources=tuple(spec.sources),
        targets=tuple(spec.targets),
        equal=tuple(spec.equal),
        team_id=row.team_id,
    )


def _is_timed(condition: Condition) -> bool:
    return isinstance(condition, Times) or any(_is_timed(part) for part in parts_of(condition))


_books: OrderedDict[UUID, Book] = OrderedDict()
_lock = Lock()


def of(work: Work) -> Book:
    """The book of the organization, as it is now: one short statement when nothing has changed. It holds what all teams decided."""
    revision = definitions.revision(work)
    with _lock:
        held = _books.get(work.org_id)
    if held is not None and held.revision == revision:
        return held
    home = work.tenant
    work.become(replace(home, all_teams=True))
    made = Book(revision, definitions.in_force(work) if revision else [])
    work.become(home)
    with _lock:
        _books[work.org_id] = made
        _books.move_to_end(work.org_id)
        while len(_books) > _MOST_BOOKS:
            _books.popitem(last=False)
    return made
