"""Which pages are there? Every route with its page, title, permission and what it does when it opens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from aiops_ui.layout import refused
from aiops_ui.pages import (
    alert,
    alerts,
    audit,
    dashboard,
    enrichment,
    imports,
    incident,
    incidents,
    inhibitions,
    join,
    new_source,
    people,
    profile,
    quarantine,
    rule,
    rules,
    settings,
    setup,
    sign_in,
    silences,
    source,
    sources,
    system,
    team,
    teams,
    tokens,
)
from engine.model.vocabulary import Permission
from state.alert import AlertState
from state.alerts import AlertsState
from state.enrichment import ExtractionState, InhibitionState, MappingState
from state.front import FrontState
from state.imports import ImportsState
from state.incident import IncidentState
from state.incidents import IncidentsState
from state.live import LiveState
from state.overview import OverviewState
from state.rule import RuleState
from state.session import SessionState
from state.silence import SilenceState
from state.silences import CalendarState
from state.source import SourceState
from state.sources import NewSourceState


@dataclass(frozen=True)
class Route:
    """One page. Without a permission, anybody may open it."""

    path: str
    page: Callable[[], rx.Component]
    title: str
    permission: Permission | None
    on_load: tuple[Any, ...]
    icon: str = ""
    key: str = ""  # pressed after g
    family: tuple[str, ...] = ()  # where else its place in the sidebar is the one that is shown

    def component(self) -> rx.Component:
        """The page, or a word for who may not see it. What keeps the data from them is the guard of its handlers."""
        if self.permission is None:
            return self.page()
        may = SessionState.permissions.contains(str(self.permission)) | (SessionState.name == "")
        return rx.cond(may, self.page(), refused(self.title))


def _live(*arrive: Any) -> tuple[Any, ...]:
    return (SessionState.enter, *arrive, LiveState.listen)


_VIEW = Permission.VIEW
DASHBOARD = Route("/", dashboard.page, "Dashboard", _VIEW, _live(OverviewState.arrive), "gauge", "d")
INCIDENTS = Route("/incidents", incidents.page, "Incidents", _VIEW, _live(IncidentsState.arrive), "siren", "i")
ALERTS = Route("/alerts", alerts.page, "Alerts", _VIEW, _live(AlertsState.arrive), "bell", "a")
SOURCES = Route("/sources", sources.page, "Sources", _VIEW, _live(), "plug", "o")
_RULED = ("/enrichment", "/extractions", "/mappings", "/imports")
RULES = Route("/rules", rules.page, "Rules", _VIEW, _live(), "list-checks", "u", _RULED)
SILENCES = Route("/silences", silences.page, "Silences", _VIEW, _live(), "bell-off", "s", ("/inhibitions",))
QUARANTINE = Route("/quarantine", quarantine.page, "Quarantine", _VIEW, _live(), "shield-alert", "q")
SETTINGS = Route("/settings", settings.page, "Settings", _VIEW, _live(), "settings", ",")
PEOPLE = Route("/people", people.page, "People", _VIEW, _live(), "users")
TEAMS = Route("/teams", teams.page, "Teams", _VIEW, _live(), "network")
TOKENS = Route("/tokens", tokens.page, "API tokens", Permission.MANAGE_TOKENS, _live(), "key-round")
AUDIT = Route("/audit", audit.page, "Audit", Permission.VIEW_AUDIT, _live(), "scroll-text")
SYSTEM = Route("/system", system.page, "System", _VIEW, _live(), "heart-pulse")

ROUTES = (
    *(DASHBOARD, INCIDENTS, ALERTS, SILENCES, SOURCES, RULES, QUARANTINE, SETTINGS, PEOPLE, TEAMS, TOKENS, AUDIT, SYSTEM),
    Route("/incidents/[incident_number]", incident.page, "Incident", _VIEW, _live(IncidentState.arrive)),
    Route("/alerts/[alert_id]", alert.page, "Alert", _VIEW, _live(AlertState.arrive)),
    Route("/sources/new", new_source.page, "Add a source", Permission.CONFIGURE, _live(NewSourceState.arrive)),
    Route("/sources/[source_id]", source.page, "Source", _VIEW, _live(SourceState.arrive)),
    Route("/rules/[rule_id]", rule.page, "Rule", _VIEW, _live(RuleState.arrive)),
    Route("/enrichment", enrichment.page, "Enrichment", _VIEW, _live()),
    Route("/extractions/[extraction_id]", enrichment.extraction, "Extraction", _VIEW, _live(ExtractionState.arrive)),
    Route("/mappings/[mapping_id]", enrichment.mapping, "Table", _VIEW, _live(MappingState.arrive)),
    Route("/imports", imports.page, "Imports", Permission.CONFIGURE, _live(ImportsState.arrive)),
    Route("/silences/calendar", silences.calendar, "Calendar of silences", _VIEW, _live(CalendarState.arrive)),
    Route("/silences/[silence_id]", silences.silence, "Silence", _VIEW, _live(SilenceState.arrive)),
    Route("/inhibitions", inhibitions.page, "Inhibition", _VIEW, _live()),
    Route("/inhibitions/[inhibition_id]", inhibitions.inhibition, "Inhibition", _VIEW, _live(InhibitionState.arrive)),
    Route("/teams/[team_id]", team.page, "Team", _VIEW, _live()),
    Route("/profile", profile.page, "Profile", Permission.PROFILE, _live()),
    Route("/sign-in", sign_in.page, "Sign in", None, (FrontState.open_sign_in,)),
    Route("/setup", setup.page, "Set up", None, (FrontState.open_set_up,)),
    Route("/join", join.page, "Join", None, (FrontState.open_join,)),
)
NAVIGATION = (
    ("", (DASHBOARD, INCIDENTS, ALERTS, SILENCES)),
    ("Run", (SOURCES, RULES, QUARANTINE, SETTINGS)),
    ("Organization", (PEOPLE, TEAMS, SYSTEM, TOKENS, AUDIT)),
)
