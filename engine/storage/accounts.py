"""How are accounts and their passwords written?"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from engine.errors import Invalid
from engine.identity import passwords, secrets
from engine.model.ids import new_id
from engine.model.people import Password, User
from engine.storage.work import Tenant, Work


def new_user(work: Work, email: str, name: str, password: str) -> User:
    """Write a new account; the work's tenant must name the address. Raises Invalid for a weak password."""
    user = User(id=new_id(work.now), email=email, name=name, created_at=work.now)
    check_password(password, user)
    work.session.add(user)
    work.session.flush()
    set_password(work, user, password)
    return user


def check_password(password: str, user: User) -> None:
    """Raises Invalid, with what to do, for a password that is too short, common or guessable."""
    about = [user.name, *user.name.split(), user.email, *user.email.replace("@", ".").split("."), "aiops"]
    if fault := passwords.fault(password, about):
        raise Invalid.field("password", fault)


def set_password(work: Work, user: User, password: str) -> None:
    """Replace the password of an account. Raises Invalid for a weak one."""
    check_password(password, user)
    work.become(_as(work, user.id))
    row = work.session.get(Password, user.id) or Password(user_id=user.id, hash="", changed_at=work.now)
    row.hash, row.changed_at = secrets.hash_password(password), work.now
    work.session.add(row)
    work.session.flush()


def password_is(work: Work, user_id: UUID | None, password: str) -> bool:
    """Whether it is the password of that account; takes as long when there is no such account."""
    kept = None
    if user_id is not None:
        work.become(_as(work, user_id))
        kept = work.session.execute(select(Password.hash).where(Password.user_id == user_id)).scalar_one_or_none()
    return secrets.password_matches(password, kept)


def _as(work: Work, user_id: UUID) -> Tenant:
    return replace(work.tenant, user_id=user_id)
