"""Do the same deliveries end in the same alerts, in whatever order and batches they come?"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.deciding import rule
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE
from tests.testkit.deliveries import alert, group

START = st.integers(0, 8)
SAID = st.tuples(st.sampled_from("AB"), START, st.none() | st.integers(0, 8))
SEVERITIES = ("critical", "error", "warning", "info")
COLUMNS = "title, status, severity, severity_rank, count, starts_at, ends_at, ended_at, labels, annotations, search"
Said = tuple[str, int, int | None]


def told(line: Line, said: Said, beside: Said | None = None) -> bytes:
    """The delivery that says it; severity and title follow from the start."""
    found: list[dict[str, Any]] = []
    for name, start, length in (said, beside) if beside else (said,):
        starts = line.begins - timedelta(hours=1) + start * MINUTE
        ends = None if length is None else starts + length * MINUTE
        each = alert(name, starts=starts, ends=ends, summary=f"{name} since {start}")
        each["labels"]["severity"] = SEVERITIES[start % 4]
        found.append(each | {"fingerprint": name})
    return group(*found)


def ended(line: Line, said: list[Said], sizes: list[int]) -> dict[str, Any]:
    """The alerts after these deliveries in batches of these sizes, by name."""
    source = line.source()
    rest, batches = list(said), [*sizes, len(said)]
    while rest:
        size = max(1, batches.pop(0))
        line.keep(*(line.post(source, told(line, each), line.begins + (len(said) - len(rest)) * MINUTE / 1000) for each in rest[:size]))
        line.apply_batch()
        rest = rest[size:]
    rows = line.rows(f"SELECT {COLUMNS}, fingerprint, deliveries FROM alert WHERE source_id = :id", id=source.id)
    return {row.fingerprint: row for row in rows}


@given(
    st.data(),
    # an alert whose start was never heard of has nothing to say but its first end
    st.lists(SAID, min_size=1, max_size=6, unique=True).map(lambda said: [*said, ("A", 0, None), ("B", 0, None)]),
    st.lists(st.integers(1, 4), min_size=12, max_size=12),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_deliveries_in_any_order_repeated_and_in_any_batches_end_in_the_same_alerts(
    line: Line, data: st.DataObject, said: list[Said], sizes: list[int]
) -> None:
    more = data.draw(st.lists(st.sampled_from(said), max_size=4))
    plain, shuffled = ended(line, said, [len(said)]), ended(line, data.draw(st.permutations(said + more)), sizes)
    assert {name: tuple(row)[:11] for name, row in shuffled.items()} == {name: tuple(row)[:11] for name, row in plain.items()}
    assert {name: row.deliveries for name, row in shuffled.items()} == {name: row.deliveries for name, row in plain.items()}


@given(
    st.data(),
    st.lists(SAID, min_size=1, max_size=5, unique=True).map(lambda said: [*said, ("A", 0, None), ("B", 0, None)]),
    st.lists(st.integers(1, 4), min_size=12, max_size=12),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_rules_too_deliveries_in_any_order_and_repeated_end_in_the_same_alerts(
    decided: Line, data: st.DataObject, said: list[Said], sizes: list[int]
) -> None:
    more = data.draw(st.lists(st.sampled_from(said), max_size=4))
    plain, shuffled = ended(decided, said, [len(said)]), ended(decided, data.draw(st.permutations(said + more)), sizes)
    assert {name: tuple(row)[:11] for name, row in shuffled.items()} == {name: tuple(row)[:11] for name, row in plain.items()}
    assert {row.labels["by"] for row in plain.values()} <= {"first", "second"}


@pytest.fixture
def decided(line: Line) -> Line:
    """An organization whose rules build upon each other."""
    rule(line, {"field": "title", "op": "like", "value": "A*"}, {"labels": {"by": "first"}, "severity": "error"}, "one")
    rule(line, {"field": "labels.by", "op": "missing"}, {"labels": {"by": "second"}, "group_by": ["title"]}, "two")
    rule(line, {"field": "title", "op": "=~", "value": ".* since [1-3]"}, {"hold_minutes": 5, "team": "{{labels.by}}"}, "three")
    rule(line, {"logic": {"==": [{"var": "labels.by"}, "second"]}}, {"suppress": True}, "four")
    return line


def test_two_alerts_of_one_delivery_with_one_identity_are_heard_one_after_the_other(line: Line) -> None:
    source = line.source()
    line.send(source, told(line, ("A", 0, None), ("A", 2, None)))
    assert (line.alert_row().count, line.alert_row().deliveries, line.alert_row().title) == (2, 2, "A since 2")
