"""What keeps alerts quiet at this moment, to be shown?

Nothing of it is kept: it follows from the silences and the time, from what fires, and from what rules said of the alert.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from engine.model.alerts import AlertView, Quiet
from engine.model.heard import FIRES, WAITS
from engine.model.ruled import Ruling
from engine.model.vocabulary import AlertStatus, QuietBy
from engine.pipeline import book as books
from engine.pipeline.book import Book
from engine.stages import quiet
from engine.stages.quiet import Inhibition
from engine.storage import alerts, definitions, remembered
from engine.storage.work import Work

Labels = dict[str, str]


def with_quiet(work: Work, views: Sequence[AlertView]) -> tuple[AlertView, ...]:
    """The same alerts, the firing ones with what keeps them quiet."""
    firing = [view for view in views if view.status is AlertStatus.FIRING]
    book = books.of(work) if firing else None
    if book is None or not book.revision:
        return tuple(views)
    inhibited = _inhibited(work, book, firing)
    waits = remembered.waits(work, [view.id for view in firing])
    found = {view.id: _muting(work, book, view) + inhibited[view.id] + _waiting(*waits.get(view.id, ((), None))) for view in firing}
    return tuple(replace(view, muted_by=found.get(view.id, ())) for view in views)


def of(work: Work, ids: Sequence[UUID]) -> dict[UUID | None, tuple[Quiet, ...]]:
    """What keeps these alerts quiet."""
    if not ids or not books.of(work).revision:
        return {}
    return {view.id: view.muted_by for view in with_quiet(work, alerts.some(work, ids))}


def firing(work: Work, most: int) -> list[tuple[UUID, Labels]]:
    """The newest firing alerts, so many, with what silences know of them."""
    return [(view_id, quiet.matchable(fields, labels)) for view_id, fields, labels in remembered.matchable(work, most)]


def labels_of(view: AlertView) -> Labels:
    """By what silences and inhibitions know an alert."""
    severity = view.severity.value if view.severity else None
    fields = {"service": view.service, "environment": view.environment, "resource": view.resource, "team": view.team}
    return quiet.matchable(fields | {"severity": severity}, view.labels)


def _muting(work: Work, book: Book, view: AlertView) -> tuple[Quiet, ...]:
    found = book.silences.muting(labels_of(view), work.now, view.team_id)
    return tuple(Quiet(QuietBy.SILENCE, silence.comment, silence.id, end) for silence, end in found)


def _inhibited(work: Work, book: Book, views: Sequence[AlertView]) -> dict[UUID, tuple[Quiet, ...]]:
    asked = {view.id: book.inhibitions.as_target(labels_of(view), work.now, view.team_id) for view in views}
    tokens = sorted({FIRES + quiet.token(key) for targets in asked.values() for _, key in targets})
    by = definitions.firing(work, tokens)
    found: dict[UUID, tuple[Quiet, ...]] = {}
    for id, targets in asked.items():
        quieting = {each.id: (each, by[token]) for each, key in targets if (token := FIRES + quiet.token(key)) in by}
        found[id] = tuple(Quiet(QuietBy.INHIBITION, _named(each), alert_id, each.expires) for each, alert_id in quieting.values())
    return found


def _named(inhibition: Inhibition) -> str:
    return f"{inhibition.name}: {inhibition.reason}" if inhibition.reason else inhibition.name


def _waiting(tokens: Sequence[str], said: dict[str, object] | None) -> tuple[Quiet, ...]:
    """What rules make it wait for."""
    ruling = Ruling() if said is None else msgspec.convert(said, Ruling)
    found: list[Quiet] = []
    for token in tokens:
        kind, _, rest = token.removeprefix(WAITS).partition(":")
        if kind == "rule":
            found.append(Quiet(QuietBy.RULE, ruling.suppressed_by))
        elif kind == "notice":
            found.append(Quiet(QuietBy.RULE, ruling.notify_only))
        elif kind == "time":
            found.append(Quiet(QuietBy.HOLD, f"held for {ruling.hold_minutes} min", until=datetime.fromtimestamp(int(rest), UTC)))
        elif kind == "threshold" and (gate := ruling.threshold) is not None:
            found.append(Quiet(QuietBy.THRESHOLD, f"opens at {gate.count} {gate.of} in {gate.minutes} min"))
    return tuple(found)
