"""What do the pages of teams remember?"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import people, teams
from state.call import actor_of, call, requires, tell
from state.live import watch
from state.table import TableState
from state.thing import ThingState


@dataclass
class TeamRow:
    """A team as a row."""

    id: str
    name: str
    members: int
    created_at: str


@dataclass
class MemberRow:
    """A person in a team, or to be put into it."""

    user_id: str
    name: str
    email: str
    role: str


class TeamsState(TableState, rx.State):
    """The list of teams."""

    rows: list[TeamRow] = []
    round: int = 0

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the list again."""
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def create(self, form: dict[str, Any]) -> Any:
        """Make a team and go to it."""
        made = await call(self, teams.create, form.get("name", ""))
        self.round += 1
        return rx.redirect(f"/teams/{made.id}")

    async def _read(self) -> None:
        page = await call(self, teams.all, self._paging())
        self.rows = [TeamRow(str(t.id), t.name, t.members, t.created_at.isoformat()) for t in page.items]
        self._took(page, "team")


class TeamState(ThingState, rx.State):
    """One team."""

    id: str = ""
    name: str = ""
    version: int = 0
    may_manage: bool = False
    may_delete: bool = False
    members: list[MemberRow] = []
    others: list[MemberRow] = []
    round: int = 0

    @rx.event
    @requires(Permission.MANAGE_TEAM)
    async def rename(self, form: dict[str, Any]) -> None:
        """Give the team another name."""
        await call(self, teams.rename, self.id, form.get("name", ""), self.version)
        self.round += 1
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def delete(self) -> Any:
        """Delete the team and go back to the list."""
        self.round += 1
        await call(self, teams.delete, self.id)
        await tell(self, "good", f"The team {self.name} is deleted.")
        return rx.redirect("/teams")

    @rx.event
    @requires(Permission.MANAGE_TEAM)
    async def add(self, form: dict[str, Any]) -> None:
        """Put a person into the team."""
        await call(self, teams.set_member, self.id, form.get("user_id", ""), form.get("role", ""))
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_TEAM)
    async def change_role(self, user_id: str, role: str) -> None:
        """Give a member another role in the team."""
        await call(self, teams.set_member, self.id, user_id, role)
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_TEAM)
    async def remove(self, user_id: str) -> None:
        """Take a person out of the team."""
        await call(self, teams.remove_member, self.id, user_id)
        await self._read()

    async def _read(self) -> None:
        self.id = self._named()
        team = await call(self, teams.show, self.id)
        self.name, self.version = team.name, team.version
        actor = await actor_of(self)
        self.may_manage = actor.may(Permission.MANAGE_TEAM, team.id)
        self.may_delete = actor.may(Permission.MANAGE_PEOPLE)
        found = await call(self, teams.members, self.id, Paging(limit=100))
        self.members = [MemberRow(str(m.user_id), m.name, m.email, str(m.role)) for m in found.items]
        inside = {member.user_id for member in self.members}
        known = await call(self, people.members, "", Paging(limit=200))
        self.others = [MemberRow(str(p.id), p.name, p.email, "") for p in known.items if str(p.id) not in inside]


watch("/teams", TeamsState.refresh, "people")
watch("/teams/[team_id]", TeamState.refresh, "people")
