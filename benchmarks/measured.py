"""Which installation is measured, and what does it cost?

A real one with its own data, port and built page, and one source that may send as much as it likes. Its database is looked at as
superuser, so that looking costs the product nothing.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import psycopg

from engine import start
from engine.model.ids import time_of
from engine.settings import load
from tests.testkit.installation import Installation, port_of

PORT = port_of(51)
UNLIMITED = {"AIOPS_RATE_LIMIT_PER_MINUTE": "1000000"}
TREES = ("web", "worker", "postgres")


@dataclass
class Measured:
    """An installation with an owner and a source: where it takes deliveries, and with which secret."""

    installed: Installation
    token: str
    url: str
    secret: str
    org_id: UUID
    source_id: UUID

    @contextmanager
    def db(self) -> Iterator[psycopg.Connection[Any]]:
        """Its database, as superuser; each statement by itself."""
        with psycopg.connect(superuser(self.installed), dbname="aiops", autocommit=True, connect_timeout=5) as opened:
            yield opened

    def cpu(self) -> dict[str, float]:
        """The CPU seconds that its web, worker and PostgreSQL have used, each with everything below it."""
        return {name: _of_tree(process) for name, process in self.installed.children().items() if name in TREES}

    def oldest(self, db: psycopg.Connection[Any]) -> float:
        """The age in seconds of the delivery that waits the longest; reads one entry of an index."""
        row = db.execute("SELECT id FROM pending WHERE org_id = %s ORDER BY id LIMIT 1", (self.org_id,)).fetchone()
        return 0.0 if row is None else max(0.0, time.time() - time_of(row[0]).timestamp())

    def drained(self, within: float) -> float:
        """Wait until nothing waits to be applied. Returns the seconds that took. Raises TimeoutError."""
        began = time.monotonic()
        with self.db() as db:
            while db.execute("SELECT 1 FROM pending WHERE org_id = %s LIMIT 1", (self.org_id,)).fetchone():
                if time.monotonic() - began > within:
                    raise TimeoutError(f"something still waits after {within:.0f} s")
                time.sleep(0.05)
        return time.monotonic() - began


@contextmanager
def measured(folder: Path | None = None, environment: dict[str, str] | None = None, port: int = PORT) -> Iterator[Measured]:
    """Start one; it is stopped at the end, and its data removed when the folder was not given."""
    home = folder or Path(tempfile.mkdtemp(prefix="aiops-bench-"))
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    installed = Installation(home / "data", UNLIMITED | (environment or {}), port)
    try:
        yield with_source(installed.start(240))
    finally:
        end(installed)
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)


def with_source(installed: Installation) -> Measured:
    """Give a fresh installation an owner and a source."""
    token = installed.owner()
    wanted = {"kind": "alertmanager", "name": "load", "settings": {"per_minute": 10_000_000}}
    answer = httpx.post(f"{installed.url}/api/v1/sources", json=wanted, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    answer.raise_for_status()
    made = answer.json()["data"]
    url, source_id = f"{installed.url}/webhook/alertmanager/{made['source']['public_id']}", UUID(made["source"]["id"])
    with psycopg.connect(superuser(installed), dbname="aiops") as db:
        row = db.execute("SELECT org_id FROM source WHERE id = %s", (source_id,)).fetchone()
    assert row is not None, "the source was just made"
    return Measured(installed, token, url, made["secret"], row[0], source_id)


def superuser(installed: Installation) -> str:
    """Where its database answers the superuser."""
    return start.embedded(load({"AIOPS_DATA_DIR": str(installed.data_dir)}))._superuser_url()


def end(installed: Installation) -> None:
    """Stop it, by force if it does not."""
    if installed.process is None:
        return
    below = installed.all_processes() if installed.process.poll() is None else []
    try:
        installed.stop()
    finally:
        for process in below:
            if process.is_running():
                process.kill()


def _of_tree(process: psutil.Process) -> float:
    """Those of children that have ended are in their parent's."""
    used = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            used += sum(child.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return used
