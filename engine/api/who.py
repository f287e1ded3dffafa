"""Who sends this request?"""

import hmac
import re
from typing import Annotated

from fastapi import Depends, Request

from engine.api.cookies import CSRF_HEADER, csrf_cookie, session_secret
from engine.errors import Invalid, NotSignedIn, Refused
from engine.identity.actor import Actor
from engine.identity.actor import Request as Origin
from engine.identity.secrets import csrf_token
from engine.log import trace_id
from engine.operations import callers
from engine.settings import Settings

_SAFE = ("GET", "HEAD", "OPTIONS")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def origin_of(request: Request) -> Origin:
    """Where a request came from, for the door. Raises Invalid for an Idempotency-Key that is none."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Invalid.field("Idempotency-Key", "Use 1 to 200 visible ASCII characters, such as a UUID.")
    agent = request.headers.get("user-agent", "")
    return Origin(trace_id.get(), address_of(request), agent, key if request.method not in _SAFE else None)


def address_of(request: Request) -> str:
    """The address of the sender; the guard has looked through trusted proxies."""
    return request.client.host if request.client else ""


def caller(request: Request) -> Actor:
    """The actor of a request: by bearer token, or by the session cookie of a page of ours. Raises NotSignedIn, Refused."""
    origin = origin_of(request)
    authorization = request.headers.get("authorization", "")
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("Send `Authorization: Bearer aio_…`.")
        return callers.by_token(origin, token.strip())
    settings: Settings = request.app.state.settings
    secret = session_secret(request.cookies, settings)
    if secret is None:
        raise NotSignedIn("Sign in, or send `Authorization: Bearer aio_…`.")
    if request.method not in _SAFE:
        require_own_page(request)
        _require_double_submit(request, secret, settings)
    return callers.by_session(origin, secret)


Caller = Annotated[Actor, Depends(caller)]


def require_own_page(request: Request) -> None:
    """Refuse a request that a page of another site made its visitor's browser send."""
    settings: Settings = request.app.state.settings
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None and origin not in settings.origins:
        raise Refused(f"Pages of {origin[:200]} may not do this; AIOPS_ALLOWED_ORIGINS lists who may.")
    if origin is None and site not in (None, "same-origin", "none"):
        raise Refused("Pages of another site may not do this.")


def _require_double_submit(request: Request, secret: str, settings: Settings) -> None:
    expected = csrf_token(secret)
    sent = (request.headers.get(CSRF_HEADER, ""), request.cookies.get(csrf_cookie(settings), ""))
    if not all(hmac.compare_digest(value.encode(), expected.encode()) for value in sent):
        raise Refused(f"Send the value of the cookie {csrf_cookie(settings)} in the header {CSRF_HEADER}.")
