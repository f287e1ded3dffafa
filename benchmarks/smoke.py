"""Has an alert become dearer? `python -m benchmarks.smoke` measures for a quarter of a minute; `--write` keeps it as the figures.

Two figures that say more than the time on a clock, which depends on what else the machine does: the CPU of web, worker and
PostgreSQL for one alert at a steady rate, and the SQL statements of a batch, which must be the same for few alerts and for many.
benchmarks/figures.json holds what they were; neither may exceed that by more than half. A second of CPU is not the same on every
machine, nor beside every neighbour: the yardstick, a fixed piece of work, is timed around each measurement, and what an alert costs
is told as it would be where the yardstick takes what the file says. Neighbours only add: of three measurements the least counts.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg

from benchmarks.intake import Bench
from benchmarks.measured import Measured, measured
from benchmarks.posting import Bodies
from engine import pipeline, start
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.settings import load
from engine.storage import batches, lanes, sources
from engine.storage.database import Database
from engine.storage.inbox import Waiting
from engine.storage.work import Tenant, work

FIGURES = Path(__file__).with_name("figures.json")
HEADROOM = 1.5
_PACE = {"rate": 1000.0, "seconds": 10.0, "warm_up": 3.0}
_TRIES = 3
_A_POST = 20


def cost(on: Measured, enough: float = 0.0) -> tuple[float, float]:
    """The milliseconds of CPU of all processes for one alert at a steady thousand a second, and those of the yardstick meanwhile.

    The least of three measurements; the first that is at most `enough` milliseconds, told for the file's yardstick, ends it.
    """
    options, found = argparse.Namespace(**_PACE), list[tuple[float, float]]()
    bench, before = Bench(on, options), yardstick()
    while len(found) < _TRIES and not any(told(*each) <= enough for each in found):
        spent = bench.paced(options.rate)["cpu_ms_per_alert"]["all"]
        after = yardstick()
        found.append((spent, (before + after) / 2))
        before = after
    return min(found, key=lambda each: told(*each))


def told(spent: float, yardstick_ms: float) -> float:
    """What an alert would have cost where the yardstick takes what the file says."""
    return spent * figures()["yardstick_ms"] / yardstick_ms


def yardstick() -> float:
    """The milliseconds of CPU that a fixed piece of work takes now: the mean of two processes at once, as many as are measured."""
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(_fixed_work, range(2))) / 2


def _fixed_work(seed: int) -> float:
    """Much as an alert's: text to objects and back, digests, sorting, more memory than a small cache holds."""
    began = time.process_time()
    for part in range(6):
        base = 100_000 * (6 * seed + part)
        objects = [{"name": f"alert {base + n}", "labels": {f"label{k}": f"value {n * k % 977}" for k in range(12)}} for n in range(12_000)]
        texts = [json.dumps(each, sort_keys=True) for each in objects]
        sorted((hashlib.sha256(text.encode()).digest(), json.loads(text)["name"]) for text in texts)
    return 1000 * (time.process_time() - began)


def statements(database: Database, org_id: UUID, source_id: UUID, alerts: int) -> int:
    """How many statements a batch of so many alerts takes, half of them new, on a connection that has had one before."""
    now, bodies = datetime.now(UTC), Bodies(_A_POST, f"batch of {alerts}, {datetime.now(UTC)}", 1, 0)
    deliveries = [Delivery(bodies.next(), {}, now) for _ in range(alerts // _A_POST)]
    waiting = [Waiting(delivery_id(now), source_id, "alertmanager", each, False) for each in deliveries]
    with work(database, Tenant(org_id, all_teams=True, instance=True)) as open_work:
        lanes.alone(open_work)
        senders = sources.senders(open_work, {source_id})
        batches.begin(open_work)
        with counted() as said:
            ingested, _ = pipeline.run(open_work, waiting, senders)
    assert len(ingested.items) == alerts, "every alert is understood"
    return len(said)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Everything that any connection is asked meanwhile."""
    said: list[str] = []

    def noting(name: str) -> Any:
        real = getattr(psycopg.Cursor, name)

        def noted(self: Any, query: Any, *values: Any, **named: Any) -> Any:
            said.append(str(query))
            return real(self, query, *values, **named)

        return noted

    with patch.multiple(psycopg.Cursor, **{name: noting(name) for name in ("execute", "executemany", "copy")}):
        yield said


def figures() -> dict[str, float]:
    """What was written down."""
    return json.loads(FIGURES.read_text())


def _all(on: Measured) -> dict[str, float]:
    found = load({"AIOPS_DATA_DIR": str(on.installed.data_dir)})
    database = start.database(found, "smoke")
    try:
        few, many = (statements(database, on.org_id, on.source_id, alerts) for alerts in (20, 1000))
    finally:
        database.close()
    spent, yardstick_ms = cost(on)
    found = {"cpu_ms_per_alert": round(spent, 4), "yardstick_ms": round(yardstick_ms, 1)}
    return found | {"statements_per_batch": few, "statements_per_large_batch": many}


def main() -> int:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep what is measured as the figures")
    options = parser.parse_args()
    with measured() as on:
        found = _all(on)
    print(json.dumps(found))
    many = found.pop("statements_per_large_batch")
    if options.write:
        FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    dearer = told(found["cpu_ms_per_alert"], found["yardstick_ms"]) > HEADROOM * figures()["cpu_ms_per_alert"]
    more = found["statements_per_batch"] > HEADROOM * figures()["statements_per_batch"]
    return 1 if dearer or more or many != found["statements_per_batch"] else 0


if __name__ == "__main__":
    sys.exit(main())
