"""What does `make run` do?

Takes the data directory, starts the database, migrates, builds the page if its sources changed, starts web and worker,
prints the address, and watches all of it until it is told to stop.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError

from engine import start
from engine.errors import AiopsError, Misconfigured, Unavailable
from engine.identity.secrets import digest, new_secret
from engine.log import logger
from engine.process import ChildProcess, spawn
from engine.settings import Settings
from engine.storage import health, instance, migrate, partitions
from engine.storage.database import Database
from engine.storage.datadir import DataDir
from engine.storage.work import INSTANCE, work
from engine.supervisor.children import Child
from engine.supervisor.page import Page
from engine.supervisor.ports import require_free
from engine.supervisor.warn import Warner

_LOOK_EVERY = 0.25
_CHECK_EVERY = 10.0
_SERVED_WITHIN = 60.0
_GRACE = timedelta(seconds=30)


def say(words: str) -> None:
    """A line for the person in front of the terminal."""
    print(words, flush=True)


class Supervisor:
    """The parent of all other processes."""

    def __init__(self, settings: Settings, reloads: bool = False) -> None:
        self._settings, self._reloads = settings, reloads
        self._home = DataDir(settings.data_dir)
        self._stopping = False  # a plain flag: an Event's lock, taken in a signal handler, can wait for itself
        self._interruptible = True
        self._children: list[Child] = []
        self._database: Database | None = None
        self._warner = Warner(settings, time.monotonic)

    def run(self) -> int:
        """Run until told to stop. Returns the exit code. Raises Misconfigured or Unavailable when it cannot start."""
        self._home.make()
        if holder := self._home.acquire(self._settings.public_url):
            say(f"Already running: {holder.url or 'starting now'} (pid {holder.pid}, data in {self._home.path})")
            return 0
        for kill in (signal.SIGINT, signal.SIGTERM):
            signal.signal(kill, self._told_to_stop)
        try:
            self._bring_up()
            self._interruptible = False
            self._watch()
        except KeyboardInterrupt:
            pass  # told to stop while something starts
        finally:
            self._interruptible = False
            self._take_down()
            for kill in (signal.SIGINT, signal.SIGTERM):
                signal.signal(kill, signal.SIG_IGN)  # an impatient Ctrl-C now would only spoil the exit code
        return 0

    def _told_to_stop(self, *_: object) -> None:
        self._stopping = True
        if self._interruptible:
            self._interruptible = False  # a second Ctrl-C does not interrupt the tidying up
            raise KeyboardInterrupt

    def _bring_up(self) -> None:
        require_free(self._settings.host, self._settings.port, patience=3)
        page = Page(start.PROJECT, self._settings)
        with ThreadPoolExecutor(1) as pool, ExitStack() as at_end:
            at_end.callback(page.stop)
            building: Future[None] | None = None
            if self._reloads:
                page.forget()  # what the framework's server leaves there is none for `make run`
            elif not page.is_current():
                say("Building the page; this takes half a minute, once for every change of its sources.")
                building = pool.submit(page.build)
            if self._settings.embedded:
                self._add(Child("postgres", lambda: start.embedded(self._settings).start(say), signal.SIGINT, 60))
            self._prepare_database()
            if building is not None:
                building.result()
        self._add(Child("worker", lambda: self._spawn("worker"), signal.SIGTERM, 15))
        self._add(Child("web", self._spawn_reloading if self._reloads else lambda: self._spawn("web"), signal.SIGTERM, 10))
        self._wait_until_served()
        self._greet()

    def _add(self, child: Child) -> None:
        self._children.append(child)
        child.begin(time.monotonic())

    def _spawn(self, command: str) -> ChildProcess:
        return spawn([sys.executable, "-m", "engine", command], at_our_death=signal.SIGKILL, cwd=start.PROJECT, environment=os.environ)

    def _spawn_reloading(self) -> ChildProcess:
        """The framework's own server: it builds the page and starts anew at every change of a source."""
        port = str(self._settings.port)
        command = [sys.executable, "-m", "reflex", "run", "--env", "preview", "--frontend-port", port, "--backend-port", port]
        command += ["--backend-host", self._settings.host]
        quiet = {"REFLEX_TELEMETRY_ENABLED": "false", "REFLEX_CHECK_LATEST_VERSION": "false"}
        mine = {"REFLEX_WEB_WORKDIR": str(start.PROJECT / self._settings.web_dir), "REFLEX_HOT_RELOAD_EXCLUDE_PATHS": "tests:docs"}
        return spawn(command, at_our_death=signal.SIGTERM, cwd=start.PROJECT, environment=os.environ | quiet | mine)

    def _prepare_database(self) -> None:
        owner = start.owner_engine(self._settings)
        try:
            self._database = start.database(self._settings, "supervisor")  # a role that may not run is refused before all else
            before, after = migrate.up(owner, start.application_role(self._settings))
            self._database.check_role()
            if before != after:
                say(f"Database brought from revision {before or 'none'} to {after}.")
            with work(self._database, INSTANCE) as open_work:
                now = open_work.now
            partitions.keep_up(owner, self._settings.retention, now)
        except SQLAlchemyError as error:
            raise Unavailable("database", f"the database does not answer: {str(error).splitlines()[0]}") from None
        finally:
            owner.dispose()

    def _wait_until_served(self) -> None:
        deadline = time.monotonic() + _SERVED_WITHIN
        host = "127.0.0.1" if self._settings.host in ("0.0.0.0", "") else self._settings.host  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}/health/live"
        while True:
            try:
                if httpx.get(address, timeout=2, trust_env=False).status_code == 200:  # no proxy between us and ourselves
                    return
            except httpx.HTTPError:
                self._look()
            if time.monotonic() > deadline:
                raise Unavailable("web", f"the page is not served within {_SERVED_WITHIN:.0f} s; see the log above")
            time.sleep(0.05)

    def _greet(self) -> None:
        assert self._database is not None, "the database was prepared"
        say(f"\n  Remediation Engine {start.VERSION} is at {self._settings.public_url}")
        secret = new_secret()
        with work(self._database, INSTANCE) as open_work:
            wanted = instance.offer_setup(open_work, digest(secret))
        if wanted:
            say("  There is no owner yet. Open this link once, within 24 hours, to become it:")
            say(f"  {self._settings.public_url.rstrip('/')}/setup?link={secret}")
        say(f"  Data is in {self._home.path}; Ctrl-C stops everything.\n")
        logger().info("supervisor.started", version=start.VERSION, address=self._settings.public_url)

    def _watch(self) -> None:
        checked = started = time.monotonic()
        while not self._stopping:
            time.sleep(_LOOK_EVERY)
            self._interruptible = True  # a database that recovers may take long to start again
            self._look()
            self._interruptible = False
            if time.monotonic() - checked >= _CHECK_EVERY:
                checked = time.monotonic()
                self._warner.tell(self._faults(timedelta(seconds=checked - started)))

    def _look(self) -> None:
        """Start again what has ended, and say so."""
        for child in self._children:
            try:
                words = child.look(time.monotonic())
            except (AiopsError, OSError) as error:
                words = f"{child.name} does not start: {error}"
            if words:
                say(words)
                self._warner.happened(child.name, words)

    def _faults(self, running: timedelta) -> list[tuple[str, str]]:
        dead = [(child.name, f"{child.name} is not running") for child in self._children if not child.is_alive]
        if dead or self._database is None:
            return dead
        try:
            measured = health.measure(self._database, self._home.path)
        except SQLAlchemyError as error:
            return [("database", f"the database does not answer: {type(error).__name__}")]
        return [(fault.what, fault.words) for fault in measured.faults] if running > _GRACE else []

    def _take_down(self) -> None:
        """Children end in the reverse order of their start; what they have begun they may end."""
        say("Stopping.")
        for child in reversed(self._children):
            child.stop()
        if self._database is not None:
            self._database.close()
        self._warner.close()
        self._home.release()


def up(settings: Settings, report: Callable[[str], None] = say, reloads: bool = False) -> int:
    """Run the supervisor; what keeps it from starting is said in words. Returns the exit code.

    `reloads`: for work on the pages, which are then built again at every change.
    """
    try:
        return Supervisor(settings, reloads).run()
    except Misconfigured as error:
        for fault in error.faults:
            report(f"  ✗ {fault}")
    except Unavailable as error:
        report(f"  ✗ {error}")
    return 1
