"""What does the page of imports remember?"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from engine.errors import Invalid
from engine.model.vocabulary import ImportKind, Permission
from engine.operations import imports
from engine.operations.imports import ImportView
from state.call import call, requires, tell

_SHOWN = 300


@dataclass
class ReportRow:
    """A line of the report: where in the file, whether it was taken, and how, or why not."""

    place: str
    taken: bool
    said: str


class ImportsState(rx.State):
    """What a file of another product would become here, or has become."""

    report: list[ReportRow] = []
    verdict: str = ""
    fault: str = ""
    more: int = 0
    was_taken: bool = False

    _looked_at: tuple[ImportKind, str] | None = None

    @rx.event
    @requires(Permission.CONFIGURE)
    async def arrive(self) -> None:
        """Begin anew."""
        self.report, self.verdict, self.fault, self.more, self._looked_at = [], "", "", 0, None

    @rx.event
    @requires(Permission.CONFIGURE)
    async def look(self, form: dict[str, Any]) -> None:
        """Say what would be taken."""
        self.report, self.verdict, self.fault, self.more, self._looked_at = [], "", "", 0, None
        try:
            kind, text = ImportKind(form.get("kind") or ""), form.get("text") or ""
            self._show(await call(self, imports.preview, kind, text), takes=False)
        except Invalid as error:
            self.fault = str(error)
        except ValueError:
            self.fault = "Choose what the file is."
        else:
            self._looked_at = (kind, text)

    @rx.event
    @requires(Permission.CONFIGURE)
    async def take(self) -> None:
        """Take over what was looked at."""
        if self._looked_at is None:
            return
        self._show(await call(self, imports.take, *self._looked_at), takes=True)
        self._looked_at = None
        await tell(self, "good", f"Taken over: {self.verdict}.")

    def _show(self, found: ImportView, *, takes: bool) -> None:
        left = sum(not line.taken for line in found.report)
        self.verdict = f"{found.added} added, {found.changed} changed, {found.same} as they are, {left} left out"
        self.report = [ReportRow(line.place, line.taken, line.said) for line in found.report[:_SHOWN]]
        self.more, self.was_taken = max(0, len(found.report) - _SHOWN), takes
