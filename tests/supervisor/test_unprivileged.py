"""Does it run for somebody who is not root, in a home of their own?"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.supervisor.watching import Shared, gone, health_kinds
from tests.testkit.installation import PROJECT, WEB_DIR, Installation, clean_environment

pytestmark = pytest.mark.slow
_NOBODY = 65534
# root's rights end with the first program that setpriv runs, so that one is `env`.
_AS_NOBODY = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "env"] if os.geteuid() == 0 else []


class Unprivileged(Installation):
    """An installation that somebody else than root starts; `python` is one that they may run."""

    python: str = sys.executable

    def begin(self) -> "Unprivileged":
        """Start it in a home of that person, where nothing but the data directory is named."""
        home = self.data_dir.parent
        mine = {"HOME": str(home), "AIOPS_DATA_DIR": str(self.data_dir), "AIOPS_PORT": str(self.port), "AIOPS_WEB_DIR": str(WEB_DIR)}
        with self.log.open("ab") as log:
            command = [*_AS_NOBODY, self.python, "-m", "engine", "up"]
            self.process = subprocess.Popen(command, cwd=PROJECT, env=clean_environment() | mine | self.environment, stdout=log, stderr=log)  # noqa: TID251
        return self


def test_an_unprivileged_user_starts_it_and_is_served(stopped: Shared, scratch: Path) -> None:
    home = scratch / "home"
    home.mkdir()
    python, packages = _python(scratch)
    if os.geteuid() == 0:
        os.chown(home, _NOBODY, _NOBODY)
    mine = Unprivileged(home / "data", stopped.environment | packages, stopped.port)
    mine.python = python
    mine.start()
    try:
        said = mine.until(lambda: (health := mine.health()).get("status") == "ok" and health)
        assert health_kinds(said) == {"web", "worker"}
        assert "uilding the page" not in mine.said()
        processes = mine.all_processes()
        assert {process.uids().effective for process in processes} == {os.geteuid() or _NOBODY}
        owners = {path.stat().st_uid for path in (mine.data_dir, mine.data_dir / "postgres", *(mine.data_dir / "keys").iterdir())}
        assert owners == {os.geteuid() or _NOBODY}
    finally:
        assert mine.stop() == 0
    assert gone(processes, within=10)


def _python(scratch: Path) -> tuple[str, dict[str, str]]:
    """A Python that the user may run, and the variables that give it our packages: root's own folders are closed to them."""
    if not _may("test", "-r", str(PROJECT / "engine" / "start.py")):
        pytest.skip(f"another user may not read {PROJECT}")
    if _may(sys.executable, "-c", ""):
        return sys.executable, {}
    version = f"python3.{sys.version_info.minor}"
    ours, copy = Path(sys.base_prefix), scratch / "python"
    (copy / "bin").mkdir(parents=True)
    shutil.copy(ours / "bin" / version, copy / "bin" / version)
    needless = shutil.ignore_patterns("test", "site-packages", "*.a", "idlelib", "config-*")  # compiled modules go along
    shutil.copytree(ours / "lib" / version, copy / "lib" / version, ignore=needless)
    packages = {"PYTHONPATH": sysconfig.get_path("purelib"), "LD_LIBRARY_PATH": str(copy / "lib")}
    for library in (ours / "lib").glob("libpython*.so*"):
        shutil.copy(library, copy / "lib")
    return str(copy / "bin" / version), packages


def _may(*command: str) -> bool:
    try:
        return subprocess.run([*_AS_NOBODY, *command], capture_output=True).returncode == 0
    except OSError:
        return False
