"""Which teams are there, and who is in them?"""

from uuid import UUID

from engine.errors import Conflict, NotFound, Stale
from engine.model.ids import new_id
from engine.model.people import Team, TeamMember, TeamMemberView, TeamView
from engine.model.views import Page, Paging
from engine.model.vocabulary import Permission, Role
from engine.operations.door import Context, operation
from engine.operations.words import Name
from engine.storage import definitions, people, sources


@operation("teams.all", Permission.VIEW, reads=True)
def all(ctx: Context, page: Paging = Paging()) -> Page[TeamView]:
    """List the teams of the organization."""
    return people.teams(ctx.work, page)


@operation("teams.show", Permission.VIEW, reads=True)
def show(ctx: Context, team_id: UUID) -> TeamView:
    """Show one team."""
    return _view(ctx, _team(ctx, team_id))


@operation("teams.create", Permission.MANAGE_PEOPLE)
def create(ctx: Context, name: Name) -> TeamView:
    """Make a team. Raises Conflict when the name is taken."""
    _require_free(ctx, name)
    team = Team(org_id=ctx.actor.org_id, id=new_id(ctx.work.now), name=name, created_at=ctx.work.now)
    ctx.work.session.add(team)
    ctx.note(name)
    ctx.work.touch("people", team.id)
    return TeamView(team.id, team.name, 0, team.created_at, team.version)


@operation("teams.rename", Permission.MANAGE_TEAM, team="team_id")
def rename(ctx: Context, team_id: UUID, name: Name, version: int | None = None) -> TeamView:
    """Give a team another name. Raises Conflict when it is taken."""
    team = _team(ctx, team_id, lock=True)
    if version is not None and version != team.version:
        raise Stale("This team was changed meanwhile. Load it again and repeat your change.")
    if team.name.lower() != name.lower():
        _require_free(ctx, name)
    ctx.note(name, before=team.name)
    team.name, team.version = name, team.version + 1
    ctx.work.session.add(team)
    ctx.work.touch("people", team_id)
    return _view(ctx, team)


@operation("teams.delete", Permission.MANAGE_PEOPLE)
def delete(ctx: Context, team_id: UUID) -> None:
    """Delete a team; what belongs to it must belong to another one, or to nobody, before."""
    team = _team(ctx, team_id, lock=True)
    if named := sources.of_team(ctx.work, team_id):
        raise Conflict(f"These sources belong to “{team.name}”: {', '.join(named)}. Delete them first, or make them anew for another team.")
    if named := definitions.of_team(ctx.work, team_id):
        raise Conflict(f"These rules and silences belong to “{team.name}”: {', '.join(named)}. Delete or end them first.")
    definitions.forget_team(ctx.work, team_id)
    ctx.note(team.name)
    ctx.work.session.delete(team)
    ctx.work.touch("people", team_id)


@operation("teams.members", Permission.VIEW, reads=True)
def members(ctx: Context, team_id: UUID, page: Paging = Paging()) -> Page[TeamMemberView]:
    """List the members of a team."""
    _team(ctx, team_id)
    return people.team_members(ctx.work, team_id, page)


@operation("teams.set_member", Permission.MANAGE_TEAM, team="team_id")
def set_member(ctx: Context, team_id: UUID, user_id: UUID, role: Role) -> None:
    """Put a person of the organization into a team, or change the role there."""
    team, found = _team(ctx, team_id), people.membership(ctx.work, user_id)
    if found is None:
        raise NotFound("There is no such person in this organization.")
    place = ctx.work.session.get(TeamMember, (ctx.actor.org_id, team_id, user_id))
    if place is None:
        who = {"org_id": ctx.actor.org_id, "team_id": team_id, "user_id": user_id}
        place = TeamMember(**who, role=role, created_at=ctx.work.now)
    place.role = role
    ctx.work.session.add(place)
    ctx.note(team.name, person=found[1].name)
    ctx.work.touch("people", user_id)


@operation("teams.remove_member", Permission.MANAGE_TEAM, team="team_id")
def remove_member(ctx: Context, team_id: UUID, user_id: UUID) -> None:
    """Take a person out of a team."""
    team = _team(ctx, team_id)
    place = ctx.work.session.get(TeamMember, (ctx.actor.org_id, team_id, user_id))
    if place is None:
        raise NotFound("This person is not in the team.")
    ctx.note(team.name)
    ctx.work.session.delete(place)
    ctx.work.touch("people", user_id)


def _team(ctx: Context, team_id: UUID, lock: bool = False) -> Team:
    team = people.team(ctx.work, team_id, lock)
    if team is None:
        raise NotFound("There is no such team.")
    return team


def _view(ctx: Context, team: Team) -> TeamView:
    count = people.team_members(ctx.work, team.id, Paging(limit=1)).total
    return TeamView(team.id, team.name, count, team.created_at, team.version)


def _require_free(ctx: Context, name: str) -> None:
    if people.team_named(ctx.work, name):
        raise Conflict(f"There is a team called “{name}” already. Choose another name.")
