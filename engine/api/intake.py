"""How does a delivery come in?

`POST /webhook/{kind}/{source}`, `POST /webhook/{kind}` for senders whose credential names the source, and `POST /api/v2/alerts`.
Plain ASGI, as it is the busiest path of the product. It is the one door that is not an operation: a delivery is its own
record. What is answered with a 2xx is on disk.
"""

import zlib
from asyncio import to_thread
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from engine.api import metrics, problems
from engine.api.keeping import Keeper, Overloaded, write
from engine.api.senders import Asked, Senders
from engine.errors import AiopsError, NotFound, NotSignedIn, TooMany, Unavailable
from engine.integrations.sources import ALIASES, KINDS
from engine.integrations.sources.contract import Kind, Undecodable
from engine.integrations.sources.lenient import without
from engine.log import logger, trace_id
from engine.model.heard import Accepted, Delivery
from engine.model.ids import MOST_PLACES, delivery_id
from engine.model.sources import Source
from engine.operations.door import runtime
from engine.storage import quarantine, sources
from engine.storage.bus import Notice
from engine.storage.inbox import Post
from engine.storage.sources import Found
from engine.storage.vault import Vault
from engine.storage.work import Tenant, work

PREFIX, API = "/webhook/", "/api/v2/alerts"
_MOST_HEADER = 4096
_encode = msgspec.json.Encoder().encode


class Unsupported(AiopsError):
    """A form of body that is not read."""

    slug, status, title = "http-415", 415, "Unsupported media type"


class TooLarge(AiopsError):
    """The body is larger than allowed."""

    slug, status, title = "too-large", 413, "Too large"


class Intake:
    """Takes deliveries. Everything else passes on to the application."""

    def __init__(self, vault: Vault, most_bytes: int, failures_per_minute: int) -> None:
        self.senders = Senders(vault)
        self._keeper = Keeper(write)
        self._most_bytes = most_bytes
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._failures = RateLimitItemPerMinute(failures_per_minute)
        self._limits: dict[int, RateLimitItemPerMinute] = {}

    def hear(self, notice: Notice) -> None:
        """A source may have changed."""
        if not notice.kinds or "source" in notice.kinds:
            self.senders.forget()

    @staticmethod
    def is_for_us(scope: Scope) -> bool:
        """Whether a request is a delivery."""
        path: str = scope["path"]
        return scope["method"] == "POST" and (path.startswith(PREFIX) or path.rstrip("/") == API)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int:
        """Answer a delivery. Returns the status."""
        path, now = scope["path"], datetime.now(UTC)
        kind: Kind | None = None
        try:
            kind, public_id = route(path)
            headers = _headers(scope)
            body = await self._body(receive, headers)
            found = await self._sender(kind, public_id, Asked(scope["client"][0], headers, body, now))
            status, content = await self._take(kind, found, Delivery(body, _kept(kind, headers), now))
        except (psycopg.Error, SQLAlchemyError) as error:
            logger().error("intake.not_kept", error=type(error).__name__)
            said = "The database does not answer, so nothing was kept; send it again in a few seconds."
            await problems.problem(path, Unavailable("database", said))(scope, receive, send)
            return 503
        except (Overloaded, TooMany) as error:
            # Senders of some kinds come again only after a 5xx, of others only after a 429.
            status = 429 if kind is not None and kind.retries_429 else 503
            wait = error.retry_after if isinstance(error, TooMany) else 5
            kindly = (error.slug, error.title, status)
            await problems.document(path, kindly, str(error), (), {"Retry-After": str(wait)})(scope, receive, send)
            return status
        except AiopsError as error:
            await problems.problem(path, error)(scope, receive, send)
            return error.status
        await _answer(send, status, content)
        return status

    async def _sender(self, kind: Kind, public_id: str | None, asked: Asked) -> Found:
        try:
            found = await self.senders.check(kind, public_id, asked)
        except NotSignedIn:
            metrics.refused(kind.id)
            if not self._limiter.hit(self._failures, asked.address):
                raise TooMany("Too many deliveries without a right credential from this address.", 60) from None
            raise
        limit = self._limits.setdefault(found.settings.per_minute, RateLimitItemPerMinute(found.settings.per_minute))
        if not self._limiter.hit(limit, found.source.public_id):
            metrics.rejected(kind.id, found.source.public_id, "limit", 0)
            raise TooMany(f"This source may send {found.settings.per_minute} deliveries a minute; the limit is one of its settings.", 30)
        return found

    async def _take(self, kind: Kind, found: Found, delivery: Delivery) -> tuple[int, bytes]:
        """Decode and keep a delivery. Raises Undecodable when nothing in it can be understood; then it is in the quarantine."""
        source = found.source
        metrics.received(kind.id, source.public_id)
        try:
            accepted = kind.accept(delivery.body, delivery.headers)
            if accepted.alerts > MOST_PLACES:
                raise Undecodable(f"More than {MOST_PLACES} alerts in one body; send them in parts.")
            if accepted.alerts and len(accepted.rejected) == accepted.alerts:
                raise Undecodable(f"None of the {accepted.alerts} alerts can be understood. The first: {accepted.rejected[0].reason}")
        except Undecodable as error:
            await to_thread(_put_aside, source, _without_credential(kind, delivery), str(error))
            metrics.rejected(kind.id, source.public_id, "not understood", 0)
            raise
        id = delivery_id(delivery.received_at)
        kept = Delivery(accepted.body, delivery.headers, delivery.received_at)
        post = Post(id, source.org_id, source.team_id, source.id, kind.id, kept, accepted.alerts)
        await self._keeper.keep(post)
        metrics.stored(kind.id, source.public_id, accepted.alerts - len(accepted.rejected), delivery.received_at)
        if accepted.rejected:
            metrics.rejected(kind.id, source.public_id, "alert", len(accepted.rejected))
        return _said(kind, id, accepted)

    async def _body(self, receive: Receive, headers: Mapping[str, str]) -> bytes:
        """The whole body, unpacked. Raises TooLarge, Unsupported, Undecodable."""
        fault = f"The body is larger than {self._most_bytes} bytes (AIOPS_BODY_LIMIT_BYTES); send it in parts."
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._most_bytes:
            raise TooLarge(fault)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise Undecodable("The connection ended before the body did.")
            parts.append(part := message.get("body", b""))
            size, more = size + len(part), message.get("more_body", False)
            if size > self._most_bytes:
                raise TooLarge(fault)
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        coding = headers.get("content-encoding", "identity").strip().lower()
        return body if coding in ("identity", "") else unpacked(body, coding, self._most_bytes)


def route(path: str) -> tuple[Kind, str | None]:
    """The kind and the public id of the source that an address names. Raises NotFound."""
    if path.rstrip("/") == API:
        return KINDS["prometheus"], None
    word, _, rest = path.removeprefix(PREFIX).partition("/")
    # what Prometheus puts behind its path_prefix
    public_id = rest.removesuffix("/").removesuffix("api/v2/alerts").removesuffix("/")
    if "/" in public_id:
        raise NotFound(f"There is nothing at {path[:200]}; the address of a source is on its page.")
    return KINDS[ALIASES.get(word, word)], public_id or None


def unpacked(body: bytes, coding: str, most: int) -> bytes:
    """A gzip body, unpacked no further than allowed. Raises Unsupported, Undecodable, TooLarge."""
    if coding not in ("gzip", "x-gzip"):
        raise Unsupported(f"Content-Encoding {coding[:40]} is not read; send gzip, or plain JSON.")
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(body, most + 1)
    except zlib.error:
        raise Undecodable("Content-Encoding says gzip, but the body is not.") from None
    if len(plain) > most:
        raise TooLarge(f"The body unpacks to more than {most} bytes (AIOPS_BODY_LIMIT_BYTES); send it in parts.")
    if unzip.unused_data:
        raise Undecodable("The gzip body has more than one part; send it as one.")
    if not unzip.eof:
        raise Undecodable("The gzip body ends too early.")
    return plain


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _kept(kind: Kind, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that this kind needs later."""
    whole = {name for name in kind.headers if not name.endswith("*")}
    families = tuple(name[:-1] for name in kind.headers if name.endswith("*"))
    if not kind.headers:
        return {}
    found = {name: value[:_MOST_HEADER] for name, value in headers.items() if name in whole or (families and name.startswith(families))}
    return {name: value.replace("\0", "") for name, value in found.items()}


def _said(kind: Kind, id: UUID, accepted: Accepted) -> tuple[int, bytes]:
    if kind.answer is not None:
        status, content = kind.answer(id, accepted)
        return status, b"" if content is None else _encode(content)
    rejected: list[dict[str, Any]] = [{"index": fault.index, "reason": fault.reason} for fault in accepted.rejected]
    return 202, _encode({"delivery": str(id), "accepted": accepted.alerts - len(rejected), "rejected": rejected})


def _without_credential(kind: Kind, delivery: Delivery) -> Delivery:
    """What may be kept of a delivery that was refused: where a body may hold a credential, none that cannot be searched for it."""
    if kind.credential is None:
        return delivery
    body = without(kind.credential(delivery.body) or "", delivery.body)
    return Delivery(body, delivery.headers, delivery.received_at)


def _put_aside(source: Source, delivery: Delivery, reason: str) -> None:
    with work(runtime().database, Tenant(source.org_id, all_teams=True)) as open_work:
        quarantine.add(open_work, source, delivery, reason)
        sources.fail(open_work, source.id, reason, 1)


async def _answer(send: Send, status: int, content: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"x-trace-id", trace_id.get().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
