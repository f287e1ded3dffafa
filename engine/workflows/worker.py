"""What does a worker process do all day?

It waits for a notice or a second, leases what is due and carries it out; one worker, the leader, runs the tick that
starts the installation's own duties.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue

import psycopg
from sqlalchemy.exc import DBAPIError

from engine.log import logger
from engine.model.vocabulary import ProcessKind
from engine.storage import instance
from engine.storage.database import Database
from engine.storage.instance import Beat
from engine.storage.work import CHANNEL, INSTANCE, work
from engine.workflows.applier import Applier
from engine.workflows.duties import Duties
from engine.workflows.runner import Runner

LEADER = "leader"
_LEADS_FOR = timedelta(seconds=5)
_TICK = 1.0
_RENEW_EVERY = 8.0
_BEAT_EVERY = 5.0


@dataclass
class Worker:
    """One worker. `run` returns after `stop`."""

    database: Database
    duties: Duties
    process: str
    version: str
    applier: Applier | None = None
    _stopping: bool = False
    # Unlike an Event's, its put() may interrupt itself, as it does in a signal handler.
    _wake: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self._runner = Runner(self.database, self.process)
        self._started = datetime.now(UTC)
        self._last = {"renew": 0.0, "beat": 0.0}
        self._busy: set[str] = set()
        self._planned = 0  # the fence under which the timers were written
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="duty")

    def stop(self) -> None:
        """End after what is in hand. Safe in a signal handler."""
        self._stopping = True
        self._wake.put(None)
        if self.applier is not None:
            self.applier.stop()

    def run(self) -> None:
        """Work until `stop`. A database that goes away is waited for."""
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        applying = self.applier.start() if self.applier else None
        logger().info("worker.started", process=self.process, version=self.version)
        while not self._stopping:
            began = time.monotonic()
            try:
                self._round(began)
            except Exception as error:  # the supervisor's place: whatever a round met, the next one begins
                known = isinstance(error, DBAPIError)
                logger().error("worker.round_failed", error=type(error).__name__, exc_info=None if known else error)
            self._rest(max(0.0, _TICK - (time.monotonic() - began)))
        self.duties.ending.set()
        self._runner.close()
        if applying is not None:
            applying.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        try:
            with work(self.database, INSTANCE) as open_work:
                instance.let_go(open_work, LEADER, self.process)
                instance.bury(open_work, self.process)
        except DBAPIError:  # the lease runs out and the heartbeat is forgotten without us
            logger().warning("worker.left_unsaid", process=self.process)
        logger().info("worker.stopped", process=self.process)

    def _rest(self, seconds: float) -> None:
        """Wait for a notice, or so long."""
        with suppress(Empty):
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()

    def _round(self, now: float) -> None:
        if now - self._last["beat"] >= _BEAT_EVERY:
            self._beat()
            self._last["beat"] = now
        self._tick()
        if now - self._last["renew"] >= _RENEW_EVERY:
            self._runner.renew()
            self._last["renew"] = now
        self._runner.take_due()

    def _beat(self) -> None:
        with work(self.database, INSTANCE) as open_work:
            mine = Beat(self.process, ProcessKind.WORKER, self.version, self._started, open_work.now, None)
            instance.beat(open_work, mine)

    def _tick(self) -> None:
        """The leader's second: take the timers that are due, as one set, and begin their duties."""
        table = self.duties.table()
        with work(self.database, INSTANCE) as open_work:
            leading = instance.hold(open_work, LEADER, self.process, _LEADS_FOR)
            if leading is None:
                return
            if leading.fence != self._planned:
                instance.plan(open_work, {name: seconds for name, (seconds, _) in table.items()})
                self._planned = leading.fence
            due = instance.timers_due(open_work)
            instance.ticked(open_work, self.process)
        for name in due:
            if name in table and name not in self._busy:
                self._busy.add(name)
                self._pool.submit(self._do, name)

    def _do(self, name: str) -> None:
        error = ""
        try:
            self.duties.table()[name][1]()
        except Exception as failure:  # a duty that fails is shown in /health, and comes again
            error = f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}"
            logger().error("duty.failed", duty=name, exc_info=failure)
        finally:
            self._busy.discard(name)
        with work(self.database, INSTANCE) as open_work:
            instance.timer_ended(open_work, name, error)

    def _listen(self) -> None:
        """Wake the loop as soon as a job is written; without this it wakes every second."""
        while not self._stopping:
            try:
                with psycopg.connect(self.database.dsn, autocommit=True, connect_timeout=5) as db:
                    db.execute(f"LISTEN {CHANNEL}")
                    for notice in db.notifies():
                        if "job" in notice.payload:
                            self._wake.put(None)
                        if self.applier is not None and "inbox" in notice.payload:
                            self.applier.wake()
            except psycopg.OperationalError:
                time.sleep(1.0)
