"""Does a child ever outlive the process that started it?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.process import ChildProcess, end, running_in, spawn

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1]
OTHER_USER = "daemon" if os.geteuid() == 0 else None  # only root can start a child as somebody else
STUBBORN = "trap '' TERM INT; echo ready; while :; do sleep 0.05; done"
TIDY = "trap 'echo tidied; exit 0' TERM INT; echo ready; while :; do sleep 0.05; done"
FAMILY = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & wait; wait"
# Starts one child as the product does, says its pid, and waits to be killed.
PARENT = """
import signal, sys, time
from engine.process import spawn
print(spawn(["sh", "-c", sys.argv[2]], at_our_death=signal.Signals[sys.argv[1]]).pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def started() -> Iterator[Callable[..., ChildProcess]]:
    """Starts a shell with a pipe to read from; ended after the test."""
    children: list[ChildProcess] = []

    def shell(script: str) -> ChildProcess:
        children.append(spawn(["sh", "-c", script], at_our_death=signal.SIGKILL, output=subprocess.PIPE))
        return children[-1]

    yield shell
    for child in children:
        end(child, signal.SIGKILL, 5)
        assert child.stdout is not None
        child.stdout.close()


def line_of(child: ChildProcess) -> str:
    """The next line it says."""
    assert child.stdout is not None
    return child.stdout.readline().decode().strip()


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends_soon(pid: int) -> bool:
    """Whether it has ended, at the latest within half a minute."""
    deadline = time.monotonic() + 30
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


@dataclass(frozen=True)
class Death:
    """How a parent dies, what its child gets then, and whether that is a child that could go on."""

    parent: signal.Signals
    child: signal.Signals
    script: str
    why: str


DEATHS = [
    Death(signal.SIGKILL, signal.SIGKILL, STUBBORN, "the worker: nothing is left to tidy up, and it must not go on"),
    Death(signal.SIGKILL, signal.SIGINT, TIDY, "the database: it stops as it is asked to"),
    Death(signal.SIGINT, signal.SIGKILL, STUBBORN, "Ctrl-C that reached the parent only"),
    Death(signal.SIGTERM, signal.SIGINT, TIDY, "a service manager that gave up waiting"),
]


@pytest.mark.parametrize("case", DEATHS, ids=lambda case: f"{case.parent.name}-{case.child.name}")
def test_a_child_ends_when_its_parent_dies(case: Death) -> None:
    command = [sys.executable, "-c", PARENT, case.child.name, case.script.replace("echo", "true")]
    parent = spawn(command, at_our_death=signal.SIGKILL, cwd=PROJECT, output=subprocess.PIPE)
    child = int(line_of(parent))
    assert is_alive(child)
    parent.send_signal(case.parent)
    parent.communicate()
    assert ends_soon(child), case.why


@pytest.mark.parametrize("ignored", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT], ids=lambda number: number.name)
def test_a_child_hears_signals_that_its_parent_was_started_to_ignore(ignored: signal.Signals) -> None:
    """A shell ignores SIGINT for what it starts in the background, nohup ignores SIGHUP, and ignoring is inherited."""
    code = f"import signal; signal.signal(signal.{ignored.name}, signal.SIG_IGN)\n" + PARENT
    parent = spawn(
        [sys.executable, "-c", code, "SIGKILL", "exec sleep 60"], at_our_death=signal.SIGKILL, cwd=PROJECT, output=subprocess.PIPE
    )
    child = int(line_of(parent))
    os.kill(child, ignored)
    assert ends_soon(child)
    parent.kill()
    parent.communicate()


def test_a_child_that_is_another_user_is_still_tied_to_its_parent() -> None:
    """The kernel forgets the tie when a process becomes another user: it must be made after that."""
    code = PARENT.replace("at_our_death", f"user={OTHER_USER!r}, at_our_death")
    command = [sys.executable, "-c", code, "SIGKILL", STUBBORN.replace("echo", "true")]  # the pid is all that is said
    parent = spawn(command, at_our_death=signal.SIGKILL, cwd=PROJECT, output=subprocess.PIPE)
    child = int(line_of(parent))
    parent.kill()
    parent.communicate()
    assert ends_soon(child)


def test_a_child_is_alone_in_a_process_group(started: Callable[..., ChildProcess]) -> None:
    """Ctrl-C in a terminal goes to a whole group: only the supervisor is to get it, and to end the others in order."""
    child = started(TIDY)
    assert os.getpgid(child.pid) == child.pid != os.getpgrp()


def test_a_child_that_is_another_user_keeps_no_group_of_ours() -> None:
    child = spawn(["sh", "-c", "id -un; id -Gn"], at_our_death=signal.SIGKILL, user=OTHER_USER, output=subprocess.PIPE)
    user, groups = child.communicate(timeout=30)[0].decode().splitlines()
    assert OTHER_USER is None or (user, groups) == (OTHER_USER, OTHER_USER)


def test_a_child_gets_the_environment_it_is_given_and_nothing_to_read() -> None:
    child = spawn(["sh", "-c", "env; cat"], at_our_death=signal.SIGKILL, environment={"ONLY": "this"}, output=subprocess.PIPE)
    said = child.communicate(timeout=30)[0].decode()
    assert "ONLY=this" in said
    assert "HOME=" not in said


def test_ending_waits_for_a_child_that_tidies_up(started: Callable[..., ChildProcess]) -> None:
    child = started(TIDY)
    assert line_of(child) == "ready"
    end(child, signal.SIGTERM, 5)
    assert child.returncode == 0
    assert line_of(child) == "tidied"


def test_ending_kills_a_child_that_does_not_listen(started: Callable[..., ChildProcess]) -> None:
    child = started(STUBBORN)
    assert line_of(child) == "ready"
    began = time.monotonic()
    end(child, signal.SIGTERM, 0.3)
    assert child.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 3


def test_what_a_child_started_is_killed_with_it(started: Callable[..., ChildProcess]) -> None:
    child = started(FAMILY)
    grandchild = int(line_of(child))
    end(child, signal.SIGTERM, 0.2)
    assert ends_soon(grandchild)


def test_what_a_child_leaves_at_its_end_is_killed_too(started: Callable[..., ChildProcess]) -> None:
    child = started("sleep 600 & echo $!; wait")
    left = int(line_of(child))
    end(child, signal.SIGTERM, 5)
    assert child.returncode == -signal.SIGTERM
    assert ends_soon(left)


def test_ending_a_child_that_has_ended_does_nothing(started: Callable[..., ChildProcess]) -> None:
    child = started("exit 3")
    child.wait(5)
    end(child, signal.SIGTERM, 5)
    end(child, signal.SIGTERM, 5)
    assert child.returncode == 3


def test_processes_in_a_folder_are_found_by_name(tmp_path: Path) -> None:
    here = spawn(["sleep", "60"], at_our_death=signal.SIGKILL, cwd=tmp_path)
    try:
        assert running_in(tmp_path, "sleep") == [here.pid]
        assert running_in(tmp_path, "postgres") == [], "somebody's shell in the folder is nobody's database"
        assert running_in(tmp_path.parent, "sleep") == []
        assert running_in(tmp_path / "missing", "sleep") == []
    finally:
        end(here, signal.SIGKILL, 5)
    assert running_in(tmp_path, "sleep") == []
