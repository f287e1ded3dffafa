"""Does everything end when it is told to, whatever it is doing?"""

import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tests.supervisor.watching import Shared, everything_is_free, gone, postgres_of
from tests.testkit.installation import PROJECT, Installation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("signals", "why"),
    [
        ([signal.SIGTERM], "a service manager stops it"),
        ([signal.SIGINT, signal.SIGINT], "Ctrl-C, and an impatient one after it"),
    ],
)
def test_told_to_stop_it_ends_all_children_and_gives_port_and_lock_back(running: Shared, signals: list[signal.Signals], why: str) -> None:
    words = len(running.said())
    ended = _end(running, signals)
    assert ended < 15, why
    assert everything_is_free(running), why
    said = running.said()[words:]
    assert "Stopping." in said and '"worker.stopped"' in said, why
    assert "Traceback" not in said, why
    assert not (running.data_dir / "postgres" / "postmaster.pid").exists(), f"{why}: PostgreSQL shut down cleanly"


def test_ctrl_c_while_the_page_is_built_ends_the_builder_too(scratch: Path, stopped: Shared) -> None:
    web = PROJECT / ".scratch" / "web-interrupted"
    shutil.rmtree(web, ignore_errors=True)
    new = Installation(scratch / "interrupted", {"AIOPS_WEB_DIR": str(web)}, stopped.port)
    try:
        new.begin()
        new.until(lambda: "Building the page" in new.said() and any("reflex" in " ".join(words) for words in _commands(new)))
        assert _end(new, [signal.SIGINT, signal.SIGINT]) < 10
        assert everything_is_free(new)
        assert not (web / "aiops-stamp").exists(), "half a build is not taken for a page"
        assert "Traceback" not in new.said()
    finally:
        shutil.rmtree(web, ignore_errors=True)


def test_ctrl_c_while_the_database_recovers_ends_it(stopped: Shared, scratch: Path) -> None:
    """Recovery may last for minutes, at a start and after a crash of the database while all else runs."""
    hang = scratch / "hang"
    stopped.environment["AIOPS_POSTGRES_BIN"] = str(_binaries_that_hang_while(hang, postgres_of(stopped), scratch / "hanging-binaries"))
    try:
        stopped.start(60)
        hang.touch()
        stopped.children()["postgres"].kill()
        stopped.until(lambda: ["sleep", "600"] in _commands(stopped))
        assert _end(stopped, [signal.SIGINT]) < 10, "after a crash"
        stopped.begin()
        stopped.until(lambda: ["sleep", "600"] in _commands(stopped))
        assert _end(stopped, [signal.SIGINT, signal.SIGINT]) < 10, "at the start"
        assert everything_is_free(stopped)
    finally:
        hang.unlink(missing_ok=True)
        del stopped.environment["AIOPS_POSTGRES_BIN"]
        stopped.stop()


def _end(running: Installation, signals: Sequence[signal.Signals]) -> float:
    """Signal it, see that it ends with 0 and that nothing of it is left. Returns how long it took."""
    processes, began = running.all_processes(), time.monotonic()
    assert running.process is not None
    for kill in signals:
        running.process.send_signal(kill)
        time.sleep(0.1)
    assert running.process.wait(60) == 0, running.said()[-2000:]
    assert gone(processes, within=10)
    return time.monotonic() - began


def _commands(running: Installation) -> list[list[str]]:
    found = []
    for process in running.all_processes():
        try:
            found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def _binaries_that_hang_while(hang: Path, postgres: Path, folder: Path) -> Path:
    """PostgreSQL that answers nobody while that file is there, as in a long recovery."""
    folder.mkdir()
    lines = ["#!/bin/sh", f'[ "$1" != --version ] && [ -e {hang} ] && exec sleep 600', f'exec {postgres} "$@"', ""]
    (folder / "postgres").write_text("\n".join(lines))
    for path in (folder, folder / "postgres"):
        path.chmod(0o755)
    return folder
