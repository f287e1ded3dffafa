"""How is something that operators define checked and kept, whatever its kind?"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError

from engine.errors import Conflict, FieldError, Invalid, NotFound
from engine.matching import windows
from engine.matching.conditions import faults_of_logic
from engine.matching.windows import Window
from engine.model.conditions import Condition, Logic, parts_of
from engine.model.definitions import Definition, DefinitionView
from engine.model.enrichments import Extraction, Mapping
from engine.model.rulings import RuleSpec
from engine.model.silences import InhibitionSpec, SilenceSpec
from engine.model.vocabulary import DefinitionKind
from engine.operations.door import Context
from engine.storage import definitions as stored
from engine.storage import people

SPECS: dict[DefinitionKind, type[BaseModel]] = {
    DefinitionKind.RULE: RuleSpec,
    DefinitionKind.EXTRACTION: Extraction,
    DefinitionKind.MAPPING: Mapping,
    DefinitionKind.INHIBITION: InhibitionSpec,
    DefinitionKind.SILENCE: SilenceSpec,
}
SILENCE = DefinitionKind.SILENCE
STEP = 10  # between the priorities of two rules


def checked(kind: DefinitionKind, spec: dict[str, Any]) -> dict[str, Any]:
    """What was written, as it is kept. Raises Invalid with every fault."""
    try:
        made = SPECS[kind].model_validate(spec)
    except ValidationError as error:
        faults = tuple(FieldError(_place(e["loc"]), e["msg"]) for e in error.errors(include_input=False, include_url=False))
        raise Invalid("; ".join(f"{fault.field}: {fault.message}" for fault in faults[:5]), faults) from None
    if isinstance(made, RuleSpec) and (wrong := _faults(made.when)):
        raise Invalid.field("when", f"The JSON Logic cannot be read: {wrong[0]}")
    return made.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _place(loc: tuple[int | str, ...]) -> str:
    """Where a fault is, without the names that only our models know."""
    said = [str(part) for part in loc if part not in ("comparison", "str", "list[constrained-str]")]
    # A part of `all`, `any` or `not` is named by its kind, and then by its field.
    return ".".join(part for part, before in zip(said, ["", *said], strict=False) if part != before or part.isdigit()) or "spec"


def _faults(condition: Condition) -> list[str]:
    own = faults_of_logic(condition.logic) if isinstance(condition, Logic) else []
    return own + [fault for part in parts_of(condition) for fault in _faults(part)]


def add(ctx: Context, kind: DefinitionKind, spec: dict[str, Any], team_id: UUID | None) -> Definition:
    """Keep a new one. Raises Conflict when there are too many, or one of that name."""
    kept = checked(kind, spec)
    if team_id and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    if (most := stored.is_full(ctx.work, kind)) is not None:
        raise Conflict(f"There are {most} already; delete what is not needed any more.")
    name = str(kept["name"])
    require_free(ctx, kind, name)
    row = stored.new(ctx.work, kind, name, ctx.actor.name)
    row.team_id, row.spec, row.enabled = team_id, kept, kept.get("enabled", True)
    row.priority = stored.last_priority(ctx.work) + STEP if kind is DefinitionKind.RULE else 0
    stored.keep(ctx.work, row, "made")
    ctx.note(name, kind=kind.value)
    return row


def rewrite(ctx: Context, row: Definition, kept: dict[str, Any], said: str) -> DefinitionView:
    """Keep a new version."""
    name = str(kept["name"])
    if name.lower() != row.name.lower():
        require_free(ctx, row.kind, name)
    row.name, row.spec, row.enabled = name, kept, kept.get("enabled", True)
    row.version, row.author, row.changed_at = row.version + 1, ctx.actor.name, ctx.work.now
    stored.keep(ctx.work, row, said)
    ctx.note(name)
    return stored.view(row)


def require_ours(row: Definition) -> None:
    """Refuse to change what a file describes. Raises Conflict."""
    if row.provisioned:
        raise Conflict(f"“{row.name}” is described by a file in AIOPS_PROVISION_DIR; change it there.")


def remove(ctx: Context, row: Definition) -> None:
    """It counts no more; its versions stay, for what it has done."""
    row.deleted_at, row.author, row.changed_at, row.version = ctx.work.now, ctx.actor.name, ctx.work.now, row.version + 1
    stored.keep(ctx.work, row, "deleted")
    ctx.note(row.name)


def put_in_order(ctx: Context, rules: list[Definition]) -> None:
    """Have the rules of an organization asked in this order; these are all of them."""
    for place, row in enumerate(rules, 1):
        row.priority = place * STEP
        ctx.work.session.add(row)
    ctx.work.session.flush()
    stored.changed(ctx.work, DefinitionKind.RULE)
    ctx.work.touch("rule")


def require_free(ctx: Context, kind: DefinitionKind, name: str) -> None:
    """Refuse a name that is taken. Raises Conflict."""
    if (same := stored.named(ctx.work, kind, name)) is not None:
        raise Conflict(f"There is one called “{same.name}” already; choose another name.")


def checked_silence(spec: dict[str, Any], now: datetime) -> tuple[dict[str, Any], datetime | None]:
    """What was written of a silence, as it is kept, and when it is over for good. Raises Invalid for what is over already."""
    kept = checked(SILENCE, spec)
    window = windows.require_window(window_of(SilenceSpec.model_validate(kept)))
    last = windows.last(window)
    if last is not None and last.end <= now:
        raise Invalid.field("ends", "This is over already: choose an end that is still to come.")
    return kept, last.end if last is not None else None


def window_of(said: SilenceSpec) -> Window:
    """The window that a silence covers."""
    return Window(said.starts, said.ends, said.zone, said.rule)


def silence_name(kept: dict[str, Any]) -> str:
    """By what a silence is known in lists and in the audit log: the first line of its comment."""
    return str(kept["comment"]).splitlines()[0][:100] or "silence"


def add_silence(ctx: Context, checked: tuple[dict[str, Any], datetime | None], team_id: UUID | None) -> Definition:
    """Keep a new silence. Raises Conflict when there are too many."""
    if team_id and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    if (most := stored.is_full(ctx.work, SILENCE)) is not None:
        raise Conflict(f"There are {most} silences already; end those that are not needed any more.")
    kept, ends_at = checked
    row = stored.new(ctx.work, SILENCE, silence_name(kept), ctx.actor.name)
    row.team_id, row.spec, row.ends_at = team_id, kept, ends_at
    stored.keep(ctx.work, row, "made")
    return row
