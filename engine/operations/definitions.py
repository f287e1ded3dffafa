"""Which rules, extractions, tables and inhibitions are there, and who may change them?

All four are kept in the same way: checked by the model of their kind, with every version and its author, and of a team or of all.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from engine.errors import Conflict, NotFound, Stale
from engine.model.definitions import Definition, DefinitionView, VersionView
from engine.model.views import Page, Paging
from engine.model.vocabulary import DefinitionKind, Permission
from engine.operations import defining
from engine.operations.door import Context, operation
from engine.operations.words import Words
from engine.storage import definitions as stored

# A silence is ended and extended instead: see silences.py.
Kind = Literal[DefinitionKind.RULE, DefinitionKind.EXTRACTION, DefinitionKind.MAPPING, DefinitionKind.INHIBITION]
Spec = Annotated[dict[str, Any], Field(description="as docs/rules.md describes it")]


@operation("definitions.all", Permission.VIEW, reads=True)
def all(ctx: Context, kind: Kind, q: Words = "", page: Paging = Paging(limit=200)) -> Page[DefinitionView]:
    """List what is defined: rules in the order in which they are asked, everything else by name."""
    return stored.listed(ctx.work, DefinitionKind(kind), q, None, page)


@operation("definitions.show", Permission.VIEW, reads=True)
def show(ctx: Context, kind: Kind, definition_id: UUID) -> DefinitionView:
    """Show one."""
    return stored.view(_found(ctx, kind, definition_id))


@operation("definitions.create", Permission.CONFIGURE, team="team_id")
def create(ctx: Context, kind: Kind, spec: Spec, team_id: UUID | None = None) -> DefinitionView:
    """Add one, for all alerts or for those of a team. A rule is asked after those that are there already."""
    return stored.view(defining.add(ctx, DefinitionKind(kind), spec, team_id))


@operation("definitions.change", Permission.CONFIGURE, thing=True)
def change(ctx: Context, kind: Kind, definition_id: UUID, spec: Spec, version: int | None = None) -> DefinitionView:
    """Replace what one says; the version before is kept. What was decided before stays as it was."""
    row = _mine(ctx, kind, definition_id, version)
    kept = defining.checked(DefinitionKind(kind), spec)
    if kept == row.spec:
        return stored.view(row)
    return defining.rewrite(ctx, row, kept, "changed")


@operation("definitions.enable", Permission.CONFIGURE, thing=True)
def enable(ctx: Context, kind: Kind, definition_id: UUID, enabled: bool = True) -> DefinitionView:
    """Switch one on, or off with `enabled` false."""
    row = _mine(ctx, kind, definition_id)
    kept = {name: value for name, value in row.spec.items() if name != "enabled"} | ({} if enabled else {"enabled": False})
    ctx.note(row.name, enabled=enabled)
    return defining.rewrite(ctx, row, kept, "switched on" if enabled else "switched off")


@operation("definitions.delete", Permission.CONFIGURE, thing=True)
def delete(ctx: Context, kind: Kind, definition_id: UUID) -> None:
    """Delete one. Alerts that it has changed stay as they are."""
    defining.remove(ctx, _mine(ctx, kind, definition_id))


@operation("definitions.versions", Permission.VIEW, reads=True)
def versions(ctx: Context, kind: Kind, definition_id: UUID) -> tuple[VersionView, ...]:
    """Every version of one with its author, the newest first."""
    return stored.versions(ctx.work, _found(ctx, kind, definition_id).id)


@operation("definitions.roll_back", Permission.CONFIGURE, thing=True)
def roll_back(ctx: Context, kind: Kind, definition_id: UUID, to: Annotated[int, Field(ge=1)]) -> DefinitionView:
    """Make one say again what it said in a version before; that is a new version."""
    row = _mine(ctx, kind, definition_id)
    spec = stored.version(ctx.work, row.id, to)
    if spec is None:
        raise NotFound(f"“{row.name}” has no version {to}.")
    ctx.note(row.name, to=to)
    return defining.rewrite(ctx, row, defining.checked(DefinitionKind(kind), spec), f"rolled back to version {to}")


@operation("definitions.move", Permission.CONFIGURE)
def move(ctx: Context, rule_id: UUID, before: UUID | None = None) -> tuple[DefinitionView, ...]:
    """Have a rule asked before another one, or last; the rules in their new order. Those that files describe stay first."""
    rules = stored.all_of(ctx.work, DefinitionKind.RULE)
    by_id = {row.id: row for row in rules}
    if rule_id not in by_id or (before is not None and before not in by_id):
        raise NotFound("There is no such rule.")
    moved = by_id[rule_id]
    defining.require_ours(moved)
    if before is not None and by_id[before].provisioned:
        raise Conflict(f"“{by_id[before].name}” is described by a file in AIOPS_PROVISION_DIR, and what files describe is asked first.")
    if before != rule_id:
        rules.remove(moved)
        rules.insert(len(rules) if before is None else rules.index(by_id[before]), moved)
    defining.put_in_order(ctx, rules)
    ctx.note(moved.name)
    return tuple(stored.view(row) for row in rules)


def _found(ctx: Context, kind: Kind, id: UUID, *, lock: bool = False) -> Definition:
    if (row := stored.one(ctx.work, id, DefinitionKind(kind), lock=lock)) is None:
        raise NotFound(f"There is no such {DefinitionKind(kind).value}.")
    return row


def _mine(ctx: Context, kind: Kind, id: UUID, version: int | None = None) -> Definition:
    """One that the actor may configure and no file describes, locked. Raises Stale when another version was read."""
    row = _found(ctx, kind, id, lock=True)
    ctx.require(Permission.CONFIGURE, row.team_id)
    defining.require_ours(row)
    if version is not None and version != row.version:
        raise Stale("This was changed meanwhile. Load it again and repeat your change.")
    return row
