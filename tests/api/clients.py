"""How do tests of REST send requests? Through the whole application, as a web process serves it."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp

from engine.api import allow_origins
from engine.api.cookies import CSRF_HEADER, csrf_cookie, session_cookie
from engine.identity.actor import Actor
from engine.identity.secrets import csrf_token
from engine.model.vocabulary import Role
from engine.operations import callers, tokens
from engine.serving import Web
from engine.settings import Settings, load
from engine.storage.bus import EVERYTHING
from tests.testkit.people import enter

ORIGIN = "http://localhost:3000"
PROBLEM = "application/problem+json"
_loop = asyncio.Runner()
# A thread of its own: where a test runs, a browser's loop may be running already.
_thread = ThreadPoolExecutor(1, thread_name_prefix="client")
_webs: dict[int, Web] = {}


@dataclass(frozen=True)
class Client:
    """Somebody who sends requests from an address, with these headers and cookies on each of them."""

    app: ASGIApp
    address: str = "203.0.113.9"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    origin: str = ORIGIN

    def __call__(self, method: str, path: str, *, headers: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Send one request. No bus listens here, so what it would do is done by hand: callers are forgotten."""
        callers.forget(EVERYTHING)
        if (web := _webs.get(id(self.app))) is not None and web._intake is not None:
            web._intake.hear(EVERYTHING)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(self.address, 40000))
            async with httpx.AsyncClient(transport=transport, base_url=self.origin, cookies=dict(self.cookies)) as client:
                return await client.request(method, path, headers={**self.headers, **(headers or {})}, **more)

        return _thread.submit(_loop.run, send()).result()

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Read."""
        return self("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        """Change, with a body of JSON."""
        return self("POST", path, **(more if json is None else more | {"json": json}))

    def form(self, path: str, fields: Mapping[str, str], **more: Any) -> httpx.Response:
        """Send a plain HTML form."""
        return self("POST", path, data=dict(fields), **more)


@dataclass(frozen=True)
class Server:
    """The application with its settings, and who may come to it."""

    settings: Settings
    app: ASGIApp

    @property
    def origin(self) -> str:
        """Where it is reached."""
        return self.settings.origin

    def anybody(self, address: str = "203.0.113.9", **headers: str) -> Client:
        """Somebody without a credential."""
        return Client(self.app, address, headers, origin=self.origin)

    def program(self, owner: Actor, role: Role = Role.OWNER, **more: Any) -> Client:
        """A program with a fresh token."""
        return self.bearer(tokens.create(owner, "program", role, **more).secret.get_secret_value())

    def bearer(self, token: str) -> Client:
        """Whoever shows this token."""
        return self.anybody(authorization=f"Bearer {token}")

    def browser(self, person: Actor, **headers: str) -> Client:
        """A page of ours in the browser of a person who has just signed in."""
        return self.holder(enter(person), **headers)

    def holder(self, secret: str, **headers: str) -> Client:
        """A page of ours with this session."""
        proof = csrf_token(secret)
        cookies = {session_cookie(self.settings): secret, csrf_cookie(self.settings): proof}
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin", CSRF_HEADER: proof} | headers
        return Client(self.app, headers=sent, cookies=cookies, origin=self.origin)


def serve(data_dir: str, **variables: str) -> Server:
    """The application as `engine web --api-only` builds it, with these settings."""
    given = {"AIOPS_DATA_DIR": data_dir, "AIOPS_RATE_LIMIT_PER_MINUTE": "1000000"} | {f"AIOPS_{n.upper()}": v for n, v in variables.items()}
    settings = load(given)
    web = Web(settings)
    app = web.guard(allow_origins(web.api, settings))
    _webs[id(app)] = web  # lives as long as the tests do
    return Server(settings, app)


def is_problem(answer: httpx.Response, status: int, slug: str) -> bool:
    """Whether the answer is that problem document, whole."""
    body = answer.json()
    whole = set(body) == {"type", "title", "status", "detail", "instance", "errors", "trace_id"}
    named = body.get("type") == f"/api/docs#{slug}" and bool(body.get("title")) and bool(body.get("detail"))
    here = body.get("instance") == answer.request.url.path and body.get("trace_id") == answer.headers["x-trace-id"]
    return whole and named and here and answer.status_code == body["status"] == status and answer.headers["content-type"] == PROBLEM
