"""What tests of the supervisor look at: processes that are gone, tokens that still work, what was said since."""

import time
from collections.abc import Iterable
from pathlib import Path

import httpx
import psutil

from engine.settings import Settings, load
from engine.start import embedded
from engine.storage.datadir import DataDir
from tests.testkit.installation import Installation, port_is_free


class Shared(Installation):
    """An installation with an owner, and what its first start said."""

    first_words: str = ""
    first_health: dict[str, object]


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run. A zombie does not: nobody may be there to bury it."""
    return [process for process in processes if _runs(process)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(processes: Iterable[psutil.Process], within: float) -> bool:
    """Whether all of them end within so many seconds."""
    left, deadline = list(processes), time.monotonic() + within
    while (left := alive(left)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not left


def everything_is_free(installation: Installation) -> bool:
    """Whether nobody has the port or the lock of the data directory."""
    home = DataDir(installation.data_dir)
    free = home.acquire("tests") is None
    home.release()
    return free and port_is_free(installation.port)


def token_works(installation: Installation, token: str, port: int | None = None) -> bool:
    """Whether that token may read there."""
    url = f"http://localhost:{port or installation.port}/api/v1/teams"
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 200


def health_kinds(said: dict[str, object]) -> set[str]:
    """The kinds of processes that /health names."""
    processes = said["processes"]
    assert isinstance(processes, list)
    return {process["kind"] for process in processes}


def settings_of(installation: Installation, **environment: str) -> Settings:
    """The settings it runs with."""
    mine = {"AIOPS_DATA_DIR": str(installation.data_dir), "AIOPS_PORT": str(installation.port)}
    return load(mine | installation.environment | environment)


def postgres_of(installation: Installation) -> Path:
    """The program `postgres` that its database runs."""
    return embedded(settings_of(installation))._programs() / "postgres"
