"""What is read of events that were meant for PagerDuty?"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import CREDENTIAL, Undecodable
from engine.integrations.sources.pagerduty import KIND, credential
from tests.integrations.posting import heard

pytestmark = pytest.mark.fast

EVENT = {
    "routing_key": "a-secret-key",
    "event_action": "trigger",
    "dedup_key": "disk-db-1",
    "client": "Cron",
    "client_url": "https://cron.test",
    "links": [{"href": "https://graphs.test", "text": "Graph"}, {"href": "javascript:x", "text": "no"}, 7],
    "images": [{"src": "https://graphs.test/a.png", "href": "https://graphs.test/a", "alt": "Picture"}],
    "payload": {
        "summary": "Disk of db-1 is full",
        "source": "db-1",
        "severity": "critical",
        "timestamp": "2026-01-02T03:04:05.678+0000",
        "component": "postgres",
        "group": "orders",
        "class": "disk",
        "custom_details": {"environment": "prod", "used": 97, "description": "97 % used"},
    },
}


def of(action: str, **more: Any) -> dict[str, Any]:
    return {"routing_key": "a-secret-key", "event_action": action, "dedup_key": "disk-db-1"} | more


def test_a_trigger_is_read_whole() -> None:
    found = heard("pagerduty", EVENT)
    assert (found.title, found.resource, found.severity, found.key) == ("Disk of db-1 is full", "db-1", "critical", "disk-db-1")
    assert (found.service, found.environment, found.description) == ("postgres", "prod", "97 % used")
    assert found.labels == {"component": "postgres", "group": "orders", "class": "disk"}
    assert found.annotations["used"] == "97"
    assert found.starts_at == datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    assert [(link.title, link.url) for link in found.links] == [
        ("Cron", "https://cron.test"),
        ("Graph", "https://graphs.test"),
        ("Picture", "https://graphs.test/a"),
    ]


def test_the_routing_key_is_the_credential_and_is_not_kept() -> None:
    body = json.dumps(EVENT).encode()
    assert credential(body) == "a-secret-key"
    kept = KIND.accept(body, {}).body
    assert b"a-secret-key" not in kept
    assert json.loads(kept) == EVENT | {"routing_key": CREDENTIAL}


def test_a_routing_key_that_comes_twice_is_not_kept_either() -> None:
    body = json.dumps(EVENT).replace('"client"', '"routing_key": "another-secret", "client"', 1).encode()
    assert b"secret" not in KIND.accept(body, {}).body


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"routing_key":null}', b'{"routing_key":{}}', b"\xff"])
def test_a_body_without_a_key_shows_no_credential(body: bytes) -> None:
    assert credential(body) is None


def test_numbers_are_kept_as_they_came() -> None:
    body = json.dumps(EVENT).replace("97", "0.1000000000000000000001", 1).encode()
    assert b"0.1000000000000000000001" in KIND.accept(body, {}).body


def test_a_trigger_without_a_key_gets_one_and_is_told_it() -> None:
    body = json.dumps(EVENT | {"dedup_key": None}).encode()
    accepted = KIND.accept(body, {})
    assert KIND.answer is not None
    status, said = KIND.answer(uuid4(), accepted)
    found = heard("pagerduty", body)
    assert (status, said) == (202, {"status": "success", "message": "Event processed", "dedup_key": found.key})
    assert found.key is not None and len(found.key) == 32
    assert heard("pagerduty", body).key == found.key, "sent again it is the same alert"
    assert heard("pagerduty", EVENT | {"dedup_key": "", "client": "Other"}).key != found.key


def test_an_acknowledgement_names_who_and_goes_on_firing() -> None:
    found = heard("pagerduty", of("acknowledge", client="Cron"))
    assert (found.firing, found.acknowledged_by, found.key) == (True, "Cron", "disk-db-1")
    assert heard("pagerduty", of("acknowledge")).acknowledged_by == "PagerDuty sender"


def test_a_resolution_needs_only_its_key() -> None:
    found = heard("pagerduty", of("resolve"))
    assert (found.firing, found.key, found.acknowledged_by) == (False, "disk-db-1", None)


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ({"event_action": "trigger"}, "payload.summary"),
        (of("trigger", payload={"summary": "s", "source": "x"}), "payload.severity"),
        (of("trigger", payload={"summary": "s", "severity": "info"}), "payload.source"),
        (of("trigger", payload={"summary": " ", "source": "x", "severity": "info"}), "payload.summary"),
        (of("trigger", payload="text"), "payload.summary"),
        ({"event_action": "resolve"}, "dedup_key"),
        ({"event_action": "acknowledge", "dedup_key": ""}, "dedup_key"),
        (of("explode"), "event_action"),
        ({}, "event_action"),
    ],
)
def test_an_event_that_pagerduty_would_refuse_is_not_understood(said: dict[str, Any], lacks: str) -> None:
    with pytest.raises(Undecodable, match=lacks):
        KINDS["pagerduty"].accept(json.dumps(said).encode(), {})


@pytest.mark.parametrize("details", [None, "free text", ["a"], {"a": {"b": 1}}])
def test_details_may_be_anything(details: Any) -> None:
    found = heard("pagerduty", EVENT | {"payload": EVENT["payload"] | {"custom_details": details}})  # type: ignore[operator]
    assert found.description == ("free text" if details == "free text" else None)
