"""Is the built page that of these sources, and how is it built?"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import Unavailable
from engine.process import ChildProcess, end, spawn
from engine.settings import Settings

_SOURCES = ("aiops_ui", "state", "assets", "engine/model", "requirements.txt", "rxconfig.py")
_LOCK = ("reflex.lock",)
_STAMP = "aiops-stamp"
_LOCK_FILE = "aiops-build.lock"


class Page:
    """The page of one project folder and one web folder."""

    def __init__(self, project: Path, settings: Settings) -> None:
        self._project = project
        self.web_dir = project / settings.web_dir
        self._builder: ChildProcess | None = None
        self._stopped = False

    def is_current(self) -> bool:
        """Whether what is built is what would be built now."""
        try:
            stamp = (self.web_dir / _STAMP).read_bytes()
        except OSError:
            return False
        return (self.web_dir / "build/client/index.html").exists() and stamp == (self._mark(_SOURCES) + self._mark(_LOCK)).encode()

    def build(self) -> None:
        """Build it, unless another process on the same folder has just done so. Raises Unavailable with the builder's last lines."""
        with self._alone() as alone:
            if alone and not self.is_current():
                self._build()

    def forget(self) -> None:
        """Have it built anew the next time: what lies there will be another one, or half of one."""
        self.web_dir.mkdir(parents=True, exist_ok=True)
        stamp = self.web_dir / _STAMP
        if stamp.is_dir():
            shutil.rmtree(stamp)
        stamp.unlink(missing_ok=True)

    def _build(self) -> None:
        sources = self._mark(_SOURCES)
        self.forget()
        shutil.rmtree(self.web_dir / "build", ignore_errors=True)
        command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
        environment = self._environment()
        self._builder = spawn(command, at_our_death=signal.SIGTERM, environment=environment, cwd=self._project, output=subprocess.PIPE)
        if self._stopped:
            self.stop()
        out, errors = self._builder.communicate()
        if self._builder.returncode != 0 or not (self.web_dir / "build/client/index.html").exists():
            said = (out + errors).decode(errors="replace").strip().splitlines()[-15:]
            raise Unavailable("page builder", "the page could not be built:\n  " + "\n  ".join(said))
        # The builder writes the lock anew: what counts are the sources it began with and the lock it has left.
        (self.web_dir / _STAMP).write_text(sources + self._mark(_LOCK))

    def stop(self) -> None:
        """End a build that runs, from another thread. What it leaves has no stamp, so that the next start builds anew."""
        self._stopped = True
        if self._builder is not None and self._builder.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(self._builder.pid, signal.SIGTERM)  # its own children too
            end(self._builder, signal.SIGTERM, 5)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """One builder at a time in the web folder; false when told to stop before it was our turn."""
        self.web_dir.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.web_dir / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not self._stopped:
                with suppress(BlockingIOError):
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                time.sleep(0.2)  # a lock that waits by itself could not be told to stop
            yield not self._stopped
        finally:
            os.close(handle)

    def _mark(self, names: Sequence[str]) -> str:
        """Changes when anything below these names changes."""
        found = hashlib.sha256()
        for file in self._files(names):
            found.update(str(file.relative_to(self._project)).encode() + b"\0" + file.read_bytes() + b"\0")
        return found.hexdigest()

    def _files(self, names: Sequence[str]) -> Iterator[Path]:
        for name in names:
            place = self._project / name
            files = sorted(place.rglob("*")) if place.is_dir() else [place]
            yield from (f for f in files if f.is_file() and "__pycache__" not in f.parts and "external" not in f.parts)

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "REFLEX_WEB_WORKDIR": str(self.web_dir),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
        }
