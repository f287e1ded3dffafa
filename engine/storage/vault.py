"""How is a secret kept that must be read again?

Sealed with keys that are not in the database: AES in Fernet's envelope (cryptography's MultiFernet), the first key seals, all
of them open. Without a setting, a key is made once in the data directory.
"""

import os
import tempfile
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engine.errors import Misconfigured

_FILE = "sealing.key"


class Vault:
    """Seals and opens secrets, with these keys, or with the one in a file that is made when it is first needed."""

    def __init__(self, keys: list[str] | Path) -> None:
        self._keys = keys
        if not isinstance(keys, Path):
            assert self._fernet, "keys that are given are checked at once"

    @cached_property
    def _fernet(self) -> MultiFernet:
        keys = [_kept(self._keys)] if isinstance(self._keys, Path) else self._keys
        try:
            return MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            said = "each key must be 32 bytes in URL-safe base64, as `openssl rand -base64 32` gives"
            raise Misconfigured(f"AIOPS_SEALING_KEYS: {said}") from None

    def seal(self, secret: str) -> bytes:
        """The secret as it may lie in the database."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret again. Raises Misconfigured when the key it was sealed with is not among ours."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise Misconfigured("AIOPS_SEALING_KEYS: a secret was sealed with a key that is not among these; add it again") from None


@cache
def vault(data_dir: Path, keys: str) -> Vault:
    """The vault of an installation: `keys` are comma-separated, the newest first; none: the key in the data directory."""
    return Vault([key.strip() for key in keys.split(",")] if keys else data_dir / _FILE)


def _kept(path: Path) -> str:
    """The key in this file; made, readable by us alone, if there is none. Of several processes at once, one makes it."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as out:
            out.write(Fernet.generate_key().decode())
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
        Path(name).unlink()
    if not (key := path.read_text().strip()):
        raise Misconfigured(f"{path}: the file is empty; put the key back from a copy, or remove the file to make another")
    return key
