"""Who is asking, and what may they do?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from engine.identity import permissions
from engine.model.vocabulary import ActorKind, Permission, Role


@dataclass(frozen=True)
class Request:
    """Where an act came from. `idempotency_key` makes it happen once, however often it is sent."""

    trace_id: str = ""
    address: str = ""
    agent: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Actor:
    """A person, a token or a part of ourselves, acting in one organization.

    `role` is that in the organization; `teams` are roles in teams; `scopes` cut a token down (None: not cut).
    """

    kind: ActorKind
    id: UUID
    name: str
    org_id: UUID
    role: Role | None
    teams: Mapping[UUID, Role] = field(default_factory=dict)
    instance_admin: bool = False
    scopes: frozenset[Permission] | None = None
    session_id: UUID | None = None
    email: str = ""
    time_zone: str = ""
    organization: str = ""
    request: Request = Request()

    @property
    def sees_all_teams(self) -> bool:
        """Whether rows of every team are this actor's to see."""
        return self.role is not None and self.role.rank >= permissions.SEES_ALL_TEAMS.rank

    def may(self, permission: Permission, team_id: UUID | None = None) -> bool:
        """Whether this actor may do that on a thing of that team; None is a thing of the whole organization."""
        if self.scopes is not None and permission not in self.scopes:
            return False
        if permission is Permission.INSTANCE:
            return self.instance_admin
        if permission is Permission.PROFILE and self.kind is not ActorKind.USER:
            return False
        foreign = team_id is not None and team_id not in self.teams and not self.sees_all_teams
        if foreign:
            return False
        if permissions.in_organization(self.role, permission):
            return True
        return team_id is not None and permissions.in_team(self.teams.get(team_id), permission)

    def on(self, request: Request) -> "Actor":
        """The same actor, in another request."""
        return replace(self, request=request)
