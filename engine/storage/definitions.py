"""What have the operators of an organization defined, and what was it before?

Whatever is compiled of it is right for one revision: every change counts it up, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, delete, func, or_, select, update
from sqlmodel import col

from engine.model.definitions import Decided, Definition, DefinitionVersion, DefinitionView, RuleHit, VersionView
from engine.model.ids import new_id
from engine.model.views import Page, Paging
from engine.model.vocabulary import DefinitionKind
from engine.storage import lanes, rows
from engine.storage.paging import Order, read
from engine.storage.work import Work

MOST = {DefinitionKind.RULE: 500, DefinitionKind.SILENCE: 5000}
_MOST_OTHERWISE = 200
HITS_KEPT = timedelta(days=31)
_QUIETING = (DefinitionKind.SILENCE, DefinitionKind.INHIBITION)


def revision(work: Work) -> int:
    """How often the definitions of the organization have changed."""
    found = rows.fetch(work, "SELECT revision FROM decided WHERE org_id = %(org)s", {"org": work.org_id})
    return found[0][0] if found else 0


def in_force(work: Work) -> list[Definition]:
    """Everything that counts now or later: enabled, and not over."""
    live = _live(work).where(Definition.enabled.is_(True), or_(col(Definition.ends_at).is_(None), col(Definition.ends_at) > work.now))
    return list(work.session.execute(live.order_by(Definition.priority, Definition.id)).scalars())


def listed(work: Work, kind: DefinitionKind, words: str, is_over: bool | None, paging: Paging) -> Page[DefinitionView]:
    """Definitions of a kind: rules by priority, silences the newest first, everything else by name."""
    query = _live(work).where(Definition.kind == kind)
    if words:
        found = func.lower(Definition.name).contains(words.lower(), autoescape=True)
        query = query.where(or_(found, func.lower(cast(Definition.spec, Text)).contains(words.lower(), autoescape=True)))
    if is_over is not None:
        over = func.coalesce(col(Definition.ends_at) <= work.now, False)
        query = query.where(over if is_over else ~over)
    found_rows, page = read(work.session, query, _order(kind), paging)
    return Page(tuple(view(row[0]) for row in found_rows), page.next_cursor, page.total, page.total_is_capped)


def _order(kind: DefinitionKind) -> Order:
    if kind is DefinitionKind.RULE:
        return Order((Definition.priority, Definition.id))
    if kind is DefinitionKind.SILENCE:
        return Order((Definition.id,), descending=True)
    return Order((func.lower(Definition.name), Definition.id))


def one(work: Work, id: UUID, kind: DefinitionKind, *, lock: bool = False) -> Definition | None:
    """One that was not deleted."""
    query = _live(work).where(Definition.id == id, Definition.kind == kind)
    return work.session.execute(query.with_for_update() if lock else query).scalar_one_or_none()


def named(work: Work, kind: DefinitionKind, name: str) -> Definition | None:
    """The one of that name, whatever its case."""
    return work.session.execute(
        _live(work).where(Definition.kind == kind, func.lower(Definition.name) == name.lower())
    ).scalar_one_or_none()


def all_of(work: Work, kind: DefinitionKind, since: datetime | None = None) -> list[Definition]:
    """All of a kind that are not over, or were not then; the first to be asked first."""
    still = or_(col(Definition.ends_at).is_(None), col(Definition.ends_at) > (since or work.now))
    query = _live(work).where(Definition.kind == kind, still).order_by(Definition.priority, Definition.id)
    return list(work.session.execute(query).scalars())


def of_team(work: Work, team_id: UUID) -> list[str]:
    """The names of what counts for a team's alerts alone, some of them."""
    live = _live(work).where(Definition.team_id == team_id, or_(col(Definition.ends_at).is_(None), col(Definition.ends_at) > work.now))
    return [row.name for row in work.session.execute(live.order_by(Definition.id).limit(20)).scalars()]


def forget_team(work: Work, team_id: UUID) -> None:
    """Remove for good what was a team's and counts no more."""
    work.session.execute(delete(Definition).where(Definition.org_id == work.org_id, Definition.team_id == team_id))


def count(work: Work, kind: DefinitionKind) -> int:
    """How many of a kind there are that are not over."""
    live = _live(work).where(Definition.kind == kind, or_(col(Definition.ends_at).is_(None), col(Definition.ends_at) > work.now))
    return work.session.execute(select(func.count()).select_from(live.subquery())).scalar_one()


def is_full(work: Work, kind: DefinitionKind) -> int | None:
    """How many of a kind there may be, when there are so many."""
    most = MOST.get(kind, _MOST_OTHERWISE)
    return most if count(work, kind) >= most else None


def last_priority(work: Work) -> int:
    """The priority of the rule that is asked last."""
    query = select(func.max(Definition.priority)).where(Definition.org_id == work.org_id, Definition.kind == DefinitionKind.RULE)
    return work.session.execute(query.where(col(Definition.deleted_at).is_(None))).scalar_one() or 0


def keep(work: Work, row: Definition, said: str) -> None:
    """Write a new or changed definition with its version, and let everybody who compiled the ones before know."""
    work.session.add(row)
    work.session.flush()
    work.session.add(
        DefinitionVersion(
            org_id=work.org_id,
            definition_id=row.id,
            version=row.version,
            team_id=row.team_id,
            spec=row.spec,
            said=said,
            author=row.author,
            at=work.now,
        )
    )
    changed(work, row.kind)
    work.touch(row.kind.value, row.id, row.team_id)


def changed(work: Work, kind: DefinitionKind) -> None:
    """Count up the revision. What was kept quiet is looked at again when it may not be any more."""
    values = {"org": work.org_id, "index": kind is DefinitionKind.INHIBITION, "first": UUID(int=0)}
    rows.run(work, _CHANGED, values)
    if kind in _QUIETING:
        lanes.alone(work)
        release(work, None, work.now)
    if kind is DefinitionKind.INHIBITION:
        lanes.bring_forward(work, lanes.CHECK, work.now)


_CHANGED = """
INSERT INTO decided (org_id, revision, indexed_to) VALUES (%(org)s, 1, CASE WHEN %(index)s THEN %(first)s::uuid END)
ON CONFLICT (org_id) DO UPDATE SET revision = decided.revision + 1,
    indexed_to = CASE WHEN %(index)s THEN %(first)s::uuid ELSE decided.indexed_to END
"""


def release(work: Work, tokens: Sequence[str] | None, now: datetime) -> None:
    """Have alerts looked at again that wait for one of these, or for anything."""
    which = "token >= 'waits:' AND token < 'waits;'" if tokens is None else "token = ANY (%(tokens)s)"
    if rows.run(work, _RELEASE.format(which), {"org": work.org_id, "now": now, "tokens": list(tokens or ())}):
        lanes.bring_forward(work, lanes.CHECK, now)


_RELEASE = """
UPDATE alert SET release_at = %(now)s WHERE org_id = %(org)s AND status = 'firing'
    AND id IN (SELECT alert_id FROM alert_token WHERE org_id = %(org)s AND {})
"""


def firing(work: Work, tokens: Sequence[str], but: Sequence[UUID] = ()) -> dict[str, UUID]:
    """Which of these are of a firing alert that is none of `but`, and of which one."""
    found = rows.fetch(work, _FIRING, {"org": work.org_id, "tokens": list(tokens), "but": list(but)}) if tokens else []
    return {row[0]: row[1] for row in found}


_FIRING = """
SELECT asked.token, held.alert_id FROM unnest(%(tokens)s::text[]) AS asked (token)
CROSS JOIN LATERAL (
    SELECT alert_id FROM alert_token t WHERE t.org_id = %(org)s AND t.token = asked.token
        AND t.alert_id <> ALL (%(but)s::uuid[]) LIMIT 1) held
"""


def hits(work: Work, counts: Mapping[str, int]) -> dict[str, dict[UUID, datetime]]:
    """What has counted towards thresholds: of each token the latest hits, so many."""
    asked = {"org": work.org_id, "tokens": list(counts), "counts": list(counts.values())}
    found: dict[str, dict[UUID, datetime]] = {}
    for token, id, at in rows.fetch(work, _HITS, asked) if counts else []:
        found.setdefault(token, {})[id] = at
    return found


_HITS = """
SELECT asked.token, hit.id, hit.at FROM unnest(%(tokens)s::text[], %(counts)s::int[]) AS asked (token, count)
CROSS JOIN LATERAL (
    SELECT id, at FROM threshold_hit h WHERE h.org_id = %(org)s AND h.token = asked.token ORDER BY at DESC LIMIT asked.count) hit
"""


def count_hits(work: Work, hits: Mapping[UUID, int], now: datetime) -> None:
    """Count of how many alerts rules held."""
    values = {"org": work.org_id, "ids": list(hits), "counts": list(hits.values()), "hour": now.replace(minute=0, second=0, microsecond=0)}
    rows.run(work, _COUNT_HITS, values)


# A rule may be gone for good when what it held of is written.
_COUNT_HITS = """
INSERT INTO rule_hit (org_id, rule_id, hour, alerts)
SELECT %(org)s, hit.id, %(hour)s, hit.count FROM unnest(%(ids)s::uuid[], %(counts)s::int[]) AS hit (id, count)
JOIN definition d ON d.org_id = %(org)s AND d.id = hit.id
ON CONFLICT (org_id, rule_id, hour) DO UPDATE SET alerts = rule_hit.alerts + excluded.alerts
"""


def hits_since(work: Work, since: datetime) -> dict[UUID, int]:
    """Of how many alerts each rule held since then."""
    query = select(RuleHit.rule_id, func.sum(RuleHit.alerts)).where(RuleHit.org_id == work.org_id, col(RuleHit.hour) >= since)
    return {id: int(count) for id, count in work.session.execute(query.group_by(RuleHit.rule_id))}


def indexed_to(work: Work) -> UUID | None:
    """The last firing alert that was looked at since the inhibitions changed; None: all were."""
    found = rows.fetch(work, "SELECT indexed_to FROM decided WHERE org_id = %(org)s", {"org": work.org_id})
    return found[0][0] if found else None


def index_to(work: Work, id: UUID | None) -> None:
    """Note how far that is."""
    work.session.execute(update(Decided).where(Decided.org_id == work.org_id).values(indexed_to=id))


def forget_hits(work: Work, before: datetime) -> None:
    """Remove what counts towards no threshold any more, and what rules held of a month before that."""
    rows.run(work, "DELETE FROM threshold_hit WHERE org_id = %(org)s AND at < %(before)s", {"org": work.org_id, "before": before})
    rows.run(work, "DELETE FROM rule_hit WHERE org_id = %(org)s AND hour < %(before)s", {"org": work.org_id, "before": before - HITS_KEPT})


def versions(work: Work, id: UUID) -> tuple[VersionView, ...]:
    """Every version of a definition, the newest first."""
    query = select(DefinitionVersion).where(DefinitionVersion.org_id == work.org_id, DefinitionVersion.definition_id == id)
    found = work.session.execute(query.order_by(col(DefinitionVersion.version).desc()).limit(200)).scalars()
    return tuple(VersionView(row.version, row.author, row.at, row.said, row.spec) for row in found)


def version(work: Work, id: UUID, number: int) -> dict[str, Any] | None:
    """What a definition was in one version."""
    row = work.session.get(DefinitionVersion, (work.org_id, id, number))
    return None if row is None else row.spec


def new(work: Work, kind: DefinitionKind, name: str, author: str) -> Definition:
    """A definition that is still to be filled and kept."""
    return Definition(
        org_id=work.org_id, id=new_id(work.now), kind=kind, name=name, spec={}, author=author, created_at=work.now, changed_at=work.now
    )


def view(row: Definition) -> DefinitionView:
    """A definition as it is shown."""
    return DefinitionView(
        id=row.id,
        kind=row.kind,
        team_id=row.team_id,
        name=row.name,
        priority=row.priority,
        enabled=row.enabled,
        spec=row.spec,
        version=row.version,
        author=row.author,
        created_at=row.created_at,
        changed_at=row.changed_at,
        ends_at=row.ends_at,
        provisioned=row.provisioned,
    )


def _live(work: Work) -> Select[Any]:
    return select(Definition).where(Definition.org_id == work.org_id, col(Definition.deleted_at).is_(None))
