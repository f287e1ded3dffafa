"""How do secrets look, and how are they kept?

Sessions, tokens and links are random with 256 bits, so that one SHA-256 is enough to keep them. Passwords are argon2id.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_PREFIX = "aio"  # noqa: S105 a prefix, not a secret
_TOKEN = re.compile(r"aio_([0-9a-z]{8})_([0-9A-Za-z_-]{43})")
_hasher = PasswordHasher()
# Each hash takes 64 MiB: a flood of sign-ins waits here, not in memory.
_at_once = BoundedSemaphore(2)


@dataclass(frozen=True)
class Token:
    """A token in two halves: the id finds its row, the secret proves it. `text` is what the program shows."""

    public_id: str
    secret: str

    @property
    def text(self) -> str:
        """The whole token, shown once."""
        return f"{TOKEN_PREFIX}_{self.public_id}_{self.secret}"


def new_secret() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_token() -> Token:
    """A fresh token."""
    return Token(base64.b32encode(secrets.token_bytes(5)).decode().lower(), new_secret())


def parse_token(text: str) -> Token | None:
    """The halves of a token; None when the text is none."""
    found = _TOKEN.fullmatch(text)
    return Token(found[1], found[2]) if found else None


def digest(secret: str) -> bytes:
    """What is kept of a random secret (never of a password)."""
    return hashlib.sha256(secret.encode()).digest()


def matches(secret: str, kept: bytes) -> bool:
    """Whether the secret is the kept one, in constant time."""
    return hmac.compare_digest(digest(secret), kept)


def csrf_token(session_secret: str) -> str:
    """The double-submit token of a session: a page of ours can read it in its cookie, another site cannot."""
    return hmac.digest(session_secret.encode(), b"aiops csrf", "sha256").hex()


def hash_password(password: str) -> str:
    """The argon2id hash to keep."""
    with _at_once:
        return _hasher.hash(password)


def password_matches(password: str, kept: str | None) -> bool:
    """Whether it is the password; with None it takes as long, so that nobody learns which accounts exist."""
    with _at_once:
        try:
            return _hasher.verify(kept or _NOBODY, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def _no_hash() -> str:
    """The hash of no password at all, which takes as long to compare with; made up, as to compute one takes a tenth of a second."""
    salt, found = (base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (_hasher.salt_len, _hasher.hash_len))
    return f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${salt}${found}"


_NOBODY = _no_hash()
