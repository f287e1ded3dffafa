"""What does the profile page remember?"""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from pydantic import SecretStr

from engine.errors import Invalid
from engine.model.vocabulary import Permission
from engine.operations import profile, sessions
from state.call import actor_of, call, requires, tell
from state.live import watch


@dataclass
class SessionRow:
    """A session as a row."""

    id: str
    agent: str
    address: str
    seen_at: str
    created_at: str
    is_this: bool


@dataclass
class OrganizationRow:
    """An organization of mine as a row."""

    id: str
    name: str
    role: str
    is_this: bool


class ProfileState(rx.State):
    """My account, my sessions, my organizations."""

    loaded: bool = False
    name: str = ""
    email: str = ""
    role: str = ""
    time_zone: str = ""
    instance_admin: bool = False
    version: int = 0
    sessions: list[SessionRow] = []
    organizations: list[OrganizationRow] = []
    faults: dict[str, str] = {}
    round: int = 0

    @rx.event
    @requires(Permission.PROFILE)
    async def refresh(self) -> None:
        """Read my account again."""
        await self._read()

    @rx.event
    @requires(Permission.PROFILE)
    async def change(self, form: dict[str, Any]) -> None:
        """Change my name and time zone."""
        self.faults = {}
        try:
            await call(self, profile.change, form.get("name", ""), form.get("time_zone", ""), self.version)
            await tell(self, "good", "Your account is changed.")
        except Invalid as error:
            self._point_out(error)
        await self._read()

    @rx.event
    @requires(Permission.PROFILE)
    async def change_password(self, form: dict[str, Any]) -> None:
        """Change my password; all my other sessions end."""
        self.faults = {}
        current, password = SecretStr(form.get("current", "")), SecretStr(form.get("password", ""))
        try:
            ended = await call(self, profile.change_password, current, password)
        except Invalid as error:
            self._point_out(error)
            return
        self.round += 1
        await tell(self, "good", f"Your password is changed; {ended} other sessions ended.")
        await self._read()

    @rx.event
    @requires(Permission.PROFILE)
    async def end_session(self, session_id: str) -> None:
        """End one of my sessions."""
        await call(self, sessions.end, [session_id])
        await self._read()

    @rx.event
    @requires(Permission.PROFILE)
    async def end_everywhere(self) -> Any:
        """End all my sessions, this one too."""
        await call(self, sessions.end_everywhere)
        return rx.redirect("/sign-in")

    def _point_out(self, error: Invalid) -> None:
        self.faults = {fault.field: fault.message for fault in error.errors} or {"": str(error)}

    async def _read(self) -> None:
        mine = await call(self, profile.show)
        self.name, self.email, self.role = mine.name, mine.email, str(mine.role)
        self.time_zone, self.instance_admin, self.version = mine.time_zone, mine.instance_admin, mine.version
        found = await call(self, sessions.mine)
        self.sessions = [
            SessionRow(str(s.id), _device(s.agent), s.address, s.seen_at.isoformat(), s.created_at.isoformat(), s.is_this)
            for s in found.items
        ]
        here = str((await actor_of(self)).org_id)
        self.organizations = [OrganizationRow(str(o.id), o.name, str(o.role), str(o.id) == here) for o in mine.organizations]
        self.loaded = True


def _device(agent: str) -> str:
    """Browser and system, as far as the browser says: `Chrome on Linux`."""
    names = {"Edg/": "Edge", "Firefox/": "Firefox", "HeadlessChrome": "Chrome", "Chrome/": "Chrome", "Safari/": "Safari", "curl/": "curl"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS", "Linux": "Linux"}
    browser = next((name for sign, name in names.items() if sign in agent), agent[:40] or "unknown")
    system = next((name for sign, name in systems.items() if sign in agent), "")
    return f"{browser} on {system}" if system else browser


watch("/profile", ProfileState.refresh, "people", "session")
