"""How does a test get a tab of its own, without a browser? A state as the framework makes it, with a cookie and a path."""

import base64
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.istate.data import HeaderData, ReflexURL, SessionData, URLData
from reflex_base.registry import RegistrationContext

import aiops_ui.routes  # noqa: F401 makes every state known
from engine.identity.cookies import SESSION
from engine.model.vocabulary import Permission
from tests.state.allowed import SETVAR

ADDRESS = "198.51.100.7"


@dataclass(frozen=True)
class Handler:
    """One thing that a browser can call by name."""

    name: str
    state: type[rx.State]
    call: Callable[..., Any]

    @property
    def is_ours(self) -> bool:
        """Whether it is not the framework's."""
        return not self.state.__module__.startswith("reflex") and not self.name.endswith(f".{SETVAR}")

    @property
    def permission(self) -> Permission | None:
        """What the guard asks for; without a guard, nothing."""
        return getattr(self.call, "permission", None)

    @property
    def asks(self) -> list[str]:
        """The names of its arguments."""
        return list(inspect.signature(self.call).parameters)[1:]


def every_handler() -> list[Handler]:
    """All that a browser can call by name, as the framework would find it."""
    known = RegistrationContext.get().event_handlers.values()
    found = [Handler(f"{one.states[0].__name__}.{one.handler.fn.__name__}", one.states[0], one.handler.fn) for one in known]
    return sorted(found, key=lambda handler: handler.name)


def every_state(top: type[rx.State] = rx.State) -> list[type[rx.State]]:
    """All states, from the top."""
    return [top, *(state for below in top.get_substates() for state in every_state(below))]


def ours() -> list[Handler]:
    """Our own handlers."""
    return [handler for handler in every_handler() if handler.is_ours]


class Tab:
    """A tab of a browser: all states of it."""

    def __init__(self, secret: str = "", path: str = "/", route: str = "/index", cookie: str | None = None) -> None:
        self.root: rx.State = rx.State(_reflex_internal_init=True)  # pyright: ignore[reportCallIssue]
        self.root.rx_router_headers = HeaderData(cookie=f"{SESSION[False]}={secret}" if cookie is None else cookie)
        self.root.rx_router_session = SessionData(client_ip=ADDRESS)
        self.root.rx_router_url = URLData.from_url(ReflexURL(f"http://localhost:3000{path}"))
        self.root.rx_router_route_id = route

    async def state(self, kind: type[rx.State]) -> Any:
        """The state of that kind in this tab."""
        return await self.root.get_state(kind)

    def shown(self) -> dict[str, Any]:
        """Everything that the browser would be sent, but for where it is."""
        everything: dict[str, dict[str, Any]] = self.root.dict()
        return {f"{state}.{name}": value for state, vars in everything.items() for name, value in vars.items() if "router" not in name}

    def changed(self, before: dict[str, Any]) -> set[str]:
        """The names of vars that are not as they were."""
        return {name.rpartition(".")[2].removesuffix("_rx_state_") for name, value in self.shown().items() if before[name] != value}


async def answers(handler: Handler, state: Any, given: dict[str, Any]) -> list[Any]:
    """Call a handler; what it returned or yielded (of a loop, the first)."""
    result = handler.call(state, **{name: given[name] for name in handler.asks})
    if inspect.isasyncgen(result):
        try:
            return [await anext(result)]
        except StopAsyncIteration:
            return []
        finally:
            await result.aclose()
    returned = await result if inspect.isawaitable(result) else result
    return [] if returned is None else [returned]


def led_to(answer: Any) -> str:
    """Where a redirect leads; empty for anything else."""
    if not isinstance(answer, rx.event.EventSpec) or "_redirect" not in str(answer.handler.fn.__qualname__):
        return ""
    return next(str(value).strip('"') for name, value in answer.args if str(name) == "path")


def downloaded(answer: Any) -> tuple[str, str]:
    """The name and the text of a file that the browser is given; empty for anything else."""
    if not isinstance(answer, rx.event.EventSpec) or "_download" not in str(answer.handler.fn.__qualname__):
        return "", ""
    said = {str(name): str(value).strip('"') for name, value in answer.args}
    head, _, data = said["url"].partition(",")
    assert head == "data:text/plain;base64"
    return said["filename"], base64.b64decode(data).decode()
