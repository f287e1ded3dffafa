"""What happens to every request before and after anybody looks at it?

Pure ASGI, so that sockets and streams pass unharmed: a trace id in and out, the sender's real address, limits of size and
rate, the security headers, one line in the log and one count in the metrics.
"""

import re
import time
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api import metrics, problems
from engine.api.intake import Intake, TooLarge
from engine.api.policy import WORKER, PagePolicy
from engine.errors import TooMany
from engine.identity.secrets import digest
from engine.log import logger, trace_id
from engine.settings import Network, Settings

_TRACE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_LIMITED = ("/api/", "/auth/")
# An address may carry many people and programs.
_PER_ADDRESS = 10


@dataclass(frozen=True)
class _Route:
    path: str


_WEBHOOK = _Route("/webhook/{kind}/{source}")


class Edge:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, web_dir: Path, intake: Intake) -> None:
        self._app, self._settings, self._intake = app, settings, intake
        self._policy = PagePolicy(web_dir)
        self._limit = RateLimiter(settings.rate_limit_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = headers.get("x-trace-id", "")
        trace_id.set(sent if _TRACE.fullmatch(sent) else uuid4().hex)
        peer = scope["client"][0] if scope.get("client") else ""
        address = real_address(peer, headers.getlist("x-forwarded-for"), self._settings.trusted_proxies)
        scope = {**scope, "client": (address, 0)}
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if Intake.is_for_us(scope):
            await self._deliver(scope, receive, send)
            return
        await self._serve(scope, receive, send, headers)

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Deliveries have limits of their own, and are too many to be logged one by one: what is refused is."""
        began, status = time.perf_counter(), 500

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                out = MutableHeaders(scope=message)
                for name, value in self._security(scope["path"], out).items():
                    out[name] = value
            await send(message)

        try:
            status = await self._intake(scope, receive, send_on)
        except Exception as error:  # a fault of ours is answered like everywhere else, so that the sender comes again
            logger().error("intake.failed", exc_info=error)
            unexpected = ("error", "Something failed", 500)
            await problems.document(scope["path"], unexpected, "This is a fault of ours; nothing was kept.")(scope, receive, send_on)
        finally:
            seconds = time.perf_counter() - began
            route = metrics.observe({**scope, "route": _WEBHOOK}, status, seconds)
            if status >= 400:
                logger().info("http.served", method="POST", route=route, status=status, ms=round(seconds * 1000, 1))

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        began, path, status = time.perf_counter(), scope["path"], 500
        limits: dict[str, str] = {}

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                # A 304 has no type of its own, and its headers replace those of what the browser keeps.
                security = self._security(path, out) if status != 304 else {"X-Trace-Id": trace_id.get()}
                for name, value in (limits | security).items():
                    out[name] = value
            await send(message)

        try:
            if path.startswith(_LIMITED):
                limits = self._limit.count(scope["client"][0], headers)
            body = self._bounded(receive, headers)
            await self._app(scope, body, send_on)
        except (TooLarge, TooMany) as error:
            if isinstance(error, TooMany):
                limits = self._limit.exhausted(error.retry_after)
            await problems.problem(path, error)(scope, receive, send_on)
        finally:
            seconds = time.perf_counter() - began
            route = metrics.observe(scope, status, seconds)
            if path.startswith(_LIMITED) or status >= 500:
                logger().info("http.served", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))

    def _security(self, path: str, sent: MutableHeaders) -> dict[str, str]:
        html = sent.get("content-type", "").startswith("text/html")
        headers = {
            "X-Trace-Id": trace_id.get(),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",  # with no-referrer a form would be posted with `Origin: null`
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if "content-security-policy" not in sent:
            policy = self._policy.for_worker if path == WORKER else self._policy.for_pages if html else self._policy.for_data
            headers["Content-Security-Policy"] = policy()
        if self._settings.tls:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        if "cache-control" not in sent:
            headers["Cache-Control"] = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-store"
            if html:
                headers["Cache-Control"] = "no-cache"
        return headers

    def _bounded(self, receive: Receive, headers: Headers) -> Receive:
        most = self._settings.body_limit_bytes
        fault = f"The body is larger than {most} bytes (AIOPS_BODY_LIMIT_BYTES); send it in parts."
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            raise TooLarge(fault)
        seen = 0

        async def receive_bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise TooLarge(fault)
            return message

        return receive_bounded


class RateLimiter:
    """So many requests a minute of one credential, and ten times as many of one address. In this process's memory."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._per_minute = per_minute
        self._credential = RateLimitItemPerMinute(per_minute)
        self._address = RateLimitItemPerMinute(per_minute * _PER_ADDRESS)

    def count(self, address: str, headers: Headers) -> dict[str, str]:
        """Count a request. Returns the headers that say what is left. Raises TooMany."""
        credential = headers.get("authorization") or headers.get("cookie") or ""
        key = digest(credential or address).hex()
        # The address first: a flood of made-up credentials is refused before each of them gets a count of its own.
        if not (self._limiter.hit(self._address, address) and self._limiter.hit(self._credential, key)):
            reset = self._limiter.get_window_stats(self._credential, key).reset_time
            raise TooMany(f"More than {self._per_minute} requests in a minute. Wait, then go on more slowly.", _seconds_to(reset))
        window = self._limiter.get_window_stats(self._credential, key)
        return self._headers(window.remaining, _seconds_to(window.reset_time))

    def exhausted(self, seconds: int) -> dict[str, str]:
        """The headers of a refusal."""
        return self._headers(0, seconds)

    def _headers(self, remaining: int, seconds: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self._per_minute),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(seconds),
            "RateLimit-Policy": f'"default";q={self._per_minute};w=60',
            "RateLimit": f'"default";r={remaining};t={seconds}',
        }


def _seconds_to(moment: float) -> int:
    return max(1, int(moment - time.time()) + 1)


def real_address(peer: str, forwarded: list[str], trusted: list[Network]) -> str:
    """The sender: the last address in X-Forwarded-For that no trusted proxy added, if the peer is one; else the peer."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = peer
    while hops and _within(address, trusted):
        address = hops.pop()
    parsed = _parsed(address)
    return peer if parsed is None else str(parsed)


def _within(address: str, networks: list[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str):  # noqa: ANN202
    try:
        parsed = ip_address(address)
        return getattr(parsed, "ipv4_mapped", None) or parsed  # an IPv4 address, as a socket of both kinds says it
    except ValueError:
        return None
