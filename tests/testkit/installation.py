"""A whole installation for tests: the real supervisor on a folder and a port of its own, the page built once."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from engine.settings import load
from engine.supervisor.page import Page
from tests.testkit.clock import PATIENCE, until

T = TypeVar("T")
PROJECT = Path(__file__).resolve().parents[2]
WEB_DIR = PROJECT / ".scratch" / "web"  # of all installations: who starts first builds it, the others wait for that
PASSWORD = "correct horse battery staple quietly"


def build_page() -> None:
    """Build the page that all installations serve, unless it is there: at the start of a run, while tests are collected."""
    Page(PROJECT, load({"AIOPS_WEB_DIR": str(WEB_DIR)})).build()


def port_of(place: int) -> int:
    """A port that is this process's own, of several that run tests; `place` is below 100."""
    return 3900 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + place


PORT = port_of(17)


@dataclass
class Installation:
    """One `python -m engine up`. `data_dir` must be in a folder that the database's own user can pass through."""

    data_dir: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = PORT
    process: subprocess.Popen[bytes] | None = None
    token: str = ""

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        """What it and its children said, all starts one after the other."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def begin(self) -> "Installation":
        """Start it and return at once."""
        mine = {"AIOPS_DATA_DIR": str(self.data_dir), "AIOPS_PORT": str(self.port), "AIOPS_WEB_DIR": str(WEB_DIR)}
        clean = clean_environment()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", "up"], cwd=PROJECT, env=clean | mine | self.environment, stdout=log, stderr=log
            )
        return self

    def start(self, within: float = 120.0) -> "Installation":
        """Start it and return when it is served and has greeted."""
        greetings = self.said().count("Ctrl-C stops everything")
        self.begin()
        deadline = time.monotonic() + within
        while self.said().count("Ctrl-C stops everything") == greetings:
            assert self.process is not None and self.process.poll() is None, f"it ended at its start:\n{self.said()[-3000:]}"
            assert time.monotonic() < deadline, f"not served within {within} s:\n{self.said()[-3000:]}"
            time.sleep(0.05)
        return self

    def stop(self) -> int:
        """Ctrl-C. Returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)

    def kill(self) -> None:
        """kill -9 of the supervisor."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """Everything it has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def setup_link(self) -> str:
        """The newest set-up link."""
        return re.findall(r"http\S+/setup\?link=\S+", self.said())[-1]

    def children(self) -> dict[str, psutil.Process]:
        """The children by name: postgres, web, worker."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                words = child.cmdline()
            except psutil.NoSuchProcess:
                words = []
            if not words:
                continue  # killed, and not yet reaped
            found["postgres" if "postgres" in words[0] else words[-1]] = child
        return found

    def all_processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m engine …` on its data."""
        mine = {"AIOPS_DATA_DIR": str(self.data_dir), "AIOPS_PORT": str(self.port), "AIOPS_WEB_DIR": str(WEB_DIR)}
        clean = clean_environment()
        command = [sys.executable, "-m", "engine", *arguments]
        merged = clean | mine | self.environment | environment
        return subprocess.run(command, cwd=PROJECT, env=merged, capture_output=True, text=True, timeout=120)

    def owner(self, organization: str = "Acme", email: str = "ada@acme.example") -> str:
        """Make the first owner without a browser, and an API token of theirs. Returns the token."""
        file = self.data_dir.parent / "password"
        file.write_text(PASSWORD)
        made = self.command(
            "setup", "--organization", organization, "--owner", email, "--name", "Ada Lovelace", "--password-file", str(file)
        )
        assert made.returncode == 0, made.stderr
        token = self.command("token", "create", "--role", "owner", "--name", "tests", "--organization", organization)
        assert token.returncode == 0, token.stderr
        return token.stdout.strip()

    def health(self) -> dict[str, object]:
        """What /health says; empty when nobody answers."""
        try:
            return httpx.get(f"{self.url}/health", timeout=5).json()
        except httpx.HTTPError:
            return {}

    def until(self, what: Callable[[], T], within: float = PATIENCE) -> T:
        """Wait until `what()` is true, and return it."""
        return until(what, within, lambda: f"it said:\n{self.said()[-3000:]}")


def clean_environment() -> dict[str, str]:
    """Ours without settings of the product."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AIOPS_")}


def port_is_free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
