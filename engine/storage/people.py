"""Which people, teams and roles are there?"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from engine.model.people import (
    Link,
    LinkView,
    Membership,
    Organization,
    OrganizationView,
    Team,
    TeamMember,
    TeamMemberView,
    TeamView,
    User,
    UserView,
)
from engine.model.sessions import UserSession
from engine.model.views import Page, Paging
from engine.model.vocabulary import LinkKind, Role
from engine.storage.paging import Order, read
from engine.storage.work import Work


def by_email(work: Work, email: str) -> User | None:
    """The account of that address; seen only where the tenant names the address, or shares an organization with it."""
    return work.session.execute(select(User).where(User.email == email)).scalar_one_or_none()


def organizations_of(work: Work, user_id: UUID) -> list[OrganizationView]:
    """The organizations of the user that this work is set to, in the order they were joined."""
    joined = select(Organization, Membership.role).join(Membership, Membership.org_id == Organization.id)
    rows = work.session.execute(joined.where(Membership.user_id == user_id).order_by(Membership.created_at, Organization.id))
    return [OrganizationView(org.id, org.name, role) for org, role in rows]


def team_roles(work: Work, user_id: UUID) -> dict[UUID, Role]:
    """The user's roles in the teams of this organization."""
    mine = select(TeamMember.team_id, TeamMember.role).where(TeamMember.org_id == work.org_id, TeamMember.user_id == user_id)
    return {row.team_id: row.role for row in work.session.execute(mine)}


def membership(work: Work, user_id: UUID, lock: bool = False) -> tuple[Membership, User] | None:
    """One member of this organization."""
    query = select(Membership, User).join(User, User.id == Membership.user_id)
    query = query.where(Membership.org_id == work.org_id, Membership.user_id == user_id)
    row = work.session.execute(query.with_for_update(of=Membership) if lock else query).one_or_none()
    return (row[0], row[1]) if row else None


def owners(work: Work) -> list[UUID]:
    """The owners of this organization, locked: nobody else takes the last one away at the same time."""
    query = select(Membership.user_id).where(Membership.org_id == work.org_id, Membership.role == Role.OWNER)
    return list(work.session.execute(query.order_by(Membership.user_id).with_for_update()).scalars())


def members(work: Work, words: str, paging: Paging) -> Page[UserView]:
    """The people of this organization by name; `words` is looked for in names and addresses."""
    seen = select(func.max(UserSession.seen_at)).where(UserSession.org_id == Membership.org_id, UserSession.user_id == User.id)
    query = select(Membership, User, seen.scalar_subquery()).join(User, User.id == Membership.user_id)
    query = query.where(Membership.org_id == work.org_id)
    for word in words.split()[:5]:
        query = query.where(User.name.icontains(word, autoescape=True) | User.email.icontains(word, autoescape=True))
    rows, page = read(work.session, query, Order((func.lower(User.name), User.id)), paging)
    teams = _teams_of(work, [row[1].id for row in rows])
    items = tuple(user_view(row[0], row[1], teams.get(row[1].id, ()), row[2]) for row in rows)
    return Page(items, page.next_cursor, page.total, page.total_is_capped)


def user_view(member: Membership, user: User, teams: tuple[str, ...] = (), seen_at: object = None) -> UserView:
    """A member as shown."""
    return UserView(user.id, user.email, user.name, member.role, teams, user.instance_admin, member.created_at, seen_at, member.version)


def shown(work: Work, member: Membership, user: User) -> UserView:
    """One member as shown, with teams and last use."""
    seen = select(func.max(UserSession.seen_at)).where(UserSession.org_id == work.org_id, UserSession.user_id == user.id)
    return user_view(member, user, _teams_of(work, [user.id]).get(user.id, ()), work.session.execute(seen).scalar_one())


def joined_elsewhere(work: Work, user_id: UUID, org_id: UUID, since: datetime) -> bool:
    """Whether the user that this work is set to has joined another organization since then."""
    other = select(Membership.org_id).where(Membership.user_id == user_id, Membership.org_id != org_id, Membership.created_at > since)
    return work.session.execute(other.limit(1)).scalar_one_or_none() is not None


def _teams_of(work: Work, users: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
    query = select(TeamMember.user_id, func.array_agg(Team.name)).join(Team, Team.id == TeamMember.team_id)
    query = query.where(TeamMember.org_id == work.org_id, TeamMember.user_id.in_(users)).group_by(TeamMember.user_id)
    return {row[0]: tuple(sorted(row[1])) for row in work.session.execute(query)}


def teams(work: Work, paging: Paging) -> Page[TeamView]:
    """The teams of this organization by name."""
    count = select(func.count()).where(TeamMember.org_id == Team.org_id, TeamMember.team_id == Team.id)
    query = select(Team, count.scalar_subquery()).where(Team.org_id == work.org_id)
    rows, page = read(work.session, query, Order((func.lower(Team.name), Team.id)), paging)
    items = tuple(TeamView(row[0].id, row[0].name, row[1], row[0].created_at, row[0].version) for row in rows)
    return Page(items, page.next_cursor, page.total, page.total_is_capped)


def team(work: Work, team_id: UUID, lock: bool = False) -> Team | None:
    """One team."""
    query = select(Team).where(Team.org_id == work.org_id, Team.id == team_id)
    return work.session.execute(query.with_for_update() if lock else query).scalar_one_or_none()


def team_named(work: Work, name: str) -> Team | None:
    """The team of that name, whatever its case."""
    query = select(Team).where(Team.org_id == work.org_id, func.lower(Team.name) == name.lower())
    return work.session.execute(query).scalar_one_or_none()


def team_members(work: Work, team_id: UUID, paging: Paging) -> Page[TeamMemberView]:
    """The members of a team by name."""
    query = select(TeamMember, User).join(User, User.id == TeamMember.user_id)
    query = query.where(TeamMember.org_id == work.org_id, TeamMember.team_id == team_id)
    rows, page = read(work.session, query, Order((func.lower(User.name), User.id)), paging)
    items = tuple(TeamMemberView(row[1].id, row[1].name, row[1].email, row[0].role) for row in rows)
    return Page(items, page.next_cursor, page.total, page.total_is_capped)


def open_links(work: Work, kind: LinkKind, paging: Paging) -> Page[LinkView]:
    """One-time links that can still be used, newest first."""
    query = select(Link).where(Link.org_id == work.org_id, Link.kind == kind, Link.used_at.is_(None), Link.expires_at > work.now)
    rows, page = read(work.session, query, Order((Link.id,), descending=True), paging)
    items = tuple(LinkView(r[0].id, r[0].kind, r[0].email, r[0].role, r[0].team_id, r[0].created_by, r[0].expires_at) for r in rows)
    return Page(items, page.next_cursor, page.total, page.total_is_capped)


def remove_member(work: Work, user_id: UUID) -> None:
    """Take a person out of this organization and its teams; the account stays."""
    work.session.execute(delete(Membership).where(Membership.org_id == work.org_id, Membership.user_id == user_id))
