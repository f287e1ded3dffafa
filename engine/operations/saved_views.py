"""Which lists does a person come back to?"""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from engine.errors import Conflict, NotFound
from engine.model.ids import new_id
from engine.model.saved_views import SavedView, SavedViewView
from engine.model.vocabulary import ListPage, Permission
from engine.operations.door import Context, operation
from engine.operations.words import Name
from engine.storage import saved_views as stored

Query = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=r"^[^\s?#]*$")]


@operation("saved_views.all", Permission.PROFILE, reads=True)
def all(ctx: Context, of: ListPage) -> tuple[SavedViewView, ...]:
    """List one's own views of a list."""
    return tuple(_view(row) for row in stored.of(ctx.work, ctx.actor.id, of))


@operation("saved_views.save", Permission.PROFILE)
def save(ctx: Context, of: ListPage, name: Name, query: Query = "") -> SavedViewView:
    """Keep the filters and the order of a list, as the query of its address, under a name; one of that name is replaced."""
    row = stored.named(ctx.work, ctx.actor.id, of, name)
    if row is None:
        if len(stored.of(ctx.work, ctx.actor.id, of)) >= stored.MOST:
            raise Conflict(f"There are {stored.MOST} saved views already; delete one first.")
        now = ctx.work.now
        row = SavedView(org_id=ctx.actor.org_id, id=new_id(now), user_id=ctx.actor.id, page=of, name=name, query=query, created_at=now)
    row.name, row.query = name, query
    ctx.work.session.add(row)
    ctx.note(name)
    return _view(row)


@operation("saved_views.delete", Permission.PROFILE)
def delete(ctx: Context, view_id: UUID) -> None:
    """Forget one of one's own views."""
    if not stored.forget(ctx.work, ctx.actor.id, view_id):
        raise NotFound("There is no such saved view of yours.")


def _view(row: SavedView) -> SavedViewView:
    return SavedViewView(row.id, row.page, row.name, row.query)
