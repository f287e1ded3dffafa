"""How does a test get the loop of an open page, without a database or a browser?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.vocabulary import ActorKind, Role
from engine.operations.door import tenant_of
from engine.storage.bus import Bus, Notice, Subscription
from state import live
from state.frame import FrameState
from state.live import LiveState
from tests.state.tabs import Tab

ORG = uuid4()
VIEWER = Actor(ActorKind.USER, uuid4(), "Vera", ORG, Role.VIEWER, session_id=uuid4())
WITHIN = 2.0


class Page:
    """An open page, its person, and what makes the world go on around it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.bus = Bus("")
        self.actor = VIEWER
        self.failure: Exception | None = None
        self.is_connected = True
        self.is_open = True
        self.looking: list[str] = []
        patch.setattr(live, "actor_of", self._actor_of)
        patch.setattr(live, "subscribe", self._subscribe)
        patch.setattr(live, "look", self._look)
        patch.setattr(live, "is_connected", lambda: self.is_connected)
        patch.setattr(live, "_is_open", self._is_open)
        patch.setattr(live, "_GATHER", 0.005)
        patch.setattr(live, "_SPACING", 0.0)
        patch.setattr(live, "_LATER", 0.0)
        patch.setattr(LiveState, "__aenter__", self._itself)
        patch.setattr(LiveState, "__aexit__", self._nothing)

    async def opened(self, route: str, path: str = "") -> "Loop":
        """The loop of a page that was just opened."""
        state = await Tab("", path or route, route).state(LiveState)
        return Loop(state, LiveState.listen.fn(state))

    def tell(self, kind: str, *teams: UUID, org_id: UUID = ORG) -> None:
        """A commit says that something changed."""
        self.bus.tell(Notice(org_id, frozenset({kind}), (uuid4(),), teams))

    async def _actor_of(self, _: Any) -> Actor:
        if self.failure is not None:
            raise self.failure
        return self.actor

    async def _is_open(self, _: Any) -> bool:
        return self.is_open

    @contextmanager
    def _subscribe(self, actor: Actor) -> Iterator[Subscription]:
        with self.bus.subscribe(tenant_of(actor)) as subscription:
            yield subscription

    @contextmanager
    def _look(self, actor: Actor, path: str) -> Iterator[None]:
        self.looking.append(f"{actor.name} {path}")
        try:
            yield
        finally:
            self.looking.remove(f"{actor.name} {path}")

    @staticmethod
    async def _itself(state: Any) -> Any:
        return state

    @staticmethod
    async def _nothing(*_: object) -> None: ...


class Loop:
    """What a page's loop does, one after the other."""

    def __init__(self, state: LiveState, steps: AsyncIterator[Any]) -> None:
        self.state, self._steps = state, steps
        self._ahead: asyncio.Future[Any] | None = None
        self._counts = False

    async def step(self) -> Any:
        """What it does next, be it for the page or for the numbers around it."""
        ahead, self._ahead = self._ahead or asyncio.ensure_future(anext(self._steps)), None
        return await asyncio.wait_for(ahead, WITHIN)

    async def steps(self) -> list[Any]:
        """Everything it does until it waits again."""
        done: list[Any] = []
        while not await self.does_nothing():
            done.append(await self.step())
        return done

    async def next(self) -> Any:
        """What it does next for the page itself: the numbers around it are counted by the way."""
        while (done := await self.step()) is FrameState.count:
            continue
        self._counts = True
        return done

    async def does_nothing(self) -> bool:
        """Whether it goes on waiting: it neither reads the page nor counts, but for what belongs to the reading before."""
        while True:
            self._ahead = self._ahead or asyncio.ensure_future(anext(self._steps))
            done, _ = await asyncio.wait({self._ahead}, timeout=0.05)
            if not (done and self._counts and self._ahead.exception() is None and self._ahead.result() is FrameState.count):
                return not done
            self._ahead, self._counts = None, False

    async def is_over(self) -> bool:
        """Whether it has ended."""
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Tell a story in an event loop of its own."""
    asyncio.run(asyncio.wait_for(story(), 10))  # pyright: ignore[reportArgumentType]
