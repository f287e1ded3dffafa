"""People and organizations to act in tests, written past the operations: what tests are about is what these people do then.

A company costs two transactions and each person one more, on the day that a test first asks for the person.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from threading import RLock
from uuid import UUID, uuid4

from engine.identity import secrets
from engine.identity.actor import Actor, Request
from engine.model.ids import new_id
from engine.model.people import Membership, Organization, Password, TeamMember, User
from engine.model.people import Team as TeamRow
from engine.model.vocabulary import ActorKind, Role
from engine.operations.door import runtime
from engine.storage import directories, sessions
from engine.storage.database import Database
from engine.storage.sessions import Life, Opening
from engine.storage.work import Tenant, Work, work

PASSWORD = "correct horse battery staple quietly"
HERE = Request(trace_id="test-trace", address="198.51.100.7", agent="pytest")
LIFE = Life(timedelta(hours=12), timedelta(days=7))


@dataclass
class Staff(Mapping[Role, Actor]):
    """A person of each role, in the organization or in one of its teams; each is hired when first asked for."""

    database: Database
    owner: Actor
    team_id: UUID | None = None
    hired: dict[Role, Actor] = field(default_factory=dict)
    _one_at_a_time: RLock = field(default_factory=RLock)

    def __getitem__(self, role: Role) -> Actor:
        with self._one_at_a_time:
            if role not in self.hired:
                self.hired[role] = hire(self.owner, role, self.team_id, database=self.database)
            return self.hired[role]

    def __iter__(self) -> Iterator[Role]:
        return iter(Role)

    def __len__(self) -> int:
        return len(Role)


@dataclass(frozen=True)
class Team:
    """A team and people in it, by role in the team. In the organization they are all viewers."""

    id: UUID
    name: str
    people: Staff


@dataclass
class Company:
    """An organization: `people` by role in it, and two teams."""

    database: Database
    name: str
    owner: Actor

    @property
    def id(self) -> UUID:
        """The organization's."""
        return self.owner.org_id

    @cached_property
    def people(self) -> Staff:
        """A person of each role."""
        return Staff(self.database, self.owner, hired={Role.OWNER: self.owner})

    @property
    def admin(self) -> Actor:
        """The one of that role."""
        return self.people[Role.ADMIN]

    @property
    def operator(self) -> Actor:
        """The one of that role."""
        return self.people[Role.OPERATOR]

    @property
    def viewer(self) -> Actor:
        """The one of that role."""
        return self.people[Role.VIEWER]

    @cached_property
    def red(self) -> Team:
        """A team."""
        return self._team("red")

    @cached_property
    def blue(self) -> Team:
        """Another team."""
        return self._team("blue")

    def whole(self) -> "Company":
        """The same with everybody hired, as an organization that is not to be seen must have something to see."""
        assert all(len([*group.values()]) == len(Role) for group in (self.people, self.red.people, self.blue.people))
        return self

    def _team(self, colour: str) -> Team:
        name = f"{self.name} {colour}"
        with work(self.database, Tenant(self.id, all_teams=True)) as open_work:
            team_id = new_id(open_work.now)
            open_work.session.add(TeamRow(org_id=self.id, id=team_id, name=name, created_at=open_work.now))
        return Team(team_id, name, Staff(self.database, self.owner, team_id))


def found_company(database: Database, name: str) -> Company:
    """Make an organization with an owner; everybody else is hired when first asked for."""
    with work(database, Tenant()) as open_work:
        org_id = new_id(open_work.now)
        open_work.become(Tenant(org_id, all_teams=True))
        open_work.session.add(Organization(id=org_id, name=name, created_at=open_work.now))
        open_work.session.flush()
        directories.enter(open_work)
    return Company(database, name, _person(database, Tenant(org_id, all_teams=True), name, Role.OWNER))


def hire(owner: Actor, role: Role, team_id: UUID | None = None, *, database: Database | None = None) -> Actor:
    """A new person in the owner's organization, signed in; with a team, the role is that in the team."""
    tenant = Tenant(owner.org_id, all_teams=True)
    return _person(database or runtime().database, tenant, owner.organization, role, team_id)


def enter(actor: Actor) -> str:
    """A fresh session of a person: its secret."""
    with work(runtime().database, Tenant(actor.org_id, all_teams=True, email=actor.email, user_id=actor.id)) as open_work:
        return _session(open_work, actor.id, new_id(open_work.now))


def _person(database: Database, tenant: Tenant, organization: str, role: Role, team_id: UUID | None = None) -> Actor:
    """The rows that joining by a link writes (`sign_in.use_link`), and who comes of them (`sign_in.by_session`)."""
    email = f"{role}-{uuid4().hex[:10]}@example.com"
    name = f"{role.title()} {email[:4]}" if role is not Role.OWNER or team_id else f"{organization} Owner"
    with work(database, tenant) as open_work:
        now, user_id, session_id = open_work.now, new_id(open_work.now), new_id(open_work.now)
        in_organization = role if team_id is None else Role.VIEWER
        open_work.become(Tenant(tenant.org_id, all_teams=True, email=email, user_id=user_id))
        place = {"org_id": open_work.org_id, "user_id": user_id, "created_at": now}
        open_work.session.add(User(id=user_id, email=email, name=name, created_at=now))
        open_work.session.flush()
        open_work.session.add(Password(user_id=user_id, hash=_hash_of_password(), changed_at=now))
        open_work.session.add(Membership(**place, role=in_organization))
        if team_id:
            open_work.session.add(TeamMember(**place, team_id=team_id, role=role))
        open_work.session.flush()
        _session(open_work, user_id, session_id)
    return Actor(
        kind=ActorKind.USER,
        id=user_id,
        name=name,
        org_id=place["org_id"],
        role=in_organization,
        teams={team_id: role} if team_id else {},
        session_id=session_id,
        email=email,
        organization=organization,
        request=HERE,
    )


def _session(open_work: Work, user_id: UUID, session_id: UUID) -> str:
    """A session as signing in opens it; its secret."""
    secret = secrets.new_secret()
    sessions.open_session(open_work, Opening(secret, session_id, user_id, HERE.address, HERE.agent), LIFE)
    return secret


@cache
def _hash_of_password() -> str:
    return secrets.hash_password(PASSWORD)
