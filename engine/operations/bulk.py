"""What is done to many incidents at once?"""

from typing import Literal
from uuid import UUID

from engine.errors import AiopsError, Refused
from engine.model.views import Bulk, Failed
from engine.model.vocabulary import Permission
from engine.operations import incidents as one
from engine.operations.door import Context, operation
from engine.operations.words import Ids


@operation("bulk.incidents", Permission.RESPOND, thing=True)
def incidents(ctx: Context, ids: Ids, act: Literal["acknowledge", "resolve", "reopen", "assign"], user_id: UUID | None = None) -> Bulk:
    """Acknowledge, resolve, reopen or assign incidents, each by itself: what cannot be done says why, and the others are done."""
    done: list[UUID] = []
    failed: list[Failed] = []
    refused: list[Refused] = []
    for id in dict.fromkeys(ids):
        try:
            with ctx.work.session.begin_nested():
                _do(ctx, id, act, user_id)
            done.append(id)
        except AiopsError as error:
            failed.append(Failed(id, str(error)))
            refused += [error] if isinstance(error, Refused) else []
    if refused and not done:
        raise refused[0]
    ctx.note(f"{len(done)} incidents", ids=[str(id) for id in done])
    return Bulk(tuple(done), tuple(failed))


def _do(ctx: Context, id: UUID, act: str, user_id: UUID | None) -> None:
    if act == "assign":
        one.assign.function(ctx, id, user_id)
    elif act == "acknowledge":
        one.acknowledge.function(ctx, id)
    elif act == "resolve":
        one.resolve.function(ctx, id)
    else:
        one.reopen.function(ctx, id)
