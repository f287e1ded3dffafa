"""Who is in the organization, and as what?"""

from uuid import UUID

from engine.errors import Conflict, NotFound, Refused, Stale
from engine.identity import permissions
from engine.model.people import Link, LinkView, Membership, NewLink, User, UserView
from engine.model.views import Page, Paging
from engine.model.vocabulary import LinkKind, Permission, Role
from engine.operations.door import Context, operation, runtime
from engine.operations.words import Email, Words
from engine.storage import links, people, sessions, tokens
from engine.storage.work import Tenant


@operation("people.members", Permission.VIEW, reads=True)
def members(ctx: Context, words: Words = "", page: Paging = Paging()) -> Page[UserView]:
    """List the people of the organization; `words` are looked for in names and addresses."""
    return people.members(ctx.work, words, page)


@operation("people.member", Permission.VIEW, reads=True)
def member(ctx: Context, user_id: UUID) -> UserView:
    """Show one person of the organization."""
    return people.shown(ctx.work, *_member(ctx, user_id))


@operation("people.change_role", Permission.MANAGE_PEOPLE)
def change_role(ctx: Context, user_id: UUID, role: Role, version: int | None = None) -> UserView:
    """Give a person another role in the organization. Raises Conflict for the last owner."""
    remaining = people.owners(ctx.work)
    found, user = _member(ctx, user_id, lock=True)
    if version is not None and version != found.version:
        raise Stale("This person was changed meanwhile. Load the list again and repeat your change.")
    _require_rank(ctx, found.role)
    _require_rank(ctx, role)
    if found.role is Role.OWNER and role is not Role.OWNER and remaining == [user_id]:
        raise Conflict("This is the last owner. Make somebody else an owner first.")
    ctx.note(user.name, before=str(found.role))
    found.role, found.version = role, found.version + 1
    ctx.work.session.add(found)
    ctx.work.touch("people", user_id)
    return people.shown(ctx.work, found, user)


@operation("people.remove", Permission.MANAGE_PEOPLE)
def remove(ctx: Context, user_id: UUID) -> None:
    """Take a person out of the organization and its teams; their sessions here end. Raises Conflict for the last owner."""
    remaining = people.owners(ctx.work)
    found, user = _member(ctx, user_id, lock=True)
    _require_rank(ctx, found.role)
    if found.role is Role.OWNER and remaining == [user_id]:
        raise Conflict("This is the last owner. Make somebody else an owner first.")
    ctx.note(user.name)
    sessions.end(ctx.work, user_id, sessions.of_user(ctx.work, user_id, all_organizations=False))
    people.remove_member(ctx.work, user_id)
    links.withdraw(ctx.work, user.email, *LinkKind)
    ctx.work.touch("people", user_id)


@operation("people.invite", Permission.MANAGE_PEOPLE)
def invite(ctx: Context, email: Email, role: Role, team_id: UUID | None = None) -> NewLink:
    """Make a one-time link for a person to join, valid for 7 days and shown once. With a team, the role is that in the team."""
    _require_rank(ctx, role)
    if team_id and people.team(ctx.work, team_id) is None:
        raise NotFound("There is no such team.")
    return _offered(ctx, LinkKind.INVITATION, email, role, team_id)


@operation("people.password_link", Permission.MANAGE_PEOPLE)
def password_link(ctx: Context, user_id: UUID) -> NewLink:
    """Make a one-time link for a person to set a new password, valid for 24 hours and shown once."""
    found, user = _member(ctx, user_id)
    _require_rank(ctx, found.role)
    _require_own_account(ctx, user)
    return _offered(ctx, LinkKind.PASSWORD, user.email, found.role, None)


@operation("people.invitations", Permission.MANAGE_PEOPLE, reads=True)
def invitations(ctx: Context, page: Paging = Paging()) -> Page[LinkView]:
    """List invitations that can still be used."""
    return people.open_links(ctx.work, LinkKind.INVITATION, page)


@operation("people.withdraw", Permission.MANAGE_PEOPLE)
def withdraw(ctx: Context, link_id: UUID) -> None:
    """Make a one-time link useless."""
    link = ctx.work.session.get(Link, (ctx.actor.org_id, link_id))
    if link is None or link.used_at:
        raise NotFound("There is no such link, or it is used.")
    ctx.note(link.email)
    tokens.unregister(ctx.work, link_id)
    ctx.work.session.delete(link)
    ctx.work.touch("people", link_id)


def _member(ctx: Context, user_id: UUID, lock: bool = False) -> tuple[Membership, User]:
    found = people.membership(ctx.work, user_id, lock)
    if found is None:
        raise NotFound("There is no such person in this organization.")
    return found


def _require_rank(ctx: Context, role: Role) -> None:
    """Nobody gives, takes or touches a role above the own one."""
    if ctx.actor.scopes is not None and not permissions.of(role) <= ctx.actor.scopes:
        raise Refused("This token is cut down to some permissions, and this role has more.")
    if ctx.actor.role is None or role.rank > ctx.actor.role.rank:
        raise Refused(f"Only an {Role.OWNER} may do this to an {Role.OWNER}." if role is Role.OWNER else f"Your role is below {role}.")


def _require_own_account(ctx: Context, user: User) -> None:
    """An account is the person's, not the organization's: one that is used elsewhere too is not ours to reset."""
    if ctx.actor.instance_admin:
        return
    home = ctx.work.tenant
    ctx.work.become(Tenant(user_id=user.id))
    elsewhere = [o for o in people.organizations_of(ctx.work, user.id) if o.id != ctx.actor.org_id]
    ctx.work.become(home)
    if elsewhere or user.instance_admin:
        raise Refused("This account is used outside your organization too; an administrator of the installation can reset it.")


def _offered(ctx: Context, kind: LinkKind, email: str, role: Role, team_id: UUID | None) -> NewLink:
    ctx.note(email)
    return links.offer(ctx.work, links.Offer(kind, email, role, team_id, ctx.actor.name), runtime().public_url)
