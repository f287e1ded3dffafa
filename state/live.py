"""How does an open page learn that something changed?

One loop a tab: it hears the notices of what its person may see, lets a storm gather for 10 ms, and asks the page to
refresh through the door. It begins with a refresh, so that nothing falls between the first look and the first notice.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_base.registry import RegistrationContext

from engine.errors import AiopsError, NotSignedIn
from engine.identity.actor import Actor
from engine.operations.live import PRESENCE, Notice, Subscription, is_connected, look, subscribe
from state.call import actor_of, may, open_to_all, sign_in_link
from state.frame import FrameState
from state.session import SessionState

_GATHER = 0.01
# While a storm lasts, a page is read again at most so often.
_SPACING = 0.25
# The numbers around a page give way to the rows of all pages.
_LATER = 0.05
# A session that ends or a role that changes is noticed by itself at least so often.
_ASK_AGAIN = 10.0

# What changes the numbers around every page, and who may look at it or does.
_COUNTED = frozenset({"incident", "alert", "quarantine"})
_WHO = frozenset({"session", "token", "people", PRESENCE})


@dataclass(frozen=True)
class Watch:
    """What a page shows: kinds of things, and the handler that reads them again."""

    kinds: frozenset[str]
    refresh: Any


_watches: dict[str, Watch] = {}


def watch(route: str, refresh: Any, *kinds: str) -> None:
    """Have the page of a route refreshed when a thing of these kinds changes."""
    _watches[route] = Watch(frozenset(kinds), refresh)


class LiveState(rx.State):
    """The loop of this tab's page; it ends when the page is left. `hears`: changes reach this tab at once."""

    hears: bool = False

    @rx.event(background=True, supersedes=True)
    @open_to_all
    async def listen(self) -> AsyncIterator[Any]:
        """Refresh the page now, and whenever something on it changes. Who is not signed in hears nothing."""
        async with self:
            found = _watches.get("/" if self.router.route_id == "/index" else self.router.route_id)
        if found is None:
            return
        try:
            async with self:
                actor, token, path = await actor_of(self), self.router.session.client_token, self.router.url.path
            # Who may not see the page hears nothing of it, but still when the role changes.
            shown = may(actor, found.refresh.fn.permission)
            with subscribe(actor) as subscription, look(actor, path):
                if shown and found.refresh is not FrameState.count:
                    yield found.refresh
                yield FrameState.count
                async with self:
                    self.hears = is_connected()
                async for notices in _while_open(token, subscription, found.kinds | _COUNTED | _WHO):
                    if _may_be_another(notices) and await self._is_another(actor):
                        yield [SessionState.enter, LiveState.listen]  # another role sees other things: begin anew
                        return
                    for concerned in _concerned(notices, found if shown else None):
                        await asyncio.sleep(_LATER if concerned is FrameState.count else 0.0)
                        yield concerned
        except NotSignedIn:
            async with self:
                link = sign_in_link(self)
            yield rx.redirect(link)
        except AiopsError:
            await asyncio.sleep(1.0)
            yield LiveState.listen

    async def _is_another(self, actor: Actor) -> bool:
        """Whether who looks sees other things now."""
        async with self:
            again = await actor_of(self)
            self.hears = is_connected()
        return (again.role, again.teams) != (actor.role, actor.teams)


def _may_be_another(notices: list[Notice]) -> bool:
    """Whether somebody else may look now, or somebody who sees other things; the handlers themselves ask it each time."""
    return not notices or any(not notice.kinds or notice.kinds & _WHO for notice in notices)


def _concerned(notices: list[Notice], shown: Watch | None) -> list[Any]:
    """What is to be read again: the page, and then the numbers around it."""
    kinds = {kind for notice in notices for kind in notice.kinds}
    everything = any(not notice.kinds for notice in notices)
    numbers = [FrameState.count] if everything or kinds & _COUNTED else []
    page = [shown.refresh] if shown and (everything or kinds & shown.kinds) else []
    return [refresh for refresh in page if refresh is not FrameState.count] + numbers


async def _while_open(token: str, subscription: Subscription, kinds: frozenset[str]) -> AsyncIterator[list[Notice]]:
    """What is gathered, until the tab is gone: the framework ends what a page began, but not what was called by name."""
    async for notices in _gathered(subscription, kinds):
        if not await _is_open(token):
            return
        yield notices


async def _is_open(token: str) -> bool:
    sockets = RegistrationContext.get().app.event_namespace
    return sockets is None or await sockets._token_manager.is_token_connected(token)


async def _gathered(subscription: Subscription, kinds: frozenset[str]) -> AsyncIterator[list[Notice]]:
    """Notices of these kinds as they come, a storm as one list, and an empty list when it is time to ask again who is looking."""
    last, asked = float("-inf"), time.monotonic()
    while True:
        if asked + _ASK_AGAIN <= time.monotonic():
            asked = time.monotonic()
            yield []
        try:
            # Not wait_for: in this Python it may swallow that the loop was superseded when a notice comes at the same moment.
            async with asyncio.timeout(asked + _ASK_AGAIN - time.monotonic()):
                first = await subscription.next()
        except TimeoutError:
            continue
        if first.kinds and not first.kinds & kinds:
            continue
        await asyncio.sleep(max(_GATHER, last + _SPACING - time.monotonic()))
        last = time.monotonic()
        yield [first, *subscription.waiting()]


# Pages that show nothing of their own that changes: only the numbers around them.
for _quiet in ("/settings", "/sources/new", "/imports"):
    watch(_quiet, FrameState.count, *_COUNTED)
