"""What of an organization could a handler be told to show or change, and how is a handler called as a tab would?"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import reflex as rx

from engine.integrations.sources import KINDS
from engine.model.vocabulary import ListPage, Permission
from engine.operations import people, quarantine, saved_views, sessions, tokens
from engine.storage.database import Database
from state.incident_rows import Head
from state.lists import ListState
from state.people import TeamChoice
from state.sources import KindRow
from state.toasts import ToastState
from tests.state.allowed import ASKED_BY_OPERATION
from tests.state.decided import FORM, PAGES, RULES_FILE, found_decided, remembered
from tests.state.tabs import Handler, Tab, answers, downloaded, led_to
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import PASSWORD, Company

_ON_INCIDENTS = ("acknowledge", "resolve", "reopen", "assign:me", "merge")
# What is done by one handler and asked by its first argument: each is a call of its own.
ACTS = {
    "IncidentsState.act": _ON_INCIDENTS,
    "IncidentState.act": (*_ON_INCIDENTS[:-1], "split"),
    "AlertsState.act": ("acknowledge", "resolve", "delete"),
    "AlertState.act": ("acknowledge", "resolve", "delete"),
    "QuarantinePageState.act": ("replay", "discard"),
}


@dataclass(frozen=True)
class Call:
    """A call of a handler; of one that does several things, with the name of the one."""

    handler: Handler
    act: str = ""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"{self.handler.name} {self.act}".strip()

    @property
    def needs(self) -> Permission | None:
        """What must be allowed for it to be done: what its handler asks, or more, where the operation behind it asks more."""
        return ASKED_BY_OPERATION.get(self.name, self.handler.permission)


def calls(handlers: Iterable[Handler]) -> list[Call]:
    """Every call there is of these handlers."""
    return [Call(handler, act) for handler in handlers for act in ACTS.get(handler.name, ("",))]


@dataclass(frozen=True)
class Prey:
    """An organization, and the things of it that a handler could be told to show or change."""

    company: Company
    words: frozenset[str]
    targets: dict[str, str]

    def within(self, *shown: object) -> set[str]:
        """Which of its words are shown."""
        said = str(shown)
        return {word for word in self.words if word in said}


def found_prey(database: Database, company: Company) -> Prey:
    """Everything of the company that a handler can name; what came from a sender is its blue team's."""
    owner, viewer = company.owner, company.viewer
    people.invite(owner, f"invited-{uuid4().hex[:8]}@example.com", "viewer")
    tokens.create(owner, f"Token {uuid4().hex[:8]}", "viewer")
    known, team, invitation = people.members(owner).items, company.blue, people.invitations(owner).items[0]
    token, view = tokens.all(owner).items[0], saved_views.save(viewer, ListPage.INCIDENTS, f"View {uuid4().hex[:8]}", "state=all")
    words = {person.email for person in known} | {company.name, team.name, company.red.name, invitation.email, token.name, view.name}
    targets = {
        "user": str(viewer.id),
        "team": str(team.id),
        "link": str(invitation.id),
        "token": str(token.id),
        "session": str(sessions.mine(viewer).items[0].id),
        "view": str(view.id),
    }
    heard, told = _heard(Deliveries(database, company), team.id)
    decided, known_by = found_decided(company)
    return Prey(company, frozenset(words | heard | decided), targets | told | known_by)


def _heard(line: Deliveries, team_id: UUID) -> tuple[set[str], dict[str, str]]:
    """What came from a sender: its words, and what can be named of it."""
    source, services = line.source(team_id=team_id), [f"prey-{uuid4().hex[:8]}" for _ in range(2)]
    line.deliver(source, *(alert(f"Down {service}", service=service) for service in services))
    body = f"{{ not-understood-{uuid4().hex[:8]}"
    entry = line.put_aside(source, body.encode(), f"no JSON: {body}")
    first, second = (line.incident_of(f"Down {service}") for service in services)
    told = {
        "source": str(source.id),
        "alert": str(line.alert(f"Down {services[0]}").id),
        "incident": str(first.id),
        "number": str(first.number),
        "other": str(second.id),
        "service": services[0],
        "entry": str(entry),
    }
    assert quarantine.show(line.company.owner, entry).body == body
    return {*services, source.name, source.credentials[0].hint, source.public_id, body}, told


# Where it is kept what was done and what was refused.
_RECORD = ("audit", "refusal_count")


class Fingerprint:
    """What the database holds of an organization, past every policy; not when somebody was seen, nor the record if so asked."""

    def __init__(self, superuser: psycopg.Connection, company: Company) -> None:
        self._superuser, self._company = superuser, company
        found = superuser.execute(
            "SELECT DISTINCT c.table_name FROM information_schema.columns c JOIN pg_class p ON p.relname = c.table_name "
            "WHERE c.table_schema = 'public' AND c.column_name = 'org_id' AND NOT p.relispartition ORDER BY 1"
        )
        self._tables = [row[0] for row in found.fetchall()]
        assert {"membership", "team", "team_member", "api_token", "audit"} <= set(self._tables)
        assert {"incident", "incident_alert", "alert", "source", "source_credential", "quarantine", "saved_view"} <= set(self._tables)

    def __call__(self, record: bool = True) -> str:
        tables = [name for name in self._tables if record or not name.startswith(_RECORD)]
        rows = [f"SELECT (to_jsonb(t) - 'seen_at' - 'used_at')::text AS r FROM {name} t WHERE org_id = %(org)s" for name in tables]
        rows += ["SELECT u::text FROM app_user u JOIN membership m ON m.user_id = u.id AND m.org_id = %(org)s"]
        query = f"SELECT md5(string_agg(r, ',' ORDER BY r)) FROM ({' UNION ALL '.join(rows)}) AS everything"
        row = self._superuser.execute(query, {"org": self._company.id}).fetchone()
        return row[0] if row else ""


@dataclass(frozen=True)
class Done:
    """What a call did to the tab."""

    led_to: str
    toasts: list[str]
    changed: set[str]
    answered: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def at(targets: dict[str, str], state: type[rx.State] | None = None) -> tuple[str, str]:
    """The path and route of a page of that state, naming what it is told to show; without one, of a team."""
    pages = {
        "IncidentState": (f"/incidents/{targets['number']}", "/incidents/[incident_number]"),
        "AlertState": (f"/alerts/{targets['alert']}", "/alerts/[alert_id]"),
        "SourceState": (f"/sources/{targets['source']}", "/sources/[source_id]"),
        "IncidentsState": ("/incidents?severity=critical", "/incidents"),
        "AlertsState": (f"/alerts?source_id={targets['source']}", "/alerts"),
        "NewSourceState": ("/sources/new?kind=generic", "/sources/new"),
        "OverviewState": (f"/?team={targets['team']}", "/index"),
        "CalendarState": ("/silences/calendar", "/silences/calendar"),
    }
    pages |= {name: (f"/{place}/{targets[kind]}", f"/{place}/[{kind}_id]") for name, (kind, place) in PAGES.items()}
    pages["RuleState"] = (f"{pages['RuleState'][0]}?alert={targets['alert']}", pages["RuleState"][1])
    return pages.get(state.__name__ if state else "", (f"/teams/{targets['team']}", "/teams/[team_id]"))


def sign_in_from(path: str) -> str:
    """Where somebody unknown is led from a page."""
    path = path.partition("?")[0]
    return "/sign-in" if path == "/" else f"/sign-in?next={quote(path)}"


def called(call: Call, tab: Tab, targets: dict[str, str]) -> Done:
    """Call it as the tab would, with those targets in its arguments and in what the state remembers."""

    async def act() -> Done:
        state = await tab.state(call.handler.state)
        remember(state, targets)
        before = tab.shown()
        answered = await answers(call.handler, state, arguments(call, targets))
        toasts = [toast.words for toast in (await tab.state(ToastState)).toasts]
        said = [words for words in (getattr(state, "fault", ""), *getattr(state, "faults", {})) if words]
        path = next((path for each in answered if (path := led_to(each))), "")
        taken = [downloaded(each) for each in answered]
        return Done(path, toasts, tab.changed(before), [*answered, *taken], toasts + said)

    return asyncio.run(act())


_GENERIC = KINDS["generic"]
_SCHEMA = _GENERIC.settings.model_json_schema()


def remember(state: Any, targets: dict[str, str]) -> None:
    """What the page would have read before, or a dialog of it chosen."""
    known: dict[str, dict[str, Any]] = remembered(targets) | {
        "PeopleState": {"chosen": targets["user"], "chosen_name": "chosen"},
        "TokensState": {"chosen": targets["token"], "chosen_name": "chosen"},
        "TeamState": {"id": targets["team"]},
        "AuditState": {"verifying": True, "job": targets["link"]},
        "IncidentState": {"head": Head(id=targets["incident"])},
        "SourceState": {"id": targets["source"], "_schema": _SCHEMA},
        "OverviewState": {"team_choices": [TeamChoice(targets["team"], "chosen")]},
        "NewSourceState": {
            "kind": "generic",
            "kinds": [KindRow("generic", _GENERIC.title, _GENERIC.about)],
            "_schemas": {"generic": _SCHEMA},
            "_samples": {"generic": _GENERIC.sample},
        },
    }
    if isinstance(state, ListState):
        shown = targets["alert"] if state.LIST is ListPage.ALERTS else targets["incident"]
        known[type(state).__name__] = {"_shown": {str(shown): 0}, "_reading": True, "loaded": True}
    for name, value in known.get(type(state).__name__, {}).items():
        setattr(state, name, value)


# What a handler is given in place of the usual.
_GIVEN: dict[str, dict[str, Any]] = {
    "FrameState.look_up": {"words": "service"},
    "OverviewState.only_team": {"team": "team"},
    "IncidentsState.narrow": {"name": "*severity", "value": "*critical"},
    "AlertsState.narrow": {"name": "*source_id", "value": "source"},
    "AlertState.silence": {"hours": 2},
    "RulesState.move": {"id": "rule"},
    "RulesState.step": {"id": "rule", "by": 1},
    "RulesState.switch": {"id": "rule"},
    "SilencesState.extend": {"id": "silence", "hours": 2},
    "SilencesState.end": {"id": "silence"},
    "CalendarState.turn": {"by": 0},
}


def arguments(call: Call, targets: dict[str, str]) -> dict[str, Any]:
    """A value for every argument that a handler has. A new name needs one here."""
    ids = {
        "IncidentsState": [targets["incident"], targets["other"]],
        "QuarantinePageState": [targets["entry"]],
    }.get(call.handler.state.__name__, [targets["alert"]])
    plain = {"words": "", "operation": "", "outcome": "", "role": "viewer", "trace": "trace", "id": 1, "path": "/people"}
    plain |= {"reading": False, "by": "severity", "which": "people", "hours": "6", "kind": "generic", "auth": "address", "state": "waiting"}
    plain |= {"view": "week", "before": "", "to": 1, "on": True}
    named = {f"{name}_id": targets[name] for name in ("user", "link", "token", "session", "view", "entry")}
    given: dict[str, Any] = plain | named | {"ids": ids, "name": call.act or "chosen", "value": "x", "team": targets["team"]}
    given["form"] = _form(targets)
    given |= {"IncidentState.export": {"form": "json"}, "ImportsState.look": {"form": given["form"] | {"text": RULES_FILE}}}.get(
        call.handler.name, {}
    )
    return given | {name: _said(value, targets) for name, value in _GIVEN.get(call.handler.name, {}).items()}


def _said(value: Any, targets: dict[str, str]) -> Any:
    """What is given: the thing that is so called, or after a star the word itself."""
    if not isinstance(value, str):
        return value
    return value[1:] if value.startswith("*") else targets[value]


def _form(targets: dict[str, str]) -> dict[str, str]:
    """What could be in any form of ours."""
    fresh = uuid4().hex[:8]
    own = {"name": f"Fresh {fresh}", "email": f"fresh-{fresh}@example.com", "role": "viewer", "title": "Fresh", "text": "Fresh"}
    secret = {"current": PASSWORD, "password": "short", "days": "", "hours": ""}
    incident = {"cause": "Fresh", "resolution": "Fresh", "severity": "info", "status": "", "sample": "{}"}
    return own | secret | incident | FORM | {name: targets[name] for name in ("team", "number", "alert")} | {"user_id": targets["user"]}
