"""What is added to an alert before the rules are asked?"""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.matching.conditions import Subject
from engine.model.enrichments import Extraction, Mapping
from engine.stages.enrich import Enrichments

pytestmark = pytest.mark.fast

NOW = datetime(2026, 3, 6, tzinfo=UTC)


def subject(**more: str | None) -> Subject:
    """An alert of a host, whose description is JSON."""
    fields: dict[str, str | None] = {"title": "Disk full on db-1 in prod", "severity": None, "service": None} | more
    annotations = {"description": '{"app": {"name": "orders", "tier": 1, "canary": false}, "hosts": ["a", "b"]}'}
    return Subject(NOW, fields, {"host": "db-1", "zone": "eu-1"}, annotations)


def added(alert: Subject, *what: Extraction | Mapping) -> list[tuple[str, tuple[str, ...]]]:
    """What was added, and by what."""
    extractions = [each for each in what if isinstance(each, Extraction)]
    tables = [each for each in what if isinstance(each, Mapping)]
    return [(each.name, each.did) for each in Enrichments(extractions, tables).apply(alert)]


def extraction(**said: Any) -> Extraction:
    """An extraction from the title."""
    return Extraction.model_validate({"name": "from the title", "field": "title"} | said)


def table(rows: list[list[str]], header: str = "labels.host service team", **said: Any) -> Mapping:
    """A table that is matched by its first column."""
    names = header.split()
    return Mapping.model_validate({"name": "hosts", "match_on": names[:1], "columns": names, "rows": rows} | said)


def test_named_groups_become_fields_and_labels() -> None:
    alert = subject()
    did = added(alert, extraction(pattern=r"on (?P<resource>\S+) in (?P<environment>\w+)|(?P<other>x)"))
    assert did == [("from the title", ("resource db-1", "environment prod"))]
    assert (alert.fields["resource"], alert.fields["environment"], "other" in alert.labels) == ("db-1", "prod", False)
    assert added(subject(), extraction(pattern=r"(?P<device>sd\w)")) == [], "what is not there adds nothing"


def test_paths_lead_into_json() -> None:
    paths = {"service": "app.name", "tier": "app.tier", "canary": "app.canary", "hosts": "hosts", "gone": "app.gone", "first": "hosts[0]"}
    alert = subject()
    ((_, did),) = added(alert, extraction(field="annotations.description", paths=paths))
    assert did == ("service orders", "label tier=1", "label canary=false", "label first=a")
    assert added(subject(), extraction(paths=paths)) == [], "a text that is no JSON says nothing"


@pytest.mark.parametrize(("overwrite", "service"), [(False, "billing"), (True, "orders")])
def test_what_the_alert_says_stays_unless_it_is_said_otherwise(overwrite: bool, service: str) -> None:
    alert = subject(service="billing")
    added(alert, extraction(field="annotations.description", paths={"service": "app.name"}, overwrite=overwrite))
    assert alert.fields["service"] == service


def test_a_table_adds_what_its_row_says() -> None:
    alert = subject()
    rows = [["db-1", "orders", "storage"], ["db-1", "second", "second"], ["db-2", "cart", "web"]]
    assert added(alert, table(rows)) == [("hosts", ("service orders", "team storage"))], "the first row that fits"
    assert added(subject(), table([["db-9", "x", "y"]])) == []
    assert added(subject(), table([["db-1", "", "storage"]])) == [("hosts", ("team storage",))], "an empty cell says nothing"


def test_a_table_is_matched_on_several_columns_and_sets_labels() -> None:
    said = {"match_on": ["labels.host", "labels.zone"], "columns": ["labels.zone", "owner", "labels.host", "labels.rack", "severity"]}
    rows = [["us-1", "bob", "db-1", "7", "error"], ["eu-1", "ann", "db-1", "9", "critical"], ["eu-1", "eve", "db-1", "1", "bad"]]
    alert = subject()
    assert added(alert, table(rows, **said)) == [("hosts", ("label owner=ann", "label rack=9", "severity critical"))]
    assert added(subject(), table(rows[2:], **said)) == [("hosts", ("label owner=eve", "label rack=1"))], "what is no severity is left out"


@pytest.mark.parametrize(("pattern", "team"), [("db-*", "storage"), ("*", "storage"), ("d?-1", "storage"), ("web-*", None), ("DB-*", None)])
def test_a_table_with_wildcards(pattern: str, team: str | None) -> None:
    alert = subject()
    added(alert, table([[pattern, "orders", "storage"], ["nowhere", "x", "y"]], wildcards=True))
    assert alert.fields.get("team") == team


def test_extractions_come_before_tables_and_both_in_the_order_of_their_names() -> None:
    machine = extraction(name="z", pattern=r"on (?P<machine>\S+)")
    first, second = (
        table([["db-1", "one", "x"]], "labels.machine service team", name="a"),
        table([["one", "alpha"]], "service team", name="b"),
    )
    alert = subject()
    assert [name for name, _ in added(alert, second, machine, first)] == ["z", "a"]
    assert (alert.fields["service"], alert.fields["team"]) == ("one", "x")


# what is wrong, words of the refusal
WRONG: list[tuple[type[Extraction] | type[Mapping], dict[str, Any], str]] = [
    (Extraction, {"name": "a", "field": "title"}, "either a pattern or paths"),
    (Extraction, {"name": "a", "field": "title", "pattern": "(a"}, "no regular expression"),
    (Extraction, {"name": "a", "field": "title", "pattern": r"host (\S+)"}, "Name what is taken out"),
    (Extraction, {"name": "a", "field": "title", "paths": {"service": "a..b"}}, "no JMESPath"),
    (Extraction, {"name": "a", "field": "title", "paths": {"bad name": "a"}}, "pattern"),
    (Mapping, {"name": "a", "match_on": ["labels.x"], "columns": ["labels.y", "team"], "rows": []}, "no column labels.x"),
    (Mapping, {"name": "a", "match_on": ["service"], "columns": ["service", "service"], "rows": []}, "the same name"),
    (Mapping, {"name": "a", "match_on": ["service", "team"], "columns": ["service", "team"], "rows": []}, "none is left"),
    (Mapping, {"name": "a", "match_on": ["service"], "columns": ["service", "team"], "rows": [["a", "b"], ["c"]]}, "Row 2 has 1 values"),
]


@pytest.mark.parametrize(("kind", "said", "words"), WRONG)
def test_what_cannot_be_meant_is_refused(kind: type[Extraction] | type[Mapping], said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(said)
    assert words in str(refused.value)


CELL = st.sampled_from(["db-1", "db-*", "*", "web", "d?-1", "eu-1", "eu-*"])


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12))
def test_of_rows_with_wildcards_the_first_that_fits_counts(rows: list[tuple[str, str]]) -> None:
    said = {"match_on": ["labels.host", "labels.zone"], "columns": ["labels.host", "labels.zone", "team"], "wildcards": True}
    alert = subject()
    added(alert, table([[*row, f"team {number}"] for number, row in enumerate(rows)], **said))
    fits = {"db-1": ("db-1", "db-*", "*", "d?-1"), "eu-1": ("*", "eu-1", "eu-*")}
    first = next((f"team {number}" for number, (host, zone) in enumerate(rows) if host in fits["db-1"] and zone in fits["eu-1"]), None)
    assert alert.fields.get("team") == first
