"""Commands that are processes, or look at them."""

import gc
import os
import platform
import shutil
import signal
import sys
from datetime import UTC, datetime

import click
from sqlalchemy.exc import SQLAlchemyError

from engine import settings as reference
from engine import start
from engine.commands.opened import opened
from engine.errors import AiopsError, Misconfigured
from engine.storage import health
from engine.storage.work import INSTANCE, work
from engine.supervisor.page import Page
from engine.supervisor.up import up as supervise


@click.command()
def up() -> None:
    """Start everything: database, worker, page and API. Ctrl-C stops it."""
    sys.exit(supervise(start.settings()))


@click.command()
def dev() -> None:
    """Start everything with hot reload of pages and code, on the same port."""
    sys.exit(supervise(start.settings(), reloads=True))


@click.command()
@click.option("--api-only", is_flag=True, help="serve REST, webhooks and health without the pages")
def web(api_only: bool) -> None:
    """Serve pages and API."""
    import uvicorn

    gc.disable()  # until the pages are imported too: engine/api/beating.py
    found = start.settings()
    os.environ |= {
        "REFLEX_WEB_WORKDIR": str(start.PROJECT / found.web_dir),
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "__REFLEX_SKIP_COMPILE": "true",
    }
    uvicorn.run(
        "engine.serving:api_only" if api_only else "aiops_ui.aiops_ui:app",
        factory=True,
        host=found.host,
        port=found.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
        backlog=2048,
    )


@click.command()
def worker() -> None:
    """Carry out jobs and timers."""
    mine = start.worker(start.settings())
    for kill in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kill, lambda *_: mine.stop())
    mine.run()


@click.command()
def settings() -> None:
    """Print the reference of all settings, as in docs/settings.md."""
    click.echo(reference.reference())


@click.command()
def doctor() -> None:
    """Check this installation and say what to do about each fault."""
    faults = 0
    for words, fault in _checks():
        faults += fault is not None
        click.echo(f"  ✗ {words}: {fault}" if fault else f"  ✓ {words}")
    click.echo("All is well." if not faults else f"{faults} to look after.")
    sys.exit(1 if faults else 0)


def _checks() -> list[tuple[str, str | None]]:
    """What was checked, and what is wrong with it."""
    try:
        found = start.settings()
    except Misconfigured as error:
        return [("settings", fault) for fault in error.faults]
    version = platform.python_version()
    results: list[tuple[str, str | None]] = [
        ("settings", None),
        (f"Python {version}", None if version.startswith("3.11.") else "3.11 is what this version is tested with"),
        ("versions " + ", ".join(f"{name} {number}" for name, number in start.versions().items()), None),
    ]
    place = next(path for path in (found.data_dir, *found.data_dir.parents) if path.exists())
    usage = shutil.disk_usage(place)
    free = usage.free / usage.total
    results.append((f"disk of {place}, {free:.0%} free", None if free >= health.DISK_LEAST else "make room or move AIOPS_DATA_DIR"))
    page = Page(start.PROJECT, found)
    results.append(("page", None if page.is_current() else "it is older than its sources: `make run` builds it"))
    return results + _database_checks()


def _database_checks() -> list[tuple[str, str | None]]:
    try:
        with opened() as (found, database):
            measured = health.measure(database, found.data_dir)
            with work(database, INSTANCE) as open_work:
                skew = abs((datetime.now(UTC) - open_work.now).total_seconds())
    except (AiopsError, SQLAlchemyError) as error:
        return [("database", str(error).splitlines()[0])]
    results: list[tuple[str, str | None]] = [(f"database, {measured.database_bytes // 2**20} MiB, revision {measured.revision}", None)]
    kinds = ", ".join(f"{beat.kind} {beat.version}" for beat in measured.processes) or "none running"
    results.append((f"processes: {kinds}", None))
    results.append(("clock", None if skew < 2 else f"it is {skew:.0f} s away from the database's: use NTP on both machines"))
    stopped = not measured.processes
    # With nothing running there is no tick to be old: `make run` starts the worker.
    results += [(fault.what, fault.words) for fault in measured.faults if not (stopped and fault.what in ("tick", "queue"))]
    return results
