"""Which cookies do we set?"""

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from engine.identity.cookies import CSRF, FLASH, SESSION, pack
from engine.identity.secrets import csrf_token
from engine.settings import Settings

CSRF_HEADER = "x-csrf-token"
_FLASH_LIVES = 30


def session_cookie(settings: Settings) -> str:
    """The name of the session's cookie."""
    return SESSION[settings.tls]


def csrf_cookie(settings: Settings) -> str:
    """The name of the double-submit cookie, which pages of ours may read."""
    return CSRF[settings.tls]


def session_secret(cookies: Mapping[str, str], settings: Settings) -> str | None:
    """The secret of the session, as the browser sent it."""
    return cookies.get(session_cookie(settings)) or None


def give(response: Response, settings: Settings, secret: str, expires_at: datetime, now: datetime) -> None:
    """Set the cookies of a fresh session."""
    length = max(0, int((expires_at - now).total_seconds()))
    days = settings.session_days * 86400
    response.set_cookie(session_cookie(settings), secret, max(length, days), secure=settings.tls, httponly=True, samesite="lax")
    response.set_cookie(csrf_cookie(settings), csrf_token(secret), max(length, days), secure=settings.tls, samesite="strict")
    response.delete_cookie(FLASH)


def take(response: Response, settings: Settings) -> None:
    """Remove the cookies of a session."""
    for name in (session_cookie(settings), csrf_cookie(settings)):
        response.delete_cookie(name, secure=settings.tls)


def flash(response: Response, settings: Settings, said: Mapping[str, str]) -> None:
    """Carry a fault of a form to the page that is shown next, for half a minute."""
    response.set_cookie(FLASH, pack(said), _FLASH_LIVES, secure=settings.tls, httponly=True, samesite="strict")
