"""The story of a fault, told by real senders: it takes a minute, in which other scenarios are played.

Where TEST_CORPUS names a folder with live/run.sh and live/vmalert.sh, they are the senders; else the configurations beside this
file, with a node exporter whose values the test writes.
"""

import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tests.scenarios.senders.running import CONFIGS, programs
from tests.testkit.installation import Installation
from tests.testkit.organization import Asking

TOOLS = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "vmalert", "amtool")
MISSING = [name for name in TOOLS if not shutil.which(name)]
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


def tell(installation: Installation, logs: Path) -> Told:
    """Have it told to its end: every alert has ended."""
    ask = Asking(installation)
    webhook, secret = ask.source(kind="alertmanager", name="Real Alertmanager")
    direct, _ = ask.source(kind="prometheus", name="Real Prometheus", auth="address", networks=["127.0.0.0/8"])
    found = Told(ask, webhook, direct, logs)
    address = f"http://x:{secret}@127.0.0.1:{installation.port}/webhook/alertmanager/{webhook['public_id']}"
    with _listing(found):
        (_corpus if HAS_LIVE else _own)(found, address)
        ask.until(lambda: found.alerts() and all(alert["status"] == "resolved" for alert in found.alerts()), within=60)
    return found


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
