"""What is read of CloudEvents, in each of their three forms?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.model.heard import Fault, Heard
from tests.integrations.posting import heard, posted

pytestmark = pytest.mark.fast

EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop/monitor",
    "type": "shop.alert",
    "time": "2026-01-02T03:04:05Z",
    "region": "eu",
    "data": {"title": "Queue is full", "severity": "high", "service": "orders", "env": "prod", "host": "q-1", "labels": {"queue": "in"}},
}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def of(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in (EVENT | more).items() if value is not None}


def test_an_event_is_read_whole() -> None:
    found = heard("cloudevents", EVENT, headers=STRUCTURED)
    assert (found.title, found.severity, found.service, found.environment) == ("Queue is full", "high", "orders", "prod")
    assert (found.resource, found.firing, found.starts_at) == ("q-1", True, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert found.labels == {"source": "/shop/monitor", "type": "shop.alert", "region": "eu", "queue": "in"}
    assert found.notes == ()


def test_plain_json_with_a_specversion_is_an_event_too() -> None:
    assert heard("cloudevents", EVENT) == heard("cloudevents", EVENT, headers={}) == heard("cloudevents", EVENT, headers=STRUCTURED)


def test_the_binary_form_says_the_same_in_headers() -> None:
    headers = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"} | {"content-type": "application/json"}
    assert heard("cloudevents", json.dumps(EVENT["data"]).encode(), headers=headers) == heard("cloudevents", EVENT)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("100%", "100%"),
        ('"a \\"quote\\""', 'a "quote"'),
        ("%2525", "%25"),
        ("a%00b", "ab"),
    ],
)
def test_headers_are_decoded_once(header: str, said: str) -> None:
    headers = {"ce-id": "1", "ce-source": "/s", "ce-specversion": "1.0", "ce-type": "t", "ce-subject": header}
    assert heard("cloudevents", b"", headers=headers).title == said


@pytest.mark.parametrize(("media", "told"), [("text/plain", "all is lost"), ("", "all is lost"), ("image/png", None)])
def test_data_that_is_no_json_is_told_if_it_is_text(media: str, told: str | None) -> None:
    headers = {"ce-id": "1", "ce-source": "/s", "ce-specversion": "1.0", "ce-type": "t", "content-type": media}
    assert heard("cloudevents", b"all is lost", headers=headers).description == told


def test_a_batch_holds_events_and_faults() -> None:
    found = posted("cloudevents", [EVENT, of(id=None), 7, of(id="e-2")], headers=BATCH)
    assert [type(each) for each in found] == [Heard, Fault, Fault, Heard]
    assert found[1] == Fault(1, "The event lacks id.")


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
@pytest.mark.parametrize("value", [None, "", " ", "\0", [], {}])
def test_an_event_without_what_every_event_has_is_not_understood(name: str, value: Any) -> None:
    with pytest.raises(Undecodable, match=f"lacks {name}"):
        KINDS["cloudevents"].accept(json.dumps(EVENT | {name: value}).encode(), STRUCTURED)


@pytest.mark.parametrize("media", ["application/cloudevents+avro", "application/cloudevents+protobuf"])
def test_a_format_that_is_not_json_is_not_understood(media: str) -> None:
    with pytest.raises(Undecodable, match="is not read"):
        KINDS["cloudevents"].accept(b"\0\1", {"content-type": media})


@pytest.mark.parametrize("word", ["resolved", "OK", "closed", "recovered"])
def test_a_status_in_the_data_or_at_the_end_of_the_type_resolves(word: str) -> None:
    by_data = heard("cloudevents", of(data={"status": word}))
    by_type = heard("cloudevents", of(type=f"shop.alert.{word}"))
    for found in (by_data, by_type):
        assert (found.firing, found.starts_at, found.ends_at) == (False, None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_events_about_one_subject_are_one_alert_and_others_are_not() -> None:
    def key(**more: Any) -> str | None:
        return heard("cloudevents", of(**more)).key

    firing = key(id="1", subject="queue-in", type="shop.full.firing")
    assert firing == key(id="2", subject="queue-in", type="shop.full.resolved"), "its end has another id"
    assert len({firing, key(subject="queue-out", type="shop.full"), key(subject="queue-in", type="shop.slow"), key(), key(id="e-2")}) == 5
    assert key() == key() == "/shop/monitor|e-1"


def test_the_title_is_what_the_data_says_else_the_subject_else_the_type() -> None:
    assert heard("cloudevents", of(data={"message": "m"}, subject="s")).title == "m"
    assert heard("cloudevents", of(data=None, subject="s")).title == "s"
    assert heard("cloudevents", of(data="a text")).title == "shop.alert"


@pytest.mark.parametrize("more", [{"data_base64": "AAEC"}, {"data": [1]}, {"data": 5}, {"time": "soon"}, {"specversion": "0.3"}])
def test_odd_events_are_read(more: dict[str, Any]) -> None:
    assert heard("cloudevents", of(**more)).key == "/shop/monitor|e-1"


def test_a_mapping_begins_at_the_event() -> None:
    found = heard("cloudevents", EVENT, {"mapping": {"title": "{{data.title}} in {{region}}", "key": "data.labels.queue"}})
    assert (found.title, found.key) == ("Queue is full in eu", "in")
