"""How is a one-time link made?"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlmodel import col

from engine.identity import secrets
from engine.model.ids import new_id
from engine.model.people import Link, NewLink
from engine.model.tokens import TokenDirectory
from engine.model.vocabulary import LinkKind, Role
from engine.storage import tokens
from engine.storage.work import Work

LIVES = {LinkKind.INVITATION: timedelta(days=7), LinkKind.PASSWORD: timedelta(hours=24)}


@dataclass(frozen=True)
class Offer:
    """What a link is to be for. With a team, the role is that in the team."""

    kind: LinkKind
    email: str
    role: Role
    team_id: UUID | None
    created_by: str


def offer(work: Work, wanted: Offer, public_url: str) -> NewLink:
    """Write a one-time link of this organization; the answer alone holds its secret."""
    token, id, expires_at = secrets.new_token(), new_id(work.now), work.now + LIVES[wanted.kind]
    work.session.add(
        Link(
            org_id=work.org_id,
            id=id,
            kind=wanted.kind,
            email=wanted.email,
            role=wanted.role,
            team_id=wanted.team_id,
            created_by=wanted.created_by,
            created_at=work.now,
            expires_at=expires_at,
        )
    )
    tokens.register(work, token, id, expires_at)
    work.touch("people", id)
    return NewLink(id, wanted.email, SecretStr(f"{public_url}/join?link={token.text}"), expires_at)


def withdraw(work: Work, email: str, *kinds: LinkKind) -> None:
    """Make this organization's open links of these kinds useless for a person."""
    open_links = select(Link.id).where(Link.org_id == work.org_id, col(Link.kind).in_(kinds), Link.email == email)
    for id in work.session.execute(open_links.where(col(Link.used_at).is_(None))).scalars().all():
        tokens.unregister(work, id)
        work.session.execute(delete(Link).where(Link.org_id == work.org_id, Link.id == id))


def forget_old(work: Work) -> None:
    """Remove this organization's links that were used or ended a while ago, and directory entries of tokens that ended."""
    longest = work.now - max(LIVES.values())
    work.session.execute(delete(Link).where(Link.org_id == work.org_id, Link.expires_at < longest))
    ended = TokenDirectory.org_id == work.org_id, col(TokenDirectory.expires_at) < work.now
    work.session.execute(delete(TokenDirectory).where(*ended))


def one(work: Work, id: UUID) -> Link | None:
    """A link of this organization, locked: two uses at the same time are one after the other."""
    query = select(Link).where(Link.org_id == work.org_id, Link.id == id).with_for_update()
    return work.session.execute(query).scalar_one_or_none()
