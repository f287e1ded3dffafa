"""How is what a sender posts read without losing an alert over an oddity?

Strict about shape (an alert is an object, labels are an object), lenient about everything inside: odd times, numbers where
text should be, unknown fields.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from engine.integrations.sources.contract import CREDENTIAL, Undecodable
from engine.model.heard import Accepted, Fault, Link

T = TypeVar("T")
_BOM = b"\xef\xbb\xbf"
_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)  # before it: zero times, epoch 0 and their like
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_MILLIS_FROM = 100_000_000_000  # as seconds this is the year 5138
_MICROS_FROM = 100_000_000_000_000
_NANOS_FROM = 100_000_000_000_000_000
_DEEPEST = 200
_LONGEST_TIME = 60  # characters


def decode(decoder: msgspec.json.Decoder[T], body: bytes, expected: str) -> T:
    """Decode a body, or raise Undecodable with what was expected. Raises msgspec.ValidationError for another shape."""
    if not body.strip():
        raise Undecodable(f"The body is empty; send {expected}.")
    try:
        return decoder.decode(body.removeprefix(_BOM))
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise Undecodable(f"The body is not JSON ({str(error)[:200]}); send {expected}.") from None
    except RecursionError:
        raise Undecodable(f"The body is nested deeper than {_DEEPEST} levels; send {expected}.") from None


def counted(body: bytes, found: Sequence[object]) -> Accepted:
    """What the first look says of a body of which each alert, or its fault, was looked at."""
    return Accepted(body, len(found), tuple(each for each in found if isinstance(each, Fault)))


def text(value: Any, most: int = 0) -> str | None:
    """A scalar as text without NUL and surrogates; None for null, empty and what is no scalar."""
    if value is None or isinstance(value, dict | list):
        return None
    said = value if isinstance(value, str) else _plain(value)
    said = clean(said).strip()
    return (said[:most] if most else said) or None


def clean(said: str) -> str:
    """Text as the database can keep it: without NUL and half characters."""
    if said.isascii():
        return said.replace("\0", "") if "\0" in said else said
    return said.replace("\0", "").encode("utf-8", "replace").decode()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def words(value: Any) -> dict[str, str]:
    """An object as labels: every value as text, nested ones as their JSON; nulls are left out. Raises TypeError for no object."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError
    found: dict[str, str] = {}
    for name, said in value.items():
        if said is None:
            continue
        plain = msgspec.json.encode(said, order="sorted").decode() if isinstance(said, dict | list) else _plain(said)
        found[clean(str(name))] = clean(plain)
    return found


def moment(value: Any) -> datetime | None:
    """A time in UTC from RFC 3339 in all its dialects, or epoch seconds, milli-, micro- or nanoseconds; None for none.

    A zero time (year 1, epoch 0) means `not set`. So does what lies outside 1971 to 2200: nobody meant it.
    """
    if value is None or isinstance(value, bool) or value == "":
        return None
    try:
        found = _from_epoch(float(value)) if isinstance(value, int | float) else _from_text(str(value)[:_LONGEST_TIME])
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and _EARLIEST <= found <= _LATEST else None


def _from_epoch(number: float) -> datetime:
    size = abs(number)
    divisor = 1e9 if size >= _NANOS_FROM else 1e6 if size >= _MICROS_FROM else 1e3 if size >= _MILLIS_FROM else 1
    return datetime.fromtimestamp(number / divisor, UTC)


def _from_text(said: str) -> datetime | None:
    said = said.strip()
    if said[-4:] in (" UTC", " GMT"):
        said = said[:-4] + "Z"
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        if ":60" in said:  # a leap second
            before = _from_text(said.replace(":60", ":59", 1))
            return before + timedelta(seconds=1) if before else None
        return _from_epoch(float(said))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def link(title: str, url: Any) -> tuple[Link, ...]:
    """A link of that title, if the address is one of http or https without a password in it; else none."""
    said = text(url, 4000)
    if said is None or not said.lower().startswith(("http://", "https://")):
        return ()
    host = said.split("/", 3)[2]
    return (Link(title, said),) if host and "@" not in host else ()


def without(secret: str, body: bytes) -> bytes:
    """A body of JSON with a credential replaced wherever it is in a text; nothing of a body that is no JSON."""
    try:
        said = msgspec.json.decode(body.removeprefix(_BOM))
        is_hidden = secret.encode() in body or b"\\u" in body  # else it is left as it came, to the last digit
        return msgspec.json.encode(_replaced(said, secret)) if secret and is_hidden else body
    except (msgspec.DecodeError, UnicodeError, ValueError, RecursionError):
        return b""


def _replaced(said: Any, secret: str) -> Any:
    if isinstance(said, str):
        return said.replace(secret, CREDENTIAL)
    if isinstance(said, list):
        return [_replaced(each, secret) for each in said]
    if isinstance(said, dict):
        return {_replaced(name, secret): _replaced(value, secret) for name, value in said.items()}
    return said


def first(of: Mapping[str, str], *names: str) -> str | None:
    """The first of these that is there and not empty."""
    for name in names:
        if found := of.get(name):
            return found
    return None
