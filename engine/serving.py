"""How is a web process put together? Apart from the other processes, which need no web framework and start the sooner without."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from engine import start
from engine.api import allow_origins, build_api, guard
from engine.api.beating import beside_requests
from engine.api.intake import Intake
from engine.api.sockets import SocketGuard
from engine.model.vocabulary import ProcessKind
from engine.operations import callers, door
from engine.settings import Settings
from engine.storage.bus import Bus


class Web:
    """The parts of a web process: the API and its guard, and what runs beside the requests."""

    def __init__(self, found: Settings) -> None:
        self.settings = found
        self.api: FastAPI = build_api(found, start.VERSION)
        self._sockets: SocketGuard | None = None
        self._intake: Intake | None = None

    def guard(self, app: ASGIApp) -> ASGIApp:
        """Wrap the whole application: trace ids, security headers, limits, sockets."""
        found = self.settings
        self._intake = Intake(start.secrets_vault(found), found.body_limit_bytes, found.rate_limit_per_minute)
        guarded, self._sockets = guard(app, self.settings, start.PROJECT / self.settings.web_dir, self._intake)
        return guarded

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What lives as long as the process: the pool, the bus, the heartbeat."""
        opened = start.open_door(self.settings, "web")
        bus = Bus(opened.dsn)
        bus.watch(callers.forget)
        if self._sockets is not None:
            bus.watch(self._sockets.hear)
        if self._intake is not None:
            bus.watch(self._intake.hear)
        door.runtime().bus = bus
        async with beside_requests(opened, bus, start.process_name(ProcessKind.WEB), start.VERSION):
            yield
        opened.close()


def web() -> Web:
    """The parts of this process, by its settings, for an application with pages. Raises Misconfigured."""
    return Web(start.settings())


def api_only() -> ASGIApp:
    """The API without pages, as uvicorn's factory."""
    made = web()
    made.api.router.lifespan_context = lambda _: made.running()
    return made.guard(allow_origins(made.api, made.settings))
