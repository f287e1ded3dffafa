"""What is read of Alertmanager's webhook?"""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.fingerprint import fingerprint
from engine.model.heard import Fault, Heard
from tests.integrations.posting import heard, posted

pytestmark = pytest.mark.fast

LABELS = {"alertname": "DiskFull", "severity": "critical", "instance": "db-1:9100", "service": "orders", "env": "prod", "team": "data"}
ALERT = {
    "status": "firing",
    "labels": LABELS,
    "annotations": {"summary": "Disk of db-1 is full", "description": "97 % used", "runbook_url": "https://runbooks.test/disk"},
    "startsAt": "2026-01-02T03:04:05.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://prometheus.test/graph?g0.expr=disk",
    "fingerprint": "00aa11bb22cc33dd",
}


def group(*alerts: Any, **more: Any) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "groupLabels": {"alertname": "DiskFull"}, "alerts": list(alerts)} | more


def test_an_alert_is_read_whole() -> None:
    found = heard("alertmanager", group(ALERT))
    assert (found.title, found.description, found.severity) == ("Disk of db-1 is full", "97 % used", "critical")
    assert (found.service, found.environment, found.resource, found.team) == ("orders", "prod", "db-1:9100", "data")
    assert (found.firing, found.key, found.labels) == (True, "00aa11bb22cc33dd", LABELS)
    assert found.starts_at == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert (found.ends_at, found.group, found.notes, found.beat) == (None, "alertname=DiskFull", (), False)
    assert [link.title for link in found.links] == ["Graph", "Runbook"]


def test_each_alert_has_its_own_status_whatever_the_group_says() -> None:
    firing, over = posted("alertmanager", group(ALERT, ALERT | {"status": "resolved", "endsAt": "2026-01-02T04:00:00Z"}))
    assert isinstance(firing, Heard) and isinstance(over, Heard)
    assert (firing.firing, over.firing, over.ends_at) == (True, False, datetime(2026, 1, 2, 4, tzinfo=UTC))


def test_without_a_fingerprint_the_key_is_the_one_alertmanager_would_have_sent() -> None:
    assert heard("alertmanager", group(ALERT | {"fingerprint": ""})).key == fingerprint(LABELS)


def test_without_labels_and_fingerprint_there_is_no_key() -> None:
    assert heard("alertmanager", group({"labels": {}, "status": "firing"})).key is None


def test_an_alert_that_always_fires_is_a_sign_of_life() -> None:
    watchdog = ALERT | {"labels": {"alertname": "Watchdog"}}
    assert heard("alertmanager", group(watchdog)).beat
    assert not heard("alertmanager", group(watchdog | {"status": "resolved"})).beat
    assert not heard("alertmanager", group(watchdog), {"heartbeats": []}).beat


def test_odd_values_are_read_as_far_as_they_go_and_noted() -> None:
    odd = ALERT | {"status": 7, "startsAt": "yesterday", "labels": {"alertname": "Odd", "n": 1, "b": True, "o": {"x": [1]}, "none": None}}
    found = heard("alertmanager", group(odd, groupLabels=["a"]))
    assert found.labels == {"alertname": "Odd", "n": "1", "b": "true", "o": '{"x":[1]}'}
    assert (found.firing, found.starts_at, found.group) == (True, None, "")
    assert found.notes == ("The status “7” is unknown; read as firing.", "The time “yesterday” cannot be read.")


def test_what_is_no_alert_is_a_fault_and_the_others_stay() -> None:
    found = posted("alertmanager", group(ALERT, "text", {"labels": ["a"]}, {"labels": {"alertname": "Fine", "n": 1}}))
    assert [type(each) for each in found] == [Heard, Fault, Fault, Heard]
    assert [fault.index for fault in found if isinstance(fault, Fault)] == [1, 2]


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"null", b"[]", b"{}", b'{"alerts":{}}', b'{"alerts":null}', b"\xff", b"[" * 100_000])
def test_a_body_without_a_list_of_alerts_is_not_understood(body: bytes) -> None:
    with pytest.raises(Undecodable):
        KINDS["alertmanager"].accept(body, {})


def test_nul_characters_are_left_out() -> None:
    said = group(ALERT | {"labels": {"alert\0name": "Disk\0Full"}, "fingerprint": "a\0b", "generatorURL": "https://a.test/\0x"})
    found = heard("alertmanager", said | {"groupLabels": {"a\0": "b\0"}})
    assert (found.title, found.key, found.group) == ("Disk of db-1 is full", "ab", "a=b")
    assert found.labels == {"alertname": "DiskFull"}
    assert "\0" not in repr(found)
    assert found.links[0].url == "https://a.test/x"


@pytest.mark.parametrize("said", [":60" * 5000, 1e27, -1e26, 10**400, "1e400", [1], {"a": 1}])
def test_no_time_is_too_odd(said: Any) -> None:
    assert heard("alertmanager", group(ALERT | {"startsAt": said})).starts_at is None
