"""How much is taken in, how fast is it grouped, and what does it cost? `python -m benchmarks.intake [--only NAME ...] [--out FILE]`.

flood      closed loop, 20 alerts a post: alerts acknowledged a second, and how long the rest takes to be applied
sustained  paced: the age of the queue, and whether every acknowledged alert ends in an incident
single     closed loop, one alert a post: posts acknowledged a second
latency    500 alerts a second: from the answer to the commit in which the alert joins its incident
big        1,000,000 alerts, 50,000 of them firing; then all of these again, beside the small run
listing    1,000,000 firing alerts: GET /api/v1/alerts at page 1, 100 and 10,000

CPU is of all processes of web, worker and PostgreSQL apart, from the first post to the last commit, over all alerts acknowledged
meanwhile; the generator's own is beside it. The installation is one of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks import listing, populate
from benchmarks.measured import Measured, measured
from engine.model.ids import entry_id

_DRAINED_WITHIN = 900.0
_PLACES = 20  # alerts of one post, where nothing else is said
Result = dict[str, Any]


class Bench:
    """The measurements on one installation. Each run's alerts are its own: the words differ."""

    def __init__(self, on: Measured, options: argparse.Namespace) -> None:
        self._on, self._options, self._runs = on, options, 0

    def flood(self) -> Result:
        """As fast as it goes."""
        return self._measured()

    def sustained(self) -> Result:
        """At a steady rate: does the queue stay short, and is every alert grouped?"""
        before = self._counts()
        with _watched(self._on) as ages:
            found = self.paced(self._options.rate, meanwhile=lambda: ages.append(-1.0))
        during = ages[: ages.index(-1.0)] if -1.0 in ages else ages
        found["queue_age_s"] = {"at_end": round(during[-1], 2), "most": round(max(during), 2)} if during else {}
        entries, loose = (now - then for now, then in zip(self._counts(), before, strict=True))
        found["every_acknowledged_alert_in_an_incident"] = entries == found["acknowledged_alerts"] and not loose
        return found

    def paced(self, rate: float, meanwhile: Callable[[], None] = lambda: None) -> Result:
        """So many alerts a second; `meanwhile` is called when the last is acknowledged."""
        return self._measured("--rate", str(rate), meanwhile=meanwhile)

    def single(self) -> Result:
        """One alert a post."""
        return self._measured("--alerts", "1")

    def latency(self) -> Result:
        """From the answer to the commit of the membership."""
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder) / "answers"
            found = self._measured("--rate", "500", "--record", str(record))
            lines = [line.split() for line in record.read_text().splitlines()]
        answered = {entry_id(UUID(id), _PLACES - 1): float(at) for id, at in lines}
        with self._on.db() as db:
            rows = db.execute(_COMMITTED, (self._on.org_id, list(answered))).fetchall()
        waits = sorted(committed - answered[id] for id, committed in rows)
        found["grouped_ms"] = quantiles(waits, (0.5, 0.95, 0.99))
        found["deliveries"] = {"answered": len(answered), "grouped": len(waits)}
        return found

    def _measured(self, *arguments: str, meanwhile: Callable[[], None] = lambda: None) -> Result:
        """Post, wait until all is applied, and reckon what it cost."""
        self._runs += 1
        before = self._on.cpu()
        seconds = ("--seconds", str(self._options.seconds), "--warm-up", str(self._options.warm_up))
        found = generated(self._on, "--run", f"run{self._runs}-{os.getpid()}", *seconds, *arguments)
        meanwhile()
        found["drained_s"] = round(self._on.drained(_DRAINED_WITHIN), 1)
        after = self._on.cpu()
        each = {name: 1000 * (after[name] - before[name]) / found["acknowledged_alerts"] for name in after if name in before}
        found["cpu_ms_per_alert"] = {name: round(value, 4) for name, value in each.items()} | {"all": round(sum(each.values()), 4)}
        return found

    def _counts(self) -> tuple[int, int]:
        """Lines of deliveries in the histories, and firing alerts that are in no incident."""
        with self._on.db() as db:
            row = db.execute(_COUNTS, {"org": self._on.org_id}).fetchone()
        assert row is not None
        return row[0], row[1]


_COMMITTED = """
SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM alert_entry WHERE org_id = %s AND id = ANY (%s)
"""
_COUNTS = """
SELECT (SELECT count(*) FROM alert_entry WHERE org_id = %(org)s),
    (SELECT count(*) FROM alert a WHERE org_id = %(org)s AND status = 'firing' AND NOT EXISTS (
        SELECT 1 FROM incident_alert m JOIN incident i ON i.org_id = m.org_id AND i.id = m.incident_id
        WHERE m.org_id = a.org_id AND m.incident_id = a.incident_id AND m.alert_id = a.id AND m.left_at IS NULL))
"""


def generated(on: Measured, *arguments: str) -> Result:
    """Let the load generator run in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.posting", "--url", on.url, "--secret", on.secret, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    if done.returncode != 0:
        raise RuntimeError(f"the load generator failed:\n{done.stderr[-2000:]}\n{on.installed.said()[-2000:]}")
    return json.loads(done.stdout)


def quantiles(waits: list[float], wanted: tuple[float, ...]) -> dict[str, float]:
    """Of sorted seconds, in milliseconds."""
    last = len(waits) - 1
    return {f"p{round(100 * p)}": round(1000 * waits[min(last, int(p * len(waits)))], 1) for p in wanted} if waits else {}


@contextmanager
def _watched(on: Measured) -> Iterator[list[float]]:
    """The age of the queue, each second, as long as it lasts."""
    ages: list[float] = []
    over = threading.Event()

    def watch() -> None:
        with on.db() as db:
            while not over.wait(1):
                ages.append(on.oldest(db))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield ages
    finally:
        over.set()
        thread.join(10)


def commits_are_timed(on: Measured) -> None:
    """Let the database note when each transaction commits; it starts again for that."""
    with on.db() as db:
        db.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    on.installed.stop()
    on.installed.start()


def ratios(large: Result, small: Result) -> dict[str, float]:
    """How the large run's figures stand to the small one's."""
    pairs = {
        "alerts_per_s": (large["alerts_per_s"], small["alerts_per_s"]),
        "cpu_per_alert": (large["cpu_ms_per_alert"]["all"], small["cpu_ms_per_alert"]["all"]),
    }
    for name in sorted(large.get("grouped_ms", {}).keys() & small.get("grouped_ms", {}).keys()):
        pairs[f"grouped_{name}"] = (large["grouped_ms"][name], small["grouped_ms"][name])
    return {name: round(many / few, 2) for name, (many, few) in pairs.items() if few}


SMALL = ("flood", "sustained", "single", "latency")


def run(options: argparse.Namespace) -> Result:
    """Measure what is asked for."""
    wanted = options.only or [*SMALL, "big", "listing"]
    found: Result = {"machine": {"cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}}
    if set(wanted) & {*SMALL, "big"}:
        with measured(options.folder) as on:
            commits_are_timed(on)
            bench = Bench(on, options)
            for name in [name for name in SMALL if name in wanted or "big" in wanted]:
                found[name] = _told(name, getattr(bench, name)())
            if "big" in wanted:
                found["big"] = _big(on, bench, options.alerts, found)
    if "listing" in wanted:
        with measured(options.folder) as on:
            began = time.monotonic()
            populate.populate(on, firing=options.alerts, resolved=0, over=0)
            populated = round(time.monotonic() - began, 1)
            found["listing"] = _told("listing", {"populated_s": populated} | listing.measure(on, options.requests))
    return found


def _big(on: Measured, bench: Bench, alerts: int, small: Result) -> Result:
    began = time.monotonic()
    populate.populate(on, firing=alerts // 20, resolved=alerts // 20, over=alerts - 2 * (alerts // 20))
    found: Result = {"alerts": alerts, "populated_s": round(time.monotonic() - began, 1)}
    for name in SMALL:
        found[name] = _told(f"big {name}", getattr(bench, name)())
        found[name]["to_small"] = ratios(found[name], small[name])
    return found


def _told(name: str, result: Result) -> Result:
    print(f"{name}: {json.dumps(result)}", file=sys.stderr, flush=True)
    return result


def main() -> None:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*SMALL, "big", "listing"], metavar="NAME", help=", ".join([*SMALL, "big", "listing"]))
    parser.add_argument("--out", type=Path, help="write the result here too")
    parser.add_argument("--rate", type=float, default=4500, help="alerts a second of the sustained run")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=10)
    parser.add_argument("--alerts", type=int, default=1_000_000, help="of the big run, and of the listing")
    parser.add_argument("--requests", type=int, default=2000, help="of the listing")
    parser.add_argument("--folder", type=Path, help="keep the data in this folder, which others must be able to pass through")
    options = parser.parse_args()
    text = json.dumps(run(options), indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
