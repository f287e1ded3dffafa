"""How is a page found without sending the browser around?

The static files know a page as a folder with an index; asked without the slash they would redirect, and to the wrong
scheme behind a proxy. Here the slash is added on the inside. And `/42` leads to incident 42: short enough to be said aloud.
"""

import re
from pathlib import Path

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_NUMBER = re.compile(r"/(\d{1,9})/?")


class PagePaths:
    """Wraps the framework's static files."""

    def __init__(self, app: ASGIApp, web_dir: Path) -> None:
        self._app = app
        self._built = web_dir / "build" / "client"
        self._pages: frozenset[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (short := _NUMBER.fullmatch(scope["path"])):
            await RedirectResponse(f"/incidents/{int(short[1])}")(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] in self._known():
            scope = {**scope, "path": f"{scope['path']}/", "raw_path": f"{scope['path']}/".encode()}
        await self._app(scope, receive, send)

    def _known(self) -> frozenset[str]:
        if self._pages is None:
            folders = (index.parent.relative_to(self._built) for index in self._built.rglob("index.html"))
            self._pages = frozenset(f"/{folder}" for folder in folders if str(folder) != ".")
        return self._pages
