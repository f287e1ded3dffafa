"""Does anything that is posted break a kind of sender, or get text into it that cannot be kept?"""

import json
import time
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import CREDENTIAL, Kind, Undecodable
from engine.model.heard import Delivery, Fault
from tests.integrations.posting import JSON, NOW, heard

pytestmark = pytest.mark.fast
ALL = [kind.id for kind in KINDS]
GROUPED = {"status": "firing", "labels": {"alertname": "A", "n": "1"}, "annotations": {"summary": "s"}, "startsAt": "2026-01-02T03:04:05Z"}
GOOD: dict[str, list[Any]] = {
    "alertmanager": [{"alerts": [GROUPED, GROUPED | {"endsAt": "2026-01-02T03:04:05Z"}], "groupLabels": {"a": "b"}}],
    "prometheus": [[GROUPED | {"endsAt": "2026-01-02T03:04:05Z"}, GROUPED]],
    "grafana": [
        {"alerts": [GROUPED | {"values": None, "panelURL": "https://a.test"}]},
        {"ruleId": 1, "ruleName": "r", "state": "ok", "evalMatches": [{"tags": {"a": "b"}}], "tags": {"c": "d"}},
    ],
    "cloudevents": [[{"specversion": "1.0", "id": "1", "source": "s", "type": "t.ok", "subject": "x", "time": 1, "data": {"title": "t"}}]],
    "pagerduty": [
        {"event_action": "trigger", "links": [{"href": "https://a.test"}], "payload": {"summary": "s", "source": "x", "severity": "y"}}
    ],
    "pagerduty_webhook": [
        {"event": {"event_type": "incident.resolved", "agent": {}, "data": {"id": "1", "type": "incident", "teams": [{"summary": "a"}]}}},
        {"messages": [{"type": "incident.acknowledge", "data": {"incident": {"id": "1", "status": "triggered"}}}]},
    ],
    "generic": [[{"title": "t", "status": "ok", "labels": {"a": "b"}, "tags": ["a:b"], "alert": {"name": "n"}, "created_at": 1}]],
    "heartbeat": [{}],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "generic": {
        "mapping": {"service": "sum(labels.*)", "title": "{{title}} {{to_string(@)}}"},
        "labels": {"all": "@", "x": "sort(keys(@))"},
    },
    "cloudevents": {"mapping": {"service": "join('-', [source, data.title])", "status": "max(values(data))"}},
}
HEADERS = [JSON, {}, {"ce-id": "1", "ce-source": "%00%ff%ed%a0%80", "ce-specversion": "1.0", "ce-type": '"\\"'}]

texts = st.text(max_size=8) | st.sampled_from(
    ["\0", "a\0b", ":60" * 3000, "1e999", "0001-01-01T00:00:00Z", "http://[", "https://a@b", "nan"]
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([10**400, -(10**30), 1e27, 0, -1])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, kind: str) -> bytes:
    """A good body of which a value, or some bytes, are replaced; or any JSON at all."""
    body = deepcopy(draw(st.sampled_from(GOOD[kind])))
    for _ in range(draw(st.integers(1, 3))):
        at = body
        while isinstance(at, dict | list) and at:
            place = draw(st.sampled_from(sorted(at, key=str) if isinstance(at, dict) else range(len(at))))
            if draw(st.booleans()) or not isinstance(at[place], dict | list) or not at[place]:
                at[place] = draw(values)
                break
            at = at[place]
    raw = json.dumps(draw(st.just(body) | values)).encode()
    if draw(st.integers(0, 3)) == 0:
        cut = draw(st.integers(0, len(raw)))
        raw = raw[:cut] + draw(st.binary(max_size=6) | st.sampled_from([b"\\ud800", b"\\uD800x", b"\\u0000", b"\xed\xa0\x80"])) + raw[cut:]
    return raw


def answered(kind: Kind, body: bytes, headers: dict[str, str], settings: dict[str, Any]) -> None:
    """Both looks at a body agree, and what was heard can be kept."""
    if kind.credential is not None:
        kind.credential(body)
    try:
        accepted = kind.accept(body, headers)
    except Undecodable as error:
        assert str(error)
        return
    found = kind.read(Delivery(accepted.body, headers, NOW), kind.settings(**settings))
    assert len(found) == accepted.alerts
    assert [each for each in found if isinstance(each, Fault)] == list(accepted.rejected)
    assert all(fault.index == index for index, fault in enumerate(found) if isinstance(fault, Fault))
    for said in strings(msgspec.to_builtins(found)):
        said.encode()
        assert "\0" not in said


def strings(value: Any) -> list[str]:
    """Every text in a value."""
    if isinstance(value, dict):
        return [found for pair in value.items() for each in pair for found in strings(each)]
    if isinstance(value, list | tuple):
        return [found for each in value for found in strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("kind", ALL)
@given(data=st.data())
def test_nothing_breaks_it_and_both_looks_agree(kind: str, data: st.DataObject) -> None:
    body, headers = data.draw(mutated(kind)), data.draw(st.sampled_from(HEADERS))
    answered(KINDS[kind], body, headers, data.draw(st.sampled_from([{}, SETTINGS.get(kind, {})])))


@pytest.mark.parametrize("kind", ALL)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_answered(kind: str, body: bytes) -> None:
    answered(KINDS[kind], body, JSON, {})


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("deep", [b'{"a":', b"["])
@pytest.mark.parametrize("levels", [300, 900, 100_000])
def test_deep_nesting_is_answered(kind: str, deep: bytes, levels: int) -> None:
    end = (b"}" if deep != b"[" else b"]") * levels
    nested = deep * levels + b"1" + end
    good = [json.dumps(body).encode() for body in GOOD[kind]]
    inside = [body.replace(old, nested) for body in good for old in (b'"s"', b'"1"', b'"a"', b'"ok"', b'"b"', b'"t"')]
    for body in (nested, *inside):
        answered(KINDS[kind], body, JSON, SETTINGS.get(kind, {}))


@pytest.mark.parametrize("kind", ALL)
def test_its_sample_is_one_alert_or_sign_of_life(kind: str) -> None:
    found = heard(kind, KINDS[kind].sample.replace("{{now}}", "2026-01-02T12:00:00+00:00").encode())
    assert found.firing and found.notes == ()


@pytest.mark.parametrize("kind", ["alertmanager", "prometheus", "grafana", "cloudevents", "generic"])
def test_twenty_alerts_are_read_in_no_time(kind: str) -> None:
    labels = {"alertname": "DiskFull", "severity": "critical", "instance": "db-1:9100", "job": "node", "env": "prod", "team": "data"}
    alert = {"labels": labels, "annotations": {"summary": "s", "description": "d"}, "status": "firing", "startsAt": "2026-01-02T03:04:05Z"}
    plain = {"title": "t", "severity": "high", "status": "firing", "host": "h", "service": "s", "id": "1", "labels": labels}
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-01-02T03:04:05Z", "data": plain}
    bodies: dict[str, Any] = {"prometheus": [alert] * 20, "generic": [plain] * 20, "cloudevents": [event] * 20}
    body = json.dumps(bodies.get(kind, {"alerts": [alert] * 20})).encode()
    entry, settings = KINDS[kind], KINDS[kind].settings()
    assert best(lambda: entry.read(Delivery(body, JSON, NOW), settings)) < 0.004, "ten times what it takes, so that a busy machine passes"
    assert best(lambda: entry.accept(body, JSON)) < best(lambda: entry.read(Delivery(body, JSON, NOW), settings)) / 2


def best(work: Any) -> float:
    """The shortest of some runs, in seconds."""
    took: list[float] = []
    for _ in range(30):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def test_no_credential_is_kept() -> None:
    body = KINDS["pagerduty"].sample.replace('"routing_key":""', '"routing_key":"hunter2"').encode()
    kept = KINDS["pagerduty"].accept(body, {}).body
    assert b"hunter2" not in kept and CREDENTIAL.encode() in kept
