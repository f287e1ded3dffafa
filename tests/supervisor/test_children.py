"""How often is a child started again that keeps ending?"""

import signal
import sys

import pytest

from engine.errors import Unavailable
from engine.process import ChildProcess, spawn
from engine.supervisor.children import Child

pytestmark = pytest.mark.slow
_GROWING = [0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def _child(*command: str) -> Child:
    return Child("web", lambda: spawn(command, at_our_death=signal.SIGKILL), signal.SIGTERM, 5)


def _ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(10)


def test_a_child_that_keeps_ending_soon_is_started_again_after_waits_that_grow_to_ten_seconds() -> None:
    child, now, waits = _child("false"), 0.0, []
    child.begin(now)
    for wait in _GROWING:
        _ended(child)
        words = child.look(now)
        assert words == f"web ended with exit code 1; starting it again in {wait} s"
        assert child.look(now + wait - 0.01) is None and child.process is None, "not before its wait is over"
        now += wait
        assert child.look(now) is None and child.process is not None
        waits.append(wait)
    assert waits == _GROWING
    child.stop()


def test_a_child_that_ran_for_long_is_started_again_soon_whatever_was_before() -> None:
    child = _child("false")
    child.begin(0)
    for now in (0, 10):
        _ended(child)
        child.look(now)
        child.look(now + 9)
    _ended(child)
    assert child.look(100) == "web ended with exit code 1; starting it again in 0.2 s"


def test_a_start_that_fails_is_tried_again_after_growing_waits_too() -> None:
    tries: list[float] = []

    def start() -> ChildProcess:
        tries.append(now)
        raise Unavailable("postgres", "the disk is full")

    child, now, said = Child("postgres", start, signal.SIGINT, 5), 0.0, 0
    while now < 40:
        said += _fails(child, now)
        now += 0.25
    assert tries == [0, 0.5, 1.5, 3.25, 6.5, 13, 23, 33], "looked at every quarter of a second"
    assert said == len(tries), "and it says so once for each try"


def _fails(child: Child, now: float) -> bool:
    try:
        child.look(now)
    except Unavailable as error:
        return str(error) == "the disk is full"
    return False


def test_how_a_child_ended_is_said() -> None:
    child = _child("sleep", "60")
    child.begin(0)
    assert child.is_alive and child.look(1) is None
    assert child.process is not None
    child.process.kill()
    _ended(child)
    assert child.look(1) == "web ended by SIGKILL; starting it again in 0.4 s"
    assert not child.is_alive


@pytest.mark.parametrize(
    ("program", "code", "why"),
    [
        ("import time; print('ready', flush=True); time.sleep(60)", -signal.SIGTERM, "it ends when asked"),
        (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
            -signal.SIGKILL,
            "deaf to the asking, it is killed when our patience ends",
        ),
    ],
)
def test_a_child_that_is_stopped_ends(program: str, code: int, why: str) -> None:
    def start() -> ChildProcess:
        process = spawn([sys.executable, "-c", program], at_our_death=signal.SIGKILL, output=-1)
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        return process

    child = Child("web", start, signal.SIGTERM, 0.3)
    child.begin(0)
    process = child.process
    child.stop()
    assert process is not None and process.returncode == code, why
    assert child.process is None, why
