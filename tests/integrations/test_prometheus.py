"""What is read of a post to Alertmanager's API?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.fingerprint import fingerprint
from engine.model.heard import Accepted, Fault, Heard
from tests.integrations.posting import NOW, heard, posted

pytestmark = pytest.mark.fast

LABELS = {"alertname": "DiskFull", "severity": "warning", "instance": "db-1:9100", "service": "orders"}
ALERT = {
    "labels": LABELS,
    "annotations": {"summary": "Disk of db-1 is full"},
    "startsAt": "2026-01-02T11:50:00Z",
    "endsAt": "2026-01-02T12:04:00Z",
    "generatorURL": "https://prometheus.test/graph",
}


def test_an_end_in_the_future_is_when_a_firing_alert_is_over_by_itself() -> None:
    found = heard("prometheus", [ALERT])
    assert (found.firing, found.ends_at, found.expires_at) == (True, None, datetime(2026, 1, 2, 12, 4, tzinfo=UTC))
    assert (found.title, found.severity, found.resource, found.notes) == ("Disk of db-1 is full", "warning", "db-1:9100", ())


@pytest.mark.parametrize("at", ["2026-01-02T12:00:00Z", "2026-01-02T11:59:59.999999999Z", "2026-01-02T13:00:00+01:00"])
def test_an_end_that_has_come_resolves(at: str) -> None:
    found = heard("prometheus", [ALERT | {"endsAt": at}])
    assert (found.firing, found.expires_at) == (False, None)
    assert found.ends_at is not None and found.ends_at <= NOW


@pytest.mark.parametrize("more", [{}, {"endsAt": ""}, {"endsAt": None}, {"endsAt": "0001-01-01T00:00:00Z"}])
def test_without_an_end_a_firing_alert_is_over_after_the_usual_time(more: dict[str, Any]) -> None:
    said = [{"labels": LABELS, **more}]
    assert heard("prometheus", said).expires_at == NOW + timedelta(minutes=5)
    assert heard("prometheus", said, {"resolve_minutes": 20}).expires_at == NOW + timedelta(minutes=20)


def test_an_end_that_cannot_be_read_is_noted_and_the_alert_fires() -> None:
    found = heard("prometheus", [ALERT | {"endsAt": "tomorrow"}])
    assert (found.firing, found.notes) == (True, ("The time “tomorrow” cannot be read.",))


def test_the_key_is_the_fingerprint_of_the_webhook() -> None:
    webhook = heard("alertmanager", {"alerts": [{"labels": LABELS, "status": "firing", "fingerprint": fingerprint(LABELS)}]})
    assert heard("prometheus", [ALERT]).key == webhook.key


def test_a_label_without_a_value_is_no_label() -> None:
    found = heard("prometheus", [ALERT | {"labels": {**LABELS, "pod": ""}}])
    assert (found.labels, found.key) == (LABELS, fingerprint(LABELS))


def test_a_name_that_comes_twice_and_nanoseconds_are_read_as_vmalert_means_them() -> None:
    body = (
        b'[{"startsAt":"2026-01-02T11:59:58.123456789Z","generatorURL":"","endsAt":"2026-01-02T12:03:58.123456789Z",'
        b'"labels":{"alertgroup":"g","alertname":"Disk","job":"node","alertname":"Disk"},"annotations":{"summary":"s"}}]'
    )
    found = heard("prometheus", body)
    assert found.labels == {"alertgroup": "g", "alertname": "Disk", "job": "node"}
    assert found.starts_at == datetime(2026, 1, 2, 11, 59, 58, 123456, tzinfo=UTC)


def test_a_watchdog_is_a_sign_of_life() -> None:
    assert heard("prometheus", [{"labels": {"alertname": "Watchdog"}}]).beat


def test_the_answer_is_the_one_that_vmalert_takes() -> None:
    answer = KINDS["prometheus"].answer
    assert answer is not None and answer(uuid4(), Accepted(b"[]", 0)) == (200, None)


def test_what_is_no_alert_is_a_fault_and_the_others_stay() -> None:
    found = posted("prometheus", [ALERT, 1, ALERT | {"annotations": {"n": 1}}])
    assert [type(each) for each in found] == [Heard, Fault, Heard]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"alerts":[]}', b"null", b'"a"', b"[", b"[1]]"])
def test_a_body_that_is_no_array_is_not_understood(body: bytes) -> None:
    with pytest.raises(Undecodable):
        KINDS["prometheus"].accept(body, {})


def test_no_alerts_are_no_alerts() -> None:
    assert posted("prometheus", json.loads("[]")) == []
