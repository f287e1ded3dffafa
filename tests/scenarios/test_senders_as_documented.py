"""Does what docs/senders.md says work as it is written?

Bash runs each part of the page, as somebody would who pastes it. The senders that a part sets up are then started: Debian's
Prometheus, Alertmanager and vmalert. Grafana and Loki are not to be had here: what they post is posted for them, to the
address and with the credential in the files that the part writes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.scenarios.senders.running import CONFIGS, Programs, programs
from tests.testkit.installation import PROJECT, WEB_DIR, Installation
from tests.testkit.organization import Asking

PAGE = PROJECT / "docs" / "senders.md"
FIRST = "Before you start"
VICTORIA, VMALERT = 19203, 19204
needs = {name: pytest.mark.skipif(not shutil.which(name), reason=f"{name} is not installed") for name in ("prometheus", "vmalert", "jq")}
pytestmark = [pytest.mark.slow, needs["jq"], needs["prometheus"]]


def _parts() -> dict[str, list[str]]:
    """The snippets of each part by its heading, without those that only show a form."""
    found = {}
    for part in PAGE.read_text().split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        found[heading] = [each for each in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if "aio_…" not in each]
    return found


PARTS = _parts()


@dataclass(frozen=True)
class Done:
    """What a part left: its folder, what it said, and the last source it made."""

    folder: Path
    said: str
    source: str
    id: str
    secret: str


@pytest.fixture(scope="module")
def ask(installation: Installation) -> Iterator[Asking]:
    made = Asking(installation)
    yield made
    made.tidy()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with programs(tmp_path_factory.mktemp("senders")) as found:
        yield found


@pytest.fixture(scope="module")
def do(ask: Asking, running: Programs, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Done]:
    """Do a part of the page, once."""
    done: dict[str, Done] = {}

    def part(heading: str) -> Done:
        if heading not in done:
            folder = tmp_path_factory.mktemp("part")
            _prepare(heading, folder, ask, running)
            done[heading] = _run(heading, folder, ask)
        return done[heading]

    return part


def _run(heading: str, folder: Path, ask: Asking) -> Done:
    """Let bash run the first part and this one. A command that fails ends it."""
    installed, last = ask.installed, folder / ".left"
    note = 'printf "%s\\n" "${SOURCE-}" "${ID-}" "${SECRET-}" > .left\n'
    # every source is remembered, as a part may make several
    remember = 'eval "real_$(declare -f new_source)"; new_source() { real_new_source "$@"; echo "$ID" >> .sources; }\n'
    script = "".join([*PARTS[FIRST], remember, *PARTS[heading], note])
    mine = {
        "AIOPS": installed.url,
        "TOKEN": installed.token,
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "AIOPS_DATA_DIR": str(installed.data_dir),
        "AIOPS_PORT": str(installed.port),
        "AIOPS_WEB_DIR": str(WEB_DIR),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AIOPS_")}
    command = ["bash", "-euo", "pipefail", "-c", script]
    ran = subprocess.run(command, cwd=folder, env=clean | mine, capture_output=True, text=True, timeout=60)
    if (made := folder / ".sources").exists():
        ask.made += made.read_text().split()
    assert ran.returncode == 0, f"“{heading}” does not work as written:\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    source, id, secret = last.read_text().split("\n")[:3]
    return Done(folder, ran.stdout, source, id, secret)


def _prepare(heading: str, folder: Path, ask: Asking, running: Programs) -> None:
    """What somebody has before beginning with a part."""
    if heading.startswith("Prometheus"):
        shutil.copy(CONFIGS / "always.yml", folder / "rules.yml")
        shutil.copy(CONFIGS / "prometheus.yml", folder)
    elif heading == "vmalert":
        shutil.copy(CONFIGS / "always.yml", folder / "rules.yml")
        address = f"127.0.0.1:{VICTORIA}"
        answers = f"http://{address}/health"
        running.start("victoria-metrics", f"-storageDataPath={folder}/vm", f"-httpListenAddr={address}", log="vm.log", answers=answers)
        # vmalert as it is called on the page, but beside us, with ports of ours
        real = f'{shutil.which("vmalert")} "$@" -datasource.url=http://{address} -httpListenAddr=127.0.0.1:$(({VMALERT} + N))'
        # counted by what is written before the next one is called: its log is made beside us, and may come later
        count = "N=$(cat vmalert.pids 2>/dev/null | wc -l)"
        _command(folder / "bin" / "vmalert", f"{count}\n{real} > vmalert-$N.log 2>&1 &\necho $! >> vmalert.pids")
    elif heading == "Files":
        _command(folder / ".venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    elif heading == "amtool and Grafana as readers":
        source, secret = ask.source(kind="alertmanager", name="Something to read")
        alert = {"status": "firing", "labels": {"alertname": "ReadByAmtool", "severity": "critical"}}
        _post(f"{ask.installed.url}/webhook/alertmanager/{source['public_id']}", secret, {"version": "4", "alerts": [alert]})
        ask.until(lambda: ask.alerts(source["id"]))
    elif heading in ("Finding alerts", "Incidents"):
        source, secret = ask.source(kind="generic", name=f"Something to find: {heading}")
        for service in ("checkout", "cart"):
            body = {"title": f"Disk full of {service}", "severity": "critical", "key": service, "environment": "prod", "service": service}
            _post(f"{ask.installed.url}/webhook/generic/{source['public_id']}", secret, body | {"labels": {"region": "eu-1", "tier": "db"}})
        ask.until(lambda: len([alert for alert in ask.alerts(source["id"]) if alert["incident"]]) == 2)


def _command(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


def _post(url: str, secret: str, body: Any) -> httpx.Response:
    answer = httpx.post(url, json=body, headers={"Authorization": f"Bearer {secret}"})
    assert answer.is_success, answer.text
    return answer


def _fire(running: Programs, config: Path, port: int, name: str) -> None:
    """An Alertmanager with this configuration, and an alert for it."""
    running.alertmanager(config, port)
    url = f"http://127.0.0.1:{port}"
    labels = (f"alertname={name}", "severity=error", "service=checkout")
    subprocess.run(["amtool", f"--alertmanager.url={url}", "--no-version-check", "alert", "add", *labels], check=True, timeout=20)


def _titles(ask: Asking, source_id: str) -> set[str]:
    return {alert["title"] for alert in ask.alerts(source_id)}


@pytest.mark.parametrize("heading", [heading for heading, snippets in PARTS.items() if snippets and heading not in (FIRST, "vmalert")])
def test_every_part_runs_as_it_is_written(do: Callable[[str], Done], heading: str) -> None:
    do(heading)


def test_an_alertmanager_tells_us_with_either_credential(do: Callable[[str], Done], ask: Asking, running: Programs) -> None:
    done = do("Alertmanager")
    _fire(running, done.folder / "alertmanager.yml", 19221, "ByBearer")
    _fire(running, done.folder / "alertmanager-basic.yml", 19222, "ByBasic")
    ask.until(lambda: _titles(ask, done.id) == {"ByBearer", "ByBasic"})


def test_a_watchdog_is_a_sign_of_life_and_no_alert(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Watchdog of Alertmanager")
    ask.until(lambda: ask("GET", f"/sources/{done.id}")["deliveries"] == 1)
    assert ask.alerts(done.id) == []


def test_a_prometheus_tells_us_with_a_secret(do: Callable[[str], Done], ask: Asking, running: Programs) -> None:
    done = do("Prometheus")
    running.prometheus(done.folder / "prometheus.yml", 19223)
    ask.until(lambda: _titles(ask, done.id) == {"AlwaysThere"})


def test_a_prometheus_is_known_by_its_address(do: Callable[[str], Done], ask: Asking, running: Programs) -> None:
    done = do("Prometheus without a credential")
    assert done.secret == ""
    running.prometheus(done.folder / "prometheus.yml", 19224)
    ask.until(lambda: _titles(ask, done.id) == {"AlwaysThere"})


@needs["vmalert"]
def test_vmalert_tells_us_with_either_credential(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("vmalert")
    try:
        ask.until(lambda: _titles(ask, done.id) == {"AlwaysThere"})
        logs = [done.folder / f"vmalert-{each}.log" for each in (0, 1)]
        ask.until(lambda: all(_sent(VMALERT + each) for each in (0, 1)))
        assert not [line for log in logs for line in log.read_text().splitlines() if "\terror\t" in line]
    finally:
        for pid in (done.folder / "vmalert.pids").read_text().split():
            subprocess.run(["kill", pid], check=False)


def _sent(port: int) -> bool:
    """Whether that vmalert answers, and counts alerts that it sent."""
    try:
        told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.TransportError:
        return False
    return any(int(count) > 0 for count in re.findall(r"^vmalert_alerts_sent_total\S* (\d+)", told, re.MULTILINE))


def test_a_loki_with_that_file_would_be_heard(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Loki's ruler")
    ruler = yaml.safe_load((done.folder / "loki-ruler.yaml").read_text())["ruler"]
    client = ruler["alertmanager_client"]
    assert client["type"] == "Bearer" and ruler["enable_alertmanager_v2"] is True
    alert = {
        "annotations": {"summary": "Many errors are logged"},
        "endsAt": "2099-01-01T00:04:00.000Z",
        "startsAt": "2024-01-01T00:00:00.000Z",
        "generatorURL": "http://loki.example.org/graph?g0.expr=1",
        "labels": {"alertname": "ManyErrors", "app": "shop", "severity": "warning"},
    }
    answer = _post(f"{ruler['alertmanager_url']}/api/v2/alerts", Path(client["credentials_file"]).read_text(), [alert])
    assert (answer.status_code, answer.content) == (200, b"")
    ask.until(lambda: _titles(ask, done.id) == {"Many errors are logged"})


def test_a_grafana_with_that_contact_point_would_be_heard(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Grafana")
    receiver = yaml.safe_load((done.folder / "aiops-contact-point.yaml").read_text())["contactPoints"][0]["receivers"][0]
    said = receiver["settings"]
    assert (receiver["type"], said["authorization_scheme"]) == ("webhook", "Bearer")
    alert = {
        "status": "firing",
        "labels": {"alertname": "High latency", "grafana_folder": "Shop", "severity": "critical"},
        "annotations": {"summary": "Latency is high"},
        "startsAt": "2024-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://grafana.example.org/alerting/grafana/abc/view",
        "fingerprint": "57c6d9296de2ad39",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"A": 2.5},
        "valueString": "[ var='A' labels={} value=2.5 ]",
    }
    group = {"receiver": "aiops", "status": "firing", "orgId": 1, "groupLabels": {"alertname": "High latency"}, "version": "1"}
    _post(said["url"], said["authorization_credentials"], group | {"alerts": [alert], "state": "alerting", "title": "[FIRING:1]"})
    ask.until(lambda: _titles(ask, done.id) == {"Latency is high"})


def test_pagerduty_events_trigger_acknowledge_and_resolve(do: Callable[[str], Done], ask: Asking, running: Programs) -> None:
    done = do("PagerDuty events")
    [alert] = ask.until(lambda: ask.alerts(done.id, status="resolved"))
    assert (alert["title"], alert["severity"], alert["fingerprint"]) == ("Disk of db1 is full", "critical", "db1-disk")
    _fire(running, done.folder / "alertmanager.yml", 19225, "AsAnEvent")
    ask.until(lambda: any("AsAnEvent" in title for title in _titles(ask, done.id)))


def test_cloud_events_come_in_all_three_forms(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("CloudEvents")
    ask.until(lambda: ask("GET", f"/sources/{done.id}")["deliveries"] == 3)
    found = {alert["title"]: alert["status"] for alert in ask.alerts(done.id)}
    assert found == {"Payment failed": "firing", "Stock is low": "firing", "Cart is slow": "resolved"}


def test_a_mapping_does_what_trying_it_said(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Any JSON")
    tried = _answers(done.said)[:2]
    assert [each["title"] for each in tried] == ["RAID on nas1", "Fan on nas2"]
    ask.until(lambda: len(ask.alerts(done.id)) == 2)
    shown = {alert["title"]: (alert["severity"], alert["status"], alert["service"], alert["fingerprint"]) for alert in ask.alerts(done.id)}
    assert shown == {each["title"]: (each["severity"], each["status"], each["service"], each["fingerprint"]) for each in tried}
    assert shown["RAID on nas1"] == ("critical", "firing", "storage", "raid-7")


def _answers(said: str) -> list[Any]:
    """The JSON documents of a text, one after the other."""
    found, place = [], 0
    while place < len(said):
        document, place = json.JSONDecoder().raw_decode(said, place)
        found.append(document)
        place += len(said[place:]) - len(said[place:].lstrip())
    return found


def test_a_heartbeat_is_a_sign_of_life(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Heartbeats")
    ask.until(lambda: ask("GET", f"/sources/{done.id}")["deliveries"] == 1)
    assert ask.alerts(done.id) == []
    assert f"/webhook/heartbeat/{done.source}" in (done.folder / "backup.cron").read_text()


def test_both_signatures_are_believed(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Credentials")
    assert ask("GET", f"/sources/{done.id}")["auth"] == "signature"
    ask.until(lambda: ask("GET", f"/sources/{done.id}")["deliveries"] == 2)
    assert _titles(ask, done.id) == {"Signed alert"}


def test_the_answers_are_those_of_the_page(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("What is answered")
    assert re.findall(r"^\d{3}$", done.said, re.MULTILINE) == ["202", "401", "422"]
    assert "Labels must be an object of names and values." in done.said and "disk full" in done.said
    waiting = ask("GET", "/quarantine", params={"source_id": done.id})
    assert all(entry["index"] == 1 for entry in waiting), "the body that is no JSON was discarded"


def test_alerts_are_found_and_acted_on(do: Callable[[str], Done]) -> None:
    said = do("Finding alerts").said
    assert "critical Disk full of checkout" in said and '"region":"eu-1"' in said and "identity: fingerprint" in said


def test_incidents_are_merged_split_and_resolved(do: Callable[[str], Done]) -> None:
    said = do("Incidents").said
    assert "Looking at the database." in said and said.rstrip().endswith('"resolved"\n"resolved"')


def test_amtool_lists_what_fires(do: Callable[[str], Done]) -> None:
    assert "ReadByAmtool" in do("amtool and Grafana as readers").said


def test_files_make_a_source_that_hears(do: Callable[[str], Done], ask: Asking) -> None:
    done = do("Files")
    [source] = [each for each in ask("GET", "/sources", params={"limit": 200}) if each["public_id"] == "storefront-alertmanager"]
    ask.made.append(source["id"])
    try:
        [alert] = ask.until(lambda: ask.alerts(source["id"]))
        assert (alert["title"], alert["severity"]) == ("CartSlow", "critical")
        assert "would be: team “Storefront” added" in done.said and "Everything is as described." in done.said
    finally:
        (done.folder / "aiops.d" / "storefront.yaml").write_text("organization: Acme\n")
        gone = ask.installed.command("provision", "--dir", str(done.folder / "aiops.d"))
        assert "source “Storefront Alertmanager” deleted" in gone.stdout, gone.stderr
