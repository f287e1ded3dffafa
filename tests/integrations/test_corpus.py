"""Are bodies that real senders posted read as a careful engineer would? Runs when TEST_CORPUS names a folder of them.

The corpus is not part of the product. Its `payloads/PAYLOADS.md` says what its expectations mean.
"""

import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.fingerprint import fingerprint
from engine.integrations.sources.lenient import moment
from engine.model.heard import Delivery, Fault, Heard
from tests.integrations.posting import NOW

FOLDER = os.environ.get("TEST_CORPUS", "")
CORPUS = Path(FOLDER) / "payloads"
pytestmark = pytest.mark.fast

KIND_OF = {
    "alertmanager_webhook": "alertmanager",
    "alertmanager_api_v2": "prometheus",
    "grafana": "grafana",
    "cloudevents": "cloudevents",
    "pagerduty": "pagerduty_webhook",
    "generic": "generic",
}
# What a user would set for a sender whose names are uncommon.
MAPPINGS: dict[str, dict[str, Any]] = {
    "generic/goalert_site24x7_down": {
        "mapping": {
            "title": "MONITORNAME",
            "status": "STATUS",
            "resource": "MONITORURL",
            "starts_at": "INCIDENT_TIME_ISO",
            "url": "MONITOR_DASHBOARD_LINK",
        }
    },
    "generic/keep_librenms_recovered": {"mapping": {"status": "state", "key": "uid"}, "resolved_words": ["0"]},
}
WORDS = {
    "critical": "critical fatal disaster p1 sev0 page",
    "error": "high major error err average p2 sev1",
    "warning": "warning warn minor p3 sev2",
    "info": "info informational information notice low ok debug none p4 p5 sev3 sev4",
}
SEVERITIES = {word: severity for severity, words in WORDS.items() for word in words.split()}


@cache
def manifest() -> dict[str, Any]:
    return json.loads((CORPUS / "manifest.dev.json").read_text()) if FOLDER else {"payloads": [], "pairs_same_dedup_key": []}


def names() -> list[str]:
    return [each["path"].removesuffix(".json") for each in manifest()["payloads"] if each["source"] in KIND_OF]


def expected(name: str) -> dict[str, Any]:
    return json.loads((CORPUS / f"{name}.expect.json").read_text())


@cache
def read(name: str) -> list[Heard | Fault]:
    (entry,) = (each for each in manifest()["payloads"] if each["path"] == f"{name}.json")
    headers = {"content-type": entry["content_type"]} | {header.lower(): value for header, value in entry["headers"].items()}
    at = expected(name).get("received_at_unix")
    kind = KINDS[KIND_OF[entry["source"]]]
    accepted = kind.accept((CORPUS / f"{name}.json").read_bytes(), headers)
    found = kind.read(
        Delivery(accepted.body, headers, datetime.fromtimestamp(at, UTC) if at else NOW), kind.settings(**MAPPINGS.get(name, {}))
    )
    assert (len(found), accepted.rejected) == (accepted.alerts, ())
    return found


def alerts(name: str) -> list[Heard]:
    return [each for each in read(name) if isinstance(each, Heard)]


def said(heard: Heard) -> dict[str, Any]:
    return {
        "title": heard.title,
        "severity": SEVERITIES.get((heard.severity or "").lower()),
        "status": "firing" if heard.firing else "resolved",
        "resource": heard.resource,
        "service": heard.service,
        "environment": heard.environment,
        "starts_at": heard.starts_at,
        "occurred_at": heard.starts_at or heard.ends_at,
        "ends_at": heard.ends_at,
        "source_url": heard.links[0].url if heard.links else None,
        "source": heard.labels.get("source"),
    }


def differences(heard: Heard, expects: dict[str, Any]) -> dict[str, Any]:
    found, different = said(heard), {}
    for field, value in found.items():
        if field not in expects:
            continue
        options = expects.get(f"{field}_any_of", [expects[field]])
        if field.endswith("_at"):
            options = [moment(each) for each in options]
        if value not in options:
            different[field] = (value, options)
    return different


@pytest.mark.parametrize("name", names())
def test_a_real_body_is_read_as_expected(name: str) -> None:
    expects = expected(name)
    found = alerts(name)
    assert len(found) == expects.get("alert_count", expects.get("event_count"))
    each_expects = expects.get("alerts", [expects])
    wrong = [differences(heard, one) for heard, one in zip(found, each_expects, strict=True)]
    assert wrong == [{}] * len(found)


@pytest.mark.parametrize("name", names())
def test_sent_again_it_has_the_same_keys_and_none_twice(name: str) -> None:
    keys = [heard.key for heard in alerts(name)]
    read.cache_clear()
    assert [heard.key for heard in alerts(name)] == keys
    said_keys = [one["dedup_key"] for one in expected(name).get("alerts", [])]
    if said_keys:
        assert len(set(keys)) == len(set(said_keys))


def test_a_pair_of_one_alert_has_one_key() -> None:
    pairs = [pair for pair in manifest()["pairs_same_dedup_key"] if set(pair) <= set(names())]
    assert pairs
    for one, other in pairs:
        assert {heard.key for heard in alerts(one)} == {heard.key for heard in alerts(other)}, (one, other)


def test_unrelated_bodies_have_different_keys() -> None:
    owners: dict[tuple[str, str], set[str]] = {}
    for name in names():
        for heard in alerts(name):
            told = said(heard)
            owners.setdefault((name.split("/")[0], heard.key or name), set()).add(f"{told['title']} {heard.labels.get('alertname')}")
    assert {key: titles for key, titles in owners.items() if len(titles) > 1} == {}


def test_the_key_is_the_fingerprint_that_the_real_alertmanager_sent() -> None:
    found = [heard for name in names() if name.startswith("alertmanager_webhook/live_") for heard in alerts(name)]
    assert len(found) > 30
    for heard in found:
        assert heard.key == fingerprint(heard.labels)


def test_the_webhook_and_the_api_of_one_alertmanager_agree_on_keys() -> None:
    hooks = {heard.key for name in names() if name.startswith("alertmanager_webhook/live_") for heard in alerts(name)}
    posts = {heard.key for name in names() if name.startswith("alertmanager_api_v2/live_") for heard in alerts(name)}
    assert len(hooks & posts) >= 18


def cases() -> list[dict[str, Any]]:
    return json.loads((CORPUS / "hostile" / "manifest.json").read_text())["cases"] if FOLDER else []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["file"])
@pytest.mark.parametrize("kind", [kind.id for kind in KINDS])
def test_a_hostile_body_is_understood_or_refused(kind: str, case: dict[str, Any]) -> None:
    entry, body = KINDS[kind], (CORPUS / "hostile" / case["file"]).read_bytes()
    headers = {"content-type": case["content_type"]} | {name.lower(): value for name, value in case["headers"].items()}
    began = datetime.now(UTC)
    try:
        accepted = entry.accept(body, headers)
        found = entry.read(Delivery(accepted.body, headers, NOW), entry.settings())
        assert [each for each in found if isinstance(each, Fault)] == list(accepted.rejected)
        assert len(found) == accepted.alerts
        taken = not found or any(isinstance(each, Heard) for each in found)
        assert "\\x00" not in repr(found).replace("\\\\", "")
    except Undecodable:
        taken = False
    assert (datetime.now(UTC) - began).total_seconds() < 5
    # an encoding of the transport is undone before a kind of sender sees the body
    if kind == "alertmanager" and case["expect"] in ("2xx", "4xx") and "Content-Encoding" not in case["headers"]:
        if "Content-Length" not in case["headers"]:
            assert taken is (case["expect"] == "2xx")
