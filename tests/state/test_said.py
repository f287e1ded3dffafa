"""Is what operators define said in words that they would use, and are matchers read back as they were written?"""

from typing import Any

import pytest

from engine.errors import Invalid
from engine.model.vocabulary import DefinitionKind
from engine.operations.defining import checked
from state import said
from tests.operations.test_rules_as_documented import ACTIONS, CONDITIONS

pytestmark = pytest.mark.fast

A, B, C = ({"field": "service", "value": name} for name in ("a", "b", "c"))

# a condition, as it is kept, and what it is in words
CONDITIONS_IN_WORDS: list[tuple[dict[str, Any], str]] = [
    (A, "service is a"),
    ({"field": "service"}, "service is empty"),
    ({"field": "service", "op": "!=", "value": "a"}, "service is not a"),
    ({"field": "labels.host", "op": "=~", "value": "db.*"}, "host matches db.*"),
    ({"field": "labels.host", "op": "!~", "value": "db.*"}, "host does not match db.*"),
    ({"field": "annotations.note", "op": "like", "value": "*x*"}, "note is like *x*"),
    ({"field": "title", "op": "not like", "value": "x?"}, "title is not like x?"),
    ({"field": "environment", "op": "in", "value": ["dev", "test"]}, "environment is one of dev, test"),
    ({"field": "environment", "op": "not in", "value": ["prod"]}, "environment is none of prod"),
    ({"field": "labels.percent", "op": ">", "value": "90"}, "percent is more than 90"),
    ({"field": "severity", "op": ">=", "value": "error"}, "severity is at least error"),
    ({"field": "severity", "op": "<", "value": "error"}, "severity is less than error"),
    ({"field": "severity", "op": "<=", "value": "error"}, "severity is at most error"),
    ({"field": "labels.owner", "op": "exists"}, "owner is there"),
    ({"field": "labels.owner", "op": "missing"}, "owner is missing"),
    ({"all": []}, "every alert"),
    ({"all": [A]}, "service is a"),
    ({"all": [A, B]}, "service is a and service is b"),
    ({"any": [A, B, C]}, "service is a or service is b or service is c"),
    ({"all": [A, {"any": [B, C]}]}, "service is a and (service is b or service is c)"),
    ({"all": [A, {"any": [B]}]}, "service is a and service is b"),
    ({"not": A}, "not service is a"),
    ({"not": {"any": [A, B]}}, "not (service is a or service is b)"),
    ({"not": {"not": {"all": [A, B]}}}, "not not (service is a and service is b)"),
    ({"logic": {"==": [1, 1]}}, "JSON Logic"),
    ({"times": [{}]}, "it is any time (UTC)"),
    ({"times": [{"days": ["sat", "sun"], "zone": "Europe/Berlin"}]}, "it is Sat Sun (Europe/Berlin)"),
    ({"times": [{"from": "22:00:00", "to": "06:00:00"}]}, "it is 22:00 to 06:00 (UTC)"),
    ({"times": [{"days": ["mon"]}, {"to": "06:00:00"}]}, "it is Mon (UTC) or it is 00:00 to 06:00 (UTC)"),
    ({"times": [{"month_days": [1, -1], "months": [12], "years": [2026]}]}, "it is in month days 1, -1 in months 12 in years 2026 (UTC)"),
]


@pytest.mark.parametrize(("condition", "words"), CONDITIONS_IN_WORDS)
def test_a_condition_is_said_as_a_sentence(condition: dict[str, Any], words: str) -> None:
    assert said.condition(condition) == words


@pytest.mark.parametrize("when", CONDITIONS, ids=str)
def test_every_documented_condition_can_be_said(when: dict[str, Any]) -> None:
    kept = checked(DefinitionKind.RULE, {"name": "x", "when": when, "then": {"analyse": True}})
    assert said.condition(kept["when"])


# what a rule does, as it is kept, and what that is in words
ACTIONS_IN_WORDS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"severity": "warning"}, "severity warning"),
    ({"service": "{{labels.app}}", "environment": "prod", "team": "x"}, "service {{labels.app}}, environment prod, team x"),
    ({"labels": {"tier": "1", "where": "here"}}, "label tier=1, label where=here"),
    ({"group_by": ["labels.cluster", "title"]}, "group by labels.cluster, title"),
    ({"hold_minutes": 5}, "hold for 5 min"),
    ({"threshold": {"count": 3, "minutes": 10}}, "open at 3 alerts in 10 min"),
    ({"threshold": {"count": 3, "minutes": 10, "of": "fingerprints"}}, "open at 3 fingerprints in 10 min"),
    ({"suppress": True}, "suppress"),
    ({"notify_only": True, "analyse": True, "runbook": "restart"}, "notify only, analyse, run restart"),
]


@pytest.mark.parametrize(("then", "words"), ACTIONS_IN_WORDS)
def test_actions_are_said_in_a_line(then: dict[str, Any], words: str) -> None:
    assert said.actions(then) == words


@pytest.mark.parametrize("then", ACTIONS, ids=str)
def test_every_documented_action_is_said(then: dict[str, Any]) -> None:
    kept = checked(DefinitionKind.RULE, {"name": "x", "when": {"all": []}, "then": then})
    assert said.actions(kept["then"])


def match(name: str, value: str, op: str = "=") -> dict[str, str]:
    """A matcher, as it is kept."""
    return {"name": name, "op": op, "value": value}


# what was typed, and the matchers that it is
TYPED = [
    ('service="payment"', [match("service", "payment")]),
    ("service=payment", [match("service", "payment")]),
    (' service = "a" ,  job!="b" ', [match("service", "a"), match("job", "b", "!=")]),
    ('service="a"\njob=~"b|c"\n\n', [match("service", "a"), match("job", "b|c", "=~")]),
    ('{service="a",job!~"b.*"}', [match("service", "a"), match("job", "b.*", "!~")]),
    ('title="a, b = c"', [match("title", "a, b = c")]),
    (r'title="say \"no\"", path="C:\\x"', [match("title", 'say "no"'), match("path", "C:\\x")]),
    ('service=""', [match("service", "")]),
    ("", []),
    (" , \n ,", []),
]


@pytest.mark.parametrize(("text", "matchers"), TYPED)
def test_matchers_are_read_as_they_are_typed(text: str, matchers: list[dict[str, str]]) -> None:
    assert said.matchers_of(text) == matchers


@pytest.mark.parametrize("value", ["", "a b", 'a"b', "a\\", '\\"', '\\\\"', "a\nb", "a,b", "{a}", "=~", "“ä”", "x" * 400])
def test_a_matcher_is_read_back_as_it_was_written(value: str) -> None:
    kept = [match("labels.one", value), match("other", value, "!=")]
    assert said.matchers_of(said.matchers(kept)) == kept


def test_a_matcher_without_a_sign_is_one_of_equality() -> None:
    assert said.matchers([{"name": "service"}, {"name": "job", "value": "x"}]) == 'service="", job="x"'


# what was typed, and words of what is wrong with it
NO_MATCHERS = [
    ("payment", "“payment”: Write name="),
    ('service="a" job="b"', "Write name="),
    ('service="a', "Write name="),
    ('=~"a"', "Write name="),
]


@pytest.mark.parametrize(("text", "words"), NO_MATCHERS)
def test_what_is_no_matcher_is_said_beside_its_field(text: str, words: str) -> None:
    with pytest.raises(Invalid) as wrong:
        said.matchers_of(text, "sources")
    (fault,) = wrong.value.errors
    assert fault.field == "sources" and words in fault.message and len(fault.message) < 300
