"""What keeps an alert quiet at this moment, and for how long?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from pydantic import ValidationError

from engine.matching.conditions import Subject
from engine.matching.windows import Window
from engine.model.silences import InhibitionSpec, Matcher, SilenceSpec
from engine.stages.quiet import Inhibition, Inhibitions, Matching, Silence, Silences, matchable

pytestmark = pytest.mark.fast

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALERT = {"alertname": "DiskFull", "service": "db", "instance": "db-1:9100"}


def matchers(said: str) -> tuple[Matcher, ...]:
    """Matchers as `name op value`, with commas between them."""
    return tuple(Matcher.model_validate(dict(zip(("name", "op", "value"), [*part.split(), ""], strict=False))) for part in said.split(", "))


# matchers, whether they hold for the alert, why
MATCHED = [
    ("alertname = DiskFull", True, "the same"),
    ("alertname = Disk", False, "the whole value"),
    ("alertname =~ Disk.*", True, "an expression"),
    ("alertname =~ Disk", False, "that matches the whole value"),
    ("alertname !~ Cpu.*", True, "an expression that does not match"),
    ("service != web", True, "another"),
    ("team = ", True, "missing is the empty text"),
    ("team != ", False, "missing is the empty text"),
    ("team =~ .*", True, "that an expression may match"),
    ("alertname = DiskFull, service = web", False, "all have to hold"),
]


@pytest.mark.parametrize(("said", "is_so", "why"), MATCHED)
def test_matchers_are_read_as_alertmanager_reads_them(said: str, is_so: bool, why: str) -> None:
    assert Matching(matchers(said))(ALERT) is is_so, why


def test_a_field_is_known_by_its_name_where_no_label_has_it() -> None:
    subject = Subject(NOON, {"service": "orders", "environment": "prod", "title": "x", "team": None}, {"service": "db"}, {})
    assert matchable(subject.fields, subject.labels) == {"service": "db", "environment": "prod"}


def test_a_matcher_is_written_as_it_is_read_elsewhere() -> None:
    assert str(Matcher(name="path", op="=~", value='C:\\\\.*"x"')) == 'path=~"C:\\\\\\\\.*\\"x\\""'


def silence(number: int, begins: str, ends: str, rule: str = "", said: str = "service = db") -> Silence:
    """A silence by the clock of UTC."""
    window = Window(datetime.fromisoformat(f"2026-03-{begins}"), datetime.fromisoformat(f"2026-03-{ends}"), "UTC", rule)
    return Silence(id=UUID(int=number), matchers=matchers(said), window=window)


def test_an_alert_is_quiet_from_the_beginning_of_a_silence_to_its_end() -> None:
    once = silence(1, "06T12:00", "06T14:00")
    silences = Silences([once, silence(2, "06T12:00", "06T20:00", said="service = web")])
    told = {at: silences.muting(ALERT, NOON + at * HOUR) for at in (-1, 0, 1, 2, 1)}
    end = NOON + 2 * HOUR
    assert told == {-1: [], 0: [(once, end)], 1: [(once, end)], 2: []}, "also when it is asked of what is past"


def test_until_when_nothing_begins_or_ends_is_known() -> None:
    silences = Silences([silence(1, "06T10:00", "06T14:00"), silence(2, "07T00:00", "07T01:00", "FREQ=DAILY")])
    silences.active(NOON)
    assert silences.until == NOON + 2 * HOUR
    silences.active(NOON + 3 * HOUR)
    assert silences.until == NOON + 12 * HOUR
    over = Silences([silence(1, "06T10:00", "06T11:00")])
    assert (over.active(NOON), over.until) == ([], None)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10), st.booleans()), max_size=6),
    st.lists(st.integers(0, 120), min_size=1, max_size=20),
)
def test_what_is_remembered_of_silences_is_what_would_be_found_anew(given: list[tuple[int, int, bool]], asked: list[int]) -> None:
    base = datetime.fromisoformat("2026-03-01")
    made = [
        Silence(
            id=UUID(int=n),
            matchers=matchers("service = db"),
            window=Window(base + b * HOUR, base + (b + length) * HOUR, "UTC", "FREQ=DAILY" if again else ""),
        )
        for n, (b, length, again) in enumerate(given)
    ]
    remembering = Silences(made)
    for hours in asked:
        now = datetime(2026, 3, 1, tzinfo=UTC) + hours * HOUR
        assert remembering.active(now) == Silences(made).active(now)


NODE_DOWN = Inhibition(
    id=UUID(int=1), name="node", sources=matchers("alertname = NodeDown"), targets=matchers("severity =~ warning|error"), equal=("node",)
)


_NAMES, _VALUES = st.sampled_from(["a", "b"]), st.sampled_from(["", "x", "y", "xy"])
_MATCHER = st.one_of(
    st.tuples(_NAMES, st.sampled_from(["=", "!="]), _VALUES),
    st.tuples(_NAMES, st.sampled_from(["=~", "!~"]), st.sampled_from(["x.*", "x|y", ".*", "", "y?"])),
)


@given(st.lists(st.lists(_MATCHER, min_size=1, max_size=3), max_size=8), st.dictionaries(_NAMES, _VALUES))
def test_of_many_silences_those_are_found_whose_matchers_hold(said: list[list[tuple[str, str, str]]], labels: dict[str, str]) -> None:
    window = Window(NOON.replace(tzinfo=None), (NOON + HOUR).replace(tzinfo=None))
    many = [tuple(Matcher(name=name, op=op, value=value) for name, op, value in each) for each in said]  # pyright: ignore[reportArgumentType]
    silences = Silences([Silence(id=UUID(int=n), matchers=each, window=window) for n, each in enumerate(many)])
    found = [silence.id.int for silence, _ in silences.muting(labels, NOON)]
    assert found == [n for n, each in enumerate(many) if all(one.holds(labels.get(one.name, "")) for one in each)]


def inhibited_by(inhibitions: Inhibitions, labels: dict[str, str], *fires: dict[str, str], now: datetime = NOON) -> set[UUID]:
    """The inhibitions by which an alert is kept quiet while others fire."""
    keys = {key for each in fires for key in inhibitions.as_source(each)}
    return {each.id for each, key in inhibitions.as_target(labels, now) if key in keys}


# what fires, the alert, whether it is kept quiet, why
INHIBITED: list[tuple[list[dict[str, str]], dict[str, str], bool, str]] = [
    ([{"alertname": "NodeDown", "node": "a"}], {"severity": "warning", "node": "a"}, True, "of the same node"),
    ([{"alertname": "NodeDown", "node": "b"}], {"severity": "warning", "node": "a"}, False, "of another node"),
    ([{"alertname": "NodeDown"}], {"severity": "warning"}, True, "both say no node"),
    ([{"alertname": "NodeDown", "node": "a"}], {"severity": "critical", "node": "a"}, False, "no target"),
    ([], {"severity": "warning", "node": "a"}, False, "nothing fires"),
    ([{"alertname": "Other", "node": "a"}], {"severity": "warning", "node": "a"}, False, "no source fires"),
    (
        [{"alertname": "NodeDown", "node": "a", "severity": "error"}],
        {"alertname": "NodeDown", "node": "a", "severity": "error"},
        False,
        "an alert that is source and target does not keep itself quiet, nor one like it",
    ),
    ([{"alertname": "NodeDown", "node": "a", "severity": "error"}], {"severity": "warning", "node": "a"}, True, "but others it does"),
    (
        [{"alertname": "NodeDown", "node": "a"}],
        {"alertname": "NodeDown", "node": "a", "severity": "error"},
        True,
        "and by a mere source it is",
    ),
]


@pytest.mark.parametrize(("fires", "labels", "is_quiet", "why"), INHIBITED)
def test_an_alert_is_inhibited_as_by_alertmanager(fires: list[dict[str, str]], labels: dict[str, str], is_quiet: bool, why: str) -> None:
    inhibitions = Inhibitions([NODE_DOWN])
    assert inhibited_by(inhibitions, labels, *fires) == ({NODE_DOWN.id} if is_quiet else set()), why


def test_an_inhibition_counts_until_it_expires() -> None:
    brief = Inhibitions([structs.replace(NODE_DOWN, expires=NOON + HOUR)])
    warning, down = {"severity": "warning", "node": "a"}, {"alertname": "NodeDown", "node": "a"}
    assert inhibited_by(brief, warning, down) == {NODE_DOWN.id}
    assert inhibited_by(brief, warning, down, now=NOON + HOUR) == set()


SILENCE: dict[str, Any] = {
    "matchers": [{"name": "service", "value": "db"}],
    "starts": "2026-03-06T12:00",
    "ends": "2026-03-06T14:00",
    "comment": "new disks",
}
# what is said instead, words of the refusal
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"matchers": []}, "at least 1"),
    ({"matchers": [{"name": "team", "op": "=~", "value": ".*"}]}, "hold for every alert"),
    ({"matchers": [{"name": "service", "op": "=~", "value": "("}]}, "no regular expression"),
    ({"matchers": [{"name": "ser vice=", "value": "x"}]}, "pattern"),
    ({"comment": " "}, "at least 1 character"),
    ({"zone": "Berlin"}, "no time zone"),
    ({"starts": "2026-03-06T12:00Z"}, "wall clock"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_a_silence_that_cannot_be_meant_is_refused(said: dict[str, Any], words: str) -> None:
    assert SilenceSpec.model_validate(SILENCE).matchers[0].op == "="
    with pytest.raises(ValidationError) as refused:
        SilenceSpec.model_validate(SILENCE | said)
    assert words in str(refused.value)


def test_an_inhibition_of_everything_is_refused() -> None:
    node, all_of_them = [{"name": "alertname", "value": "NodeDown"}], [{"name": "x", "op": "!=", "value": "y"}]
    assert InhibitionSpec.model_validate({"name": "one", "sources": node, "targets": node}).enabled
    for said in ({"sources": all_of_them, "targets": node}, {"sources": node, "targets": all_of_them}):
        with pytest.raises(ValidationError, match="hold for every alert"):
            InhibitionSpec.model_validate({"name": "one"} | said)
