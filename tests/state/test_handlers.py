"""Is every handler guarded, whoever calls it with whatever it names? (scenario S1)

A browser can call any handler by name. Expectations follow from the handler's permission and the table of permissions.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from reflex.istate.storage import ClientStorageBase

from engine.identity import permissions
from engine.model.vocabulary import Permission, Role
from engine.operations import callers, people, sessions
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from state.live import LiveState
from tests.state.allowed import ABOUT_NO_TEAM, ASKED_BY_OPERATION, OF_FRAMEWORK, OPEN_TO_ALL, SETVAR, UNGUARDED
from tests.state.prey import ACTS, Call, Fingerprint, Prey, at, called, calls, found_prey, sign_in_from
from tests.state.showing import SHOWS
from tests.state.tabs import Handler, Tab, every_handler, every_state, ours
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, Company, Team, enter, found_company

REFUSED = "Your role does not allow this."
REFUSED_BY_OPERATION = "Your role does not allow this (it needs the permission"
NOWHERE = str(uuid4())
GUARDED = calls(handler for handler in ours() if handler.permission is not None)
REST = calls(handler for handler in ours() if handler.permission is None)


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
def prey(acme: Company, shared: TestDatabase) -> Prey:
    """Everything of Acme that a handler can name."""
    return found_prey(shared.database, acme)


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
    assert len(GUARDED) > 120


def test_setvar_finds_nothing_to_set() -> None:
    setters = {f"{state.__name__}.{name}" for state in every_state() for name in dir(state) if name.startswith("set_")}
    assert {name.partition(".")[2] for name in setters} <= {"set_is_hydrated"}


def test_nothing_of_ours_is_kept_in_the_browser() -> None:
    kept = [name for state in every_state() for name, field in state.get_fields().items() if isinstance(field.default, ClientStorageBase)]
    assert kept == []


guarded = pytest.mark.parametrize("call", GUARDED, ids=lambda call: call.name)


@guarded
def test_somebody_unknown_is_led_to_the_sign_in_page(call: Call, prey: Prey, fingerprint: Fingerprint) -> None:
    before = fingerprint()
    page = at(prey.targets, call.handler.state)
    for secret in ("", "forged", uuid4().hex):
        done = called(call, Tab(secret, *page), prey.targets)
        assert done.led_to == sign_in_from(page[0])
        assert done.changed == set()
    assert fingerprint() == before


@guarded
def test_a_role_without_the_permission_is_refused(call: Call, prey: Prey, fingerprint: Fingerprint) -> None:
    tabs = {role: Tab(enter(actor), *at(prey.targets, call.handler.state)) for role, actor in prey.company.people.items()}
    may = [role for role in tabs if permissions.in_organization(role, call.handler.permission)]
    before = fingerprint()
    for role in tabs.keys() - may:
        done = called(call, tabs[role], prey.targets)
        assert REFUSED in done.toasts, f"{role} may not, and was told {done.toasts}"
        assert done.changed == {"toasts"}
        assert prey.within(tabs[role].shown(), done.answered) == set()
    assert fingerprint() == before
    for role in may:
        done = called(call, tabs[role], dict.fromkeys(prey.targets, NOWHERE))
        assert REFUSED not in done.toasts, f"{role} may, and was told {done.toasts}"


@pytest.mark.parametrize("call", [call for call in GUARDED if call.name in ASKED_BY_OPERATION], ids=lambda call: call.name)
def test_what_only_the_operation_asks_is_refused_and_put_back(call: Call, prey: Prey, fingerprint: Fingerprint) -> None:
    for role, actor in prey.company.people.items():
        if not permissions.in_organization(role, call.handler.permission):
            continue  # the handler's own guard refuses it, see above
        may = permissions.in_organization(role, call.needs)
        tab = Tab(enter(actor), *at(prey.targets, call.handler.state))
        before = fingerprint(record=False)
        done = called(call, tab, dict.fromkeys(prey.targets, NOWHERE) if may else prey.targets)
        assert any(words.startswith(REFUSED_BY_OPERATION) for words in done.toasts) is not may, f"{role}: {done.toasts}"
        assert "settled" in done.changed
        assert fingerprint(record=False) == before


@guarded
def test_the_owner_of_another_organization_reaches_nothing(call: Call, prey: Prey, beta: Company, fingerprint: Fingerprint) -> None:
    tab = Tab(enter(beta.owner), *at(prey.targets, call.handler.state))
    before = fingerprint()
    done = called(call, tab, prey.targets)
    assert REFUSED not in done.toasts, "what is refused here is the thing, not the role"
    assert prey.within(tab.shown(), done.answered) == set()
    assert fingerprint() == before


@guarded
def test_the_owner_of_another_team_changes_nothing(call: Call, prey: Prey, fingerprint: Fingerprint) -> None:
    if call.needs not in permissions.IN_TEAM or permissions.in_organization(Role.VIEWER, call.needs):
        return  # a team role adds nothing to it; the test above has the rest
    red: Team = prey.company.red
    tab = Tab(enter(red.people[Role.OWNER]), *at(prey.targets, call.handler.state))
    before = fingerprint(record=False)
    done = called(call, tab, prey.targets)
    assert bool(done.said) is (call.name not in ABOUT_NO_TEAM), "a refusal is said"
    assert fingerprint(record=False) == before, "but for the refusal, which is on the record"


def test_team_permissions_have_been_asked() -> None:
    asked = {call.needs for call in GUARDED} & set(permissions.IN_TEAM)
    assert asked >= {Permission.MANAGE_TEAM, Permission.RESPOND, Permission.CONFIGURE}


def test_the_tables_name_calls_that_there_are() -> None:
    known = {call.name for call in GUARDED}
    assert {*ASKED_BY_OPERATION, *ABOUT_NO_TEAM, *SHOWS} <= known
    assert set(ACTS) <= {call.handler.name for call in GUARDED}


@pytest.mark.parametrize("name", sorted(SHOWS))
def test_an_owner_is_shown_the_organization(name: str, prey: Prey) -> None:
    call = next(call for call in GUARDED if call.name == name)
    tab = Tab(enter(prey.company.owner), *at(prey.targets, call.handler.state))
    done = called(call, tab, prey.targets)
    assert prey.within(tab.shown(), done.answered) != set()


@pytest.mark.parametrize("call", REST, ids=lambda call: call.name)
def test_what_is_open_to_all_shows_nothing_of_a_tenant(call: Call, prey: Prey, beta: Company, fingerprint: Fingerprint) -> None:
    for secret in ("", "forged", enter(beta.owner)):
        tab = Tab(secret, *at(prey.targets))
        before = fingerprint()
        done = called(call, tab, prey.targets)
        assert prey.within(tab.shown(), done.answered) == set()
        assert fingerprint() == before


@pytest.mark.parametrize("name", ["SessionState.enter", "LiveState.listen"])
def test_a_page_leads_somebody_unknown_to_the_sign_in_page(name: str, prey: Prey) -> None:
    call = next(call for call in REST if call.name == name)
    done = called(call, Tab("", *at(prey.targets)), prey.targets)
    assert done.led_to.startswith("/sign-in?next=/teams/")
    assert done.changed == set()


@guarded
def test_a_session_that_has_ended_opens_nothing(call: Call, prey: Prey) -> None:
    secret = enter(prey.company.owner)
    actor = callers.by_session(HERE, secret)
    sessions.sign_out(actor)
    callers._recent.clear()  # a process that listens forgets it at the notice
    done = called(call, Tab(secret, *at(prey.targets, call.handler.state)), prey.targets)
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
    call = next(call for call in GUARDED if call.name == "PeopleState.refresh")
    done = called(call, Tab("", *at(prey.targets), cookie=cookie.format(enter(prey.company.owner))), prey.targets)
    assert (done.led_to == "") is found, why


def unguarded(handlers: list[Handler]) -> set[str]:
    """The names of those that ask for no permission."""
    return {handler.name for handler in handlers if handler.permission is None}
