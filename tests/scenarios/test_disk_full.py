"""Is nothing lost that was acknowledged while the disk was full? (scenario S13)"""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from benchmarks.findings import Record, at_rest, findings
from benchmarks.measured import Measured, measured
from benchmarks.posters import Posters
from tests.testkit.clock import until

pytestmark = pytest.mark.slow

_SIZE = "256m"
_FULL_FOR = 6.0
# A client hears nothing worse than this; a connection is refused only while something starts again.
_ALLOWED = {"202", "503", "ConnectError"}


@pytest.fixture
def home(scratch: Path) -> Iterator[Path]:
    """A folder whose `data` is a small disk."""
    disk = scratch / "full" / "data"
    disk.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0711", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk.parent
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_full_disk_loses_nothing(home: Path) -> None:
    with measured(home) as on:
        posters = Posters(on.url, on.secret, 5, Record(), connections=4)
        with posting(posters):
            until(lambda: posters.answers["202"] > 50, 30)
            with kept_full(home / "data"):
                time.sleep(_FULL_FOR)
                exhaust_log(on)
                time.sleep(_FULL_FOR)
            before = posters.answers["202"]
            until(lambda: posters.answers["202"] > before + 50, 90)
        assert posters.faults == []
        assert posters.answers["503"] > 0, "the disk was full enough to be felt"
        assert posters.answers.keys() <= _ALLOWED, posters.answers
        assert found_after(on, posters.record) == []


@contextmanager
def kept_full(disk: Path) -> Iterator[None]:
    """Take every byte that is free, as long as it lasts, and give them back."""
    filler, over = disk / "filler", threading.Event()
    handle = os.open(filler, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def keep() -> None:
        while not over.wait(0.1):
            for size in (1 << 20, 1 << 12):
                _fill(handle, bytes(size))

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.close(handle)
        filler.unlink()


def exhaust_log(on: Measured) -> None:
    """Write what goes to the write-ahead log alone, until it needs room that is not there: then the database crashes."""
    with pytest.raises(psycopg.OperationalError), on.db() as db:
        for _ in range(256):
            db.execute("SELECT pg_logical_emit_message(true, 'full', repeat('x', 1000000))")


def _fill(handle: int, chunk: bytes) -> None:
    try:
        while os.write(handle, chunk):
            pass
    except OSError:
        return  # full


@contextmanager
def posting(posters: Posters) -> Iterator[None]:
    """Post as long as it lasts."""
    threads = [threading.Thread(target=posters.run, args=(number,), daemon=True) for number in range(posters.connections)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        posters.stopping = True
        for thread in threads:
            thread.join(60)


def found_after(on: Measured, record: Record) -> list[str]:
    """What is wrong once nothing waits any more."""
    on.drained(120)
    with on.db() as db:
        return [*at_rest(db, on.org_id, 60), *findings(db, on.org_id, record)]
