"""In which shapes do lists leave the door?"""

from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

CAP = 10_000
T = TypeVar("T")


class Paging(BaseModel):
    """Which part of a list: by `cursor` and `limit` (stays right while rows arrive), or by `page` and `page_size`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: Annotated[str | None, Field(max_length=500, description="next_cursor of the answer before")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="rows of one answer")] = 50
    page: Annotated[int | None, Field(ge=1, le=CAP, description="number of the page, from 1, instead of a cursor")] = None
    page_size: Annotated[int, Field(ge=1, le=200, description="rows of a page, with `page`")] = 50

    @property
    def size(self) -> int:
        """Rows wanted."""
        return self.page_size if self.page else self.limit


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. `total` counts no further than the cap."""

    items: tuple[T, ...]
    next_cursor: str | None
    total: int
    total_is_capped: bool


@dataclass(frozen=True)
class Failed:
    """One thing of a bulk act that was left as it was, and why."""

    id: UUID
    error: str


@dataclass(frozen=True)
class Bulk:
    """What a bulk act did, thing by thing."""

    success: tuple[UUID, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True)
class FacetValue:
    """One value that rows of a list have, and how many; `label` is how people say it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Facet:
    """The commonest values of one field."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True)
class Facets:
    """What a list can be narrowed to. Counted over the newest rows of it, no more than the cap."""

    facets: tuple[Facet, ...]
    counted: int
    is_capped: bool


@dataclass(frozen=True)
class Export:
    """A file to take along."""

    filename: str
    text: str
