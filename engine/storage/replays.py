"""Was this request carried out before?"""

import hashlib
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.errors import Conflict
from engine.model.jobs import IdempotencyKey
from engine.storage.work import Work

KEPT = timedelta(days=1)


def claim(work: Work, actor_id: UUID, key: str, asked: str) -> str | None:
    """Take a key for what is asked, in the transaction that will carry it out: a second one waits for the first.

    Returns the answer given before, None for a new key. Raises Conflict when the key was used for something else,
    or when the answer then held a secret that is shown once.
    """
    wanted = hashlib.sha256(asked.encode()).digest()
    mine = {"org_id": work.org_id, "actor_id": actor_id, "key": key}
    taken = insert(IdempotencyKey).values(**mine, request_hash=wanted, created_at=work.now).on_conflict_do_nothing()
    if work.session.execute(taken.returning(IdempotencyKey.key)).scalar_one_or_none():
        return None
    kept = work.session.execute(select(IdempotencyKey).filter_by(**mine)).scalar_one()
    if kept.request_hash != wanted:
        raise Conflict("This Idempotency-Key was used for another request; take a fresh one for a new request.")
    if kept.answer is None:
        raise Conflict("This request was carried out before; its answer held a secret, which is shown only once.")
    return kept.answer


def keep(work: Work, actor_id: UUID, key: str, answer: str | None) -> None:
    """Remember the answer; None when it holds a secret."""
    mine = IdempotencyKey.org_id == work.org_id, IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == key
    work.session.execute(update(IdempotencyKey).where(*mine).values(answer=answer))


def forget_old(work: Work) -> int:
    """Remove keys of the organization that are past their day."""
    old = IdempotencyKey.org_id == work.org_id, IdempotencyKey.created_at < work.now - KEPT
    return work.session.execute(delete(IdempotencyKey).where(*old)).rowcount
