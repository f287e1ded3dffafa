"""Does the story of a fault come out right when real senders tell it?

Prometheus tells its Alertmanager and us at the same time, and Alertmanager tells us too: once by webhook with a secret, once as
to an Alertmanager without one. Where TEST_CORPUS names a folder with live/run.sh and live/vmalert.sh, they are the senders;
else the configurations beside this file, with a node exporter whose values the test writes.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from tests.scenarios.senders.running import CONFIGS, programs
from tests.testkit.installation import Installation
from tests.testkit.organization import Asking

_TOOLS = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "vmalert", "amtool")
_MISSING = [name for name in _TOOLS if not shutil.which(name)]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")]

LIVE = Path(os.environ.get("TEST_CORPUS", "/nowhere")) / "live"
HAS_LIVE = all((LIVE / name).exists() for name in ("run.sh", "vmalert.sh"))
NODE, PROMETHEUS, ALERTMANAGER = 19210, 19211, 19212


@dataclass
class Told:
    """What came of the story: alerts by the way they came, what amtool listed meanwhile, and the senders' logs."""

    ask: Asking
    webhook: dict[str, Any]
    direct: dict[str, Any]
    logs: Path
    listed: set[str] = field(default_factory=set)

    def alerts(self) -> list[dict[str, Any]]:
        """All of them."""
        return self.ask.alerts(self.webhook["id"]) + self.ask.alerts(self.direct["id"])


@pytest.fixture(scope="module")
def told(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The story, told to its end: every alert has ended."""
    ask = Asking(installation)
    webhook, secret = ask.source(kind="alertmanager", name="Real Alertmanager")
    direct, _ = ask.source(kind="prometheus", name="Real Prometheus", auth="address", networks=["127.0.0.0/8"])
    found = Told(ask, webhook, direct, tmp_path_factory.mktemp("logs"))
    address = f"http://x:{secret}@127.0.0.1:{installation.port}/webhook/alertmanager/{webhook['public_id']}"
    try:
        with _listing(found):
            (_corpus if HAS_LIVE else _own)(found, address)
            ask.until(lambda: found.alerts() and all(alert["status"] == "resolved" for alert in found.alerts()), within=60)
        yield found
    finally:
        ask.tidy()


def _corpus(told: Told, address: str) -> None:
    """The recorded story, and that of vmalert beside it."""
    environment = os.environ | {"KEEP_LOGS": str(told.logs)}
    here = f"127.0.0.1:{told.ask.installed.port}"
    commands = [[LIVE / "run.sh", address, here], [LIVE / "vmalert.sh", f"http://{here}"]]
    quiet = subprocess.DEVNULL
    both = [subprocess.Popen(["bash", *map(str, each)], env=environment, stdout=quiet, stderr=quiet) for each in commands]
    assert [each.wait(150) for each in both] == [0, 0]
    (told.logs / "null").rename(told.logs / "vmalert.log")  # as which vmalert.sh keeps it


def _own(told: Told, address: str) -> None:
    """A fault of one service, then of two, then many at once, then none."""
    folder = told.logs
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(CONFIGS / name, folder)
    here = {"static_configs": [{"targets": [f"127.0.0.1:{told.ask.installed.port}"]}]}
    theirs = {"static_configs": [{"targets": [f"127.0.0.1:{ALERTMANAGER}"]}]}
    with (folder / "prometheus.yml").open("a") as config:
        yaml.safe_dump({"alerting": {"alertmanagers": [theirs, here]}}, config)
    (folder / "alertmanager.yml").write_text(Template((CONFIGS / "alertmanager.yml").read_text()).substitute(webhook=address))
    values = folder / "values"
    values.mkdir()
    _write(values, 0, 0, 0)
    with programs(folder) as running:
        collect = ("--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={values}")
        listen = f"--web.listen-address=127.0.0.1:{NODE}"
        running.start("prometheus-node-exporter", listen, *collect, log="node.log", answers=f"http://127.0.0.1:{NODE}/metrics")
        running.alertmanager(folder / "alertmanager.yml", ALERTMANAGER)
        running.prometheus(folder / "prometheus.yml", PROMETHEUS)
        for story, seconds in (((1, 0, 0), 6), ((1, 1, 0), 6), ((0, 1, 1), 6), ((0, 0, 0), 10)):
            _write(values, *story)
            time.sleep(seconds)


def _write(folder: Path, checkout: int, cart: int, many: int) -> None:
    text = Template((CONFIGS / "story.prom").read_text()).substitute(checkout=checkout, cart=cart, many=many)
    (folder / "lab.tmp").write_text(text)
    (folder / "lab.tmp").rename(folder / "lab.prom")


class _listing:
    """Asks amtool every second what fires, while the block lasts."""

    def __init__(self, told: Told) -> None:
        self._told, self._over = told, threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _ask(self) -> None:
        installed = self._told.ask.installed
        config = self._told.logs / "amtool-http.yml"
        config.write_text(f"basic_auth: {{username: x, password: {installed.token}}}\n")
        options = [f"--alertmanager.url={installed.url}", f"--http.config.file={config}", "--no-version-check"]
        command = ["amtool", *options, "alert", "query", "cluster=~.+"]
        while not self._over.wait(1):
            said = subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
            self._told.listed |= {line.split()[0] for line in said.splitlines()[1:] if line.strip()}


def test_each_alert_comes_both_ways_and_ends(told: Told) -> None:
    by_webhook, direct = (told.ask.alerts(source["id"]) for source in (told.webhook, told.direct))
    assert {"LabFault"} < {alert["labels"]["alertname"] for alert in by_webhook}
    assert {alert["fingerprint"] for alert in by_webhook} <= {alert["fingerprint"] for alert in direct}
    assert {alert["status"] for alert in told.alerts()} == {"resolved"}
    assert {alert["closed_by"] for alert in told.alerts()} == {"sender"}


def test_no_alert_comes_to_us_twice(told: Told) -> None:
    for source in (told.webhook, told.direct):
        fingerprints = [alert["fingerprint"] for alert in told.ask.alerts(source["id"])]
        assert len(fingerprints) == len(set(fingerprints))
    assert {alert["count"] for alert in told.alerts() if alert["labels"]["alertname"] == "LabFault"} == {1}


def test_alerts_of_a_group_are_one_incident(told: Told) -> None:
    faults: dict[tuple[str, str], set[int]] = {}
    for alert in told.alerts():
        assert alert["incident"], alert["title"]
        if alert["labels"]["alertname"] == "LabFault":
            faults.setdefault((alert["service"], alert["environment"]), set()).add(alert["incident"]["number"])
    assert set(faults) == {("checkout", "prod"), ("cart", "staging")}
    assert [len(numbers) for numbers in faults.values()] == [1, 1], "both ways lead into the incident of the service"
    assert len({alert["incident"]["id"] for alert in told.alerts()}) < len(told.alerts())


def test_no_incident_has_an_alert_that_fires_any_more(told: Told) -> None:
    for id in {alert["incident"]["id"] for alert in told.alerts()}:
        incident = told.ask("GET", f"/incidents/{id}")
        assert (incident["open_alerts"], incident["alerts"] > 0) == (0, True)


def test_nothing_is_in_the_quarantine(told: Told) -> None:
    for source in (told.webhook, told.direct):
        assert told.ask("GET", "/quarantine", params={"source_id": source["id"]}) == []
        shown = told.ask("GET", f"/sources/{source['id']}")
        assert (shown["quarantined"], shown["rejected"], shown["failures"]) == (0, 0, 0)
        assert shown["deliveries"] > 0


def test_no_sender_was_refused(told: Told) -> None:
    logs = [log for log in told.logs.glob("*.log") if log.name not in ("ne.log", "node.log")]  # a node exporter sends nothing
    assert len(logs) == (3 if HAS_LIVE else 2)
    wrong = ("err=", "level=error", "Notify attempt failed", "\terror\t")
    lines = [f"{log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()]
    assert [line for line in lines if any(each in line for each in wrong)] == []


def test_amtool_lists_what_fires_while_it_fires(told: Told) -> None:
    assert {"LabFault"} < told.listed
