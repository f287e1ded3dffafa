"""What does every page of one thing remember?"""

from uuid import UUID

import reflex as rx

from engine.errors import Invalid, NotFound
from engine.model.vocabulary import Permission
from state.call import requires


class ThingState(rx.State, mixin=True):
    """Whether the thing that the page's address names was read, and whether there is none."""

    loaded: bool = False
    missing: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the thing again."""
        try:
            await self._read()
            self.missing = False
        except (NotFound, Invalid):
            self.missing = True
        self.loaded = True

    def _named(self) -> str:
        """What the address calls it: an id, or a number."""
        return self.router.url.path.rpartition("/")[2]

    def _uuid(self, known: str) -> UUID:
        """Its id, as read, or as the address has it: somebody who comes back may act before the page was read again."""
        return UUID(known or self._named())

    async def _read(self) -> None:
        """Read it through the door, which asks its own permission."""
        raise NotImplementedError
