"""What have people decided in other products, and how is it taken over?"""

from dataclasses import dataclass
from typing import Annotated, Any

import yaml
from pydantic import Field

from engine.errors import AiopsError, Invalid
from engine.integrations.imports import alertmanager, keep, own, silences
from engine.integrations.imports.contract import Imported
from engine.model.views import Export
from engine.model.vocabulary import DefinitionKind, ImportKind, Permission
from engine.operations import defining
from engine.operations.defining import SILENCE
from engine.operations.door import Context, operation
from engine.storage import definitions as stored

_PARTS = {
    DefinitionKind.EXTRACTION: "extractions",
    DefinitionKind.MAPPING: "mappings",
    DefinitionKind.RULE: "rules",
    DefinitionKind.INHIBITION: "inhibitions",
    SILENCE: "silences",
}
Text = Annotated[str, Field(min_length=1, max_length=4_000_000, description="the file, YAML or JSON")]
_MOST_PARTS = 200_000
_READERS = {
    ImportKind.RULES: own.read,
    ImportKind.ALERTMANAGER: alertmanager.translate,
    ImportKind.AMTOOL_SILENCES: silences.from_amtool,
    ImportKind.ALERTA_BLACKOUTS: silences.from_alerta,
    ImportKind.KEEP: keep.translate,
}


@dataclass(frozen=True)
class ImportLine:
    """One line of the report: where in the file, whether it was taken, and how, or why not."""

    place: str
    taken: bool
    said: str


@dataclass(frozen=True)
class ImportView:
    """What of a file is taken and what not, line by line, and what was added, changed or left as it was here."""

    report: tuple[ImportLine, ...]
    added: int
    changed: int
    same: int


@operation("imports.preview", Permission.CONFIGURE, reads=True)
def preview(ctx: Context, kind: ImportKind, text: Text) -> ImportView:
    """Say what an import would take, and change nothing."""
    with ctx.work.session.begin_nested() as tried:
        found = _taken(ctx, _read(kind, text))
        tried.rollback()
    return found


@operation("imports.take", Permission.CONFIGURE)
def take(ctx: Context, kind: ImportKind, text: Text) -> ImportView:
    """Take over what a file of another product decides; what has the same name here is changed. Safe to repeat."""
    found = _taken(ctx, _read(kind, text))
    ctx.note(kind.value, added=found.added, changed=found.changed)
    return found


@operation("imports.export", Permission.VIEW, reads=True)
def export(ctx: Context) -> Export:
    """Write the rules, extractions, mappings and inhibitions of the whole organization as YAML, to be taken again here or elsewhere."""
    rows = [row for kind in _PARTS if kind is not SILENCE for row in stored.all_of(ctx.work, kind)]
    parts = {name: [row.spec for row in rows if row.kind is kind and row.team_id is None] for kind, name in _PARTS.items()}
    text = yaml.safe_dump({name: specs for name, specs in parts.items() if specs}, sort_keys=False, allow_unicode=True)
    of_teams = sum(row.team_id is not None for row in rows)
    return Export("rules.yaml", (f"# {of_teams} of teams are left out.\n" if of_teams else "") + text)


def _read(kind: ImportKind, text: str) -> Imported:
    try:
        document: Any = yaml.safe_load(text)  # JSON is YAML
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid.field("text", f"This is neither YAML nor JSON: {str(error)[:200]}") from None
    _require_small(document)
    return _READERS[kind](document)


def _require_small(document: Any) -> None:
    """Refuse what is small to write and large to read, as an alias of YAML may stand for others many times over."""
    level, parts = [document], 0
    while level:
        parts += len(level)
        if parts > _MOST_PARTS:
            raise Invalid.field("text", f"This says more than {_MOST_PARTS:,} things; import it in parts.")
        inner = (list(each.values()) if isinstance(each, dict) else each if isinstance(each, list) else () for each in level)
        level = [part for parts_of_one in inner for part in parts_of_one]


def _taken(ctx: Context, found: Imported) -> ImportView:
    counts = {"added": 0, "changed": 0, "same": 0}
    wanted = [(kind, spec) for kind, name in _PARTS.items() for spec in getattr(found, name)]
    before = [row.spec for row in stored.all_of(ctx.work, SILENCE, ctx.work.now)] if found.silences else []
    for kind, spec in wanted:
        try:
            with ctx.work.session.begin_nested():
                counts[_kept(ctx, kind, spec, before)] += 1
        except AiopsError as error:
            found.fail(spec, str(error))
    lines = tuple(ImportLine(line.place, line.taken, line.said) for line in found.report)
    return ImportView(lines, counts["added"], counts["changed"], counts["same"])


def _kept(ctx: Context, kind: DefinitionKind, spec: dict[str, Any], before: list[dict[str, Any]]) -> str:
    if kind is SILENCE:
        kept = defining.checked_silence(spec, ctx.work.now)
        if kept[0] in before:
            return "same"
        defining.add_silence(ctx, kept, None)
        return "added"
    row = stored.named(ctx.work, kind, str(spec["name"]))
    if row is None:
        defining.add(ctx, kind, spec, None)
        return "added"
    kept_spec = defining.checked(kind, spec)
    if row.spec == kept_spec:
        return "same"
    defining.require_ours(row)
    defining.rewrite(ctx, row, kept_spec, "imported again")
    return "changed"
