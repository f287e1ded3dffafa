"""How does a test open a page as somebody, do something on it, and look at what it shows?"""

import asyncio
from typing import Any
from uuid import uuid4

import reflex as rx
from reflex.istate.data import ReflexURL, URLData

from engine.identity.actor import Actor
from engine.model.incidents import IncidentView
from state.incident import IncidentState
from state.toasts import ToastState
from tests.state.tabs import Tab
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import enter


class Visit:
    """A page that somebody has open: one state of one tab. What the page shows is read from it by name, as in `visit.rows`."""

    def __init__(self, kind: type[rx.State], actor: Actor, path: str = "/", route: str = "/index") -> None:
        self._tab = Tab(enter(actor), path, route)
        self._kind = kind

    def of(self, kind: type[rx.State]) -> Any:
        """What a state of the tab remembers."""
        return asyncio.run(self._tab.state(kind))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of(self._kind), name)

    def do(self, name: str, *args: Any) -> Any:
        """Call a handler of the page, as the browser does, and the one of the page that it calls for; what the last answers."""

        async def act() -> Any:
            state = await self._tab.state(self._kind)
            answer = await self._kind.event_handlers[name].fn(state, *args)
            follows = answer in self._kind.event_handlers.values()
            return await answer.fn(state) if follows else answer

        return asyncio.run(act())

    def arrived(self) -> "Visit":
        """Arrive and read the page, so far as it does either."""
        for name in ("arrive", "refresh"):
            if name in self._kind.event_handlers:
                self.do(name)
        return self

    def goes(self, path: str, kind: type[rx.State] | None = None) -> "Visit":
        """Go to another page in the same tab, maybe one of another state, and open it."""
        self._tab.root.rx_router_url = URLData.from_url(ReflexURL(f"http://localhost:3000{path}"))
        self._kind = kind or self._kind
        return self.arrived()

    @property
    def toasts(self) -> list[str]:
        """What was said in the corner."""
        return [toast.words for toast in self.of(ToastState).toasts]


def opened(line: Deliveries, *severities: str) -> IncidentView:
    """An incident of a service of its own, with an alert of each severity: `<service> 0`, `<service> 1` and so on."""
    name = f"svc-{uuid4().hex[:8]}"
    said = [alert(f"{name} {place}", severity=each, service=name) for place, each in enumerate(severities or ("critical",))]
    line.deliver(line.source(), *said)
    return line.incident_of(f"{name} 0")


def incident_page(who: Actor, number: int | str) -> Visit:
    """The page of an incident, open."""
    return Visit(IncidentState, who, f"/incidents/{number}", "/incidents/[incident_number]").arrived()
