"""Who may open the live socket of a page, and for how long?

The framework finds a tab's state by a token the tab chooses. Here the token is bound to the session: with another cookie
the same token leads to another, fresh state. A session that ends closes its sockets.
"""

import asyncio
from urllib.parse import parse_qsl, urlencode
from uuid import NAMESPACE_URL, UUID, uuid5

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.cookies import session_secret
from engine.errors import AiopsError
from engine.identity.actor import Request
from engine.log import logger
from engine.operations import callers
from engine.settings import Settings
from engine.storage.bus import Notice

PATH = "/_event"
_ENDED = 4401
_MOST_STRANGERS = 100


class SocketGuard:
    """Wraps the framework's socket: Origin and transport are checked, the token bound, and revocation disconnects."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._open: dict[UUID, set[asyncio.Event]] = {}
        self._strangers: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").startswith(PATH) or scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["type"] != "websocket" or headers.get("origin") not in self._settings.origins:
            self._tell_of(headers.get("origin", "")[:200])
            await _refuse(scope, receive, send)
            return
        secret = session_secret(cookie_parser(headers.get("cookie", "")), self._settings)
        session_id = await asyncio.to_thread(self._session_of, secret, scope["client"][0])
        bound = {**scope, "query_string": _bind(scope["query_string"], session_id)}
        if session_id is None:
            await self._app(bound, receive, send)
            return
        await self._until_ended(bound, receive, send, session_id)

    def hear(self, notice: Notice) -> None:
        """Close the sockets of sessions that a notice names: they come back if they still may."""
        if "session" in notice.kinds:
            for session_id in notice.ids:
                for ended in self._open.get(session_id, ()):
                    ended.set()

    def _tell_of(self, origin: str) -> None:
        """Log each refused origin once, and not without end: it may be our own page, at an address that nobody told us of."""
        if origin and origin not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
            self._strangers.add(origin)
            hint = "if this is where people open the pages, set AIOPS_PUBLIC_URL to it, or add it to AIOPS_ALLOWED_ORIGINS"
            logger().warning("socket.refused", origin=origin, hint=hint)

    def _session_of(self, secret: str | None, address: str) -> UUID | None:
        try:
            return callers.by_session(Request(address=address), secret).session_id if secret else None
        except AiopsError:
            return None

    async def _until_ended(self, scope: Scope, receive: Receive, send: Send, session_id: UUID) -> None:
        ended = asyncio.Event()
        self._open.setdefault(session_id, set()).add(ended)

        async def receive_until_ended() -> Message:
            coming, ending = asyncio.ensure_future(receive()), asyncio.ensure_future(ended.wait())
            done, _ = await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
            if coming in done:
                ending.cancel()
                return coming.result()
            coming.cancel()
            await send({"type": "websocket.close", "code": _ENDED, "reason": "session ended"})
            return {"type": "websocket.disconnect", "code": _ENDED}

        try:
            await self._app(scope, receive_until_ended, send)
        finally:
            self._open[session_id].discard(ended)
            if not self._open[session_id]:
                del self._open[session_id]


def _bind(query: bytes, session_id: UUID | None) -> bytes:
    """The query with the tab's token replaced by one that belongs to the session (or to nobody's)."""
    parts = [(n, str(uuid5(NAMESPACE_URL, f"{session_id}/{v}")) if n == "token" else v) for n, v in parse_qsl(query.decode("latin-1"))]
    return urlencode(parts).encode()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """403, before anything is accepted."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This socket is for pages of this installation."})
