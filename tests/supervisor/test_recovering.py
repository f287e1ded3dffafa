"""What does a kill -9 leave behind?"""

import signal
from collections.abc import Callable

import psutil
import pytest

from tests.supervisor.watching import Shared, everything_is_free, gone, token_works

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("worker", "the next one takes its lease over"),
        ("web", "its port must be free at once"),
        ("postgres", "it recovers, and web and worker connect anew by themselves"),
    ],
)
def test_a_killed_child_is_started_again_and_said_so_and_the_others_go_on(running: Shared, name: str, why: str) -> None:
    before, words = running.children(), len(running.said())
    before[name].kill()
    running.until(lambda: f"{name} ended by SIGKILL; starting it again in 0." in running.said()[words:])
    running.until(lambda: len(running.children()) == 3 and running.health().get("status") == "ok" and _began(running, name, words))
    after = running.children()
    assert {child for child in after if after[child].pid != before[child].pid} == {name}, why
    assert token_works(running, running.token), why
    assert gone([before[name]], within=10)


def test_a_killed_supervisor_takes_all_its_processes_along_and_the_next_start_has_all_data(running: Shared) -> None:
    processes = running.all_processes()
    assert len(processes) > 5, "the database has processes of its own"
    running.kill()
    assert gone(processes, within=10)
    assert everything_is_free(running)
    _starts_with_all_data(running)


def test_when_everything_is_killed_at_once_the_database_recovers_with_all_data(running: Shared) -> None:
    made = running.command("token", "create", "--role", "viewer", "--name", "just before")
    processes = running.all_processes()
    for process in processes:
        _quietly(process.kill)
    assert running.process is not None
    assert running.process.wait() == -signal.SIGKILL
    assert gone(processes, within=10)
    _starts_with_all_data(running)
    assert token_works(running, made.stdout.strip())
    logs = sorted((running.data_dir / "postgres" / "log").glob("*.log"))
    assert "database system was not properly shut down; automatic recovery in progress" in logs[-1].read_text()


def _starts_with_all_data(running: Shared) -> None:
    running.start(60)
    assert token_works(running, running.token)
    verified = running.command("audit", "verify")
    assert (verified.returncode, verified.stdout.endswith("intact\n")) == (0, True), verified.stdout + verified.stderr


def _began(running: Shared, name: str, words: int) -> bool:
    """Only the worker says when it has begun; of the others /health speaks."""
    return name != "worker" or '"worker.started"' in running.said()[words:]


def _quietly(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return
