"""What have the operators decided, ready to be asked? Compiled once for an organization and revision, in every process that asks."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from uuid import UUID

import msgspec
from pydantic import TypeAdapter

from engine.matching.conditions import Subject, turn
from engine.matching.windows import Window
from engine.model.conditions import times_of
from engine.model.definitions import Definition
from engine.model.enrichments import Extraction, Mapping
from engine.model.heard import Known, Memory, Policy
from engine.model.ruled import Ruling
from engine.model.rulings import RuleSpec
from engine.model.silences import InhibitionSpec, SilenceSpec
from engine.model.vocabulary import DefinitionKind
from engine.pipeline.item import Item
from engine.stages.enrich import Enrichments
from engine.stages.quiet import Inhibition, Inhibitions, Silence, Silences
from engine.stages.rules import Rule, RuleSet, severity_of, undo
from engine.storage import definitions
from engine.storage.work import Work

_MOST_BOOKS = 50
_encode = msgspec.json.Encoder().encode
_rule = TypeAdapter(RuleSpec).validate_python
_silence = TypeAdapter(SilenceSpec).validate_python
_inhibition = TypeAdapter(InhibitionSpec).validate_python


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
        self._times = [range for each in self.rules.rules for range in times_of(each.when)]
        self._mark = _digest(f"revision {revision}".encode())

    def judge(self, item: Item, memory: Memory | None) -> None:
        """Ask enrichment and rules about an alert, and change it as they say.

        One that fires already and says the same as when it was asked about, by the same decisions, is not asked about again.
        """
        known = item.known
        if not self._says_something or known.heard.bare:
            return
        if not self._times:
            known.content ^= self._mark
            if memory is not None and memory.firing and memory.content == known.content:
                known.severity = memory.severity
                return
        alert = subject(known, item.policy, item.at)
        ruling = self.asked(alert, item.policy.team_id)
        if self._times:
            known.content ^= _digest(_encode((ruling, alert.fields, alert.labels)))
        if ruling.is_empty:
            return
        heard, ruling.at = known.heard, item.at
        heard.service, heard.environment = alert.fields["service"], alert.fields["environment"]
        heard.resource, heard.team = alert.fields["resource"], alert.fields["team"]
        heard.labels, known.severity, known.ruling = alert.labels, severity_of(alert), ruling

    def asked(self, alert: Subject, team_id: UUID | None) -> Ruling:
        """What enrichment and rules say of an alert of a team. Changes `alert`."""
        enriched = self.enrichments.apply(alert)
        ruling = self.rules.judge(alert, team_id)
        ruling.enriched = enriched
        return ruling

    def turns_at(self, now: datetime) -> datetime | None:
        """When rules may say something else of the same alert, because it is another time; None: never."""
        return min((turn(range, now) for range in self._times), default=None)

    def ask_again(self, item: Item) -> None:
        """Ask the rules about an alert that waits, as it is another time now. What they set on it before stays."""
        known, before = item.known, item.known.ruling
        if not self._times or before is None or not (before.suppressed_by or before.notify_only):
            return
        alert = subject(known, item.policy, item.at)
        undo(alert, before.before)
        known.ruling = self.rules.judge(alert, item.policy.team_id)
        known.ruling.sender_group = before.sender_group


def _digest(said: bytes) -> int:
    return int.from_bytes(blake2b(said, digest_size=8).digest(), signed=True)


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
        reason=spec.reason,
        expires=spec.expires,
        team_id=row.team_id,
    )


def _in_force(work: Work) -> list[Definition]:
    """What counts, of all teams."""
    home = work.tenant
    work.become(replace(home, all_teams=True))
    found = definitions.in_force(work)
    work.become(home)
    return found


_books: OrderedDict[UUID, Book] = OrderedDict()
_lock = Lock()


def of(work: Work) -> Book:
    """The book of the organization, as it is now: one short statement when nothing has changed. It holds what all teams decided."""
    revision = definitions.revision(work)
    with _lock:
        held = _books.get(work.org_id)
    if held is not None and held.revision == revision:
        return held
    made = Book(revision, _in_force(work) if revision else [])
    with _lock:
        _books[work.org_id] = made
        _books.move_to_end(work.org_id)
        while len(_books) > _MOST_BOOKS:
            _books.popitem(last=False)
    return made
