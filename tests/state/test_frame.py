"""Do the numbers around every page count what is open, and does the palette find incidents and go only to pages of ours?"""

from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import incidents
from engine.storage.database import Database
from state.frame import FrameState
from tests.state.tabs import led_to
from tests.state.visits import Visit, opened
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import found_company


@pytest.fixture
def line(database: Database) -> Deliveries:
    """An organization with nothing yet."""
    return Deliveries(database, found_company(database, f"Framed {uuid4().hex[:6]}"))


def frame(who: Actor) -> Visit:
    """What is around a page, counted."""
    page = Visit(FrameState, who)
    page.do("count")
    return page


def numbers(page: Visit) -> tuple[int, int, int, int]:
    """Open incidents, critical ones among them, alerts that fire, and what is in quarantine."""
    return page.open_incidents, page.critical, page.firing_alerts, page.quarantined


def test_what_is_open_fires_and_waits_is_counted(line: Deliveries) -> None:
    assert numbers(frame(line.company.viewer)) == (0, 0, 0, 0)
    opened(line, "critical", "error")
    opened(line, "warning")
    line.put_aside(line.source(), b"{")
    page = frame(line.company.viewer)
    assert numbers(page) == (2, 1, 3, 1)
    assert numbers(frame(found_company(line.database, "Other").owner)) == (0, 0, 0, 0)


def test_a_team_counts_only_what_it_sees(line: Deliveries) -> None:
    line.put_aside(line.source(team_id=line.company.red.id), b"{")
    red, blue = (frame(team.people[Role.OPERATOR]) for team in (line.company.red, line.company.blue))
    assert (numbers(red)[3], numbers(blue)[3]) == (1, 0)


def test_the_newest_critical_incident_that_nobody_looks_after_is_named_until_somebody_does(line: Deliveries) -> None:
    first, second, _ = opened(line), opened(line), opened(line, "error")
    page = frame(line.company.operator)
    assert (page.urgent_number, page.urgent_title) == (second.number, second.title)
    for view, left in ((second, first.number), (first, 0)):
        incidents.acknowledge(line.company.operator, view.id)
        page.do("count")
        assert page.urgent_number == left
    assert (page.urgent_title, page.critical) == ("", 2)


def test_the_palette_finds_incidents_by_words_of_two_letters_or_more(line: Deliveries) -> None:
    made = [opened(line) for _ in range(10)]
    page = frame(line.company.viewer)
    page.do("look_up", f"  {made[3].services[0]} ")
    assert [(each.number, each.title, each.status) for each in page.found] == [(made[3].number, made[3].title, "detected")]
    page.do("look_up", "svc")
    assert len(page.found) == 8, "a few"
    for words in ("", " s ", "nothing-like-this", "x" * 1000):
        page.do("look_up", "svc")
        page.do("look_up", words)
        assert list(page.found) == [], words
    assert page.toasts == []


# where somebody wants to go, whether that is a page of ours
PLACES = [
    ("/people", True),
    ("/incidents?severity=critical", True),
    ("//evil.example", False),
    ("https://evil.example", False),
    ("people", False),
    ("", False),
]


@pytest.mark.parametrize(("path", "is_ours"), PLACES)
def test_the_palette_goes_only_to_pages_of_ours(line: Deliveries, path: str, is_ours: bool) -> None:
    assert led_to(frame(line.company.viewer).do("go", path)) == (path if is_ours else "")
