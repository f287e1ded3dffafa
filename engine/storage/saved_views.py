"""Which lists has a person set up?"""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlmodel import col

from engine.model.saved_views import SavedView
from engine.model.vocabulary import ListPage
from engine.storage.work import Work

MOST = 50


def of(work: Work, user_id: UUID, page: ListPage) -> list[SavedView]:
    """A person's views of a list, by name."""
    query = select(SavedView).where(SavedView.org_id == work.org_id, SavedView.user_id == user_id, SavedView.page == page)
    return list(work.session.execute(query.order_by(func.lower(SavedView.name)).limit(MOST)).scalars())


def named(work: Work, user_id: UUID, page: ListPage, name: str) -> SavedView | None:
    """A person's view of that name, whatever its case."""
    mine = select(SavedView).where(SavedView.org_id == work.org_id, SavedView.user_id == user_id, SavedView.page == page)
    return work.session.execute(mine.where(func.lower(SavedView.name) == func.lower(name))).scalar_one_or_none()


def forget(work: Work, user_id: UUID, view_id: UUID) -> bool:
    """Remove a person's view. Returns whether there was one."""
    mine = delete(SavedView).where(SavedView.org_id == work.org_id, SavedView.user_id == user_id, col(SavedView.id) == view_id)
    return bool(work.session.execute(mine.returning(SavedView.id)).all())
