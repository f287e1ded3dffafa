"""Is a form drawn from every kind's schema read back as what it was drawn with, and is a fault said beside its field?"""

from typing import Any

import pytest

from engine.errors import Invalid
from engine.integrations.sources import KINDS
from engine.operations import sources
from engine.storage.sources import checked
from state.form import FormField, drawn, given

pytestmark = pytest.mark.fast

IDS = [kind.id for kind in KINDS]
# Values as no sender should have them, by the kind of control.
ODD: dict[str, Any] = {
    "text": 'a = b, "c" <d> & größer',
    "number": 7,
    "list": ["one", "two = three", "größer, <b>", '"quoted"', "a  b"],
    "choice": "info",
}
# The same for those whose values are checked.
ODD_OF = {
    "severities": {"P1": "critical", "größer & schlimmer": "error", "a b": "info"},
    "mapping": {"title": "{{a.b}} = {{c}}", "severity": "x || 'y'", "key": "a[?b=='c'].d | [0]"},
    "labels": {"team/name": "a.b", "a.b-c": "{{x}}=1"},
    "defaults": {"service": "a = b = c", "title": "größer"},
    "alerts_path": "data[?x=='y'].alerts",
    "flap_changes": 2,
    "heartbeats": ["Watchdog", "dead man's switch"],
}
SCHEMA = {
    "properties": {
        "how_many": {"type": "integer", "default": 4, "minimum": 1, "maximum": 9, "title": "How many", "description": "so many"},
        "pairs": {"type": "object", "propertyNames": {"enum": ["a", "b"]}, "description": "what is where"},
        "words": {"type": "array"},
        "is_on": {"type": "boolean", "default": True},
        "worst": {"anyOf": [{"$ref": "#/$defs/Severity"}, {"type": "null"}], "default": None},
        "size": {"enum": ["small", "large"], "default": "small"},
        "text": {"type": "string", "default": "as it was"},
    },
    "$defs": {"Severity": {"enum": ["critical", "info"]}},
}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of a kind's settings, as the page is given it."""
    return sources._schema(KINDS[kind].settings)


def posted(fields: list[FormField]) -> dict[str, str]:
    """What a browser sends of a form that nobody touched: no box that is not ticked."""
    return {field.name: field.value for field in fields if field.kind != "flag" or field.value}


def odd(kind: str) -> dict[str, Any]:
    """Odd values for every setting of a kind."""
    return {field.name: ODD_OF.get(field.name, ODD.get(field.kind)) for field in drawn(schema_of(kind), {})}


def faults(form: dict[str, str]) -> dict[str, str]:
    """What is said beside each field."""
    with pytest.raises(Invalid) as caught:
        given(SCHEMA, form)
    return {fault.field: fault.message for fault in caught.value.errors}


@pytest.mark.parametrize("kind", IDS)
def test_a_form_that_nobody_touched_changes_nothing(kind: str) -> None:
    schema = schema_of(kind)
    assert checked(kind, given(schema, posted(drawn(schema, {})))) == {}


@pytest.mark.parametrize("kind", IDS)
def test_odd_values_come_back_as_they_are(kind: str) -> None:
    schema, values = schema_of(kind), odd(kind)
    assert None not in values.values(), "every kind of control has a value"
    kept = checked(kind, values)
    assert set(kept) == set(values), "none of them is the usual one"
    assert checked(kind, given(schema, posted(drawn(schema, kept)))) == kept


@pytest.mark.parametrize("kind", IDS)
def test_a_form_that_is_emptied_means_the_usual_values_and_empty_lists(kind: str) -> None:
    schema = schema_of(kind)
    emptied = dict.fromkeys(posted(drawn(schema, odd(kind))), "")
    kept = checked(kind, given(schema, emptied))
    assert not any(kept.values()), "what is left differs from the usual by being empty"
    assert checked(kind, given(schema, {})) == kept, "a control that is not sent is an empty one"


def test_each_setting_is_drawn_as_what_it_is() -> None:
    fields = {field.name: field for field in drawn(SCHEMA, {"words": ["a", "b"], "pairs": {"a": "1", "b": "x = y"}}, frozenset({"text"}))}
    assert {name: field.kind for name, field in fields.items()} == {
        "how_many": "number",
        "pairs": "map",
        "words": "list",
        "is_on": "flag",
        "worst": "choice",
        "size": "choice",
        "text": "text",
    }
    number = fields["how_many"]
    assert (number.title, number.hint, number.value, number.low, number.high) == ("How many", "so many", "4", "1", "9")
    assert (fields["pairs"].value, fields["words"].value) == ("a = 1\nb = x = y", "a\nb")
    assert fields["pairs"].hint == "what is where (one a line: name = value; names: a, b)"
    assert (fields["worst"].options, fields["worst"].value, fields["size"].options) == (["critical", "info"], "", ["small", "large"])
    assert (fields["is_on"].value, fields["text"].value, fields["text"].title) == ("on", "as it was", "text")
    assert [field.name for field in fields.values() if field.is_usual] == ["text"]


def test_a_value_stands_before_the_usual_one_even_when_it_is_nothing() -> None:
    fields = {field.name: field.value for field in drawn(SCHEMA, {"how_many": 0, "is_on": False, "text": ""})}
    assert (fields["how_many"], fields["is_on"], fields["text"]) == ("0", "", "")


def test_what_is_typed_is_read_as_its_setting_is() -> None:
    form = {
        "how_many": " 7 ",
        "words": " a \n\n b = c \r\n",
        "pairs": "a = 1\n\n b=x = y ",
        "worst": "info",
        "text": " hello ",
        "is_on": "on",
    }
    assert given(SCHEMA, form) == {
        "how_many": 7,
        "words": ["a", "b = c"],
        "pairs": {"a": "1", "b": "x = y"},
        "worst": "info",
        "text": "hello",
        "is_on": True,
    }
    assert given(SCHEMA, {}) == {"pairs": {}, "words": [], "is_on": False}, "what is left out is as usual"


def test_what_no_setting_is_called_is_not_read() -> None:
    assert "colour" not in given(SCHEMA, {"colour": "red"})


@pytest.mark.parametrize("said", ["soon", "1.5", "1e3", "0x10", "7 8", "--7", "∞"])
def test_what_is_no_whole_number_is_said_beside_its_field(said: str) -> None:
    assert faults({"how_many": said}) == {"how_many": "Write a whole number."}


@pytest.mark.parametrize("line", ["no sign", "= no name", "  =", "x" * 500])
def test_a_bad_line_of_a_map_is_said_with_the_line(line: str) -> None:
    said = faults({"pairs": f"a = 1\n{line}\nb = 2"})
    assert said == {"pairs": f"Write “name = value” in each line; this one is not: {line.strip()[:80]}"}


def test_every_fault_is_said_at_once_each_beside_its_own_field() -> None:
    assert set(faults({"how_many": "x", "pairs": "y", "text": "fine"})) == {"how_many", "pairs"}
    with pytest.raises(Invalid, match=r"how_many: Write a whole number\.; pairs: Write"):
        given(SCHEMA, {"how_many": "x", "pairs": "y"})
