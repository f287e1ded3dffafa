"""Where do we keep things on this machine, and who has them open?"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Misconfigured


@dataclass(frozen=True)
class Holder:
    """The process that has the data directory open."""

    pid: int
    url: str


class DataDir:
    """The data directory: 0711 so that the database's own user can pass through, everything secret below it 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # what we start runs elsewhere
        self._lock: int | None = None

    def make(self) -> None:
        """Create it. Raises Misconfigured when that is not permitted."""
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            if self.path.stat().st_uid == os.geteuid():
                self.path.chmod(0o711)
            (self.path / "keys").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"AIOPS_DATA_DIR: cannot use {self.path}: {error.strerror}; choose another folder") from None

    def acquire(self, url: str) -> Holder | None:
        """Take the lock and leave our address in it. Returns who holds it, or None when it is ours now. Raises Misconfigured."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Misconfigured(f"AIOPS_DATA_DIR: cannot open {self.path}/lock: {error.strerror}; choose another folder") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(handle)
            os.close(handle)
            return holder
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
        self._lock = handle
        return None

    def release(self) -> None:
        """Let the next one in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self, name: str) -> str:
        """A random secret of this installation: made once, kept in keys/ with mode 0600, the same ever after."""
        file = self.path / "keys" / name
        if text := _text_of(file):
            return text
        with _alone_in(file.parent):
            return _text_of(file) or _fill(file, secrets.token_urlsafe(32))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _text_of(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _fill(file: Path, text: str) -> str:
    """Write beside and rename: nobody ever reads half of it, not even after a crash."""
    beside = file.with_name(f".{file.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    beside.rename(file)
    return text


def _read_holder(handle: int) -> Holder:
    try:
        said = json.loads(os.pread(handle, 4096, 0))
        return Holder(int(said["pid"]), str(said["url"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, "")  # it has the lock, and has not yet written who it is
