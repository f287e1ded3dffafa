"""What does the list of rules remember?"""

from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from engine.model.definitions import DefinitionView
from engine.model.vocabulary import DefinitionKind, Permission
from engine.operations import definitions, imports, rules
from engine.operations.rules import RuleHint
from state import said
from state.call import actor_of, call, requires
from state.live import watch
from state.table import TableState

_KIND = DefinitionKind.RULE
_MOST = 100  # rows on the page at a time


@dataclass
class RuleRow:
    """A rule as a row."""

    id: str
    place: int
    name: str
    when: str
    then: str
    hits: str
    hint: str
    team: bool
    stop: bool
    enabled: bool
    provisioned: bool


class RulesState(TableState, rx.State):
    """The rules in the order in which they are asked."""

    rows: list[RuleRow] = []
    may_configure: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the rules again, with how often each held."""
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def move(self, id: str, before: str) -> None:
        """Have a rule asked before another one, or last."""
        try:
            await call(self, definitions.move, UUID(id), UUID(before) if before else None)
        finally:
            await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def step(self, id: str, by: int) -> None:
        """Move a rule one place up, or down."""
        ids = [row.id for row in self.rows]
        if id not in ids or by not in (-1, 1):
            return
        place = ids.index(id) + (by if by < 0 else 2)
        if 0 <= place < len(ids) + (not self.has_more):  # what stands on the next part is not known here
            await call(self, definitions.move, UUID(id), UUID(ids[place]) if place < len(ids) else None)
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def switch(self, id: str, on: bool) -> None:
        """Switch a rule on, or off."""
        await call(self, definitions.enable, _KIND, UUID(id), on)
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def export(self) -> rx.event.EventSpec:
        """Download what is defined, as YAML."""
        made = await call(self, imports.export)
        return rx.download(data=made.text, filename=made.filename)

    async def _read(self) -> None:
        page = await call(self, definitions.all, _KIND, page=self._paging(_MOST))
        hints = {hint.rule_id: hint for hint in await call(self, rules.hints)}
        before = len(self._cursors) * _MOST
        self.rows = [_row(before + place, view, hints.get(view.id)) for place, view in enumerate(page.items, 1)]
        self.may_configure = (await actor_of(self)).may(Permission.CONFIGURE)  # the order is everybody's
        self._took(page, "rule")


def _row(place: int, view: DefinitionView, hint: RuleHint | None) -> RuleRow:
    return RuleRow(
        id=str(view.id),
        place=place,
        name=view.name,
        when=said.condition(view.spec["when"]),
        then=said.actions(view.spec["then"]),
        hits=f"{hint.hits_day:,}" if hint else "0",
        hint=(hint.hint or "") if hint else "",
        team=view.team_id is not None,
        stop=bool(view.spec.get("stop")),
        enabled=view.enabled,
        provisioned=view.provisioned,
    )


watch("/rules", RulesState.refresh, "rule")
