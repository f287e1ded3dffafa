"""Is what is installed what was asked for, file by file, and are secrets and known vulnerabilities noticed before they land?"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy import check_advisories

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = {"requirements.txt": "deploy/run.lock", "tests/requirements.txt": "deploy/test.lock"}


def pins(name: str) -> dict[str, str]:
    """The packages that a list or a lock pins, in plain spelling, with their versions; those for other systems are left out."""
    lines = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.+!-]+)(.*)$", (PROJECT / name).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version, rest in lines if ">= '3.12'" not in rest}


@pytest.mark.parametrize(("listed", "lock"), LOCKS.items())
def test_what_is_listed_is_what_is_locked(listed: str, lock: str) -> None:
    asked, locked = pins(listed), pins(lock)
    differs = {package: (version, locked.get(package)) for package, version in asked.items() if locked.get(package) != version}
    assert asked and differs == {}, "run `make lock`"


def test_tests_run_with_the_very_packages_that_are_served() -> None:
    run, test = pins(LOCKS["requirements.txt"]), pins(LOCKS["tests/requirements.txt"])
    assert {package: version for package, version in run.items() if test.get(package) != version} == {}


@pytest.mark.parametrize("lock", [*LOCKS.values(), "deploy/pip.lock"])
def test_every_locked_package_has_the_hashes_of_its_files(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", (PROJECT / lock).read_text(), flags=re.MULTILINE).strip())
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_nothing_is_installed_without_its_hash_or_built_from_source() -> None:
    script = (PROJECT / "deploy" / "environment.sh").read_text()
    installs = [line for line in script.splitlines() if "bin/pip" in line]
    assert installs and all("--require-hashes" in line and "--only-binary :all:" in line for line in installs)


# What is planned is resolved together with what is there


def test_what_is_planned_stands_with_what_is_locked() -> None:
    planned, locked = pins("deploy/planned.txt"), pins(LOCKS["tests/requirements.txt"])
    assert planned and {name: version for name, version in planned.items() if locked.get(name, version) != version} == {}


# Secrets


def scanned(folder: Path, file: str, text: str) -> "subprocess.CompletedProcess[str]":
    """The scan of a repository with one file."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    git = {"cwd": folder, "check": True, "capture_output": True}
    subprocess.run(["git", "init", "--quiet"], **git)
    subprocess.run(["git", "add", file], **git)
    command = [sys.executable, str(PROJECT / "deploy" / "find_secrets.py")]
    return subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True)


def test_a_secret_in_the_tree_is_found_and_said_without_being_repeated(tmp_path: Path) -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    done = scanned(tmp_path, "engine/settings_of_mine.py", f'key = "{secret}"\n')
    assert (done.returncode, done.stdout.strip()) == (1, "engine/settings_of_mine.py:1: AWS Access Key")
    assert secret not in done.stdout + done.stderr


def test_a_tree_without_secrets_passes(tmp_path: Path) -> None:
    assert scanned(tmp_path, "engine/plain.py", "key = None\n").returncode == 0


# Advisories


@contextmanager
def index(status: int, body: str) -> Iterator[str]:
    """A package index that answers everything so."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("found", [0, 1])
def test_advisories_that_can_be_asked_for_decide(found: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    with index(200, '{"vulnerabilities": []}') as source:
        assert check_advisories.main(source, lambda: found) == found


@pytest.mark.parametrize(("status", "body", "why"), [(404, "", "HTTP 404"), (200, "<html>", "something else than advisories")])
def test_advisories_that_cannot_be_had_are_said_not_to_be_checked(
    status: int, body: str, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(PROJECT)
    with index(status, body) as source:
        assert check_advisories.main(source, lambda: 1) == 0
    assert "NOT checked" in (said := capsys.readouterr().out) and why in said


def test_a_source_of_advisories_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(PROJECT)
    assert check_advisories.main("http://127.0.0.1:9", lambda: 1) == 0
    assert "NOT checked" in (said := capsys.readouterr().out) and "does not answer (ConnectError)" in said
