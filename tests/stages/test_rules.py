"""What do rules say about an alert, one after the other?"""

from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.matching.conditions import Subject
from engine.model.ruled import Gate, Ruling
from engine.model.rulings import RuleSpec
from engine.model.vocabulary import Severity
from engine.stages import rules
from engine.stages.rules import Rule, RuleSet

pytestmark = pytest.mark.fast

NOW = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)
ALWAYS: dict[str, Any] = {"all": []}


def subject() -> Subject:
    """A warning of the payment service."""
    fields: dict[str, str | None] = {"title": "ErrorRateHigh", "severity": "warning", "service": "payment", "environment": "prod"}
    return Subject(NOW, fields, {"job": "node", "host": "pay-1"}, {})


def rule(number: int, when: Any, then: dict[str, Any], *, stop: bool = False, priority: int | None = None) -> Rule:
    """A rule with its number as id and, unless told, as priority."""
    spec = RuleSpec.model_validate({"name": f"rule {number}", "when": when, "then": then, "stop": stop})
    at = number if priority is None else priority
    return Rule(id=UUID(int=number), version=1, name=spec.name, priority=at, when=spec.when, then=spec.then, stop=spec.stop)


def judged(alert: Subject, *given: Rule) -> Ruling:
    """What the rules say."""
    return RuleSet(given).judge(alert)


def named(ruling: Ruling) -> list[str]:
    """Which rules matched, in order."""
    return [ran.name for ran in ruling.ran]


def field(name: str, value: str) -> dict[str, str]:
    """That a field has a value."""
    return {"field": name, "value": value}


def test_a_rule_sets_what_it_says_and_says_what_it_did() -> None:
    alert = subject()
    then = {
        "severity": "critical",
        "service": "{{service}}-eu",
        "team": "payments",
        "labels": {"where": "{{labels.host}} in {{environment}}"},
    }
    ruling = judged(alert, rule(1, field("service", "payment"), then))
    assert (rules.severity_of(alert), alert.fields["service"], alert.fields["team"]) == (Severity.CRITICAL, "payment-eu", "payments")
    assert alert.labels["where"] == "pay-1 in prod"
    (ran,) = ruling.ran
    assert ran.did == ("severity critical", "service payment-eu", "team payments", "label where=pay-1 in prod")
    assert (ran.rule_id, ran.version) == (UUID(int=1), 1)


def test_what_is_so_already_is_not_done() -> None:
    (ran,) = judged(subject(), rule(1, ALWAYS, {"severity": "warning", "labels": {"job": "node"}})).ran
    assert ran.did == ()


def test_rules_are_asked_by_priority_and_a_later_one_counts() -> None:
    alert = subject()
    first, second = (
        rule(1, ALWAYS, {"severity": "error", "group_by": ["service"]}),
        rule(2, ALWAYS, {"severity": "info", "group_by": ["labels.host"]}),
    )
    ruling = judged(alert, second, first)
    assert named(ruling) == ["rule 1", "rule 2"]
    assert (rules.severity_of(alert), ruling.group, ruling.grouped_by) == (Severity.INFO, ("host pay-1",), "rule 2")


def test_a_rule_that_stops_is_the_last() -> None:
    alert = subject()
    ruling = judged(alert, rule(1, ALWAYS, {"severity": "error"}, stop=True), rule(2, ALWAYS, {"severity": "info"}))
    assert (named(ruling), rules.severity_of(alert)) == (["rule 1"], Severity.ERROR)
    missed = rule(1, field("service", "cart"), {"severity": "error"}, stop=True)
    assert named(judged(subject(), missed, rule(2, ALWAYS, {"severity": "info"}))) == ["rule 2"], "one that does not match stops nothing"


def test_a_later_rule_sees_what_an_earlier_one_set() -> None:
    renamed = rule(1, field("labels.job", "node"), {"service": "hosts", "labels": {"kind": "machine"}})
    for when in (field("service", "hosts"), field("labels.kind", "machine"), {"field": "service", "op": "=~", "value": "ho.*"}):
        assert named(judged(subject(), renamed, rule(2, when, {"severity": "info"}))) == ["rule 1", "rule 2"]
    assert named(judged(subject(), renamed, rule(2, field("service", "payment"), {"severity": "info"}))) == ["rule 1"]


def test_an_earlier_rule_is_not_asked_again() -> None:
    assert named(judged(subject(), rule(1, field("service", "hosts"), {"severity": "info"}), rule(2, ALWAYS, {"service": "hosts"}))) == [
        "rule 2"
    ]


# what a rule does, what the ruling says, the words
DECIDED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"group_by": ["labels.host", "resource"]},
        {"group": ("host pay-1", "resource –"), "grouped_by": "rule 1"},
        "grouped by labels.host, resource",
    ),
    ({"hold_minutes": 5}, {"hold_minutes": 5}, "held for 5 min"),
    ({"suppress": True}, {"suppressed_by": "rule 1"}, "suppressed"),
    ({"notify_only": True}, {"notify_only": "rule 1"}, "notify only"),
    ({"analyse": True}, {"analyse": "rule 1"}, "analyse"),
    ({"runbook": "restart"}, {"runbooks": {"restart": "rule 1"}}, "runs restart"),
    ({"threshold": {"count": 3, "minutes": 10}}, {"threshold": Gate(UUID(int=1), 3, "alerts", 10)}, "opens at 3 alerts in 10 min"),
]


@pytest.mark.parametrize(("then", "said", "words"), DECIDED)
def test_a_rule_decides_what_becomes_of_the_alert(then: dict[str, Any], said: dict[str, Any], words: str) -> None:
    ruling = judged(subject(), rule(1, ALWAYS, then))
    assert {name: getattr(ruling, name) for name in said} == said
    assert ruling.ran[0].did == (words,)


# what is said of a rule, words of the refusal
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"then": {}}, "at least one action"),
    ({"then": {"suppress": True, "runbook": "restart"}}, "opens nothing"),
    ({"then": {"severity": "bad"}}, "'critical', 'error', 'warning' or 'info'"),
    ({"then": {"labels": {"0bad": "x"}}}, "pattern"),
    ({"then": {"threshold": {"count": 1, "minutes": 5}}}, "greater than or equal to 2"),
    ({"then": {"explode": True}}, "Extra inputs"),
    ({"name": " "}, "at least 1 character"),
]


@pytest.mark.parametrize(("said", "words"), REFUSED)
def test_a_rule_that_cannot_be_meant_is_refused(said: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RuleSpec.model_validate({"name": "one", "when": ALWAYS, "then": {"severity": "info"}} | said)
    assert words in str(refused.value)


VALUES = st.sampled_from(["payment", "cart", "hosts", "node"])
WHEN = st.one_of(
    st.builds(lambda value: field("service", value), VALUES),
    st.builds(lambda value: {"all": [field("labels.job", value), {"field": "severity", "op": ">=", "value": "warning"}]}, VALUES),
    st.builds(lambda value: {"field": "service", "op": "=~", "value": f".*{value[:2]}.*"}, VALUES),
    st.just(ALWAYS),
)
THEN = st.one_of(
    st.builds(lambda value: {"service": value}, VALUES),
    st.builds(lambda value: {"labels": {"job": value}}, VALUES),
    st.builds(lambda value: {"severity": value}, st.sampled_from(list(Severity))),
)


@given(st.lists(st.tuples(WHEN, THEN, st.booleans(), st.integers(0, 3)), max_size=12), st.randoms(use_true_random=False))
def test_the_order_in_which_rules_are_read_changes_nothing_and_none_is_forgotten(given: list[Any], random: Random) -> None:
    made = [rule(number, when, then, stop=stop, priority=priority) for number, (when, then, stop, priority) in enumerate(given, 1)]
    shuffled = list(made)
    random.shuffle(shuffled)
    one, other = subject(), subject()
    assert RuleSet(made).judge(one) == RuleSet(shuffled).judge(other)
    assert (one.fields, one.labels) == (other.fields, other.labels)
    asked, slow = subject(), list[str]()
    for each in sorted(made, key=lambda rule: (rule.priority, rule.id)):
        alone = RuleSet([each]).judge(asked)
        slow += named(alone)
        if alone.ran and each.stop:
            break
    assert named(RuleSet(made).judge(subject())) == slow, "as if each was asked by itself"
