"""People and organizations to act in tests; everything goes through the door, but for the very first rows."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from pydantic import SecretStr

from engine.identity.actor import Actor, Request
from engine.model.ids import new_id
from engine.model.people import Membership, Organization
from engine.model.vocabulary import Role
from engine.operations import callers, people, sign_in, teams
from engine.storage import accounts, directories
from engine.storage.database import Database
from engine.storage.work import Tenant, work

PASSWORD = "correct horse battery staple quietly"
HERE = Request(trace_id="test-trace", address="198.51.100.7", agent="pytest")


@dataclass(frozen=True)
class Team:
    """A team and people in it, by role in the team. In the organization they are all viewers."""

    id: UUID
    name: str
    people: dict[Role, Actor]


@dataclass(frozen=True)
class Company:
    """An organization: `people` by role in it, and two teams."""

    id: UUID
    name: str
    people: dict[Role, Actor]
    red: Team
    blue: Team

    def __getattr__(self, name: str) -> Actor:
        try:
            return self.people[Role(name)]
        except ValueError:
            raise AttributeError(name) from None


def found_company(database: Database, name: str) -> Company:
    """Make an organization with an owner, an admin, an operator, a viewer, and two teams with four members each."""
    org_id, owner = _found(database, name)
    staff = {Role.OWNER: owner} | {role: hire(owner, role) for role in (Role.ADMIN, Role.OPERATOR, Role.VIEWER)}
    return Company(org_id, name, staff, _team(owner, f"{name} red"), _team(owner, f"{name} blue"))


def hire(owner: Actor, role: Role, team_id: UUID | None = None) -> Actor:
    """A new person in the owner's organization, signed in; with a team, the role is that in the team."""
    email = f"{role}-{uuid4().hex[:10]}@example.com"
    link = people.invite(owner, email, role, team_id).url.get_secret_value().partition("link=")[2]
    opened = sign_in.use_link(HERE, SecretStr(link), SecretStr(PASSWORD), f"{role.title()} {email[:4]}")
    return callers.by_session(HERE, opened.secret.get_secret_value())


def enter(actor: Actor) -> str:
    """A fresh session of a person: its secret."""
    return sign_in.sign_in(HERE, actor.email, SecretStr(PASSWORD), actor.org_id).secret.get_secret_value()


def _team(owner: Actor, name: str) -> Team:
    made = teams.create(owner, name)
    return Team(made.id, made.name, {role: hire(owner, role, made.id) for role in Role})


def _found(database: Database, name: str) -> tuple[UUID, Actor]:
    """The first rows of an organization, as the set-up writes them, without using up the installation's one set-up."""
    email = f"owner-{uuid4().hex[:10]}@example.com"
    with work(database, Tenant()) as open_work:
        org_id = new_id(open_work.now)
        open_work.become(Tenant(org_id, all_teams=True, email=email))
        open_work.session.add(Organization(id=org_id, name=name, created_at=open_work.now))
        open_work.session.flush()
        directories.enter(open_work)
        user = accounts.new_user(open_work, email, f"{name} Owner", PASSWORD)
        open_work.session.add(Membership(org_id=org_id, user_id=user.id, role=Role.OWNER, created_at=open_work.now))
    opened = sign_in.sign_in(HERE, email, SecretStr(PASSWORD))
    return org_id, callers.by_session(HERE, opened.secret.get_secret_value())
