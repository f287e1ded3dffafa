"""Who is calling? Remembered for two seconds, and forgotten at once when a session, token or role changes."""

import time
from threading import Lock

from pydantic import SecretStr

from engine.identity.actor import Actor, Request
from engine.identity.secrets import digest
from engine.operations import sign_in
from engine.storage.bus import EVERYTHING, Notice

_REMEMBERED = 2.0
_MOST = 5000
_recent: dict[bytes, tuple[float, Actor]] = {}
_lock = Lock()


def by_session(request: Request, secret: str) -> Actor:
    """Who holds the session of this cookie. Raises NotSignedIn."""
    return remembered(request, secret) or _learn(f"session:{secret}", sign_in.by_session(request, SecretStr(secret)))


def remembered(request: Request, secret: str) -> Actor | None:
    """Who held the session of this cookie a moment ago, without asking the database; None when it has to be asked."""
    return _known(request, f"session:{secret}")


def by_token(request: Request, token: str) -> Actor:
    """Which API token this is. Raises NotSignedIn or TooMany."""
    return _known(request, f"token:{token}") or _learn(f"token:{token}", sign_in.by_token(request, SecretStr(token)))


def forget(notice: Notice) -> None:
    """Forget the callers that a notice may be about."""
    if notice is not EVERYTHING and not notice.kinds & {"session", "token", "people"}:
        return
    with _lock:
        for key, (_, actor) in list(_recent.items()):
            if notice.org_id in (None, actor.org_id) or actor.session_id in notice.ids:
                del _recent[key]


def _known(request: Request, key: str) -> Actor | None:
    found = _recent.get(digest(key))
    return found[1].on(request) if found and time.monotonic() - found[0] < _REMEMBERED else None


def _learn(key: str, actor: Actor) -> Actor:
    with _lock:
        if len(_recent) >= _MOST:
            _recent.clear()
        _recent[digest(key)] = (time.monotonic(), actor)
    return actor
