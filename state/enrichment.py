"""What do the pages of extractions, tables and inhibitions remember?"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any, ClassVar

import reflex as rx

from engine.errors import Invalid
from engine.model.definitions import DefinitionView
from engine.model.views import Paging
from engine.model.vocabulary import DefinitionKind, Permission
from engine.operations import definitions
from engine.operations.definitions import Kind
from state import form as forms
from state import said, words
from state.call import call, requires
from state.definition import DefinitionState, one_of_lines
from state.live import watch

_ALL = Paging(limit=200)
_ROWS_SHOWN = 20


@dataclass
class DefinedRow:
    """An extraction, a table or an inhibition as a row: what it is called, what it does, and its page."""

    id: str
    href: str
    name: str
    does: str
    author: str
    changed_at: str
    enabled: bool
    provisioned: bool


class EnrichmentState(rx.State):
    """What is added to alerts before the rules are asked."""

    extractions: list[DefinedRow] = []
    mappings: list[DefinedRow] = []
    loaded: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read both lists again."""
        extractions = await call(self, definitions.all, DefinitionKind.EXTRACTION, page=_ALL)
        mappings = await call(self, definitions.all, DefinitionKind.MAPPING, page=_ALL)
        self.extractions = [_row(view, "/extractions", _extracts(view.spec)) for view in extractions.items]
        self.mappings = [_row(view, "/mappings", _maps(view.spec)) for view in mappings.items]
        self.loaded = True


class InhibitionsState(rx.State):
    """Which alerts keep which others quiet."""

    rows: list[DefinedRow] = []
    loaded: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the list again."""
        found = await call(self, definitions.all, DefinitionKind.INHIBITION, page=_ALL)
        self.rows = [_row(view, "/inhibitions", _inhibits(view.spec)) for view in found.items]
        self.loaded = True


class ExtractionState(DefinitionState, rx.State):
    """One extraction."""

    KIND: ClassVar[Kind] = DefinitionKind.EXTRACTION
    PLACE: ClassVar[str] = "/enrichment"

    def _spec(self, form: dict[str, Any]) -> dict[str, Any]:
        paths = forms.pairs(str(form.get("paths") or ""), "paths")
        kept: dict[str, Any] = {"name": form.get("name", ""), "enabled": self.enabled, "field": form.get("field") or ""}
        kept |= {"pattern": pattern} if (pattern := str(form.get("pattern") or "")) else {}
        return kept | {"paths": paths, "overwrite": bool(form.get("overwrite"))}

    def _values(self, spec: dict[str, Any]) -> dict[str, str]:
        paths = "\n".join(f"{name} = {path}" for name, path in spec.get("paths", {}).items())
        known = {name: spec.get(name, "") for name in ("name", "field", "pattern")}
        return known | {"paths": paths, "overwrite": "on" if spec.get("overwrite") else ""}


class MappingState(DefinitionState, rx.State):
    """One table, written as CSV: the first line names the columns."""

    KIND: ClassVar[Kind] = DefinitionKind.MAPPING
    PLACE: ClassVar[str] = "/enrichment"

    columns: list[str] = []
    sample: list[list[str]] = []
    count: str = ""
    wrong: str = ""

    @rx.event
    @requires(Permission.VIEW)
    async def said(self, form: dict[str, str]) -> None:
        """Show the table that is written."""
        try:
            self.columns, rows = _table(str(form.get("rows") or ""))
        except Invalid as error:
            self.wrong, self.columns, self.sample, self.count = str(error), [], [], ""
            return
        self.wrong, self.sample, self.count = "", rows[:_ROWS_SHOWN], _counted(rows)

    def _forget(self) -> None:
        self.wrong, self.columns, self.sample, self.count = "", [], [], ""

    def _spec(self, form: dict[str, Any]) -> dict[str, Any]:
        columns, rows = _table(str(form.get("rows") or ""))
        kept = {"name": form.get("name", ""), "enabled": self.enabled, "match_on": one_of_lines(form.get("match_on"))}
        kept |= {name: bool(form.get(name)) for name in ("wildcards", "overwrite")}
        return kept | {"columns": columns, "rows": rows}

    def _values(self, spec: dict[str, Any]) -> dict[str, str]:
        text = StringIO()
        if spec:
            csv.writer(text, lineterminator="\n").writerows([spec["columns"], *spec["rows"]])
        flags = {name: "on" if spec.get(name) else "" for name in ("wildcards", "overwrite")}
        return {"name": spec.get("name", ""), "match_on": ", ".join(spec.get("match_on", [])), "rows": text.getvalue()} | flags


class InhibitionState(DefinitionState, rx.State):
    """One inhibition."""

    KIND: ClassVar[Kind] = DefinitionKind.INHIBITION
    PLACE: ClassVar[str] = "/inhibitions"

    def _spec(self, form: dict[str, Any]) -> dict[str, Any]:
        sides = {side: said.matchers_of(str(form.get(side) or ""), side) for side in ("sources", "targets")}
        more = {"expires": f"{expires}Z"} if (expires := str(form.get("expires") or "")) else {}
        more |= {"reason": reason} if (reason := str(form.get("reason") or "").strip()) else {}
        return {"name": form.get("name", ""), "enabled": self.enabled, "equal": one_of_lines(form.get("equal"))} | sides | more

    def _values(self, spec: dict[str, Any]) -> dict[str, str]:
        sides = {side: said.matchers(spec.get(side, ())) for side in ("sources", "targets")}
        times = {"expires": _utc(spec.get("expires")), "reason": spec.get("reason", "")}
        return {"name": spec.get("name", ""), "equal": ", ".join(spec.get("equal", []))} | sides | times


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a CSV. Commas, semicolons or tabs; what is empty is left out. Raises Invalid."""
    text = text.lstrip("\ufeff\r\n ")
    first = text.partition("\n")[0]
    between = max(",;\t", key=first.count)
    try:
        lines = [line for line in csv.reader(StringIO(text), delimiter=between) if any(map(str.strip, line))]
    except csv.Error as error:
        raise Invalid.field("rows", f"This is no CSV: {error}.") from None
    if len(lines) < 2:
        raise Invalid.field("rows", "Write the names of the columns in the first line, and at least one row below it.")
    return [name.strip() for name in lines[0]], [[value.strip() for value in line] for line in lines[1:]]


def _counted(rows: list[list[str]]) -> str:
    return f"{len(rows):,} rows" if len(rows) != 1 else "1 row"


def _extracts(spec: dict[str, Any]) -> str:
    what = ", ".join(f"{name} from {path}" for name, path in spec.get("paths", {}).items())
    return f"reads {spec['field']}: {spec.get('pattern') or what}"


def _maps(spec: dict[str, Any]) -> str:
    sets = [name for name in spec["columns"] if name not in spec["match_on"]]
    return f"by {', '.join(spec['match_on'])} sets {', '.join(sets)} · {_counted(spec['rows'])}"


def _inhibits(spec: dict[str, Any]) -> str:
    same = f" with the same {', '.join(spec['equal'])}" if spec.get("equal") else ""
    until = f", until {_utc(spec['expires']).replace('T', ' ')} UTC" if spec.get("expires") else ""
    return f"{said.matchers(spec['sources'])} keeps {said.matchers(spec['targets'])} quiet{same}{until}"


def _utc(moment: str | None) -> str:
    """A moment as the control of a form takes it."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="minutes") if moment else ""


def _row(view: DefinitionView, place: str, does: str) -> DefinedRow:
    changed = words.iso(view.changed_at)
    return DefinedRow(str(view.id), f"{place}/{view.id}", view.name, does, view.author, changed, view.enabled, view.provisioned)


watch("/enrichment", EnrichmentState.refresh, "extraction", "mapping")
watch("/extractions/[extraction_id]", ExtractionState.refresh, "extraction")
watch("/mappings/[mapping_id]", MappingState.refresh, "mapping")
watch("/inhibitions", InhibitionsState.refresh, "inhibition")
watch("/inhibitions/[inhibition_id]", InhibitionState.refresh, "inhibition")
