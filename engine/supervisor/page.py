"""Is the built page that of these sources, and how is it built?"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.errors import Unavailable
from engine.settings import Settings

_SOURCES = ("aiops_ui", "state", "assets", "engine/model", "requirements.txt", "rxconfig.py", "reflex.lock")
_STAMP = "aiops-stamp"


class Page:
    """The page of one project folder and one web folder."""

    def __init__(self, project: Path, settings: Settings) -> None:
        self._project, self._port = project, settings.port
        self.web_dir = project / settings.web_dir

    def is_current(self) -> bool:
        """Whether what is built is what would be built now."""
        stamp = self.web_dir / _STAMP
        return stamp.exists() and (self.web_dir / "build/client/index.html").exists() and stamp.read_text() == self._mark()

    def build(self) -> None:
        """Build it. Raises Unavailable with the last lines of the builder's output."""
        mark = self._mark()
        (self.web_dir / _STAMP).unlink(missing_ok=True)
        shutil.rmtree(self.web_dir / "build", ignore_errors=True)
        command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
        done = subprocess.run(command, cwd=self._project, env=self._environment(), capture_output=True, text=True)  # noqa: S603
        if done.returncode != 0 or not (self.web_dir / "build/client/index.html").exists():
            said = (done.stdout + done.stderr).strip().splitlines()[-15:]
            raise Unavailable("page builder", "the page could not be built:\n  " + "\n  ".join(said))
        (self.web_dir / _STAMP).write_text(mark)

    def _mark(self) -> str:
        """Changes when anything the page is made of changes."""
        found = hashlib.sha256(f"{self._port}".encode())
        for file in self._files():
            found.update(str(file.relative_to(self._project)).encode() + b"\0" + file.read_bytes() + b"\0")
        return found.hexdigest()

    def _files(self) -> Iterator[Path]:
        for name in _SOURCES:
            place = self._project / name
            files = sorted(place.rglob("*")) if place.is_dir() else [place]
            yield from (f for f in files if f.is_file() and "__pycache__" not in f.parts and "external" not in f.parts)

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "REFLEX_WEB_WORKDIR": str(self.web_dir),
            "REFLEX_TELEMETRY_ENABLED": "false",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "AIOPS_PORT": str(self._port),
        }
