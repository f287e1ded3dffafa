"""What keeps the alerts of a batch from their incidents, and what do they wait for?

An alert that is silenced, inhibited, suppressed or held fires, and yet is in no incident: it waits. What it waits for are its
tokens `waits:…`; whoever brings that about has it looked at again by them. What is in an incident already stays there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

import msgspec

from engine.model.heard import FIRES, WAITS, Known, Memory
from engine.model.ruled import Ruling
from engine.pipeline.book import Book
from engine.pipeline.item import Happened, Item
from engine.stages import quiet
from engine.stages.correlate import group_of
from engine.storage import definitions
from engine.storage.work import Work

_BY_RULE, _BY_NOTICE, _BY_SILENCE, _UNTIL = "rule", "notice", "silence", "time:"


class Quieting:
    """Asks for a batch what keeps quiet. `released` are the tokens whose waiting alerts are to be looked at again."""

    def __init__(self, work: Work, book: Book, happened: Sequence[Happened]) -> None:
        self._book = book
        self.released: set[str] = set()
        self.hits: list[tuple[str, UUID, datetime]] = []
        self._fires: dict[UUID, list[str]] = {}
        fresh = [each for each in happened if each.is_fresh]
        for each in fresh:
            if each.memory.firing:
                self.inhibits(each.item, each.memory)
        over = [each.memory.id for each in happened if not each.memory.firing]
        self._firing = definitions.firing(work, self._asked_for(fresh), over)
        self._firing |= {token: id for id, tokens in self._fires.items() for token in tokens}
        gated = [(each.item.known, gate) for each in fresh if (gate := _of(each.item.known).threshold) is not None]
        self._hits = definitions.hits(work, {_gate(known): gate.count for known, gate in gated})

    def inhibits(self, item: Item, memory: Memory) -> None:
        """Note what it inhibits as it is told of now."""
        keys = self._book.inhibitions.as_source(labels_of(item.known), item.policy.team_id)
        tokens = self._fires[memory.id] = [FIRES + quiet.token(key) for key in keys]
        if tokens != (had := [token for token in memory.tokens if token.startswith(FIRES)]):
            self._release(set(had) - set(tokens))
            memory.tokens, memory.is_changed = tokens + waiting(memory), True

    def _asked_for(self, fresh: Sequence[Happened]) -> list[str]:
        found: set[str] = set()
        for each in fresh:
            targets = self._book.inhibitions.as_target(labels_of(each.item.known), each.item.at, each.item.policy.team_id)
            found |= {FIRES + quiet.token(key) for _, key in targets}
        return sorted(found)

    def _release(self, fires: set[str]) -> None:
        self.released |= {WAITS + token.removeprefix(FIRES) for token in fires}

    def begins(self, memory: Memory) -> None:
        """It begins to fire: it waits for nothing yet."""
        memory.tokens, memory.release_at = list(self._fires.get(memory.id, ())), None

    def ends(self, memory: Memory) -> bool:
        """It is over: it inhibits nothing, and waits for nothing. Returns whether it did wait, and so was in no incident."""
        waited = memory.waits
        self._release({token for token in memory.tokens if token.startswith(FIRES)})
        memory.tokens, memory.release_at = [], None
        return waited

    def holds(self, item: Item, memory: Memory) -> bool:
        """Whether something keeps it from every incident; then it waits for that."""
        ruling, labels, team_id = _of(item.known), labels_of(item.known), item.policy.team_id
        muting = self._book.silences.muting(labels, item.at, team_id)
        waits = [_BY_RULE] if ruling.suppressed_by else []
        waits += [_BY_NOTICE] if ruling.notify_only else []
        waits += [_BY_SILENCE] if muting else []
        inhibited = [(each, quiet.token(key)) for each, key in self._book.inhibitions.as_target(labels, item.at, team_id)]
        by = [each for each, key in inhibited if FIRES + key in self._firing]
        waits += [key for _, key in inhibited] if by else []
        if not waits:
            return False
        until = [end for _, end in muting]
        # A rule that knows the time may let it go: then it is asked again, though nobody sends the alert.
        until += [turn] if (_BY_RULE in waits or _BY_NOTICE in waits) and (turn := self._book.turns_at(item.at)) else []
        until += [each.expires for each in by if each.expires is not None]
        if (due := _held_until(item, memory, ruling)) is not None:
            waits.append(_time(due))
            until.append(due)
        _wait(item, memory, waits, max(until, default=None))
        return True

    def keeps_shut(self, item: Item, memory: Memory, *, begins: bool) -> bool:
        """Whether it may not open an incident yet, as it has to fire for longer, or more have to; then it waits for that."""
        ruling, waits = _of(item.known), list[str]()
        due = _held_until(item, memory, ruling)
        if due is not None and due > item.at:
            waits.append(_time(due))
        if ruling.threshold is not None and not self._is_reached(item, memory, begins=begins):
            waits.append(_gate(item.known))
        if waits:
            _wait(item, memory, waits, due if due is not None and due > item.at else None)
        return bool(waits)

    def _is_reached(self, item: Item, memory: Memory, *, begins: bool) -> bool:
        gate, token = _of(item.known).threshold, _gate(item.known)
        assert gate is not None, "asked only of what has one"
        hits = self._hits.setdefault(token, {})
        if begins:
            id = memory.id if gate.of == "fingerprints" else item.id
            hits[id] = item.at
            self.hits.append((token, id, item.at))
        since = max(hits.values(), default=item.at) - timedelta(minutes=gate.minutes)
        if sum(at > since for at in hits.values()) < gate.count:
            return False
        self.released.add(WAITS + token)
        return True


def free(memory: Memory) -> None:
    """It waits for nothing any more."""
    if memory.waits or memory.release_at is not None:
        memory.tokens, memory.release_at = [token for token in memory.tokens if token.startswith(FIRES)], None
        memory.is_changed = True


def waiting(memory: Memory) -> list[str]:
    """What it waits for."""
    return [token for token in memory.tokens if token.startswith(WAITS)]


def labels_of(known: Known) -> dict[str, str]:
    """By what silences and inhibitions know an alert."""
    heard = known.heard
    severity = known.severity.value if known.severity else None
    fields = {"service": heard.service, "environment": heard.environment, "resource": heard.resource, "team": heard.team}
    return quiet.matchable(fields | {"severity": severity}, heard.labels)


def _wait(item: Item, memory: Memory, waits: Sequence[str], until: datetime | None) -> None:
    group = item.known.heard.group
    if _of(item.known).sender_group != group:  # by which it may have to be placed later
        known = memory.known = memory.known or item.known
        known.ruling = msgspec.structs.replace(_of(known), sender_group=group)
    memory.tokens = [token for token in memory.tokens if token.startswith(FIRES)] + [WAITS + each for each in waits]
    memory.release_at, memory.is_changed = until, True


def _held_until(item: Item, memory: Memory, ruling: Ruling) -> datetime | None:
    """When it has fired long enough: reckoned once, from the hearing with which it began."""
    if not ruling.hold_minutes:
        return None
    said = next((token for token in memory.tokens if token.startswith(WAITS + _UNTIL)), None)
    if said is None:
        return item.at + timedelta(minutes=ruling.hold_minutes)
    return datetime.fromtimestamp(int(said.removeprefix(WAITS + _UNTIL)), UTC)


def _time(due: datetime) -> str:
    return f"{_UNTIL}{-int(-due.timestamp() // 1)}"


def _gate(known: Known) -> str:
    gate = _of(known).threshold
    group = blake2b(group_of(known).encode(), digest_size=12).hexdigest()
    return f"threshold:{gate.rule_id.hex if gate else ''}:{group}"


def _of(known: Known) -> Ruling:
    return known.ruling or Ruling()
