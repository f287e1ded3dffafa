"""Which tokens and one-time links are there?"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlmodel import col

from engine.identity.secrets import Token, digest, matches
from engine.model.tokens import ApiToken, TokenDirectory, TokenView
from engine.model.views import Page, Paging
from engine.storage.paging import Order, read
from engine.storage.work import Work

USED_EVERY = timedelta(minutes=1)


def register(work: Work, token: Token, token_id: UUID, expires_at: datetime | None) -> None:
    """Let a token find its organization."""
    row = TokenDirectory(
        public_id=token.public_id, secret_hash=digest(token.secret), org_id=work.org_id, token_id=token_id, expires_at=expires_at
    )
    work.session.add(row)


def directory(work: Work, token: Token) -> TokenDirectory | None:
    """The live token whose secret this is, compared in constant time. Needs no tenant."""
    row = work.session.get(TokenDirectory, token.public_id)
    if not matches(token.secret, row.secret_hash if row else b"") or row is None:
        return None
    return row if row.expires_at is None or row.expires_at > work.now else None


def unregister(work: Work, token_id: UUID) -> None:
    """Let a token or link be found no more."""
    work.session.execute(delete(TokenDirectory).where(TokenDirectory.org_id == work.org_id, TokenDirectory.token_id == token_id))


def one(work: Work, token_id: UUID) -> ApiToken | None:
    """An API token that was not revoked."""
    query = select(ApiToken).where(ApiToken.org_id == work.org_id, ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
    return work.session.execute(query).scalar_one_or_none()


def used(work: Work, token_id: UUID) -> None:
    """Note that a token is used, once a minute at most."""
    mine = ApiToken.org_id == work.org_id, ApiToken.id == token_id
    stale = col(ApiToken.used_at).is_(None) | (col(ApiToken.used_at) < work.now - USED_EVERY)
    work.session.execute(update(ApiToken).where(*mine, stale).values(used_at=work.now))


def revoke(work: Work, token_id: UUID) -> bool:
    """Revoke a token for good. Returns whether it was live."""
    mine = ApiToken.org_id == work.org_id, ApiToken.id == token_id, ApiToken.revoked_at.is_(None)
    ended = update(ApiToken).where(*mine).values(revoked_at=work.now).returning(ApiToken.id)
    was_live = work.session.execute(ended).scalar_one_or_none() is not None
    unregister(work, token_id)
    return was_live


def live(work: Work, paging: Paging) -> Page[TokenView]:
    """The organization's API tokens that were not revoked, the newest first."""
    query = select(ApiToken).where(ApiToken.org_id == work.org_id, ApiToken.revoked_at.is_(None))
    rows, page = read(work.session, query, Order((ApiToken.id,), descending=True), paging)
    return Page(tuple(_view(row[0]) for row in rows), page.next_cursor, page.total, page.total_is_capped)


def _view(row: ApiToken) -> TokenView:
    return TokenView(
        id=row.id,
        name=row.name,
        hint=f"aio_{row.public_id}_…",
        role=row.role,
        team_id=row.team_id,
        scopes=tuple(row.scopes),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
