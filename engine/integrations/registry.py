"""What does every table of vendors have in common?"""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

from engine.errors import NotFound


class Entry(Protocol):
    """One vendor: an id, a title for people, and the settings that a form is drawn from."""

    @property
    def id(self) -> str:
        """The word in addresses and in the database."""
        ...

    @property
    def title(self) -> str:
        """The name people know."""
        ...

    @property
    def settings(self) -> type[BaseModel]:
        """The schema of its settings."""
        ...


E = TypeVar("E", bound=Entry)


class Registry(Generic[E]):
    """The entries of one kind of thing, in the order of the table."""

    def __init__(self, what: str, entries: Iterable[E]) -> None:
        self._what = what
        self._entries = {entry.id: entry for entry in entries}

    def __iter__(self):  # noqa: ANN204
        return iter(self._entries.values())

    def get(self, id: str) -> E | None:
        """The entry of that id, or None."""
        return self._entries.get(id)

    def __getitem__(self, id: str) -> E:
        """The entry of that id. Raises NotFound."""
        if (found := self.get(id)) is None:
            raise NotFound(f"There is no {self._what} “{id[:60]}”; there are {', '.join(self._entries)}.")
        return found
