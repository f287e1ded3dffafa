"""Who is signed in, and from where?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update

from engine.identity.secrets import digest
from engine.model.sessions import SessionDirectory, SessionView, UserSession
from engine.model.views import Page, Paging
from engine.storage.paging import Order, read
from engine.storage.work import Work

# A session's last use is written at most so often.
SEEN_EVERY = timedelta(minutes=1)
_LONGEST_AGENT = 200


@dataclass(frozen=True)
class Life:
    """How long a session lives: unused, and at most."""

    idle: timedelta
    most: timedelta


@dataclass(frozen=True)
class Opening:
    """A session to be: whose, from where, proven by which secret."""

    secret: str
    session_id: UUID
    user_id: UUID
    address: str
    agent: str


def open_session(work: Work, opening: Opening, life: Life) -> datetime:
    """Write a new session of this organization. Returns when it ends if it is not used."""
    ends = work.now + min(life.idle, life.most)
    who = {"org_id": work.org_id, "user_id": opening.user_id}
    work.session.add(SessionDirectory(**who, secret_hash=digest(opening.secret), session_id=opening.session_id, expires_at=ends))
    work.session.add(
        UserSession(
            **who,
            id=opening.session_id,
            address=opening.address,
            agent=opening.agent[:_LONGEST_AGENT],
            created_at=work.now,
            seen_at=work.now,
            expires_at=work.now + life.most,
        )
    )
    work.touch("session", opening.session_id)
    return ends


def directory(work: Work, secret: str) -> SessionDirectory | None:
    """The live session of a secret: its organization and user. Needs no tenant."""
    found = select(SessionDirectory).where(SessionDirectory.secret_hash == digest(secret))
    return work.session.execute(found.where(SessionDirectory.expires_at > work.now)).scalar_one_or_none()


def seen(work: Work, entry: SessionDirectory, life: Life) -> None:
    """Note that the session is used, once a minute at most, and let it live on."""
    mine = UserSession.org_id == work.org_id, UserSession.id == entry.session_id
    noted = update(UserSession).where(*mine, UserSession.seen_at < work.now - SEEN_EVERY).values(seen_at=work.now)
    ends = work.session.execute(noted.returning(UserSession.expires_at)).scalar_one_or_none()
    if ends is not None:
        entry.expires_at = min(work.now + life.idle, ends)
        work.session.add(entry)


def mine(work: Work, user_id: UUID, this: UUID | None, paging: Paging) -> Page[SessionView]:
    """The user's live sessions in this organization, the newest first."""
    query = select(UserSession).join(SessionDirectory, SessionDirectory.session_id == UserSession.id)
    query = query.where(UserSession.org_id == work.org_id, UserSession.user_id == user_id, SessionDirectory.expires_at > work.now)
    rows, page = read(work.session, query, Order((UserSession.id,), descending=True), paging)
    items = tuple(
        SessionView(r[0].id, r[0].address, r[0].agent, r[0].created_at, r[0].seen_at, r[0].expires_at, r[0].id == this) for r in rows
    )
    return Page(items, page.next_cursor, page.total, page.total_is_capped)


def of_user(work: Work, user_id: UUID, all_organizations: bool) -> list[UUID]:
    """The user's live sessions, here or everywhere."""
    query = select(SessionDirectory.session_id).where(SessionDirectory.user_id == user_id)
    query = query if all_organizations else query.where(SessionDirectory.org_id == work.org_id)
    return list(work.session.execute(query).scalars())


def end(work: Work, user_id: UUID, sessions: Sequence[UUID]) -> list[UUID]:
    """End sessions of one user, wherever they are. Returns those that were live."""
    gone = delete(SessionDirectory).where(SessionDirectory.user_id == user_id, SessionDirectory.session_id.in_(sessions))
    ended = list(work.session.execute(gone.returning(SessionDirectory.session_id)).scalars())
    noted = update(UserSession).where(UserSession.org_id == work.org_id, UserSession.id.in_(ended)).values(ended_at=work.now)
    work.session.execute(noted)
    for session_id in ended:
        work.touch("session", session_id)
    return ended


def forget_old(work: Work, older_than: datetime) -> None:
    """Remove this organization's sessions that ended long ago."""
    live = select(SessionDirectory.session_id).where(SessionDirectory.org_id == work.org_id, SessionDirectory.expires_at > work.now)
    work.session.execute(delete(SessionDirectory).where(SessionDirectory.org_id == work.org_id, SessionDirectory.expires_at <= work.now))
    old = UserSession.org_id == work.org_id, UserSession.seen_at < older_than, UserSession.id.not_in(live)
    work.session.execute(delete(UserSession).where(*old))
