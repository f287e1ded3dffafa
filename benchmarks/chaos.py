"""Does anything get lost or counted twice when everything is killed at random? `python -m benchmarks.chaos --kills 50 --seed 7`.

Posts run on while the web process, the worker, PostgreSQL or one of its processes, and now and then the supervisor are killed with
-9 at moments that the seed chooses. Then, when nothing waits any more, the database must hold exactly what was acknowledged and
nothing that was not sent (benchmarks/findings.py). Prints one JSON; the exit code is 1 when anything is wrong.
"""

import argparse
import json
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg

from benchmarks.findings import Record, at_rest, findings
from benchmarks.measured import Measured, measured
from benchmarks.posters import Posters
from tests.testkit.installation import Installation

VICTIMS = {"web": 25, "worker": 30, "postgres": 18, "backend": 17, "supervisor": 10}
_PATIENCE = 60.0  # for a victim to be there, and for everything to be up again
_DRAINED_WITHIN = 180.0
_LEASE = 40.0  # a killed worker's lease ends by itself


@dataclass
class Killer:
    """Kills what is alive, and starts the supervisor again. The seed says whom and when."""

    installed: Installation
    random: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    started: int = 0

    def kill(self, pause: float) -> None:
        """Wait up to twice the pause, then kill one victim, as soon as it is there."""
        self._rest(self.random.uniform(0, 2 * pause))
        victim = self.random.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        deadline = time.monotonic() + _PATIENCE
        while not self._kills(victim):
            self._rest(self.random.uniform(0.05, 0.3))
            if time.monotonic() > deadline:
                raise TimeoutError(f"{victim} is not there within {_PATIENCE:.0f} s:\n{self.installed.said()[-2000:]}")
        self.killed[victim] += 1

    def keep_up(self) -> None:
        """Start the supervisor when it does not run."""
        process = self.installed.process
        if process is None or process.poll() is not None:
            self.started += 1
            self.installed.begin()

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.keep_up()
            time.sleep(min(0.1, left))
        self.keep_up()

    def _kills(self, victim: str) -> bool:
        """Whether the victim was alive and is no more."""
        with suppress(psutil.NoSuchProcess):
            if victim == "supervisor":
                process = self.installed.process
                if process is None or process.poll() is not None or not self.installed.children():
                    return False
                self.installed.kill()
                return True
            target = self._target(victim)
            if target is not None and target.status() != psutil.STATUS_ZOMBIE:
                target.send_signal(signal.SIGKILL)
                return True
        return False

    def _target(self, victim: str) -> psutil.Process | None:
        children = self.installed.children()
        if victim != "backend":
            return children.get(victim)
        if "postgres" not in children:
            return None
        # The one that collects the log is no part of the database: its death is no crash.
        backends = [each for each in children["postgres"].children() if "logger" not in " ".join(each.cmdline())]
        sessions = [each for each in backends if "aiops_app" in " ".join(each.cmdline())]
        found = sessions if sessions and self.random.random() < 0.75 else backends
        return self.random.choice(found) if found else None


def chaos(on: Measured, kills: int, seed: int, seconds: float, record: Record) -> dict[str, object]:
    """Kill so often, over about so many seconds. Returns what happened and what is wrong; `record` gets what was sent."""
    began = time.monotonic()
    killer = Killer(on.installed, random.Random(seed))
    with _posting(on, seed, record) as posters:
        time.sleep(1)
        for _ in range(kills):
            killer.kill(seconds / max(1, kills))
        time.sleep(1)
    recovered = _recovered(on, killer)
    found = [*posters.faults, *_waited(on), *_found(on, record)]
    return {
        "kills": dict(killer.killed) | {"all": killer.killed.total()},
        "supervisor_started_again": killer.started,
        "posts": dict(posters.answers),
        "bodies_sent": len(record.sent),
        "acknowledged": len(record.acknowledged),
        "acknowledged_alerts": sum(len(record.sent[digest]) for digest in record.acknowledged.values()),
        "recovered_s": round(recovered, 1),
        "all_s": round(time.monotonic() - began, 1),
        "violations": found,
    }


@contextmanager
def _posting(on: Measured, seed: int, record: Record) -> Iterator[Posters]:
    posters = Posters(on.url, on.secret, seed, record)
    threads = [threading.Thread(target=posters.run, args=(number,), daemon=True) for number in range(posters.connections)]
    for thread in threads:
        thread.start()
    try:
        yield posters
    finally:
        posters.stopping = True
        for thread in threads:
            thread.join(60)


def _recovered(on: Measured, killer: Killer) -> float:
    """Wait until it is served and its database answers. Returns the seconds that took."""
    began = time.monotonic()
    while time.monotonic() - began < 2 * _PATIENCE:
        killer.keep_up()
        with suppress(httpx.HTTPError, psycopg.OperationalError, psutil.NoSuchProcess):
            here = httpx.get(f"{on.installed.url}/health/live", timeout=2).status_code == 200
            if here and {"web", "worker", "postgres"} <= on.installed.children().keys():
                with on.db():
                    return time.monotonic() - began
        time.sleep(0.1)
    raise TimeoutError(f"it does not come back:\n{on.installed.said()[-2000:]}")


def _waited(on: Measured) -> list[str]:
    try:
        on.drained(_DRAINED_WITHIN)
    except TimeoutError as error:
        return [str(error)]
    with on.db() as db:
        return at_rest(db, on.org_id, _LEASE)


def _found(on: Measured, record: Record) -> list[str]:
    with on.db() as db:
        return findings(db, on.org_id, record)


def main() -> int:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=200, help="the pauses between kills come to about this")
    parser.add_argument("--folder", type=Path, help="keep the data here; otherwise they are removed")
    options = parser.parse_args()
    with measured(options.folder) as on:
        result = chaos(on, options.kills, options.seed, options.seconds, Record())
    json.dump(result, sys.stdout, indent=2)
    print()
    return 1 if result["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
