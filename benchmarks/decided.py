"""What does it cost when an organization has decided much? `python -m benchmarks.decided`, half a quarter of an hour.

200 rules (50 with a regular expression, 50 of JSON Logic), 50 silences and 20 tables of 1,000 rows: then the sustained run of the
intake benchmark, and a rehearsal of a rule over 1,000,000 alerts. Beside it, by itself, what one condition costs that asks a
hostile regular expression about 64 KiB (`hostile_pattern_us`).
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx
from pydantic import TypeAdapter

from benchmarks import populate
from benchmarks.intake import Bench
from benchmarks.measured import Measured, measured
from engine.matching.conditions import Patterns, Subject, compiled
from engine.model.conditions import Condition


def decide(on: Measured) -> None:
    """Have all of it decided."""
    for number in range(200):
        _post(on, "rules", {"name": f"rule {number:03}", "when": _condition(number), "then": _actions(number)})
    now = datetime.now(UTC).replace(tzinfo=None)
    for number in range(50):
        matchers = [{"name": "service", "value": f"quiet-{number}"}, {"name": "cluster", "op": "=~", "value": f"eu-{number}.*"}]
        if number % 2:
            matchers = [{"name": "instance", "op": "=~", "value": f"quiet-{number}:.*"}]
        said = {"starts": now.isoformat(), "ends": (now + timedelta(days=1)).isoformat(), "comment": f"silence {number}"}
        _post(on, "silences", said | {"matchers": matchers})
    for number in range(20):
        table = [[_ROWS[number % 4](row), f"value {number} {row}"] for row in range(1000)]
        match_on = _MATCHED[number % 4]
        columns = [match_on, f"added_{number}"]
        _post(on, "mappings", {"name": f"table {number:02}", "match_on": [match_on], "columns": columns, "rows": table})


# A quarter of the tables knows every service, a quarter every namespace; the others some hosts, and what no alert has.
_MATCHED = ("service", "labels.namespace", "labels.instance", "labels.pod")
_ROWS = (lambda row: f"svc-{row}", lambda row: f"ns-{row}", lambda row: f"host-{row}:9100", lambda row: f"pod-{row}")


def _condition(number: int) -> dict[str, Any]:
    if number < 50:
        return {"field": "labels.instance", "op": "=~", "value": f"host-{number}[0-9]*7:9100"}
    if number < 100:
        return {"logic": {"and": [{"==": [{"var": "labels.job"}, "node"]}, {"in": [f"-{number}1", {"var": "labels.instance"}]}]}}
    if number < 150:
        return {"all": [{"field": "service", "value": f"svc-{number}"}, {"field": "severity", "op": ">=", "value": "warning"}]}
    return {"field": "labels.namespace", "op": "like", "value": f"ns-{number % 40}*"}


def _actions(number: int) -> dict[str, Any]:
    return {"labels": {f"rule_{number % 10}": f"{{{{service}}}} {number}"}} if number % 3 else {"team": f"team {number}"}


def _post(on: Measured, path: str, spec: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {on.token}"}
    answer = httpx.post(f"{on.installed.url}/api/v1/{path}", json={"spec": spec}, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.json()["data"]


def rehearsed(on: Measured, alerts: int) -> dict[str, Any]:
    """A rehearsal over so many alerts, as a person sees it."""
    populate.populate(on, firing=alerts // 20, resolved=alerts // 20, over=alerts - 2 * (alerts // 20))
    found: dict[str, Any] = {}
    for name, when in (("wildcard", {"field": "service", "op": "like", "value": "svc-1*"}), ("logic", _condition(60))):
        spec = {"name": name, "when": when, "then": {"severity": "info"}}
        headers = {"Authorization": f"Bearer {on.token}"}
        with httpx.Client(base_url=f"{on.installed.url}/api/v1", headers=headers, timeout=60) as client:
            began = time.monotonic()
            id = client.post("/rules/dry-run", json={"spec": spec, "days": 400}).raise_for_status().json()["data"]["id"]
            while (job := client.get(f"/jobs/{id}").json()["data"])["state"] in ("waiting", "running"):
                time.sleep(0.1)
        if job["state"] != "done":
            raise RuntimeError(job["error"])
        result = job["result"]
        found[name] = {"seconds": round(time.monotonic() - began, 1), "alerts": result["alerts"], "matched": result["matched"]}
    return found


# What engines that backtrack never finish.
HOSTILE = ("(a+)+$", "(a|aa)+$", "(.*a){20}")


def hostile_pattern_us(length: int = 64 * 1024, times: int = 100) -> float:
    """The microseconds that a condition with a hostile pattern costs on so long a text: the median, of the dearest of them."""
    now, text = datetime.now(UTC), "a" * length + "!"
    medians: list[float] = []
    for pattern in HOSTILE:
        patterns = Patterns()
        said: Condition = TypeAdapter(Condition).validate_python({"field": "title", "op": "=~", "value": pattern})
        holds = compiled(said, patterns)
        patterns.ready()
        taken: list[int] = []
        for _ in range(times):
            subject = Subject(now, {"title": text}, {}, {})  # anew: one that was asked remembers
            began = time.perf_counter_ns()
            holds(subject)
            taken.append(time.perf_counter_ns() - began)
        medians.append(median(taken) / 1000)
    return round(max(medians), 1)


def main() -> int:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=3000.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm-up", dest="warm_up", type=float, default=10.0)
    parser.add_argument("--alerts", type=int, default=1_000_000, help="0: no rehearsal")
    options = parser.parse_args()
    found: dict[str, Any] = {"hostile_pattern_us": hostile_pattern_us()}
    with measured() as on:
        decide(on)
        found["sustained"] = Bench(on, options).sustained()
        print(json.dumps(found["sustained"]), file=sys.stderr, flush=True)
        if options.alerts:
            found["rehearsed"] = rehearsed(on, options.alerts)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
