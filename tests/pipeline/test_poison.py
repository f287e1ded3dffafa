"""Does one alert that cannot be understood ever hold up the others?"""

from dataclasses import replace
from typing import Any

import pytest

from engine import pipeline
from engine.integrations.sources import KINDS
from engine.integrations.sources.contract import Undecodable
from engine.model.heard import Delivery, Fault, Heard, Known, Policy
from engine.operations import quarantine
from engine.stages.normalise import normalise
from tests.pipeline.stored import Line
from tests.testkit.deliveries import alert, group


def reads(patch: pytest.MonkeyPatch, fault: Exception) -> None:
    """From now on Alertmanager's kind fails on what holds the word `poison`."""
    real = KINDS["alertmanager"]

    def read(delivery: Delivery, settings: Any) -> list[Heard | Fault]:
        if b"poison" in delivery.body:
            raise fault
        return real.read(delivery, settings)

    patch.setitem(KINDS._entries, "alertmanager", replace(real, read=read))


def aside(line: Line) -> list[Any]:
    """What is in the quarantine."""
    return line.rows("SELECT * FROM quarantine ORDER BY id")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Undecodable("There is no list."), "There is no list."),
        (ZeroDivisionError("x"), "A fault of ours while reading it (ZeroDivisionError); replay it after an update."),
        (RecursionError(), "A fault of ours while reading it (RecursionError); replay it after an update."),
    ],
)
def test_a_delivery_that_cannot_be_read_is_put_aside_and_the_others_go_on(
    line: Line, monkeypatch: pytest.MonkeyPatch, fault: Exception, reason: str
) -> None:
    source = line.source()
    reads(monkeypatch, fault)
    bad = line.post(source, group(alert("poison")))
    line.keep(line.post(source, group(alert("Before"))), bad, line.post(source, group(alert("After"))))
    assert line.apply_batch() == 3
    assert {row.title for row in line.alert_rows()} == {"Before", "After"}
    (kept,) = aside(line)
    assert (kept.reason, kept.delivery_id, kept.source_id, kept.state, kept.kind) == (reason, bad.id, source.id, "waiting", "alertmanager")
    assert line.waiting() == []


def test_an_alert_that_cannot_be_normalised_is_put_aside_and_the_rest_of_its_delivery_goes_on(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(heard: Heard, policy: Policy) -> Known:
        if heard.title == "poison":
            raise KeyError("x")
        return normalise(heard, policy)

    monkeypatch.setattr(pipeline, "normalise", poisoned)
    line.send(line.source(), group(alert("One"), alert("poison"), alert("Two")))
    assert [row.title for row in line.alert_rows()] == ["One", "Two"]
    (kept,) = aside(line)
    assert (kept.index, kept.reason) == (1, "A fault of ours while normalising it (KeyError); replay it after an update.")


def test_each_alert_that_is_none_is_put_aside_by_its_place(line: Line) -> None:
    line.send(line.source("generic"), b'[{"title": "One"}, 7, {"title": "Two"}, "x"]')
    assert [row.title for row in line.alert_rows()] == ["One", "Two"]
    assert [(row.index, row.reason) for row in aside(line)] == [(1, "An alert must be an object."), (3, "An alert must be an object.")]


def test_what_is_put_aside_belongs_to_the_team_of_its_source(line: Line) -> None:
    source = line.source("generic", team_id=line.company.red.id)
    line.send(source, b'[{"title": "One"}, 7]')
    assert [row.team_id for row in aside(line)] == [line.company.red.id]


def test_one_alert_that_was_put_aside_is_replayed_alone(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "normalise", lambda heard, policy: 1 / 0 if heard.title == "Two" else normalise(heard, policy))
        line.send(line.source(), group(alert("One"), alert("Two")))
    quarantine.replay(line.company.owner, [row.id for row in aside(line)])
    line.apply_batch()
    assert [(row.title, row.deliveries) for row in line.alert_rows()] == [("One", 1), ("Two", 1)]
    assert [row.state for row in aside(line)] == ["replayed"]


def test_a_whole_delivery_that_was_put_aside_is_replayed_whole(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        reads(patch, ZeroDivisionError())
        line.send(line.source(), group(alert("poison One"), alert("poison Two")))
    assert line.alert_rows() == []
    quarantine.replay(line.company.owner, [row.id for row in aside(line)])
    line.apply_batch()
    assert [row.title for row in line.alert_rows()] == ["poison One", "poison Two"]


def test_what_still_cannot_be_read_stays_in_the_quarantine_with_its_reason(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "normalise", lambda heard, policy: 1 / 0 if "Two" in heard.title else normalise(heard, policy))
        line.send(line.source(), group(alert("poison One"), alert("poison Two")))
    reads(monkeypatch, ZeroDivisionError())
    (failed,) = quarantine.replay(line.company.owner, [row.id for row in aside(line)]).failed
    line.apply_batch()
    assert "still cannot be understood" in failed.error
    assert [row.state for row in aside(line)] == ["waiting"], "nothing that was delivered is ever lost"
