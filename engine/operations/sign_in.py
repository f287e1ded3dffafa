"""How does somebody unknown become somebody?

Entrances only: the first set-up, a password, a session's cookie, an API token, a one-time link.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import SecretStr

from engine.errors import Conflict, NotFound, NotSignedIn
from engine.identity import secrets, throttle
from engine.identity.actor import Actor
from engine.model.ids import new_id
from engine.model.people import Link, Membership, Organization, OrganizationView, TeamMember, User
from engine.model.sessions import SignedIn
from engine.model.vocabulary import ActorKind, LinkKind, Permission, Role
from engine.operations.door import Entry, entrance, runtime
from engine.operations.tries import count_tries, forgive_tries
from engine.operations.words import Email, Name
from engine.storage import accounts, directories, instance, links, people, sessions, tokens
from engine.storage.sessions import Opening
from engine.storage.work import INSTANCE, Tenant

_WRONG = "E-mail address or password is wrong."
_ENDED = "Your session has ended. Sign in again."


@dataclass(frozen=True)
class LinkPurpose:
    """What a one-time link is for, as the person who holds it sees it."""

    kind: LinkKind
    email: str
    organization: str
    has_account: bool


@entrance("sign_in.is_set_up")
def is_set_up(entry: Entry) -> bool:
    """Whether the installation has its first owner."""
    entry.work.become(INSTANCE)
    return instance.is_set_up(entry.work)


@entrance("sign_in.set_up")
def set_up(entry: Entry, link: SecretStr, organization: Name, name: Name, email: Email, password: SecretStr) -> SignedIn:
    """Make the first owner and organization with the one-time set-up link. Raises NotFound for a link that is used or old."""
    count_tries(throttle.token(entry.request.address))
    entry.work.become(INSTANCE)
    row = instance.settle(entry.work)
    old = row.setup_expires_at is None or row.setup_expires_at < entry.work.now
    if row.setup_done_at or old or not secrets.matches(link.get_secret_value(), row.setup_hash or b""):
        raise NotFound("This set-up link is used or too old. `make run` prints a fresh one while there is no owner.")
    actor = _found(entry, organization, name, email, password)
    return _open(entry, actor)


@entrance("sign_in.set_up_locally")
def set_up_locally(entry: Entry, organization: Name, name: Name, email: Email, password: SecretStr) -> UUID:
    """Make the first owner and organization from the machine's own command line. Raises Conflict when there is one."""
    entry.work.become(INSTANCE)
    if instance.settle(entry.work).setup_done_at:
        raise Conflict("There is an owner already. `organization create` makes further organizations.")
    return _found(entry, organization, name, email, password).org_id


@entrance("sign_in.sign_in")
def sign_in(entry: Entry, email: Email, password: SecretStr, organization_id: UUID | None = None) -> SignedIn:
    """Open a session by password. Raises NotSignedIn, or TooMany after several wrong tries."""
    subjects = throttle.sign_in(email, entry.request.address)
    count_tries(subjects)
    user = _proven(entry, email, password)
    mine = people.organizations_of(entry.work, user.id)
    chosen = next((org for org in mine if organization_id in (None, org.id)), None)
    if chosen is None:
        raise NotSignedIn("This account is in no organization any more. Ask an owner for an invitation.")
    forgive_tries(subjects)
    return _open(entry, _actor(entry, user, chosen))


@entrance("sign_in.by_session")
def by_session(entry: Entry, secret: SecretStr) -> Actor:
    """Who holds this session. Raises NotSignedIn."""
    row = sessions.directory(entry.work, secret.get_secret_value())
    if row is None:
        raise NotSignedIn(_ENDED)
    entry.work.become(Tenant(row.org_id, user_id=row.user_id))
    member = people.membership(entry.work, row.user_id)
    organization = entry.work.session.get(Organization, row.org_id)
    if member is None or organization is None:
        raise NotSignedIn(_ENDED)
    sessions.seen(entry.work, row, runtime().life)
    actor = _actor(entry, member[1], OrganizationView(row.org_id, organization.name, member[0].role))
    return replace(actor, session_id=row.session_id)


@entrance("sign_in.by_token")
def by_token(entry: Entry, token: SecretStr) -> Actor:
    """Which API token this is. Raises NotSignedIn, or TooMany for an address that tries many."""
    halves = secrets.parse_token(token.get_secret_value())
    row = tokens.directory(entry.work, halves) if halves else None
    found = None
    if row is not None:
        entry.work.become(Tenant(row.org_id, all_teams=True))
        found = tokens.one(entry.work, row.token_id)
    if found is None:
        count_tries(throttle.token(entry.request.address))
        raise NotSignedIn("This API token is unknown, expired or revoked.")
    tokens.used(entry.work, found.id)
    return Actor(
        kind=ActorKind.TOKEN,
        id=found.id,
        name=found.name,
        org_id=found.org_id,
        role=found.role if found.team_id is None else Role.VIEWER,
        teams={found.team_id: found.role} if found.team_id else {},
        scopes=frozenset(map(Permission, found.scopes)) if found.scopes else None,
        request=entry.request,
    )


@entrance("sign_in.read_link")
def read_link(entry: Entry, link: SecretStr) -> LinkPurpose:
    """What a one-time link is for. Raises NotFound for one that is used, old or unknown."""
    row = _link(entry, link)
    entry.work.become(Tenant(row.org_id, email=row.email))
    organization = entry.work.session.get_one(Organization, row.org_id)
    return LinkPurpose(row.kind, row.email, organization.name, people.by_email(entry.work, row.email) is not None)


@entrance("sign_in.use_link")
def use_link(entry: Entry, link: SecretStr, password: SecretStr, name: str = "") -> SignedIn:
    """Join an organization, or set a new password, by a one-time link; opens a session.

    Who has an account already proves it by its password. Raises NotFound, NotSignedIn, Invalid.
    """
    row = _link(entry, link)
    entry.work.become(Tenant(row.org_id, email=row.email, all_teams=True))
    user = people.by_email(entry.work, row.email)
    if row.kind is LinkKind.PASSWORD:
        if user is None:
            raise NotFound("This account does not exist any more.")
        _require_no_other_home(entry, row, user)
        accounts.set_password(entry.work, user, password.get_secret_value())
        sessions.end(entry.work, user.id, sessions.of_user(entry.work, user.id, all_organizations=True))
    elif user is None:
        user = accounts.new_user(entry.work, row.email, name.strip() or row.email.partition("@")[0], password.get_secret_value())
    else:
        subjects = throttle.sign_in(row.email, entry.request.address)
        count_tries(subjects)
        user = _proven(entry, row.email, password)
        forgive_tries(subjects)
    row.used_at = entry.work.now
    entry.work.session.add(row)
    tokens.unregister(entry.work, row.id)
    actor = _joined(entry, row, user)
    entry.record(actor, "sign_in.use_link", target=str(row.kind))
    entry.work.touch("people", user.id)
    return _open(entry, actor)


def _found(entry: Entry, organization: str, name: str, email: str, password: SecretStr) -> Actor:
    """The first organization, its owner, who also administers the installation; set-up is over."""
    open_work = entry.work
    org_id = new_id(open_work.now)
    open_work.become(Tenant(org_id, all_teams=True, email=email, instance=True))
    open_work.session.add(Organization(id=org_id, name=organization, created_at=open_work.now))
    user = accounts.new_user(open_work, email, name, password.get_secret_value())
    user.instance_admin = True
    open_work.session.add(Membership(org_id=org_id, user_id=user.id, role=Role.OWNER, created_at=open_work.now))
    directories.enter(open_work)
    row = instance.settle(open_work)
    row.setup_done_at, row.setup_hash = open_work.now, None
    open_work.session.add(row)
    open_work.session.flush()
    actor = _actor(entry, user, OrganizationView(org_id, organization, Role.OWNER))
    entry.record(actor, "sign_in.set_up", target=organization)
    open_work.touch("people", user.id)
    return actor


def _proven(entry: Entry, email: str, password: SecretStr) -> User:
    entry.work.become(replace(entry.work.tenant, email=email))
    user = people.by_email(entry.work, email)
    if not accounts.password_is(entry.work, user.id if user else None, password.get_secret_value()) or user is None:
        raise NotSignedIn(_WRONG)
    return user


def _link(entry: Entry, link: SecretStr) -> Link:
    halves = secrets.parse_token(link.get_secret_value())
    entry_row = tokens.directory(entry.work, halves) if halves else None
    row = None
    if entry_row is not None:
        entry.work.become(Tenant(entry_row.org_id, all_teams=True))
        row = links.one(entry.work, entry_row.token_id)
    if row is None or row.used_at or row.expires_at < entry.work.now:
        count_tries(throttle.token(entry.request.address))
        raise NotFound("This link is used, too old or withdrawn. Ask for a fresh one.")
    return row


def _require_no_other_home(entry: Entry, link: Link, user: User) -> None:
    """An account that has joined another organization since is no longer this one's to reset."""
    entry.work.become(replace(entry.work.tenant, user_id=user.id))
    if people.joined_elsewhere(entry.work, user.id, link.org_id, link.created_at):
        raise NotFound("This account is used elsewhere meanwhile. An administrator of the installation can make a link for it.")


def _joined(entry: Entry, link: Link, user: User) -> Actor:
    """Make the person a member as the link says; who is one already keeps the role."""
    open_work = entry.work
    open_work.become(Tenant(link.org_id, all_teams=True, user_id=user.id, email=user.email))
    found = people.membership(open_work, user.id)
    role = found[0].role if found else link.role
    if link.kind is LinkKind.INVITATION and found is None:
        # A team's invitation gives its role in the team, and a place in the organization.
        role = Role.VIEWER if link.team_id else link.role
        open_work.session.add(Membership(org_id=link.org_id, user_id=user.id, role=role, created_at=open_work.now))
        open_work.session.flush()
    elif found is None or (link.kind is LinkKind.PASSWORD and role.rank > link.role.rank):
        # Who could make it for an operator may not have been allowed to for the owner that the person is now.
        raise NotFound("This link does not fit the account any more. Ask for a fresh one.")
    if link.team_id and link.team_id not in people.team_roles(open_work, user.id):
        place = {"org_id": link.org_id, "team_id": link.team_id, "user_id": user.id}
        open_work.session.add(TeamMember(**place, role=link.role, created_at=open_work.now))
    organization = open_work.session.get_one(Organization, link.org_id)
    return _actor(entry, user, OrganizationView(link.org_id, organization.name, role))


def _actor(entry: Entry, user: User, chosen: OrganizationView) -> Actor:
    entry.work.become(Tenant(chosen.id, all_teams=True, user_id=user.id, email=user.email))
    return Actor(
        kind=ActorKind.USER,
        id=user.id,
        name=user.name,
        org_id=chosen.id,
        role=chosen.role,
        teams=people.team_roles(entry.work, user.id),
        instance_admin=user.instance_admin,
        email=user.email,
        time_zone=user.time_zone,
        organization=chosen.name,
        request=entry.request,
    )


def _open(entry: Entry, actor: Actor) -> SignedIn:
    secret, session_id = secrets.new_secret(), new_id(entry.work.now)
    opening = Opening(secret, session_id, actor.id, entry.request.address, entry.request.agent)
    ends = sessions.open_session(entry.work, opening, runtime().life)
    entry.record(actor, "sign_in.open_session", target=actor.name)
    return SignedIn(SecretStr(secret), session_id, actor.id, actor.org_id, ends)
