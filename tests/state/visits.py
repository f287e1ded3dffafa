"""How does a test open a page as somebody, do something on it, and look at what it shows?"""

import asyncio
from typing import Any

import reflex as rx
from reflex.istate.data import ReflexURL, URLData

from engine.identity.actor import Actor
from state.toasts import ToastState
from tests.factories import enter
from tests.state.tabs import Tab


class Visit:
    """A page that somebody has open: one state of one tab. What the page shows is read from it by name, as in `visit.rows`."""

    def __init__(self, kind: type[rx.State], actor: Actor, path: str = "/", route: str = "/index") -> None:
        self.tab = Tab(enter(actor), path, route)
        self.kind = kind

    @property
    def state(self) -> Any:
        """What the page remembers."""
        return self.of(self.kind)

    def of(self, kind: type[rx.State]) -> Any:
        """What another state of the same tab remembers."""
        return asyncio.run(self.tab.state(kind))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def do(self, name: str, *args: Any) -> Any:
        """Call a handler of the page, as the browser does; what it answers."""

        async def act() -> Any:
            return await self.kind.event_handlers[name].fn(await self.tab.state(self.kind), *args)

        return asyncio.run(act())

    def open(self) -> "Visit":
        """Arrive, and read the page."""
        self.do("arrive")
        self.do("refresh")
        return self

    def goes(self, path: str, kind: type[rx.State] | None = None) -> "Visit":
        """Go to another page in the same tab, maybe one of another state, and open it."""
        self.tab.root.rx_router_url = URLData.from_url(ReflexURL(f"http://localhost:3000{path}"))
        self.kind = kind or self.kind
        return self.open()

    @property
    def toasts(self) -> list[str]:
        """What was said in the corner."""
        return [toast.words for toast in self.of(ToastState).toasts]
