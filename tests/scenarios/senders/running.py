"""How do tests run real senders, and ask the installation what came of them?"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

CONFIGS = Path(__file__).parent


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
