"""What works beside an installation: the command line, and an API of one's own?"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from engine.storage.embedded import APPLICATION
from tests.supervisor.watching import Shared, embedded, settings_of, token_works
from tests.testkit.installation import PROJECT, clean_environment, port_is_free, port_of

pytestmark = pytest.mark.slow
_OTHER_PORT = port_of(20)


def test_a_command_uses_the_database_of_what_runs(running: Shared) -> None:
    before = {name: child.pid for name, child in running.children().items()}
    made = running.command("token", "create", "--role", "viewer", "--name", "beside", "--expires", "30d")
    assert (made.returncode, made.stderr) == (0, "")
    assert token_works(running, made.stdout.strip())
    assert {name: child.pid for name, child in running.children().items()} == before


def test_a_command_starts_the_database_for_itself_when_nothing_runs(stopped: Shared) -> None:
    made = stopped.command("token", "create", "--role", "viewer", "--name", "alone")
    assert (made.returncode, made.stderr) == (0, "")
    assert not (stopped.data_dir / "postgres" / "postmaster.pid").exists(), "and stops it again"
    stopped.start(60)
    assert token_works(stopped, made.stdout.strip())


def test_the_api_alone_serves_the_same_database_on_another_port_without_pages(running: Shared) -> None:
    with _api_alone(running) as url:
        assert httpx.get(f"{url}/health/live").json() == {"status": "live"}
        assert token_works(running, running.token, _OTHER_PORT)
        page = httpx.get(f"{url}/people", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (404, "application/problem+json")
        assert httpx.get(f"{running.url}/people").status_code == 200, "which the whole product has"
    assert port_is_free(_OTHER_PORT)


@contextmanager
def _api_alone(running: Shared) -> Iterator[str]:
    url = embedded(settings_of(running)).url(APPLICATION)
    mine = {"AIOPS_DATA_DIR": str(running.data_dir), "AIOPS_PORT": str(_OTHER_PORT), "AIOPS_DATABASE_URL": url}
    command = [sys.executable, "-m", "engine", "web", "--api-only"]
    process = subprocess.Popen(command, cwd=PROJECT, env=clean_environment() | mine)  # noqa: TID251
    try:
        running.until(lambda: not port_is_free(_OTHER_PORT))
        yield f"http://localhost:{_OTHER_PORT}"
    finally:
        process.terminate()
        assert process.wait(15) in (0, -15)
