"""What does the page of one thing that operators define remember, whatever its kind?"""

import asyncio
import difflib
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import reflex as rx
import yaml

from engine.errors import Conflict, Invalid
from engine.model.definitions import DefinitionView, VersionView
from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import definitions, teams
from engine.operations.definitions import Kind
from state import words
from state.call import actor_of, call, may, requires, tell
from state.people import TeamChoice
from state.thing import ThingState

NEW = "new"


@dataclass
class DiffLine:
    """A line of a version: the same as before, taken away, or new."""

    kind: str
    text: str


@dataclass
class VersionRow:
    """A version, with how it differs from the one before."""

    version: int
    author: str
    at: str
    said: str
    is_now: bool
    diff: list[DiffLine] = field(default_factory=list)


class DefinitionState(ThingState, rx.State, mixin=True):
    """One definition, or one that is being made. A kind says what its form makes of a spec and back: `_spec` and `_values`."""

    KIND: ClassVar[Kind]
    PLACE: ClassVar[str]  # the page with all of them

    id: str = ""
    name: str = ""
    is_new: bool = False
    enabled: bool = True
    version: int = 0
    drawn: str = ""  # changes when the form is drawn anew
    provisioned: bool = False
    may_configure: bool = False
    team: str = ""
    team_choices: list[TeamChoice] = []
    form: dict[str, str] = {}
    faults: dict[str, str] = {}
    versions: list[VersionRow] = []
    changed_by: str = ""  # who has changed it since the form was drawn
    round: int = 0
    _drawn_of: dict[str, Any] = {}
    _listed: int = 0

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Begin anew with another one."""
        self.loaded = self.missing = False
        self.faults, self.versions, self.version, self._listed = {}, [], 0, 0
        self._redraw()
        self._forget()

    @rx.event
    @requires(Permission.VIEW)
    async def load_again(self) -> None:
        """Give up what was typed, and show what somebody else has made of it."""
        self._redraw()
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def save(self, form: dict[str, Any]) -> rx.event.EventSpec | None:
        """Keep what the form says: a new one, or a new version. What somebody else changed meanwhile is not overwritten."""
        self.faults = {}
        try:
            spec = self._spec(form)
            if self.is_new:
                made = await call(self, definitions.create, self.KIND, spec, form.get("team") or None)
            else:
                made = await call(self, definitions.change, self.KIND, self._uuid(self.id), spec, self.version)
        except Invalid as error:
            self.faults = faults(error)
            return None
        except Conflict as error:
            self.faults = {"name": str(error)}
            return None
        await tell(self, "good", f"“{made.name}” is kept. It counts from the next alert on.")
        if self.is_new:
            return rx.redirect(f"{self.router.url.path.rpartition('/')[0]}/{made.id}")
        self._redraw()
        await self._read()
        return None

    @rx.event
    @requires(Permission.CONFIGURE)
    async def switch(self) -> None:
        """Switch it on, or off."""
        await call(self, definitions.enable, self.KIND, self._uuid(self.id), not self.enabled)
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def delete(self) -> rx.event.EventSpec:
        """Delete it and go back to the list."""
        self.round += 1
        await call(self, definitions.delete, self.KIND, self._uuid(self.id))
        await tell(self, "good", f"“{self.name}” is deleted. What it has done to alerts stays.")
        return rx.redirect(self.PLACE)

    @rx.event
    @requires(Permission.CONFIGURE)
    async def roll_back(self, to: int) -> None:
        """Have it say again what it said in a version before."""
        await call(self, definitions.roll_back, self.KIND, self._uuid(self.id), to)
        await tell(self, "good", f"“{self.name}” says what it said in version {to} again.")
        self._redraw()
        await self._read()

    async def _read(self) -> None:
        if (named := self._named()) == NEW:
            await self._begin()
            return
        view = await call(self, definitions.show, self.KIND, named)
        actor = await actor_of(self)
        self.may_configure = actor.may(Permission.CONFIGURE, view.team_id) and not view.provisioned
        self.id, self.name, self.is_new, self.enabled, self.provisioned = str(view.id), view.name, False, view.enabled, view.provisioned
        self._draw(view)
        if self._listed != view.version:
            told = await call(self, definitions.versions, self.KIND, view.id)
            self.versions, self._listed = await asyncio.to_thread(version_rows, told), view.version  # a table may be long
        await self._know()

    def _redraw(self) -> None:
        self.drawn, self.changed_by = "", ""

    def _draw(self, view: DefinitionView) -> None:
        """Draw the form, once: what somebody else changes after it was drawn makes it stale, and what was typed stays."""
        says = {name: value for name, value in view.spec.items() if name != "enabled"}
        if not self.drawn:
            self.drawn, self._drawn_of = f"{view.id}-{view.version}", says
            self.form = self._values(view.spec) | {"name": view.name}
        if says == self._drawn_of:
            self.version, self.changed_by = view.version, ""
        else:
            self.changed_by = view.author

    async def _begin(self) -> None:
        """The form of one that is being made."""
        self.id, self.name, self.is_new, self.enabled, self.provisioned = "", "", True, True, False
        self.may_configure = may(await actor_of(self), Permission.CONFIGURE)
        if self.drawn != NEW:
            self.drawn, self.form = NEW, await self._fresh()
            known = await call(self, teams.all, Paging(limit=200))
            self.team_choices = [TeamChoice(str(team.id), team.name) for team in known.items]
        await self._know()

    async def _fresh(self) -> dict[str, str]:
        """What the form of a new one says."""
        return self._values({})

    async def _know(self) -> None:
        """Read what else the page shows."""

    def _forget(self) -> None:
        """Forget what else the page has shown."""

    def _spec(self, form: dict[str, Any]) -> dict[str, Any]:
        """What a form says, as it is kept. Raises Invalid by field."""
        raise NotImplementedError

    def _values(self, spec: dict[str, Any]) -> dict[str, str]:
        """The controls of the form, of what is kept."""
        raise NotImplementedError


def faults(error: Invalid) -> dict[str, str]:
    """What is wrong, by the control of the form that it is about."""
    found: dict[str, str] = {}
    for fault in error.errors:
        place, _, inside = fault.field.partition(".")
        within = inside.removeprefix("threshold.")
        control, rest = (within.partition(".")[0], within) if place == "then" and inside else (place, inside)
        where = f"{rest}: " if place == "when" and rest else ""
        found.setdefault("general" if control in ("spec", "then", "columns") else control, where + fault.message)
    return found or {"general": str(error)}


def version_rows(versions: tuple[VersionView, ...]) -> list[VersionRow]:
    """Versions, the newest first, each with how it differs from the one before."""
    texts = [_text(each.spec) for each in versions] + [""]
    return [
        VersionRow(each.version, each.author, words.iso(each.at), each.said, place == 0, _diff(texts[place + 1], texts[place]))
        for place, each in enumerate(versions)
    ]


def _text(spec: dict[str, Any]) -> str:
    return yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=100)


def _diff(before: str, after: str) -> list[DiffLine]:
    kinds = {"+": "added", "-": "removed", "@": "place"}
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return [DiffLine(kinds.get(line[:1], "same"), line) for line in list(lines)[2:202]]


def json_text(said: Any) -> str:
    """What is kept as it is written in a form."""
    return json.dumps(said, indent=2, ensure_ascii=False)


def json_of(text: str, name: str) -> Any:
    """What a form says in JSON. Raises Invalid of its field."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid.field(name, "This is no JSON.") from None


def one_of_lines(text: Any) -> list[str]:
    """What stands in the lines of a control, or between commas."""
    return [part.strip() for part in str(text or "").replace(",", "\n").splitlines() if part.strip()]
