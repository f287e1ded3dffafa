"""Are the numbers around every page counted when they change, once, and only for who may see them?"""

from typing import Any
from uuid import uuid4

import pytest

from engine.storage.bus import EVERYTHING, Notice
from state.frame import FrameState
from state.incidents import IncidentsState
from state.people import PeopleState
from tests.state.loops import ORG, Page, run

pytestmark = pytest.mark.fast

TEAM = uuid4()

# the page, what changed, what is read again for it, why
COUNTED: list[tuple[str, Notice, list[Any], str]] = [
    ("/people", Notice(ORG, frozenset({"incident"})), [FrameState.count], "a number beside a page about something else"),
    ("/people", Notice(ORG, frozenset({"alert"})), [FrameState.count], "another number"),
    ("/people", Notice(ORG, frozenset({"quarantine"})), [FrameState.count], "and the third"),
    ("/people", Notice(ORG, frozenset({"people"})), [PeopleState.refresh], "people are not counted"),
    ("/people", Notice(ORG, frozenset({"people", "alert"})), [PeopleState.refresh, FrameState.count], "the page and the numbers"),
    ("/people", Notice(uuid4(), frozenset({"incident"})), [], "of another organization"),
    ("/people", Notice(ORG, frozenset({"incident"}), teams=(TEAM,)), [], "of a team of others"),
    ("/people", EVERYTHING, [PeopleState.refresh, FrameState.count], "after a lost connection everything is counted again"),
    ("/incidents", Notice(ORG, frozenset({"incident"})), [IncidentsState.refresh, FrameState.count], "what is counted may be listed too"),
    ("/incidents", Notice(ORG, frozenset({"delivery"})), [], "what came is no number"),
    ("/settings", Notice(ORG, frozenset({"incident"})), [FrameState.count], "once, though the page has nothing else"),
    ("/settings", Notice(ORG, frozenset({"people"})), [], "nothing on it, and no number"),
    ("/settings", EVERYTHING, [FrameState.count], "once"),
]


@pytest.mark.parametrize(("route", "notice", "done", "why"), COUNTED)
def test_the_numbers_around_a_page_are_counted_when_they_change(page: Page, route: str, notice: Notice, done: list[Any], why: str) -> None:
    async def story() -> None:
        loop = await page.opened(route)
        await loop.steps()
        page.bus.tell(notice)
        assert await loop.steps() == done, why

    run(story)


def test_a_page_that_opens_has_its_numbers_counted_once_after_what_it_shows(page: Page) -> None:
    async def story() -> None:
        assert await (await page.opened("/people")).steps() == [PeopleState.refresh, FrameState.count]
        assert await (await page.opened("/settings")).steps() == [FrameState.count]

    run(story)


def test_a_storm_is_counted_once(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/incidents")
        await loop.steps()
        for kind in ("incident", "alert", "quarantine") * 100:
            page.tell(kind)
        assert await loop.steps() == [IncidentsState.refresh, FrameState.count]

    run(story)


def test_a_role_that_may_not_see_the_page_still_has_the_numbers(page: Page) -> None:
    async def story() -> None:
        loop = await page.opened("/tokens")
        assert await loop.steps() == [FrameState.count]
        page.tell("token")
        page.tell("incident")
        assert await loop.steps() == [FrameState.count]

    run(story)
