"""Does Alertmanager's own amtool silence alerts here?"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.testkit.installation import Installation
from tests.testkit.organization import Asking

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("amtool"), reason="not installed: amtool")]
Amtool = Callable[..., Any]


@pytest.fixture
def ask(installation: Installation) -> Iterator[Asking]:
    """The REST interface; what is made through it is removed."""
    asking = Asking(installation)
    yield asking
    asking.tidy()


@pytest.fixture
def amtool(installation: Installation, tmp_path: Path) -> Amtool:
    """amtool against the installation; what it prints, as JSON where that was asked for."""
    config = tmp_path / "http.yml"
    config.write_text(f"basic_auth: {{username: x, password: {installed_token(installation)}}}\n")
    options = [f"--alertmanager.url={installation.url}", f"--http.config.file={config}", "--no-version-check"]

    def run(*words: str, fails: bool = False) -> Any:
        as_json = ["--output=json"] if "query" in words else []
        done = subprocess.run(["amtool", *options, *as_json, *words], capture_output=True, text=True, timeout=30)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return json.loads(done.stdout) if as_json and not fails else (done.stdout + done.stderr).strip()

    return run


def installed_token(installation: Installation) -> str:
    """An operator's token: enough to silence."""
    headers = {"Authorization": f"Bearer {installation.token}"}
    made = httpx.post(f"{installation.url}/api/v1/tokens", json={"name": "amtool", "role": "operator"}, headers=headers, timeout=30)
    made.raise_for_status()
    return made.json()["data"]["secret"]


def fire(ask: Asking, name: str, **labels: str) -> str:
    """An alert that fires."""
    source, secret = ask.source(kind="alertmanager", name=f"For amtool: {name}")
    said = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": name, "severity": "error"} | labels}]}
    url = f"{ask.installed.url}/webhook/alertmanager/{source['public_id']}"
    httpx.post(url, json=said, headers={"Authorization": f"Bearer {secret}"}, timeout=30).raise_for_status()
    return ask.until(lambda: ask.alerts(source["id"]))[0]["id"]


def test_amtool_makes_lists_and_expires_a_silence_and_the_alert_is_heard_then(ask: Asking, amtool: Amtool) -> None:
    id = amtool("silence", "add", "service=quiet-shop", 'pod=~"web-.*"', "--comment=deploying", "--author=ada", "--duration=2h")
    alert = fire(ask, "QuietSlow", service="quiet-shop", pod="web-1")
    loud = fire(ask, "LoudSlow", service="quiet-shop", pod="db-1")
    found = {each["id"]: each for each in amtool("silence", "query")}
    assert (found[id]["comment"], found[id]["createdBy"], found[id]["status"]["state"]) == ("deploying", "ada", "active")
    assert found[id]["matchers"][1] == {"name": "pod", "value": "web-.*", "isRegex": True, "isEqual": True}
    shown = ask("GET", f"/alerts/{alert}")
    assert (shown["incident"], shown["muted_by"][0]["name"]) == (None, "deploying")
    ask.until(lambda: ask("GET", f"/alerts/{loud}")["incident"])
    silenced = {each["labels"]["alertname"]: each["status"]["silencedBy"] for each in amtool("alert", "query", "--silenced")}
    assert silenced["QuietSlow"] == [id]
    assert "QuietSlow" not in {each["labels"]["alertname"] for each in amtool("alert", "query", "service=quiet-shop")}
    amtool("silence", "expire", id)
    assert id not in {each["id"] for each in amtool("silence", "query")}
    assert id in {each["id"] for each in amtool("silence", "query", "--expired", "--within=1h")}
    ask.until(lambda: ask("GET", f"/alerts/{alert}")["incident"])


def test_amtool_extends_a_silence(amtool: Amtool) -> None:
    id = amtool("silence", "add", "service=extended", "--comment=short", "--author=ada", "--duration=10m")
    before = next(each for each in amtool("silence", "query") if each["id"] == id)
    amtool("silence", "update", "--duration=3h", "--comment=longer", id)
    after = next(each for each in amtool("silence", "query", "service=extended"))
    assert (after["id"], after["comment"]) == (id, "longer")
    assert after["endsAt"] > before["endsAt"]
    amtool("silence", "expire", id)


def test_what_amtool_asks_in_vain_is_said(amtool: Amtool) -> None:
    assert "404" in amtool("silence", "expire", "3f0e8f0a-0000-4000-8000-000000000000", fails=True)
    assert "every alert" in amtool("silence", "add", "service=~.*", "--comment=all", "--author=ada", fails=True)
