"""Is what people decided in Keep taken over as it can be said here, and is the rest told, line by line?"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from engine.errors import Invalid
from engine.integrations.imports import cel, keep
from engine.matching.conditions import Patterns, Subject, compiled
from engine.model.conditions import Condition
from engine.model.vocabulary import DefinitionKind, ImportKind
from engine.operations import definitions, imports
from engine.operations.imports import ImportView
from engine.storage.database import Database
from tests.testkit.clock import moment
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

KEEP = (Path(__file__).parents[1] / "integrations" / "imports" / "keep.json").read_text()
RULE, MAPPING, EXTRACTION = DefinitionKind.RULE, DefinitionKind.MAPPING, DefinitionKind.EXTRACTION
TEXT = "(?s:.*)"
CONDITION: TypeAdapter[Any] = TypeAdapter(Condition)


def says(field: str, op: str, value: Any = None) -> dict[str, Any]:
    """A comparison."""
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


A, B, C = (says(f"labels.{name}", "=", "1") for name in "abc")
# CEL, the condition
READ: list[tuple[str, dict[str, Any]]] = [
    ('service == "payment"', says("service", "=", "payment")),
    ("service == 'it\\'s \"so\"'", says("service", "=", 'it\'s "so"')),
    ('"payment" == service', says("service", "=", "payment")),
    ('name != "Disk full"', says("title", "!=", "Disk full")),
    ('environment == "prod"', says("environment", "=", "prod")),
    ('labels.region == "eu"', says("labels.region", "=", "eu")),
    ('labels["app.kubernetes.io/name"] == "x"', says("labels.app.kubernetes.io/name", "=", "x")),
    ('labels.app@@name == "x"', says("labels.app.name", "=", "x")),
    ('customer.id == "x"', says("labels.customer.id", "=", "x")),
    ('message == ""', says("labels.message", "=", "")),
    ("labels.percent == 90", says("labels.percent", "=", "90")),
    ("labels.percent >= 90.5", says("labels.percent", ">=", "90.5")),
    ("-5 < labels.percent", says("labels.percent", ">", "-5")),
    ("labels.noise == true", says("labels.noise", "=", "true")),
    ("labels.owner == null", says("labels.owner", "missing")),
    ("labels.owner != null", says("labels.owner", "exists")),
    ("has(labels.owner)", says("labels.owner", "exists")),
    ("!has(labels.owner)", says("labels.owner", "missing")),
    ('severity == "high"', says("severity", "=", "error")),
    ('severity == "critical"', says("severity", "=", "critical")),
    ('severity > "low"', says("severity", ">=", "info")),
    ("severity >= 4", says("severity", ">=", "error")),
    ('severity in ["high", "low", "info"]', says("severity", "in", ["error", "info"])),
    ('status == "firing"', says("status", "=", "firing")),
    ('name.contains("disk")', says("title", "like", "*disk*")),
    ('name.startsWith("Disk")', says("title", "like", "Disk*")),
    ('name.endsWith("full")', says("title", "like", "*full")),
    ('!name.contains("disk")', says("title", "not like", "*disk*")),
    ('name.contains("50*2?")', says("title", "=~", TEXT + r"50\*2\?" + TEXT)),
    ('name.startsWith("a*.b")', says("title", "=~", r"a\*\.b" + TEXT)),
    ('name.matches("^a\\\\d+|b")', says("title", "=~", TEXT + r"(?:^a\d+|b)" + TEXT)),
    ('name.matches(r"a\\d")', says("title", "=~", TEXT + r"(?:a\d)" + TEXT)),
    ("service in [\"a\", 'b']", says("service", "in", ["a", "b"])),
    ('!(service in ["a"])', says("service", "not in", ["a"])),
    ("a == 1 && b == 1 && c == 1", {"all": [A, B, C]}),
    ("(a == 1) || (b == 1)", {"any": [A, B]}),
    ("a == 1 || b == 1 && c == 1", {"any": [A, {"all": [B, C]}]}),
    ("(a == 1 || b == 1) && c == 1", {"all": [{"any": [A, B]}, C]}),
    ("((a == 1 && b == 1) && (c == 1))", {"all": [A, B, C]}),
    ("!(a == 1 && b == 1)", {"not": {"all": [A, B]}}),
    ("!(labels.a > 1)", {"not": says("labels.a", ">", "1")}),
    ("true", {"all": []}),
    ("false", {"not": {"all": []}}),
]
# CEL, words of why it is not read
UNREAD = [
    ("", "ends too early"),
    ("service ==", "ends too early"),
    ('service == "a" &&', "ends too early"),
    ('service == "a" service', "“service” is not understood"),
    ('size(labels) > 2 && a == "1"', "“size(labels) > 2"),
    ('a == "1" && b', "“b” is not understood"),
    ('a.lowerAscii() == "1"', "lowerAscii"),
    ("a.contains(b)", "contains"),
    ('contains("a")', "contains"),
    ('"x" in labels', '“"x" in labels”'),
    ('!a == "1"', "is not understood"),
    ("a > null", "is not understood"),
    ("a == b", "“b” is not understood"),
    ("a + 1 == 2", "“+ 1 == 2”"),
    ('a ? "b" : "c"', "is not understood"),
    ('labels.contains("a")', "names no single attribute"),
    ('labels[0] == "a"', "is not understood"),
    ('severity == "terrible"', "“terrible” is not known"),
    ('severity.contains("igh")', "is not understood"),
    ('status == "acknowledged"', "“acknowledged” is not known"),
    ('a == "open', "is not understood"),
    ("a in [1, null]", "is not understood"),
    ("a in [1 2]", "is not understood"),
    ("(" * 5000 + "a == 1" + ")" * 5000, "deeper than"),
    ("!" * 5000 + "a", "deeper than"),
    ("a == 1 && " * 5000 + "a == 1", "longer than"),
]


@pytest.mark.parametrize(("said", "when"), READ, ids=[said for said, _ in READ])
def test_an_expression_is_read_as_a_condition(said: str, when: dict[str, Any]) -> None:
    assert cel.read(said).when == when
    CONDITION.validate_python(when)


@pytest.mark.parametrize(("said", "words"), UNREAD, ids=[said[:30] for said, _ in UNREAD])
def test_what_is_not_understood_of_an_expression_is_said(said: str, words: str) -> None:
    with pytest.raises(cel.Unreadable) as refused:
        cel.read(said)
    assert words in str(refused.value)


# CEL, a title of which it holds, one of which it does not
HOLDS = [
    ('name.contains("*")', "5 * 3", "5 x 3"),
    ('name.contains("disk")', "a disk\nis full", "Disk"),
    ('name.matches("^Disk|full$")', "the disk is full", "full Disk!"),
    ('name.matches("(?i)disk")', "a DISK", "dis"),
    ('name.endsWith("?")', "why?", "why"),
]


@pytest.mark.parametrize(("said", "held", "other"), HOLDS, ids=[said for said, _, _ in HOLDS])
def test_texts_are_found_as_in_keep(said: str, held: str, other: str) -> None:
    patterns = Patterns()
    test = compiled(CONDITION.validate_python(cel.read(said).when), patterns)
    patterns.ready()
    assert [test(Subject(moment(), {"title": title}, {}, {})) for title in (held, other)] == [True, False]


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization of its own."""
    return Deliveries(database, found_company(database, "Kept"))


@pytest.fixture(scope="module")
def nothing(shared: TestDatabase, scratch: Path) -> Company:
    """An organization in which nothing is kept: imports are only looked at."""
    shared.open_door(scratch)
    return found_company(shared.database, "Unkept")


def take(line: Deliveries, said: Any) -> ImportView:
    """Take a document over."""
    return imports.take(line.company.owner, ImportKind.KEEP, said if isinstance(said, str) else json.dumps(said))


def look(company: Company, said: Any) -> ImportView:
    """What taking a document over would say."""
    return imports.preview(company.owner, ImportKind.KEEP, said if isinstance(said, str) else json.dumps(said))


def specs(line: Deliveries, kind: definitions.Kind) -> dict[str, dict[str, Any]]:
    """What there is of a kind, by name."""
    return {each.name: dict(each.spec) for each in definitions.all(line.company.owner, kind).items}


def test_every_item_has_one_line_whether_it_is_taken_or_not(nothing: Company) -> None:
    taken = look(nothing, KEEP)
    told = {(each.place, each.taken) for each in taken.report}
    assert len(told) == len(taken.report) == sum(len(items) for items in json.loads(KEEP).values())
    assert {place for place, good in told if good} == {
        *("mapping[0]", "mapping[1]", "extraction[0]", "extraction[1]", "rules[0]", "rules[1]", "rules[2]")
    }
    assert taken.added == 8


def test_the_same_file_again_changes_nothing_and_a_preview_nothing_at_all(line: Deliveries) -> None:
    owner = line.company.owner
    looked = imports.preview(owner, ImportKind.KEEP, KEEP)
    assert specs(line, RULE) == {}
    assert take(line, KEEP) == looked
    again = take(line, KEEP)
    assert (again.added, again.changed, again.same) == (0, 0, looked.added)


# place, words of the line
WHY = [
    ("mapping[1]", "a table by labels.region and title, a table by labels.host"),
    ("mapping[1]", "rows without a value to match are left out: 1"),
    ("mapping[1]", "“source” becomes a label"),
    ("mapping[1]", "by pattern"),
    ("mapping[1]", "its priority is not taken"),
    ("mapping[2]", "topology"),
    ("mapping[3]", "multi-level"),
    ("mapping[4]", "its rows are not in the file"),
    ("mapping[5]", "row 1: “^(a|b)$”"),
    ("extraction[1]", "switched off"),
    ("extraction[1]", "“name” becomes a label"),
    ("extraction[1]", "a severity is only set where"),
    ("extraction[2]", 'it only holds where “source == "sentry"”'),
    ("extraction[3]", "“pre”"),
    ("extraction[4]", "no regular expression"),
    ("rules[0]", "grouped by labels.cluster, title"),
    ("rules[0]", "timeframe of 10 minutes is not taken: the platform's own grouping window"),
    ("rules[0]", "“high” is “error” here"),
    ("rules[0]", "not taken: incident_name_template, group_description"),
    ("rules[1]", "grouped by nothing: all of its alerts together"),
    ("rules[1]", "until somebody approves"),
    ("rules[1]", "“source” is the name of a source here"),
    ("rules[1]", "when all of its alerts have ended"),
    ("rules[2]", "Keep waits for all of them"),
    ("rules[3]", "“size(labels) > 2” is not understood"),
    ("rules[4]", "no CEL"),
    ("rules[5]", "multi-level"),
]


def test_the_report_says_what_is_different_here_and_why_something_is_left_out(nothing: Company) -> None:
    said = {each.place: each.said for each in look(nothing, KEEP).report}
    assert [(place, words) for place, words in WHY if words not in said[place]] == []


def test_a_mapping_becomes_a_table_in_the_names_and_severities_of_ours(line: Deliveries) -> None:
    take(line, KEEP)
    assert specs(line, MAPPING)["owners"] == {
        "name": "owners",
        "match_on": ["service"],
        "overwrite": True,
        "columns": ["service", "team", "tier", "severity"],
        "rows": [["payment", "money", "1", "error"], ["search", "find", "2", ""]],
    }


def test_matchers_of_which_any_is_enough_become_a_table_each_and_patterns_wildcards(line: Deliveries) -> None:
    take(line, KEEP)
    kept = specs(line, MAPPING)
    assert kept["regions"] == {
        "name": "regions",
        "match_on": ["labels.region", "title"],
        "wildcards": True,
        "columns": ["labels.region", "title", "environment", "source"],
        "rows": [["eu", "Disk*", "prod", "cmdb"], ["*", "Net", "test", "cmdb"]],
    }
    assert kept["regions 2"]["match_on"] == ["labels.host"]
    assert kept["regions 2"]["rows"] == [["db-?.example.com", "test", "cmdb"]]


# a value in Keep's table, as `*` and `?` say it
WILDCARDS = [
    ("^a.*", "a*"),
    ("a.*", "*a*"),
    (".*a$", "*a"),
    ("^a.+b$", "a?*b"),
    ("^a\\.b$", "a.b"),
    ("a.b$", "*a?b"),
    ("*", "*"),
    ("a.b", "a.b"),
]


@pytest.mark.parametrize(("said", "kept"), WILDCARDS)
def test_a_pattern_of_a_mapping_is_said_with_wildcards(said: str, kept: str) -> None:
    rows = [{"service": said, "team": "a"}, {"service": "^z", "team": "b"}]
    (table,) = keep.translate([{"name": "x", "matchers": [["service"]], "rows": rows}]).mappings
    assert (table["rows"][0], table["wildcards"]) == ([kept, "a"], True)


def test_an_extraction_replaces_as_in_keep_and_stays_switched_off(line: Deliveries) -> None:
    take(line, KEEP)
    kept = specs(line, EXTRACTION)
    assert kept["host from name"] == {"name": "host from name", "field": "title", "pattern": "on (?P<host>\\S+)", "overwrite": True}
    assert (kept["who"]["field"], kept["who"]["enabled"]) == ("description", False)


def test_a_correlation_rule_groups_by_itself_and_what_keep_groups_by(line: Deliveries) -> None:
    take(line, KEEP)
    kept = specs(line, RULE)
    either = [{"all": [says("service", "=", "payment"), says("severity", "=", "error")]}, says("labels.queue", "like", "*pay*")]
    assert CONDITION.validate_python(kept["databases"]["when"]) == CONDITION.validate_python({"any": either})
    assert kept["databases"]["then"] == {"labels": {"keep_rule": "databases"}, "group_by": ["labels.keep_rule", "labels.cluster", "title"]}
    assert kept["many nodes"]["then"]["threshold"] == {"count": 3, "of": "fingerprints", "minutes": 2}


def test_alerts_are_enriched_and_grouped_as_it_was_decided_in_keep(line: Deliveries) -> None:
    take(line, KEEP)
    told = [alert(f"Slow on db-{n}", service="payment", cluster="eu", queue="payroll") for n in (1, 2)]
    line.deliver(line.source(), *told, alert("Other", service="b"), alert("Another", service="a"))
    shown = line.alert("Slow on db-1")
    assert (shown.team, shown.severity, shown.labels["tier"], shown.labels["host"]) == ("money", "error", "1", "db-1")
    assert sorted((each.title, each.alerts) for each in line.incidents()) == [
        ("b: Other", 2),
        ("payment: Slow on db-1", 1),
        ("payment: Slow on db-2", 1),
    ]


def test_an_answer_of_the_api_is_known_by_its_fields_in_json_and_yaml(line: Deliveries) -> None:
    for part, places in (("mapping", 2), ("extraction", 2), ("rules", 3)):
        answered = json.loads(KEEP)[part]
        taken = take(line, yaml.safe_dump(answered))
        assert [each.place for each in taken.report if each.taken] == [f"{part}[{n}]" for n in range(places)]
        assert take(line, answered).added == 0
    assert take(line, "[]").report == ()


def test_names_that_come_twice_are_told_apart_and_taken_once(line: Deliveries) -> None:
    said = [
        {"name": name, "regex": "(?P<a>.)", "attribute": "message"} for name in ("a", "A", "a 2", "a", "x" * 300, "x" * 300, "b\n\x00c")
    ]
    assert take(line, said).added == 7
    assert set(specs(line, EXTRACTION)) == {"a", "A 2", "a 2 2", "a 3", "x" * 90, "x" * 90 + " 2", "b c"}
    assert take(line, said).same == 7


CSV: dict[str, Any] = {"name": "x", "matchers": [["service"]], "rows": [{"service": "a", "team": "b"}]}
TAKES: dict[str, Any] = {"name": "x", "attribute": "message", "regex": "(?P<a>.)"}
JOINS: dict[str, Any] = {"name": "x", "definition_cel": 'service == "a"', "timeframe": 60, "grouping_criteria": []}
# an item, words of why it is left out
ODD: list[tuple[Any, str]] = [
    (CSV | {"name": None}, "no name"),
    (CSV | {"name": {"a": 1}}, "no name"),
    (CSV | {"type": "sql"}, "type “sql”"),
    (CSV | {"type": [1]}, "type"),
    (CSV | {"condition": 'a == "b"'}, "no condition"),
    (CSV | {"condition": {"a": 1}}, "no condition"),
    (CSV | {"matchers": []}, "no matchers"),
    (CSV | {"matchers": "service"}, "no matchers"),
    (CSV | {"matchers": [[1]]}, "no lists of attributes"),
    (CSV | {"matchers": [["labels"]]}, "names no single attribute"),
    (CSV | {"matchers": [[f"a{n}"] for n in range(50)]}, "more than 20 groups"),
    (
        CSV
        | {
            "matchers": [[c] for c in "abcdef"] + [["a", "b", "c", "d", "e", "service"]],
            "rows": [dict.fromkeys("abcdef", "1") | {"service": "a", "t": "1"}],
        },
        "at most 5",
    ),
    (CSV | {"rows": []}, "not in the file"),
    (CSV | {"rows": [1]}, "row 1 is no object"),
    (CSV | {"rows": [{"service": {"a": 1}, "team": "b"}]}, "row 1: “service” is no text"),
    (CSV | {"rows": [{"team": "b"}]}, "no row has a value"),
    (CSV | {"rows": [{"service": "a"}]}, "none is left to be set"),
    (CSV | {"rows": [{"service": "a", "on call": "b"}]}, "“on call” is no name of a label"),
    (CSV | {"rows": [{"service": "a", "b": "x" * 2000}]}, "at most 1000"),
    (TAKES | {"regex": 1}, "no regex"),
    (TAKES | {"regex": ""}, "no regex"),
    (TAKES | {"regex": "(.)"}, "Name what is taken out"),
    (TAKES | {"regex": "("}, "no regular expression"),
    (TAKES | {"regex": "(?P<a>.)" + "x" * 2000}, "at most 1000"),
    (TAKES | {"attribute": None}, "names no single attribute"),
    (TAKES | {"attribute": "{{ a }} {{ b }}"}, "several attributes"),
    (TAKES | {"condition": 'a == "b"'}, "no condition"),
    (JOINS | {"definition_cel": None}, "no CEL"),
    (JOINS | {"definition_cel": ["a"]}, "no CEL"),
    (JOINS | {"definition_cel": 'name.matches("(")'}, "no regular expression"),
    (JOINS | {"definition_cel": 'a > "b"'}, "compare numbers"),
    (JOINS | {"definition_cel": "a in []"}, "1 to 200 values"),
    (JOINS | {"definition_cel": " && ".join(f"a{n} == 1" for n in range(300))}, "at most 200"),
    (JOINS | {"grouping_criteria": "service"}, "no list of attributes"),
    (JOINS | {"grouping_criteria": [1]}, "no list of attributes"),
    (JOINS | {"grouping_criteria": [f"labels.a{n}" for n in range(20)]}, "at most 10"),
    (JOINS | {"threshold": 5000}, "1000"),
    (JOINS | {"threshold": "many"}, "no rule as Keep writes it"),
    (JOINS | {"timeframe": [1]}, "no rule as Keep writes it"),
]


def wrapped(item: Any) -> dict[str, Any]:
    """A document with this under the part that it is of."""
    part = "extraction" if "regex" in item else "rules" if "definition_cel" in item else "mapping"
    return {part: [item]}


@pytest.mark.parametrize(("item", "words"), ODD, ids=lambda each: str(each)[:60])
def test_what_cannot_be_said_here_is_left_out_with_the_reason(nothing: Company, item: Any, words: str) -> None:
    taken = look(nothing, wrapped(item))
    (only,) = taken.report
    assert (only.taken, taken.added) == (False, 0)
    assert words in only.said


# a document that is hostile in one of its places
HOSTILE = [
    "{rules: [1, null, [[[]]], {}, {name: {a: [1]}}]}",
    "{rules: {a: 1}, mapping: 7, extraction: text, null: 1, [1, 2]: 3}",
    "{rules: null, mapping: [], extraction: {}}",
    "rules: [{name: x, definition_cel: 'a == 1', timeframe: .inf}, {name: y, definition_cel: 'a == 1', timeframe: .nan}]",
    f"rules: [{{name: x, definition_cel: 'a == 1', timeframe: 0x{'f' * 9000}}}, {{name: 0x{'f' * 9000}, definition_cel: 'a == 1'}}]",
    "rules: [{name: x, definition_cel: 'a == 1', timeframe: 60, threshold: .inf}]",
    "mapping: [{name: 2026-01-01, matchers: [[service]], rows: [{service: 1, 2: 2026-01-01, null: {1: 2}}]}]",
    '{"extraction": [{"name": "a\\ud800\\u0000", "attribute": "\\ud800", "regex": "(?P<a>\\u0000\\ud800)"}]}',
    '{"mapping": [{"name": "a", "matchers": [["\\ud800"]], "rows": [{"\\ud800": "\\u0000", "b": "\\ud800"}]}]}',
    '{"rules": [{"name": "a", "definition_cel": "a == \\"\\u0000\\ud800\\"", "timeframe": 60, "grouping_criteria": ["\\u0000"]}]}',
    '{"rules": [{"name": "a", "definition_cel": "a == \\"\\\\u0000\\\\ud800\\"", "timeframe": 60}], "\\ud800": 1}',
    '[{"regex": "\\ud800"}, {"\\ud800": 1}, "\\ud800"]',
    json.dumps({"extraction": [TAKES] * 300}),
    json.dumps({"mapping": [CSV | {"rows": [{"service": f"s{n}", "team": "x"} for n in range(10_001)]}]}),
]


@pytest.mark.parametrize("said", HOSTILE, ids=lambda said: said[:60])
def test_hostile_input_is_told_of_or_refused_and_never_an_error_of_ours(nothing: Company, said: str) -> None:
    try:
        taken = look(nothing, said)
    except Invalid:
        return
    assert len({each.place for each in taken.report}) == len(taken.report)
    json.dumps([each.said for each in taken.report], ensure_ascii=False).encode()


# text, words of the refusal
WRONG = [
    ("{", "neither YAML nor JSON"),
    ("[" * 3000, "neither YAML nor JSON"),
    ("{}", "none of mapping, extraction and rules"),
    ("7", "none of mapping, extraction and rules"),
    ("[1]", "no list of mapping, extraction or correlation rules"),
    ('[{"name": "a"}]', "no list of mapping, extraction or correlation rules"),
    ("&a [*a]", "no list of mapping|in parts"),
]


@pytest.mark.parametrize(("said", "words"), WRONG, ids=[said[:20] for said, _ in WRONG])
def test_what_is_none_of_keep_is_refused(nothing: Company, said: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        look(nothing, said)


def test_parts_and_items_that_nobody_knows_are_told(nothing: Company) -> None:
    assert [(each.place, each.taken) for each in look(nothing, {"extraction": [TAKES], "workflows": []}).report] == [
        ("extraction[0]", True),
        ("workflows", False),
    ]
    assert [(each.place, each.taken) for each in look(nothing, [{"id": 1}, TAKES]).report] == [("[0]", False), ("extraction[1]", True)]
