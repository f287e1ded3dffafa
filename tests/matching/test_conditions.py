"""Of which alerts does a condition hold, and what does it say about why?"""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from engine.matching import conditions
from engine.matching.conditions import Patterns, Subject, compiled, explain, turn
from engine.model.conditions import Condition, TimeRange, require_small

pytestmark = pytest.mark.fast

READ: TypeAdapter[Condition] = TypeAdapter(Condition)
NOW = datetime(2026, 3, 6, 22, 30, tzinfo=UTC)  # a Friday


def subject(now: datetime = NOW, **fields: str | None) -> Subject:
    """An alert of the payment service."""
    said: dict[str, str | None] = {"title": "ErrorRateHigh", "severity": "error", "service": "payment-api", "environment": "prod"}
    labels = {"job": "node", "instance": "pay-1:9100", "replicas": "3", "dots.in.name": "yes"}
    return Subject(now, said | fields, labels, {"summary": "4.8 % of requests fail"})


def holds(said: Any, alert: Subject | None = None) -> bool:
    """Whether a condition holds for the alert."""
    patterns = Patterns()
    test = compiled(READ.validate_python(said), patterns)
    patterns.ready()
    return test(alert or subject())


# field, comparison, value, whether it holds, why
COMPARED = [
    ("service", "=", "payment-api", True, "the same"),
    ("service", "=", "Payment-api", False, "letters are told apart"),
    ("service", "!=", "cart", True, "another"),
    ("resource", "=", "", True, "missing is the empty text"),
    ("resource", "!=", "db-1", True, "and differs from every other, as in Prometheus"),
    ("labels.job", "=", "node", True, "a label"),
    ("labels.dots.in.name", "=", "yes", True, "a label may have dots in its name"),
    ("annotations.summary", "like", "*requests*", True, "an annotation"),
    ("labels.gone", "exists", "", False, "a label that is not there"),
    ("labels.gone", "missing", "", True, "a label that is not there"),
    ("labels.job", "exists", "", True, "a label that is there"),
    ("service", "like", "payment-*", True, "a star is anything"),
    ("service", "like", "payment-??i", True, "a question mark is one letter"),
    ("service", "like", "payment-?", False, "and no more than one"),
    ("service", "like", "payment", False, "the whole value"),
    ("labels.instance", "like", "pay-1:9100", True, "other signs are themselves"),
    ("labels.instance", "like", "pay.1:9100", False, "other signs are themselves"),
    ("service", "not like", "cart-*", True, "another"),
    ("service", "=~", "pay.*|cart.*", True, "an expression"),
    ("service", "=~", "pay", False, "that matches the whole value"),
    ("service", "!~", "cart.*", True, "that does not match"),
    ("resource", "=~", ".*", True, "missing is the empty text for expressions too"),
    ("service", "in", ["cart", "payment-api"], True, "one of several"),
    ("service", "not in", ["cart"], True, "none of several"),
    ("severity", ">=", "error", True, "as bad"),
    ("severity", ">=", "warning", True, "worse"),
    ("severity", ">", "error", False, "not worse"),
    ("severity", "<", "critical", True, "less bad"),
    ("labels.replicas", ">", "2.5", True, "numbers"),
    ("labels.replicas", "<=", "3", True, "numbers"),
    ("labels.job", ">", "2", False, "no number is more than none"),
    ("labels.job", "<", "2", False, "and none is less"),
]


@pytest.mark.parametrize(("field", "op", "value", "is_so", "why"), COMPARED)
def test_a_field_is_compared(field: str, op: str, value: Any, is_so: bool, why: str) -> None:
    assert holds({"field": field, "op": op, "value": value}) is is_so, why


def test_an_alert_without_severity_is_neither_worse_nor_less_bad() -> None:
    bare = subject(severity=None)
    assert not any(holds({"field": "severity", "op": op, "value": "info"}, bare) for op in (">", ">=", "<", "<="))


PAYS, CARTS = {"field": "service", "op": "like", "value": "pay*"}, {"field": "service", "op": "like", "value": "cart*"}
# condition, whether it holds, why
JOINED = [
    ({"all": [PAYS, {"field": "environment", "value": "prod"}]}, True, "both"),
    ({"all": [PAYS, CARTS]}, False, "one of both"),
    ({"all": []}, True, "nothing is asked"),
    ({"any": [CARTS, PAYS]}, True, "one is enough"),
    ({"any": [CARTS]}, False, "none"),
    ({"not": CARTS}, True, "the other way round"),
    ({"not": {"all": [PAYS, {"not": CARTS}]}}, False, "deep"),
    ({"logic": {"and": [{"==": [{"var": "labels.job"}, "node"]}, {"in": ["pay", {"var": "service"}]}]}}, True, "JSON Logic"),
    ({"logic": {">": [{"var": "labels.replicas"}, 5]}}, False, "JSON Logic counts"),
    ({"logic": {"/": [{"var": "title"}, 0]}}, False, "what cannot be evaluated holds for nothing"),
    ({"logic": True}, True, "always"),
]


@pytest.mark.parametrize(("said", "is_so", "why"), JOINED)
def test_conditions_are_joined(said: Any, is_so: bool, why: str) -> None:
    assert holds(said) is is_so, why
    assert explain(READ.validate_python(said), subject()).holds is is_so, "and explained alike"


# days, from, to, zone, whether Friday 22:30 UTC is in it, why
WEEK = [
    (["fri"], "20:00", "23:00", "UTC", True, "that evening"),
    (["sat"], "20:00", "23:00", "UTC", False, "another day"),
    (["fri"], "22:30", "23:00", "UTC", True, "it begins then"),
    (["fri"], "20:00", "22:30", "UTC", False, "it ends then"),
    (["fri"], "22:00", "06:00", "UTC", True, "past midnight, before it"),
    (["thu"], "22:00", "23:00", "UTC", False, "the evening before"),
    (["fri"], "23:00", "00:00", "Europe/Berlin", True, "there it is 23:30"),
    (["sat"], "00:00", "08:00", "Asia/Tokyo", True, "there it is Saturday morning"),
    (["fri"], "22:00", "08:00", "Asia/Tokyo", True, "of the night that began on Friday"),
    (["sat"], "22:00", "08:00", "Asia/Tokyo", False, "and not of the one that is to come"),
    (["fri"], "00:00", "00:00", "UTC", True, "the whole day"),
]


@pytest.mark.parametrize(("days", "since", "until", "zone", "is_so", "why"), WEEK)
def test_times_of_the_week_are_by_the_clock_on_the_wall(days: list[str], since: str, until: str, zone: str, is_so: bool, why: str) -> None:
    assert holds({"times": [{"days": days, "from": since, "to": until, "zone": zone}]}) is is_so, why


# what is said, words of the refusal, why
REFUSED = [
    ({"field": "serivce", "value": "x"}, "pattern", "no such field"),
    ({"field": "service", "op": "is", "value": "x"}, "Input should be", "no such comparison"),
    ({"field": "service", "op": "=~", "value": "(a"}, "no regular expression: missing )", "a bracket is missing"),
    ({"field": "service", "op": "=~", "value": r"(a)\1"}, "no regular expression", "it cannot be matched in linear time"),
    ({"field": "service", "op": "in", "value": "x"}, "take a list", "one value where a list is meant"),
    ({"field": "service", "op": "=", "value": ["x"]}, "take a list", "a list where one value is meant"),
    ({"field": "severity", "op": ">", "value": "bad"}, "A severity is", "no severity"),
    ({"field": "labels.n", "op": ">", "value": "many"}, "compare numbers", "no number"),
    ({"times": [{"zone": "Berlin"}]}, "no time zone", "no zone"),
    ({"times": [{"from": "25:00"}]}, "time", "no time"),
    ({"any": []}, "at least 1", "nothing can hold"),
    ({"all": [PAYS], "any": [PAYS]}, "not permitted", "two at once"),
    ({"not": {"not": {"field": "service", "op": "=~", "value": "["}}}, "no regular expression", "deep"),
]


@pytest.mark.parametrize(("said", "words", "why"), REFUSED)
def test_what_cannot_be_meant_is_refused_in_its_own_terms(said: Any, words: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        READ.validate_python(said)
    assert words in str(refused.value), why
    assert refused.value.error_count() == 1, "one mistake is one fault"


def test_a_condition_of_too_many_parts_or_too_deep_is_refused() -> None:
    deep: Any = PAYS
    for _ in range(10):
        deep = {"not": deep}
    for said in (deep, {"any": [{"all": [PAYS] * 150}, {"all": [PAYS] * 150}]}):
        with pytest.raises(Exception, match="at most 200 parts"):
            require_small(READ.validate_python(said))
    require_small(READ.validate_python({"all": [PAYS] * 199}))


def test_faults_of_json_logic_are_said_with_their_place() -> None:
    assert conditions.faults_of_logic({"and": [{"==": [1, 1]}, {"sounds_like": ["a"]}]}) == ["unknown operator `sounds_like` at /and/1"]
    assert conditions.faults_of_logic({"now": []}) != [], "what knows the time would not be the same twice"
    assert conditions.faults_of_logic({"==": [{"var": "title"}, "x"]}) == []


def test_every_part_says_what_it_has_seen() -> None:
    said = {
        "all": [
            PAYS,
            {"not": {"field": "labels.job", "op": "in", "value": ["cron", "batch"]}},
            {"logic": {"==": [{"var": "severity"}, "info"]}},
        ]
    }
    trace = explain(READ.validate_python(said), subject())
    assert (trace.said, trace.holds) == ("all of", False)
    like, negated, logic = trace.parts
    assert (like.said, like.holds, like.seen) == ("service like pay*", True, "payment-api")
    assert (negated.holds, negated.parts[0].said, negated.parts[0].seen) == (True, "labels.job in cron, batch", "node")
    assert (logic.holds, [part.seen for part in logic.parts]) == (False, ['"error"', "false"])


def test_expressions_of_two_sets_on_one_field_do_not_meet() -> None:
    first, second, alert = Patterns(), Patterns(), subject()
    mine = compiled(READ.validate_python({"field": "service", "op": "=~", "value": "pay.*"}), first)
    others = compiled(READ.validate_python({"field": "service", "op": "=~", "value": "cart.*"}), second)
    first.ready()
    second.ready()
    assert (mine(alert), others(alert)) == (True, False)


def test_expressions_that_fit_into_no_single_automaton_are_each_asked() -> None:
    patterns = Patterns()
    wide = [patterns.add("title", f"host-{number}:9100.{{1,100}}") for number in range(300)]
    large = patterns.add("title", r"\pL{1,200}x")
    patterns.ready()
    assert (patterns.match("title", "host-7:9100 down"), patterns.match("title", "aax")) == ({wide[7]}, {large})
    assert patterns.match("title", "host-7") == frozenset()


# a range, a moment, when it may turn
TURNS = [
    ({"from": "22:00", "to": "06:00"}, "2026-11-21T21:00Z", "2026-11-21T22:00Z"),
    ({"from": "22:00", "to": "06:00"}, "2026-11-21T22:00Z", "2026-11-22T00:00Z"),
    ({"from": "22:00", "to": "06:00"}, "2026-11-22T00:00Z", "2026-11-22T06:00Z"),
    ({"days": ["sat"]}, "2026-11-21T10:00Z", "2026-11-22T00:00Z"),
    ({"from": "02:30", "to": "05:00", "zone": "Europe/Berlin"}, "2026-03-29T00:30Z", "2026-03-29T01:00Z"),  # 02:30 is skipped
    ({"from": "02:30", "to": "05:00", "zone": "Europe/Berlin"}, "2026-10-24T23:00Z", "2026-10-25T00:30Z"),  # 02:30 comes twice
]


@pytest.mark.parametrize(("range", "now", "turns"), TURNS)
def test_the_next_turn_of_a_time_of_the_week_is_known(range: dict[str, Any], now: str, turns: str) -> None:
    assert turn(TimeRange.model_validate(range), datetime.fromisoformat(now)) == datetime.fromisoformat(turns)


def test_a_subject_that_was_changed_is_seen_anew() -> None:
    said = {"all": [{"field": "service", "op": "=~", "value": "cart"}, {"logic": {"==": [{"var": "service"}, "cart"]}}]}
    patterns = Patterns()
    test, alert = compiled(READ.validate_python(said), patterns), subject()
    patterns.ready()
    assert not test(alert)
    alert.fields["service"] = "cart"
    alert.changed()
    assert test(alert)


@given(st.text(max_size=30), st.text(alphabet="ab*?.\\[(", max_size=12))
def test_a_wildcard_is_read_as_people_do(value: str, said: str) -> None:
    def like(value: str, said: str) -> bool:
        if not said:
            return not value
        if said[0] == "*":
            return any(like(value[place:], said[1:]) for place in range(len(value) + 1))
        return bool(value) and (said[0] == "?" or said[0] == value[0]) and like(value[1:], said[1:])

    value = value.encode(errors="replace").decode()
    assert holds({"field": "title", "op": "like", "value": said}, subject(title=value)) is like(value, said)
