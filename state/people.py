"""What does the people page remember? People, their roles, and invitations that are open."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from engine.model.people import UserView
from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import people, teams
from state.call import actor_of, call, may, requires, tell
from state.live import watch
from state.table import TableState


@dataclass
class PersonRow:
    """A person as a row."""

    id: str
    name: str
    email: str
    role: str
    teams: str
    seen_at: str
    version: int


@dataclass
class InvitationRow:
    """An open invitation as a row."""

    id: str
    email: str
    role: str
    by: str
    expires_at: str


@dataclass
class TeamChoice:
    """A team to choose."""

    id: str
    name: str


class PeopleState(TableState, rx.State):
    """The people page."""

    rows: list[PersonRow] = []
    invitations: list[InvitationRow] = []
    team_choices: list[TeamChoice] = []
    link: str = ""
    link_for: str = ""
    chosen: str = ""
    chosen_name: str = ""
    round: int = 0

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the page's rows again."""
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def search(self, words: str) -> None:
        """Look for words in names and addresses."""
        self._look_for(words)
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def invite(self, form: dict[str, Any]) -> None:
        """Make a one-time link for a person to join; it is shown once."""
        team = UUID(form["team"]) if form.get("team") else None
        made = await call(self, people.invite, form.get("email", ""), form.get("role", ""), team)
        self.link, self.link_for = made.url.get_secret_value(), made.email
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def reset_password(self, user_id: str, name: str) -> None:
        """Make a one-time link for a person to set a new password; it is shown once."""
        made = await call(self, people.password_link, user_id)
        self.link, self.link_for = made.url.get_secret_value(), name

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def forget_link(self) -> None:
        """Take the link off the page."""
        self.link = self.link_for = ""

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def change_role(self, user_id: str, role: str) -> None:
        """Give a person another role; what is refused is put back."""
        version = next((row.version for row in self.rows if row.id == user_id), None)
        try:
            await call(self, people.change_role, user_id, role, version)
        finally:
            await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def choose(self, user_id: str, name: str) -> None:
        """Name the person whom the dialog is about."""
        self.chosen, self.chosen_name = user_id, name

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def remove(self) -> None:
        """Take the chosen person out of the organization."""
        self.round += 1
        await call(self, people.remove, self.chosen)
        await tell(self, "good", f"{self.chosen_name} is no longer in the organization.")
        await self._read()

    @rx.event
    @requires(Permission.MANAGE_PEOPLE)
    async def withdraw(self, link_id: str) -> None:
        """Make an open invitation useless."""
        await call(self, people.withdraw, link_id)
        await self._read()

    async def _read(self) -> None:
        page = await call(self, people.members, self.words, self._paging())
        self.rows = [_row(person) for person in page.items]
        self._took(page, "person")
        if not may(await actor_of(self), Permission.MANAGE_PEOPLE):
            return
        found = await call(self, people.invitations)
        self.invitations = [InvitationRow(str(i.id), i.email, str(i.role), i.created_by, i.expires_at.isoformat()) for i in found.items]
        known = await call(self, teams.all, Paging(limit=200))
        self.team_choices = [TeamChoice(str(team.id), team.name) for team in known.items]


def _row(person: UserView) -> PersonRow:
    seen = person.seen_at.isoformat() if person.seen_at else ""
    return PersonRow(str(person.id), person.name, person.email, str(person.role), ", ".join(person.teams), seen, person.version)


watch("/people", PeopleState.refresh, "people", "session")
