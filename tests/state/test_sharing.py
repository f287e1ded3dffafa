"""Do pages that show the same share one read, and never what somebody else may not see or what was before?"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest

from engine.errors import Unavailable
from engine.identity.actor import Actor
from engine.model.views import Paging
from engine.model.vocabulary import ActorKind, Role
from state import sharing
from state.sharing import SHARED, following, read

pytestmark = pytest.mark.fast

ADA = Actor(ActorKind.USER, uuid4(), "Ada", uuid4(), Role.VIEWER, session_id=uuid4())
GRACE = replace(ADA, id=uuid4(), name="Grace", session_id=uuid4())


@dataclass
class Counted:
    """An operation that counts how often it is carried out."""

    name: str = "incidents.search"
    asked: list[Actor] = field(default_factory=list)
    failure: Exception | None = None

    def __call__(self, actor: Actor, *_: Any, **__: Any) -> int:
        self.asked.append(actor)
        if self.failure:
            raise self.failure
        return len(self.asked)


@dataclass
class Around:
    """What notices were heard, and whether any can be."""

    notices: int = 0
    connected: bool = True


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Iterator[Around]:
    """A process that hears of changes, and has read nothing yet."""
    made = Around()
    monkeypatch.setattr(sharing, "heard", lambda: made.notices)
    monkeypatch.setattr(sharing, "is_connected", lambda: made.connected)
    monkeypatch.setattr(sharing, "_reads", {})
    yield made


def both(operation: Counted, first: Callable[[], Any], then: Callable[[], Any]) -> int:
    """How often the operation is carried out for two reads, one after the other, of pages that follow a notice."""

    async def story() -> None:
        with following():
            await first()
            await then()

    asyncio.run(story())
    return len(operation.asked)


def test_pages_of_people_who_see_the_same_share_a_read(around: Around) -> None:
    operation = Counted()
    assert both(operation, lambda: read(ADA, operation, (), {"q": "x"}), lambda: read(GRACE, operation, (), {"q": "x"})) == 1


def test_fifty_pages_at_once_are_one_read(around: Around) -> None:
    operation = Counted()

    async def story() -> list[int]:
        with following():
            return await asyncio.gather(*(read(replace(ADA, id=uuid4()), operation, (), {}) for _ in range(50)))

    assert (asyncio.run(story()), len(operation.asked)) == ([1] * 50, 1)


# who else looks, why that one is not given what the first read
OTHERS = [
    (replace(ADA, org_id=uuid4()), "another organization"),
    (replace(ADA, role=Role.OWNER), "another role"),
    (replace(ADA, teams={uuid4(): Role.VIEWER}), "a member of a team"),
    (replace(ADA, instance_admin=True), "who looks after the installation"),
]


@pytest.mark.parametrize(("other", "why"), OTHERS)
def test_nobody_is_given_what_somebody_sees_who_sees_something_else(around: Around, other: Actor, why: str) -> None:
    operation = Counted()
    assert both(operation, lambda: read(ADA, operation, (), {}), lambda: read(other, operation, (), {})) == 2, why


# the arguments of the second read, when those of the first are {"q": "x", "page": 50 rows, "severity": ["critical"]}
ELSE = [{"q": "y"}, {"page": Paging(limit=8)}, {"severity": ["info"]}, {"severity": []}, {"sort": "number"}]


@pytest.mark.parametrize("other", ELSE)
def test_another_question_is_another_read(around: Around, other: dict[str, Any]) -> None:
    operation, asked = Counted(), {"q": "x", "page": Paging(limit=50), "severity": ["critical"]}
    assert both(operation, lambda: read(ADA, operation, (), asked), lambda: read(ADA, operation, (), asked | other)) == 2


def test_who_heard_a_later_notice_is_not_shown_what_was_before(around: Around) -> None:
    operation = Counted()

    async def later() -> Any:
        around.notices += 1
        return await read(ADA, operation, (), {})

    assert both(operation, lambda: read(ADA, operation, (), {}), later) == 2


def test_what_a_persons_own_act_brings_about_is_read_by_itself(around: Around) -> None:
    operation = Counted()

    async def story() -> None:
        with following():
            await read(ADA, operation, (), {})
        await read(ADA, operation, (), {})

    asyncio.run(story())
    assert len(operation.asked) == 2


def test_without_notices_nothing_is_shared(around: Around) -> None:
    operation = Counted()
    around.connected = False
    assert both(operation, lambda: read(ADA, operation, (), {}), lambda: read(ADA, operation, (), {})) == 2


def test_a_read_is_not_shared_for_longer_than_a_moment(around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = Counted()
    monkeypatch.setattr(sharing, "_LONGEST", -1.0)
    assert both(operation, lambda: read(ADA, operation, (), {}), lambda: read(ADA, operation, (), {})) == 2


@pytest.mark.parametrize("name", ["overview.show", "sources.create", "incidents.resolve", ""])
def test_what_is_a_persons_own_or_changes_something_is_never_shared(around: Around, name: str) -> None:
    operation = Counted(name)
    assert name not in SHARED
    assert both(operation, lambda: read(ADA, operation, (), {}), lambda: read(ADA, operation, (), {})) == 2


def test_a_page_that_is_left_does_not_take_the_read_from_the_others(around: Around) -> None:
    operation = Counted()

    async def story() -> int:
        with following():
            left, stays = (asyncio.ensure_future(read(who, operation, (), {})) for who in (ADA, GRACE))
            await asyncio.sleep(0)
            left.cancel()
            return await stays

    assert asyncio.run(story()) == 1


def test_a_failure_is_told_to_all_who_wait(around: Around) -> None:
    operation = Counted(failure=Unavailable("database", "The database does not answer."))

    async def story() -> list[Any]:
        with following():
            return await asyncio.gather(*(read(who, operation, (), {}) for who in (ADA, GRACE)), return_exceptions=True)

    assert [type(each) for each in asyncio.run(story())] == [Unavailable, Unavailable]
