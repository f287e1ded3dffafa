"""How is any JSON read, with and without a mapping?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.integrations.sources.generic import Settings
from engine.model.heard import Fault, Heard
from tests.integrations.posting import heard, posted

pytestmark = pytest.mark.fast

NESTED = {
    "alert": {"name": "Disk full", "sev": "bad", "open": False, "at": 1767323045, "tags": ["disk", "db"]},
    "host": {"name": "db-1", "zone": "eu"},
    "checks": [{"name": "used", "value": 97}, {"name": "free", "value": 3}],
}


def test_common_names_need_no_mapping() -> None:
    said = {
        "Title": "Disk full",
        "message": "97 % used",
        "Level": "warning",
        "state": "firing",
        "hostname": "db-1",
        "service_name": "orders",
        "env": "prod",
        "alert-id": 17,
        "startedAt": "2026-01-02T03:04:05Z",
        "url": "https://checks.test/17",
        "labels": {"disk": "sda"},
    }
    found = heard("generic", said)
    assert (found.title, found.description, found.severity, found.firing) == ("Disk full", "97 % used", "warning", True)
    assert (found.resource, found.service, found.environment, found.key) == ("db-1", "orders", "prod", "17")
    assert (found.starts_at, found.labels) == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), {"disk": "sda"})
    assert [link.url for link in found.links] == ["https://checks.test/17"]
    assert found.notes == ()


def test_an_alert_inside_a_usual_wrapper_is_found() -> None:
    assert heard("generic", {"event": "created", "data": {"title": "Disk full", "severity": "minor"}}).title == "Disk full"


@pytest.mark.parametrize("word", ["resolved", "OK", "Closed", "recovered", "up", "normal", "CLEAR"])
def test_usual_words_end_an_alert(word: str) -> None:
    assert not heard("generic", {"title": "t", "status": word}).firing


def test_an_action_ends_an_alert_too_but_starts_no_status() -> None:
    assert not heard("generic", {"title": "t", "event_type": "resolve"}).firing
    assert heard("generic", {"title": "t", "event_type": "page_view"}).notes == ()


def test_an_unknown_status_fires_and_is_noted() -> None:
    found = heard("generic", {"title": "t", "status": "wobbly"})
    assert (found.firing, found.notes) == (True, ("The status “wobbly” is unknown; read as firing.",))


def test_without_labels_of_its_own_the_short_fields_are_labels() -> None:
    said = {"title": "t", "rack": 7, "long": "x" * 300, "deep": {"a": 1}, "none": None}
    assert heard("generic", said).labels == {"title": "t", "rack": "7"}


def test_tags_in_a_list_are_labels() -> None:
    assert heard("generic", {"title": "t", "tags": ["env:prod", "plain", "a:b:c", 7]}).labels == {"env": "prod", "a": "b:c"}


def test_a_mapping_of_paths_and_texts() -> None:
    settings = {
        "mapping": {
            "title": "{{alert.name}} on {{ host.name }}",
            "severity": "alert.sev",
            "status": "alert.open",
            "key": "join('/', [host.zone, host.name])",
            "ends_at": "alert.at",
            "description": "alert.tags",
            "resource": "checks[?value > `50`].name | [0]",
        },
        "labels": {"zone": "host.zone", "check": "checks[0].name", "nothing": "no.such"},
        "defaults": {"team": "data", "service": "orders"},
        "resolved_words": ["False"],
    }
    found = heard("generic", NESTED, settings)
    assert (found.title, found.severity, found.key, found.description) == ("Disk full on db-1", "bad", "eu/db-1", "disk, db")
    assert (found.firing, found.ends_at, found.resource) == (False, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "used")
    assert (found.team, found.service) == ("data", "orders")
    assert found.labels["zone"] == "eu" and found.labels["check"] == "used" and "nothing" not in found.labels


def test_a_mapped_field_is_not_guessed_but_an_empty_title_is() -> None:
    found = heard(
        "generic", {"title": "t", "severity": "high", "host": "h"}, {"mapping": {"title": "no", "severity": "no", "resource": "`null`"}}
    )
    assert (found.title, found.severity, found.resource) == ("t", None, None)


def test_a_default_fills_what_is_left_out() -> None:
    settings = {"mapping": {"severity": "no"}, "defaults": {"severity": "warning", "environment": "prod"}}
    found = heard("generic", {"title": "t", "env": "dev"}, settings)
    assert (found.severity, found.environment) == ("warning", "dev")


def test_an_expression_that_does_not_fit_is_noted_and_the_alert_stays() -> None:
    found = heard("generic", {"title": "t", "n": 5}, {"mapping": {"service": "join(',', n)"}})
    assert (found.title, found.service) == ("t", None)
    assert found.notes[0].startswith("The expression of “service” does not fit what was sent: In function join()")


def test_an_array_holds_alerts_and_faults() -> None:
    found = posted("generic", [{"title": "a"}, 7, {}, {"title": "b"}])
    assert [type(each) for each in found] == [Heard, Fault, Fault, Heard]


def test_a_path_leads_to_the_alerts() -> None:
    found = posted("generic", {"data": {"all": [{"title": "a"}, {"title": "b"}, "c"]}}, {"alerts_path": "data.all"})
    assert [each.title if isinstance(each, Heard) else each.index for each in found] == ["a", "b", 2]


def test_a_path_to_nothing_reads_the_body_as_the_alert_and_notes_it() -> None:
    found = heard("generic", {"title": "a"}, {"alerts_path": "data.all"})
    assert (found.title, len(found.notes)) == ("a", 1)


def test_an_alert_without_any_name_is_not_lost() -> None:
    assert heard("generic", {"x": 1}).title == "Alert without a title"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mapping": {"title": "alert.["}}, "“title”.*is no JMESPath.*character"),
        ({"mapping": {"title": ""}}, "is empty"),
        ({"mapping": {"title": "{{a}} {{b"}}, "braces"),
        ({"mapping": {"title": "{{a}} {{}}"}}, "is no JMESPath"),
        ({"mapping": {"title": "a", "key": "nofunction(a)"}}, "“key”: there is no function nofunction"),
        ({"labels": {"rack": "a ||"}}, "“rack”.*is no JMESPath"),
        ({"mapping": {"title": "a" * 501}}, "500"),
        ({"mapping": {"colour": "a"}}, "colour|Input should be"),
        ({"mapping": {"title": "||".join(["a"] * 60)}}, "more than 40 steps"),
        ({"mapping": {"title": "!" * 450 + "a"}}, "nested too deeply|more than 40 steps"),
        ({"mapping": {"title": "|".join("[@,@][]" for _ in range(20))}}, "more than 64 copies"),
        ({"alerts_path": "a["}, "is no JMESPath"),
    ],
)
def test_a_bad_expression_is_refused_with_what_and_where(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Settings(**settings)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"7", b'"x"', b"{", b"\xff", b"[" * 5000, b"1" * 5000])
def test_a_body_that_is_no_object_is_not_understood(body: bytes) -> None:
    with pytest.raises(Undecodable):
        KINDS["generic"].accept(body, {})


def test_nul_characters_are_left_out() -> None:
    said = {"title": "a\0b", "na\0me": "c\0d", "id": "\0", "nested": {"\0": "\0"}}
    settings = {"labels": {"all": "@", "keys": "keys(@)"}, "mapping": {"description": "{{title}}!"}}
    assert "\\x00" not in repr(heard("generic", json.loads(json.dumps(said)), settings))
