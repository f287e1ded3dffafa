"""What does every list on a page remember?"""

from typing import Any

import reflex as rx

from engine.model.views import Page, Paging
from engine.model.vocabulary import Permission
from state.call import requires


class TableState(rx.State, mixin=True):
    """Words searched for, and where in the list the person is. `limit` rows are on the page at a time.

    The framework lets a browser call every method by name unless it begins with an underscore.
    """

    words: str = ""
    loaded: bool = False
    total: str = ""
    has_more: bool = False
    has_before: bool = False
    _cursors: list[str] = []
    _next: str | None = None

    def _paging(self, limit: int = 50) -> Paging:
        """The part of the list to ask for."""
        return Paging(cursor=self._cursors[-1] if self._cursors else None, limit=limit)

    def _took(self, page: Page[Any], noun: str) -> None:
        """Remember where this part ends."""
        self._next, self.has_more = page.next_cursor, page.next_cursor is not None
        self.has_before, self.loaded = bool(self._cursors), True
        self.total = self._counted(page, noun)

    def _counted(self, page: Page[Any], noun: str) -> str:
        """How many there are, in words."""
        count = f"{page.total:,}{'+' if page.total_is_capped else ''}"
        return f"{count} {noun if page.total == 1 else _plural(noun)}"

    def _look_for(self, words: str) -> None:
        """Search anew, from the beginning."""
        self.words, self._cursors = words[:200], []

    @rx.event
    @requires(Permission.VIEW)
    async def next_rows(self) -> None:
        """Show the next part of the list."""
        if self._next:
            self._cursors = [*self._cursors, self._next]
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def rows_before(self) -> None:
        """Show the part before."""
        self._cursors = self._cursors[:-1]
        await self._read()

    async def _read(self) -> None:
        """Read this part of the list through the door, which asks the list's own permission."""
        raise NotImplementedError


def _plural(noun: str) -> str:
    return {"person": "people", "entry": "entries"}.get(noun, f"{noun}s")
