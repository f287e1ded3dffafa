"""Does an open page hear what changed, once for a storm, and only while its person may see it?"""

import ast
import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from aiops_ui.routes import ROUTES
from engine.errors import NotSignedIn, Unavailable
from engine.model.vocabulary import DefinitionKind, Permission, Role
from engine.operations.live import PRESENCE
from engine.storage.bus import EVERYTHING, Notice, Subscription
from engine.storage.work import Tenant
from state import live
from state.frame import FrameState
from state.incident import IncidentState
from state.live import LiveState
from state.overview import OverviewState
from state.people import PeopleState
from state.session import SessionState
from tests.state.loops import ORG, VIEWER, WITHIN, Page, run
from tests.state.tabs import led_to

pytestmark = pytest.mark.fast

ENGINE = Path(__file__).resolve().parents[2] / "engine"
TEAM = uuid4()
KINDS = frozenset(f"kind-{number}" for number in range(5))
# Pages that show nothing of their own that changes: the numbers around them are all that is read again.
QUIET = {"/settings", "/sources/new", "/imports"}


def test_a_page_is_read_when_it_opens_and_then_waits(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        assert await loop.next() is PeopleState.refresh
        assert page.bus.tabs == 1, "it listens before it looks, so that nothing falls between"
        assert await loop.does_nothing()
        assert loop.state.hears

    run(story)


def test_the_first_page_has_a_name_of_its_own_in_the_framework(page: Page) -> None:
    async def story() -> None:
        assert await (await page.opened("/index", "/")).next() is OverviewState.refresh

    run(story)


def test_a_page_that_shows_nothing_of_ours_has_no_loop(page: Page) -> None:
    async def story() -> None:
        assert await (await page.opened("/404")).is_over()
        assert page.bus.tabs == 0

    run(story)


# what changed, whether the people page is read again, why
CHANGES: list[tuple[Notice, bool, str]] = [
    (Notice(ORG, frozenset({"people"})), True, "it shows people"),
    (Notice(ORG, frozenset({"session"})), True, "and when they were seen"),
    (Notice(ORG, frozenset({"token"})), False, "it shows no tokens"),
    (Notice(ORG, frozenset({"token", "people"})), True, "one of several kinds is enough"),
    (Notice(uuid4(), frozenset({"people"})), False, "of another organization"),
    (Notice(ORG, frozenset({"people"}), teams=(TEAM,)), False, "of a team of others"),
    (EVERYTHING, True, "after a lost connection everything is read again"),
]


@pytest.mark.parametrize(("notice", "is_read", "why"), CHANGES)
def test_a_page_is_read_again_when_what_it_shows_changes(page: Page, notice: Notice, is_read: bool, why: str) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        page.bus.tell(notice)
        if is_read:
            assert await loop.next() is PeopleState.refresh, why
        else:
            assert await loop.does_nothing(), why

    run(story)


def test_who_has_a_page_open_looks_at_it_until_it_is_left(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/incidents/[incident_number]", "/incidents/7")
        assert await loop.next() is IncidentState.refresh
        assert page.looking == ["Vera /incidents/7"]
        page.bus.tell(Notice(ORG, frozenset({PRESENCE})))
        assert await loop.steps() == [IncidentState.refresh], "who else looks is on that page"
        page.failure = NotSignedIn("Your session has ended.")
        page.tell("session")
        await loop.next()
        assert await loop.is_over()
        assert page.looking == []

    run(story)


def test_a_member_hears_of_the_team(page: Page) -> None:
    async def story() -> None:
        page.actor = replace(VIEWER, teams={TEAM: Role.VIEWER})
        loop = await page.opened("/people")
        await loop.next()
        page.tell("people", TEAM)
        assert await loop.next() is PeopleState.refresh

    run(story)


@pytest.mark.parametrize("notices", [2, 100, 1000])
def test_a_storm_is_one_refresh(page: Page, notices: int) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        for _ in range(notices):
            page.tell("people")
        assert await loop.next() is PeopleState.refresh
        assert await loop.does_nothing()

    run(story)


def test_what_comes_while_a_storm_gathers_belongs_to_it() -> None:
    async def story() -> None:
        subscription = Subscription(Tenant(ORG))
        gathered = live._gathered(subscription, KINDS)
        first = asyncio.ensure_future(anext(gathered))
        kinds = [frozenset({f"kind-{number}"}) for number in range(5)]
        for kind in kinds:
            subscription.put(Notice(ORG, kind))
            await asyncio.sleep(0)  # by turns of the loop, not by the clock: a busy machine would be late
        assert [notice.kinds for notice in await asyncio.wait_for(first, WITHIN)] == kinds

    run(story)


def test_what_the_page_does_not_show_neither_wakes_nor_delays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_SPACING", 3600.0)

    async def story() -> None:
        subscription = Subscription(Tenant(ORG))
        gathered = live._gathered(subscription, KINDS)
        first = asyncio.ensure_future(anext(gathered))
        subscription.put(Notice(ORG, frozenset({"delivery"})))
        await asyncio.sleep(0.05)
        assert not first.done()
        concerns = Notice(ORG, frozenset({"kind-1", "delivery"}))
        subscription.put(concerns)
        assert await asyncio.wait_for(first, WITHIN) == [concerns]

    run(story)


def test_who_is_looking_is_asked_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_ASK_AGAIN", 0.01)

    async def story() -> None:
        subscription = Subscription(Tenant(ORG))
        gathered = live._gathered(subscription, KINDS)
        assert await anext(gathered) == []
        assert await anext(gathered) == []
        subscription.put(EVERYTHING)
        assert await anext(gathered) == [EVERYTHING]

    run(story)


def test_a_session_that_ends_leads_to_the_sign_in_page(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        page.failure = NotSignedIn("Your session has ended.")
        page.tell("session")
        assert led_to(await loop.next()) == "/sign-in?next=/people"
        assert await loop.is_over()
        assert page.bus.tabs == 0

    run(story)


def test_a_loop_does_not_outlive_its_tab(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        page.is_open = False
        page.tell("people")
        assert await loop.is_over()
        assert page.bus.tabs == 0

    run(story)


def test_somebody_unknown_hears_nothing(page: Page) -> None:
    async def story() -> None:
        page.failure = NotSignedIn("Sign in to go on.")
        loop = await page.opened("/people")
        assert led_to(await loop.next()) == "/sign-in?next=/people"
        assert await loop.is_over()

    run(story)


def test_a_role_that_may_not_see_the_page_hears_nothing(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/tokens")
        heard = asyncio.create_task(loop.next())
        await asyncio.sleep(0.05)
        page.tell("token")
        await asyncio.sleep(0.05)
        assert not heard.done()
        page.actor = replace(VIEWER, role=Role.ADMIN)
        page.tell("people")
        assert await heard == [SessionState.enter, LiveState.listen], "nothing of the page before, and a new role at once"
        assert await loop.is_over()

    run(story)


@pytest.mark.parametrize("changed", [{"role": Role.ADMIN}, {"teams": {TEAM: Role.OWNER}}], ids=["role", "team"])
def test_another_role_begins_anew(page: Page, changed: dict[str, Any]) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        page.actor = replace(VIEWER, **changed)
        page.tell("people")
        assert await loop.next() == [SessionState.enter, LiveState.listen], "with a subscription to what the new role sees"
        assert await loop.is_over()
        assert page.bus.tabs == 0

    run(story)


def test_a_failure_is_tried_again(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def no_time(seconds: float) -> None:
        waited.append(seconds)

    async def story() -> None:
        page.failure = Unavailable("database", "The database does not answer.")
        loop = await page.opened("/people")
        with monkeypatch.context() as patch:
            patch.setattr(live.asyncio, "sleep", no_time)
            assert await loop.next() == LiveState.listen
        assert waited, "but not at once"

    run(story)


def test_a_lost_connection_is_shown(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/people")
        await loop.next()
        page.is_connected = False
        page.bus.tell(EVERYTHING)
        await loop.next()
        assert loop.state.hears is False

    run(story)


def test_every_page_of_somebody_signed_in_is_live() -> None:
    live_pages = {route.path for route in ROUTES if LiveState.listen in route.on_load}
    assert live_pages == {route.path for route in ROUTES if route.permission is not None}
    assert live_pages == set(live._watches)


def test_a_page_and_what_reads_it_ask_for_the_same_permission() -> None:
    asked = {path: watched.refresh.fn.permission for path, watched in live._watches.items() if path not in QUIET}
    assert asked == {route.path: route.permission for route in ROUTES if route.permission is not None and route.path not in QUIET}


def test_a_page_that_shows_nothing_that_changes_has_only_the_numbers_that_every_page_has() -> None:
    assert {path for path, watched in live._watches.items() if watched.refresh is FrameState.count} == QUIET
    assert FrameState.count.fn.permission is Permission.VIEW


# `inbox` wakes workers.
SHOWN_NOWHERE = {"inbox"}


def test_a_page_waits_for_no_kind_that_nobody_touches() -> None:
    calls = [node for file in ENGINE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    touched = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "touch" and call.args and isinstance(call.args[0], ast.Constant)
    }
    touched |= {*DefinitionKind}  # a definition is touched by the name of its kind
    watched = set().union(*(page.kinds for page in live._watches.values()))
    assert watched - {PRESENCE} <= touched, "that somebody came or left is told by no commit"
    assert (watched - {PRESENCE}) | SHOWN_NOWHERE == touched, "what changes is shown somewhere"
    assert live._COUNTED <= touched
