"""Who else has a page open, and who is told of it?"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Unavailable
from engine.identity.actor import Actor
from engine.model.vocabulary import ActorKind, Role
from engine.operations import live
from engine.operations.live import PRESENCE, is_connected, look, lookers, subscribe
from engine.storage.bus import Bus, Notice

pytestmark = pytest.mark.fast

ORG = uuid4()
PAGE, OTHER_PAGE = "/incidents/1", "/incidents/2"


def person(name: str, **more: Any) -> Actor:
    """Somebody of the organization, signed in."""
    return replace(Actor(ActorKind.USER, uuid4(), name, ORG, Role.VIEWER, session_id=uuid4()), **more)


ADA, GRACE, MARY = person("Ada"), person("Grace"), person("Mary")
STRANGER = person("Mallory", org_id=uuid4())


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """The notices of this process, with no database behind them."""
    made = Bus("")
    monkeypatch.setattr(live, "runtime", lambda: SimpleNamespace(bus=made))
    monkeypatch.setattr(live, "_looking", {})
    yield made
    assert not live._looking, "everybody has left"


def test_the_others_who_have_a_page_open_are_named(bus: Bus) -> None:
    with look(MARY, PAGE), look(ADA, PAGE), look(GRACE, OTHER_PAGE):
        assert lookers(ADA, PAGE) == ("Mary",), "not oneself"
        assert lookers(GRACE, PAGE) == ("Ada", "Mary"), "by name"
        assert lookers(ADA, OTHER_PAGE) == ("Grace",)
        assert lookers(ADA, "/incidents") == ()
    assert lookers(GRACE, PAGE) == ()


def test_who_leaves_is_named_no_more_though_others_stay(bus: Bus) -> None:
    with look(ADA, PAGE):
        with look(GRACE, PAGE):
            assert lookers(ADA, PAGE) == ("Grace",)
        assert (lookers(ADA, PAGE), lookers(MARY, PAGE)) == ((), ("Ada",))


def test_a_person_with_two_tabs_is_named_once_and_until_the_last_is_closed(bus: Bus) -> None:
    again = replace(ADA, session_id=uuid4())
    with look(ADA, PAGE):
        with look(again, PAGE):
            assert (lookers(GRACE, PAGE), lookers(ADA, PAGE), lookers(again, PAGE)) == (("Ada",), (), ())
        assert lookers(GRACE, PAGE) == ("Ada",)
    assert lookers(GRACE, PAGE) == ()


def test_two_people_of_one_name_are_told_as_one_name(bus: Bus) -> None:
    with look(ADA, PAGE), look(person("Ada"), PAGE):
        assert (lookers(GRACE, PAGE), lookers(ADA, PAGE)) == (("Ada",), ("Ada",))


def test_nobody_of_another_organization_is_named_or_told(bus: Bus) -> None:
    with subscribe(ADA) as ours, subscribe(STRANGER) as theirs, look(STRANGER, PAGE):
        assert (lookers(ADA, PAGE), lookers(person("Trent", org_id=STRANGER.org_id), PAGE)) == ((), ("Mallory",))
        assert ours.waiting() == []
        assert [notice.org_id for notice in theirs.waiting()] == [STRANGER.org_id]


def test_the_pages_of_the_organization_are_told_that_somebody_came_and_left(bus: Bus) -> None:
    told = Notice(ORG, frozenset({PRESENCE}))
    with subscribe(GRACE) as tab:
        with look(ADA, PAGE):
            assert tab.waiting() == [told]
        assert tab.waiting() == [told], "who came, and where, is asked for, not told"


def test_a_page_that_fails_has_left_too(bus: Bus) -> None:
    with pytest.raises(RuntimeError), look(ADA, PAGE):
        raise RuntimeError
    assert lookers(GRACE, PAGE) == ()


def test_caches_hear_of_it_like_of_anything_else(bus: Bus) -> None:
    heard: list[Notice] = []
    bus.watch(heard.append)
    with look(ADA, PAGE):
        assert [notice.kinds for notice in heard] == [{PRESENCE}]
    assert len(heard) == 2


def test_many_who_come_and_go_leave_nothing_behind(bus: Bus) -> None:
    with ExitStack() as stack:
        for place in range(100):
            stack.enter_context(look(person(f"Person {place:02}"), PAGE))
        assert len(lookers(ADA, PAGE)) == 100
    assert live._looking == {}


def test_a_process_that_hears_of_nothing_still_knows_who_looks(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "runtime", lambda: SimpleNamespace(bus=None))
    with look(ADA, PAGE):
        assert lookers(GRACE, PAGE) == ("Ada",)
    assert not is_connected()
    with pytest.raises(Unavailable), subscribe(ADA):
        pass
