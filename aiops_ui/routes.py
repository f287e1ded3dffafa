"""Which pages are there? Every route with its page, title, permission and what it does when it opens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from aiops_ui.layout import refused
from aiops_ui.pages import audit, dashboard, join, people, profile, setup, sign_in, system, team, teams, tokens
from engine.model.vocabulary import Permission
from state.front import FrontState
from state.live import LiveState
from state.session import SessionState


@dataclass(frozen=True)
class Route:
    """One page. Without a permission, anybody may open it."""

    path: str
    page: Callable[[], rx.Component]
    title: str
    permission: Permission | None
    on_load: tuple[Any, ...]
    icon: str = ""

    def component(self) -> rx.Component:
        """The page, or a word for who may not see it. What keeps the data from them is the guard of its handlers."""
        if self.permission is None:
            return self.page()
        may = SessionState.permissions.contains(str(self.permission)) | (SessionState.name == "")
        return rx.cond(may, self.page(), refused(self.title))


_LIVE = (SessionState.enter, LiveState.listen)
DASHBOARD = Route("/", dashboard.page, "Dashboard", Permission.VIEW, _LIVE, "gauge")
PEOPLE = Route("/people", people.page, "People", Permission.VIEW, _LIVE, "users")
TEAMS = Route("/teams", teams.page, "Teams", Permission.VIEW, _LIVE, "network")
TEAM = Route("/teams/[team_id]", team.page, "Team", Permission.VIEW, _LIVE)
TOKENS = Route("/tokens", tokens.page, "API tokens", Permission.MANAGE_TOKENS, _LIVE, "key-round")
AUDIT = Route("/audit", audit.page, "Audit", Permission.VIEW_AUDIT, _LIVE, "scroll-text")
SYSTEM = Route("/system", system.page, "System", Permission.VIEW, _LIVE, "heart-pulse")
PROFILE = Route("/profile", profile.page, "Profile", Permission.PROFILE, _LIVE)

ROUTES = (
    *(DASHBOARD, PEOPLE, TEAMS, TEAM, TOKENS, AUDIT, SYSTEM, PROFILE),
    Route("/sign-in", sign_in.page, "Sign in", None, (FrontState.open_sign_in,)),
    Route("/setup", setup.page, "Set up", None, (FrontState.open_set_up,)),
    Route("/join", join.page, "Join", None, (FrontState.open_join,)),
)
NAVIGATION = (("", (DASHBOARD,)), ("Run", (PEOPLE, TEAMS, TOKENS, AUDIT, SYSTEM)))
