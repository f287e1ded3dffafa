"""Is it counted right what came of each source, minute by minute?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import pipeline
from engine.model.ids import time_of
from engine.model.sources import SourceView
from engine.operations import overview, quarantine
from engine.stages.normalise import normalise
from engine.storage import batches, partitions
from engine.storage.database import Database
from engine.storage.work import Tenant
from engine.workflows import applier
from engine.workflows.applier import Applier
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE
from tests.testkit.database import RETENTION, TestDatabase
from tests.testkit.deliveries import alert, group
from tests.testkit.people import found_company


@pytest.fixture
def line(database: Database) -> Line:
    """A company in a database in which nobody else delivers."""
    return Line(database, found_company(database, "Acme"))


@pytest.fixture
def worker(database: Database) -> Applier:
    """A worker whose rounds the test takes by hand."""
    return Applier(database, "one")


def minutes(line: Line, source: SourceView) -> list[Any]:
    """What is counted of a source, minute by minute."""
    return line.rows("SELECT * FROM intake_minute WHERE source_id = :id ORDER BY id", id=source.id)


def sums(line: Line, source: SourceView) -> tuple[int, int, int]:
    """Deliveries, alerts as often as they were heard, and those that began to fire."""
    found = minutes(line, source)
    return sum(row.deliveries for row in found), sum(row.heard for row in found), sum(row.firings for row in found)


def test_each_source_has_a_row_for_the_minute_in_which_it_was_applied(line: Line, worker: Applier) -> None:
    one, two = line.source(), line.source(team_id=line.company.red.id)
    began = datetime.now(UTC).replace(second=0, microsecond=0)
    line.keep(line.post(one, group(alert("A"), alert("B"))), line.post(one, group(alert("C"))), line.post(two, group(alert("D"))))
    worker.round()
    assert (sums(line, one), sums(line, two)) == ((2, 3, 3), (1, 1, 1))
    for source in (one, two):
        (row,) = minutes(line, source)
        assert time_of(row.id) in (began, began + MINUTE)
        assert (row.id.int & (1 << 80) - 1, row.team_id) == (0, source.team_id)


def test_what_comes_in_a_later_batch_of_the_minute_is_added(line: Line, worker: Applier) -> None:
    source = line.source()
    for name, waited in (("A", 5), ("B", 30), ("C", 1)):
        line.keep(line.post(source, group(alert(name)), datetime.now(UTC) - timedelta(seconds=waited)))
        worker.round()
    found = minutes(line, source)
    assert len(found) <= 2 and sums(line, source) == (3, 3, 3)
    assert 36 <= sum(row.waited for row in found) < 44
    assert 30 <= max(row.slowest for row in found) < 33


# the alerts that are sent one after another, how many are heard, how many begin to fire, why
STORIES: list[tuple[list[str], int, int, str]] = [
    (["fires"], 1, 1, "it begins"),
    (["fires", "fires more"], 2, 1, "it goes on"),
    (["fires", "over"], 2, 1, "its end is heard, and is no beginning"),
    (["over"], 1, 0, "an end of what nobody heard of"),
    (["fires", "over", "fires anew"], 3, 2, "it begins again"),
]


@pytest.mark.parametrize(("story", "heard", "firings", "why"), STORIES)
def test_what_is_heard_is_counted_apart_from_what_begins(
    line: Line, worker: Applier, story: list[str], heard: int, firings: int, why: str
) -> None:
    source, t = line.source(), line.begins - 10 * MINUTE
    told = {
        "fires": alert("One", starts=t),
        "fires more": alert("One", starts=t) | {"annotations": {"summary": "more"}},
        "over": alert("One", starts=t, ends=t + MINUTE),
        "fires anew": alert("One", starts=t + 2 * MINUTE),
    }
    for part in story:
        line.keep(line.post(source, group(told[part])))
        worker.round()
    assert sums(line, source) == (len(story), heard, firings), why


def test_a_sign_of_life_is_a_delivery_and_no_alert(line: Line, worker: Applier) -> None:
    source = line.source("heartbeat")
    line.keep(line.post(source, b""))
    worker.round()
    deliveries, _, firings = sums(line, source)
    assert (deliveries, firings) == (1, 0)


def test_what_cannot_be_understood_is_a_delivery_without_an_alert(line: Line, worker: Applier) -> None:
    source = line.source("generic")
    line.keep(line.post(source, b'[{"title": "One"}, 7]'), line.post(source, b"{"))
    worker.round()
    assert sums(line, source) == (2, 1, 1)
    (counts,) = line.rows("SELECT deliveries, alerts, quarantined FROM source WHERE id = :id", id=source.id)
    assert tuple(counts) == (2, 1, 2)


def poison(patch: pytest.MonkeyPatch) -> None:
    """From now on the database refuses what is called `poison`."""
    real = batches._content

    def poisoned(known: Any) -> tuple[object, ...]:
        told = real(known)
        return (("zero \0 byte",) if told[0] == "poison" else told[:1]) + told[1:]

    patch.setattr(batches, "_content", poisoned)


def test_a_poison_delivery_is_counted_once_and_as_put_aside(line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch) -> None:
    source = line.source(team_id=line.company.red.id)
    poison(monkeypatch)
    for name in ("A", "poison", "B"):
        line.keep(line.post(source, group(alert(name))))
    worker.round()
    assert sums(line, source) == (3, 2, 2)
    assert {row.team_id for row in minutes(line, source)} == {line.company.red.id}


@pytest.mark.parametrize("how", ["deleted", "gone"])
def test_a_poison_delivery_of_a_source_that_is_gone_does_not_stop_the_organization(
    line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    gone, other = line.source(), line.source()
    poison(monkeypatch)
    line.keep(line.post(gone, group(alert("poison"))), line.post(other, group(alert("Fine"))))
    if how == "deleted":
        line.write("UPDATE source SET deleted_at = now() WHERE id = :id", id=gone.id)
    else:
        line.write("DELETE FROM source_credential WHERE source_id = :id", id=gone.id)
        line.write("DELETE FROM source WHERE id = :id", id=gone.id)
    worker.round()
    assert ([row.title for row in line.alert_rows()], line.waiting()) == (["Fine"], [])
    (kept,) = line.rows("SELECT source_id, reason, state, team_id FROM quarantine")
    assert (kept.source_id, kept.state, kept.team_id) == (gone.id, "waiting", None)
    assert (sums(line, gone), sums(line, other)) == ((1, 0, 0), (1, 1, 1))


def test_what_is_replayed_has_waited_since_then_and_not_since_it_first_came(
    line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = line.source()
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "normalise", lambda heard, policy: 1 / 0 if heard.title == "Odd" else normalise(heard, policy))
        line.keep(line.post(source, group(alert("Odd")), datetime.now(UTC) - timedelta(hours=3)))
        worker.round()
    line.write("DELETE FROM intake_minute")
    quarantine.replay_all(line.company.owner)
    worker.round()
    assert [row.title for row in line.alert_rows()] == ["Odd"]
    assert sums(line, source) == (1, 1, 1)
    assert max(row.slowest for row in minutes(line, source)) < 10


def test_a_batch_that_fails_counts_nothing(line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch) -> None:
    source = line.source()
    line.keep(line.post(source, group(alert("One"))))

    def away(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(applier.upkeep, "announce", away)
        patch.setattr(applier, "_is_its_own", lambda error: False)
        with pytest.raises(ConnectionError):
            worker.round()
    assert minutes(line, source) == []
    line.write("UPDATE lane SET lease_until = now() - interval '1 second' WHERE org_id = :org", org=line.company.id)
    worker.round()
    assert sums(line, source) == (1, 1, 1)


def test_counts_of_a_team_are_for_its_members(line: Line, worker: Applier, database: Database) -> None:
    red, blue = line.company.red, line.company.blue
    line.keep(*(line.post(line.source(team_id=team), group(alert(f"A {team}"))) for team in (red.id, blue.id, None)))
    worker.round()
    other = found_company(database, "Beta")
    for tenant, seen in ((Tenant(line.company.id, (red.id,)), 2), (Tenant(line.company.id), 1), (Tenant(other.id, all_teams=True), 0)):
        assert len(line.rows("SELECT * FROM intake_minute", tenant)) == seen
    assert overview.show(line.company.owner, 1).heard == 3


def test_minutes_are_dropped_with_their_week_when_they_are_old(fresh: TestDatabase) -> None:
    company = found_company(fresh.database, "Acme")
    line, worker = Line(fresh.database, company), Applier(fresh.database, "one")
    source = line.source()
    line.keep(line.post(source, group(alert("One"))))
    worker.round()
    keep, now = RETENTION["intake_minute"], datetime.now(UTC)
    partitions.keep_up(fresh.owner, {"intake_minute": keep}, now + keep - timedelta(days=1))
    assert len(minutes(line, source)) == 1
    partitions.keep_up(fresh.owner, {"intake_minute": keep}, now + keep + timedelta(days=8))
    assert minutes(line, source) == []
