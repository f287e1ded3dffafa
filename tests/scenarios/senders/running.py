"""How do tests run real senders, and ask the installation what came of them?"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.testkit.installation import Installation

CONFIGS = Path(__file__).parent


@dataclass
class Asking:
    """The REST interface of an installation, by its owner's token. Remembers which sources were made."""

    installed: Installation
    made: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        """The answer to one request, which must succeed."""
        headers = {"Authorization": f"Bearer {self.installed.token}"}
        found = httpx.request(method, f"{self.installed.url}/api/v1{path}", headers=headers, timeout=30, **more)
        assert found.is_success, f"{method} {path}: {found.status_code} {found.text}"
        return found.json()["data"] if found.content else None

    def source(self, **said: Any) -> tuple[dict[str, Any], str]:
        """A new source, and its secret."""
        made = self("POST", "/sources", json=said)
        self.made.append(made["source"]["id"])
        return made["source"], made["secret"] or ""

    def alerts(self, source_id: str, **which: Any) -> list[dict[str, Any]]:
        """The alerts of a source, at most 200."""
        return self("GET", "/alerts", params={"source_id": source_id, "limit": 200, **which})

    def until(self, what: Callable[[], Any], within: float = 30.0) -> Any:
        """Wait until `what()` is true, and return it."""
        deadline = time.monotonic() + within
        while not (found := what()):
            assert time.monotonic() < deadline, f"not within {within} s; the log ends:\n{self.installed.said()[-2000:]}"
            time.sleep(0.3)
        return found

    def tidy(self) -> None:
        """Delete what came from the sources that were made, and them: the installation is shared."""
        there = {source["id"]: source for source in self("GET", "/sources", params={"limit": 200})}
        for id in self.made:
            if found := [alert["id"] for alert in self.alerts(id)]:
                self("POST", "/alerts/delete", json={"ids": found})
            if id in there and not there[id]["provisioned"]:
                self("DELETE", f"/sources/{id}")


@dataclass
class Programs:
    """Programs that run beside a test, each with its log in a folder."""

    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, log: str, cwd: Path | None = None, answers: str = "") -> Path:
        """Start one, and wait until it answers at that address. Returns its log."""
        path = self.folder / log
        with path.open("ab") as out:
            self.running.append(subprocess.Popen(command, cwd=cwd or self.folder, stdout=out, stderr=out))
        deadline = time.monotonic() + 20
        while answers and not _answers(answers):
            assert self.running[-1].poll() is None and time.monotonic() < deadline, path.read_text()[-2000:]
            time.sleep(0.1)
        return path

    def alertmanager(self, config: Path, port: int) -> Path:
        """An Alertmanager with this configuration."""
        options = (f"--config.file={config}", f"--storage.path={self.folder}/am-{port}", f"--web.listen-address=127.0.0.1:{port}")
        answers = f"http://127.0.0.1:{port}/-/ready"
        return self.start("prometheus-alertmanager", *options, "--cluster.listen-address=", log=f"am-{port}.log", answers=answers)

    def prometheus(self, config: Path, port: int) -> Path:
        """A Prometheus with this configuration."""
        options = (f"--config.file={config}", f"--storage.tsdb.path={self.folder}/tsdb-{port}", f"--web.listen-address=127.0.0.1:{port}")
        answers = f"http://127.0.0.1:{port}/-/ready"
        return self.start("prometheus", *options, "--rules.alert.resend-delay=2s", log=f"prom-{port}.log", answers=answers)

    def stop(self) -> None:
        """Stop them all."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(30)


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Programs that end with the block."""
    made = Programs(folder)
    try:
        yield made
    finally:
        made.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
