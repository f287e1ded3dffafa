"""Lists that a person set up and comes back to."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlmodel import Field, SQLModel

from engine.model.fields import Rls, moment, word
from engine.model.vocabulary import ListPage


class SavedView(SQLModel, table=True):
    """The filters and the order of a list, as the query of its address. One person's."""

    __tablename__ = "saved_view"
    rls: ClassVar[Rls] = Rls.ORG

    org_id: UUID = Field(primary_key=True, foreign_key="organization.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    user_id: UUID
    page: ListPage = word(ListPage)
    name: str
    query: str
    created_at: datetime = moment()


@dataclass(frozen=True)
class SavedViewView:
    """A saved view as it is shown."""

    id: UUID
    page: ListPage
    name: str
    query: str
