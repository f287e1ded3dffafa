"""Is every handler guarded, whoever calls it with whatever it names? (scenario S1)

A browser can call any handler by name. Expectations follow from the handler's permission and the table of permissions.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import reflex as rx
from reflex.istate.storage import ClientStorageBase

from engine.identity import permissions
from engine.model.vocabulary import Permission, Role
from engine.operations import callers, people, sessions, tokens
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from state.live import LiveState
from state.toasts import ToastState
from tests.conftest import TestDatabase
from tests.factories import HERE, PASSWORD, Company, Team, enter, found_company
from tests.state.allowed import OF_FRAMEWORK, OPEN_TO_ALL, SETVAR, UNGUARDED
from tests.state.tabs import Handler, Tab, answers, every_handler, every_state, led_to, ours

REFUSED = "Your role does not allow this."
NOWHERE = str(uuid4())
GUARDED = [handler for handler in ours() if handler.permission is not None]
REST = [handler for handler in ours() if handler.permission is None]
# Where an owner is shown something of the organization: without these, seeing nothing would prove nothing.
SHOWS = {
    "AuditState.refresh",
    "PeopleState.refresh",
    "PeopleState.search",
    "ProfileState.refresh",
    "SystemState.refresh_dashboard",
    "TeamState.refresh",
    "TeamsState.refresh",
    "TokensState.refresh",
}


@dataclass(frozen=True)
class Prey:
    """An organization, and the things of it that a handler could be told to show or change."""

    company: Company
    words: frozenset[str]
    targets: dict[str, Any]

    def within(self, shown: dict[str, Any]) -> set[str]:
        """Which of its words are shown."""
        return {word for word in self.words if word in str(list(shown.values()))}


@pytest.fixture(scope="module")
def acme(shared: TestDatabase, scratch: Any) -> Company:
    """An organization for all tests of this file."""
    shared.open_door(scratch)
    return found_company(shared.database, f"Acme {uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def beta(shared: TestDatabase, scratch: Any) -> Company:
    """Another one."""
    shared.open_door(scratch)
    return found_company(shared.database, f"Beta {uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def prey(acme: Company) -> Prey:
    """Everything of Acme that a handler can name."""
    owner, viewer = acme.owner, acme.viewer
    people.invite(owner, f"invited-{uuid4().hex[:8]}@example.com", "viewer")
    tokens.create(owner, f"Token {uuid4().hex[:8]}", "viewer")
    known, team, invitation = people.members(owner).items, acme.blue, people.invitations(owner).items[0]
    token = tokens.all(owner).items[0]
    words = {person.email for person in known} | {acme.name, team.name, acme.red.name, invitation.email, token.name}
    targets = {
        "user": str(viewer.id),
        "team": str(team.id),
        "link": str(invitation.id),
        "token": str(token.id),
        "session": str(sessions.mine(viewer).items[0].id),
    }
    return Prey(acme, frozenset(words), targets)


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

    def __call__(self, record: bool = True) -> str:
        tables = [name for name in self._tables if record or not name.startswith("audit")]
        rows = [f"SELECT (to_jsonb(t) - 'seen_at' - 'used_at')::text AS r FROM {name} t WHERE org_id = %(org)s" for name in tables]
        rows += ["SELECT u::text FROM app_user u JOIN membership m ON m.user_id = u.id AND m.org_id = %(org)s"]
        query = f"SELECT md5(string_agg(r, ',' ORDER BY r)) FROM ({' UNION ALL '.join(rows)}) AS everything"
        row = self._superuser.execute(query, {"org": self._company.id}).fetchone()
        return row[0] if row else ""


@pytest.fixture
def fingerprint(cluster: Embedded, shared: TestDatabase, prey: Prey) -> Iterator[Fingerprint]:
    """What the database holds of Acme."""
    with psycopg.connect(cluster._superuser_url(), dbname=shared.name, autocommit=True) as superuser:
        yield Fingerprint(superuser, prey.company)


def test_a_fingerprint_notices_a_change(prey: Prey, fingerprint: Fingerprint) -> None:
    before = fingerprint(), fingerprint(record=False)
    people.invite(prey.company.owner, f"invited-{uuid4().hex[:8]}@example.com", "viewer")
    assert fingerprint() != before[0]
    assert fingerprint(record=False) != before[1]


@pytest.fixture(autouse=True)
def _open_door(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door is open; a background handler's `async with self` is that of the framework, not of what is tested."""

    async def itself(state: Any) -> Any:
        return state

    async def nothing(*_: object) -> None: ...

    monkeypatch.setattr(LiveState, "__aenter__", itself)
    monkeypatch.setattr(LiveState, "__aexit__", nothing)


def test_every_handler_asks_for_a_permission_or_says_why_not() -> None:
    assert unguarded(ours()) == {*OPEN_TO_ALL, *UNGUARDED}


def test_an_unguarded_handler_is_noticed() -> None:
    async def refresh(self: Any) -> None: ...

    fresh = Handler("FreshState.refresh", ours()[0].state, refresh)
    assert fresh.is_ours
    assert unguarded([*ours(), fresh]) == {*OPEN_TO_ALL, *UNGUARDED, "FreshState.refresh"}


def test_handlers_of_the_framework_are_known_and_harmless() -> None:
    theirs = {handler.name for handler in every_handler() if not handler.is_ours}
    assert {name for name in theirs if not name.endswith(f".{SETVAR}")} == set(OF_FRAMEWORK)


def test_no_handler_is_reachable_beside_those_that_are_registered() -> None:
    walked = {f"{state.__name__}.{name}" for state in every_state() for name in state.event_handlers}
    assert walked == {handler.name for handler in every_handler()}
    assert len(GUARDED) > 35


def test_setvar_finds_nothing_to_set() -> None:
    setters = {f"{state.__name__}.{name}" for state in every_state() for name in dir(state) if name.startswith("set_")}
    assert {name.partition(".")[2] for name in setters} <= {"set_is_hydrated"}


def test_nothing_of_ours_is_kept_in_the_browser() -> None:
    kept = [name for state in every_state() for name, field in state.get_fields().items() if isinstance(field.default, ClientStorageBase)]
    assert kept == []


@pytest.mark.parametrize("handler", GUARDED, ids=lambda handler: handler.name)
def test_somebody_unknown_is_led_to_the_sign_in_page(handler: Handler, prey: Prey, fingerprint: Fingerprint) -> None:
    before = fingerprint()
    for secret in ("", "forged", uuid4().hex):
        done = called(handler, Tab(secret, *at(prey)), prey.targets)
        assert done.led_to.startswith("/sign-in?next=/teams/")
        assert done.changed == set()
    assert fingerprint() == before


@pytest.mark.parametrize("handler", GUARDED, ids=lambda handler: handler.name)
def test_a_role_without_the_permission_is_refused(handler: Handler, prey: Prey, fingerprint: Fingerprint) -> None:
    for role, actor in prey.company.people.items():
        may = permissions.in_organization(role, handler.permission)
        tab = Tab(enter(actor), *at(prey))
        before = fingerprint()
        done = called(handler, tab, dict.fromkeys(prey.targets, NOWHERE) if may else prey.targets)
        assert (REFUSED in done.toasts) is not may, f"{role} may: {may}, and was told {done.toasts}"
        if not may:
            assert done.changed == {"toasts"}
            assert prey.within(tab.shown()) == set()
            assert fingerprint() == before


@pytest.mark.parametrize("handler", GUARDED, ids=lambda handler: handler.name)
def test_the_owner_of_another_organization_reaches_nothing(handler: Handler, prey: Prey, beta: Company, fingerprint: Fingerprint) -> None:
    tab = Tab(enter(beta.owner), *at(prey))
    before = fingerprint()
    done = called(handler, tab, prey.targets)
    assert REFUSED not in done.toasts, "what is refused here is the thing, not the role"
    assert prey.within(tab.shown()) == set()
    assert fingerprint() == before


@pytest.mark.parametrize("handler", GUARDED, ids=lambda handler: handler.name)
def test_the_owner_of_another_team_changes_nothing(handler: Handler, prey: Prey, fingerprint: Fingerprint) -> None:
    if handler.permission not in permissions.IN_TEAM or permissions.in_organization(Role.VIEWER, handler.permission):
        return  # a team role adds nothing to it; the test above has the rest
    red: Team = prey.company.red
    tab = Tab(enter(red.people[Role.OWNER]), *at(prey))
    before = fingerprint(record=False)
    done = called(handler, tab, prey.targets)
    assert done.toasts, "a refusal is said"
    assert fingerprint(record=False) == before, "but for the refusal, which is on the record"


def test_team_permissions_have_been_asked() -> None:
    assert {handler.permission for handler in GUARDED} & set(permissions.IN_TEAM) >= {Permission.MANAGE_TEAM}


@pytest.mark.parametrize("name", sorted(SHOWS))
def test_an_owner_is_shown_the_organization(name: str, prey: Prey) -> None:
    handler = next(handler for handler in GUARDED if handler.name == name)
    tab = Tab(enter(prey.company.owner), *at(prey))
    called(handler, tab, prey.targets)
    assert prey.within(tab.shown()) != set()


@pytest.mark.parametrize("handler", REST, ids=lambda handler: handler.name)
def test_what_is_open_to_all_shows_nothing_of_a_tenant(handler: Handler, prey: Prey, beta: Company, fingerprint: Fingerprint) -> None:
    for secret in ("", "forged", enter(beta.owner)):
        tab = Tab(secret, *at(prey))
        before = fingerprint()
        called(handler, tab, prey.targets)
        assert prey.within(tab.shown()) == set()
        assert fingerprint() == before


@pytest.mark.parametrize("name", ["SessionState.enter", "LiveState.listen"])
def test_a_page_leads_somebody_unknown_to_the_sign_in_page(name: str, prey: Prey) -> None:
    handler = next(handler for handler in REST if handler.name == name)
    done = called(handler, Tab("", *at(prey)), prey.targets)
    assert done.led_to.startswith("/sign-in?next=/teams/")
    assert done.changed == set()


@pytest.mark.parametrize("handler", GUARDED, ids=lambda handler: handler.name)
def test_a_session_that_has_ended_opens_nothing(handler: Handler, prey: Prey) -> None:
    secret = enter(prey.company.owner)
    actor = callers.by_session(HERE, secret)
    sessions.sign_out(actor)
    callers._recent.clear()  # a process that listens forgets it at the notice
    done = called(handler, Tab(secret, *at(prey)), prey.targets)
    assert done.led_to.startswith("/sign-in")
    assert done.changed == set()


# the cookies of a socket, whether the owner's session is found there, why
COOKIES = [
    ("aiops_session={}", True, "ours"),
    ("theme=dark; aiops_session={}; a=b", True, "among others"),
    ('prefs={{"a":1}}; aiops_session={}', True, "a neighbour's cookie that is none by the book does not hide ours"),
    ("a b=c; ; =; aiops_session={}", True, "nor does rubbish"),
    ("__Host-aiops_session={}", False, "without TLS nobody sets that one"),
    ("aiops_csrf={}", False, "another cookie of ours is no session"),
    ("aiops_session=; x={}", False, "empty"),
    ("AIOPS_SESSION={}", False, "names are exact"),
]


@pytest.mark.parametrize(("cookie", "found", "why"), COOKIES)
def test_the_session_is_found_in_the_cookies(prey: Prey, cookie: str, found: bool, why: str) -> None:
    handler = next(handler for handler in GUARDED if handler.name == "PeopleState.refresh")
    done = called(handler, Tab("", *at(prey), cookie=cookie.format(enter(prey.company.owner))), prey.targets)
    assert (done.led_to == "") is found, why


@dataclass(frozen=True)
class Done:
    """What a call did to the tab."""

    led_to: str
    toasts: list[str]
    changed: set[str]


def unguarded(handlers: list[Handler]) -> set[str]:
    """The names of those that ask for no permission."""
    return {handler.name for handler in handlers if handler.permission is None}


def at(prey: Prey) -> tuple[str, str]:
    """The path and route of a page that names something of Acme."""
    return f"/teams/{prey.targets['team']}", "/teams/[team_id]"


def called(handler: Handler, tab: Tab, targets: dict[str, str]) -> Done:
    """Call it as the tab would, with those targets in its arguments and in what the state remembers."""

    async def act() -> Done:
        state = await tab.state(handler.state)
        remember(state, handler, targets)
        before = tab.shown()
        answered = await answers(handler, state, arguments(targets))
        toasts = [toast.words for toast in (await tab.state(ToastState)).toasts]
        return Done(next((path for each in answered if (path := led_to(each))), ""), toasts, tab.changed(before))

    return asyncio.run(act())


def remember(state: rx.State, handler: Handler, targets: dict[str, str]) -> None:
    """What a dialog of the page would have chosen."""
    chosen = {"PeopleState": targets["user"], "TokensState": targets["token"]}.get(handler.state.__name__)
    if chosen:
        state.chosen, state.chosen_name = chosen, "chosen"
    if handler.state.__name__ == "TeamState":
        state.id = targets["team"]
    if handler.state.__name__ == "AuditState":
        state.verifying, state.job = True, targets["link"]


def arguments(targets: dict[str, str]) -> dict[str, Any]:
    """A value for every argument that a handler has. A new name needs one here."""
    form = {
        "name": f"Fresh {uuid4().hex[:8]}",
        "email": f"fresh-{uuid4().hex[:8]}@example.com",
        "role": "viewer",
        "team": targets["team"],
        "user_id": targets["user"],
        "current": PASSWORD,
        "password": "short",
        "days": "",
    }
    return {
        "form": form,
        "words": "",
        "operation": "",
        "outcome": "",
        "role": "viewer",
        "name": "chosen",
        "user_id": targets["user"],
        "link_id": targets["link"],
        "token_id": targets["token"],
        "session_id": targets["session"],
        "trace": "trace",
        "id": 1,
    }
