"""Does a worker apply every delivery once, whatever holds it up?"""

import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from engine.model.ids import MOST_PLACES
from engine.storage import batches, lanes
from engine.storage.database import Database
from engine.storage.lanes import CHECK, INBOX
from engine.storage.work import INSTANCE, Tenant, work
from engine.workflows import applier
from engine.workflows.applier import Applier
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE, until
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import alert, group
from tests.testkit.people import found_company


@pytest.fixture
def line(database: Database) -> Iterator[Line]:
    """A company in a database in which nobody else delivers."""
    yield Line(database, found_company(database, "Acme"))


@pytest.fixture
def worker(database: Database) -> Applier:
    """A worker whose rounds the test takes by hand."""
    return Applier(database, "one")


def lane(line: Line, kind: str) -> Any:
    """The lane of the company."""
    (found,) = line.rows("SELECT * FROM lane WHERE org_id = :org AND kind = :kind", org=line.company.id, kind=kind)
    return found


def titles(line: Line) -> list[str]:
    """What is an alert now."""
    return [row.title for row in line.alert_rows()]


def test_a_round_applies_what_waits_and_puts_the_lane_to_rest(line: Line, worker: Applier) -> None:
    source = line.source()
    line.keep(*(line.post(source, group(alert(name))) for name in "ABC"))
    assert lane(line, INBOX).due_at is not None
    worker.round()
    assert (titles(line), line.waiting()) == (["A", "B", "C"], [])
    assert (lane(line, INBOX).due_at, lane(line, INBOX).lease_owner) == (None, None)


def test_what_comes_after_a_rest_wakes_the_lane_again(line: Line, worker: Applier) -> None:
    source = line.source()
    for name in "AB":
        line.keep(line.post(source, group(alert(name))))
        worker.round()
    assert titles(line) == ["A", "B"]


def test_more_than_a_batch_is_applied_in_one_turn_and_in_order(line: Line, worker: Applier) -> None:
    source, t = line.source(), line.begins
    for place in range(300):
        line.keep(line.post(source, group(alert("One", starts=t + place * MINUTE / 60)), t + timedelta(milliseconds=place)))
    worker.round()
    assert (line.waiting(), line.alert_row().count, line.alert_row().deliveries) == ([], 300, 300)
    assert line.alert_row().starts_at == t + 299 * MINUTE / 60


def test_a_value_that_the_database_refuses_puts_only_its_own_delivery_aside(
    line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = batches._content

    def poisoned(known: Any) -> tuple[object, ...]:
        told = real(known)
        return (("zero \0 byte",) if told[0] == "poison" else told[:1]) + told[1:]

    monkeypatch.setattr(batches, "_content", poisoned)
    source = line.source()
    for name in ("A", "B", "poison", "C", "D", "E"):
        line.keep(line.post(source, group(alert(name))))
    worker.round()
    assert (titles(line), line.waiting()) == (["A", "B", "C", "D", "E"], [])
    (kept,) = line.rows("SELECT * FROM quarantine")
    assert kept.reason == "The database refuses a value in it; replay it after an update."
    (counts,) = line.rows("SELECT deliveries, alerts, quarantined FROM source")
    assert tuple(counts) == (6, 5, 1)


@pytest.mark.parametrize("part", ["title", "labels", "annotations", "description"])
def test_text_that_no_database_can_hold_is_put_aside_or_cleaned_and_never_blocks_the_lane(line: Line, worker: Applier, part: str) -> None:
    source = line.source()
    odd = b'"\\u0000 \\ud800 \xf0\x9f\x94\xa5"'
    told = {"title": b'"summary":' + odd, "labels": b'"summary":"x"', "annotations": b'"a":' + odd, "description": b'"description":' + odd}[
        part
    ]
    label = odd if part == "labels" else b'"x"'
    body = b'{"alerts":[{"status":"firing","labels":{"alertname":"Odd","l":' + label + b'},"annotations":{' + told + b"}}]}"
    line.keep(line.post(source, body), line.post(source, group(alert("Fine"))))
    worker.round()
    assert line.waiting() == []
    assert "Fine" in titles(line)


@pytest.mark.parametrize("starts", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-07-20T20:17:40Z", "2300-01-01T00:00:00+14:00"])
def test_any_time_that_can_be_written_can_be_kept(line: Line, worker: Applier, starts: str) -> None:
    source = line.source()
    body = '{"alerts":[{"status":"%s","labels":{"alertname":"%s"},"startsAt":"%s","endsAt":"%s"}]}'
    for status in ("firing", "resolved"):
        line.keep(line.post(source, (body % (status, "Odd", starts, starts)).encode()))
    line.keep(line.post(source, group(alert("Fine"))))
    worker.round()
    assert (line.waiting(), "Fine" in titles(line)) == ([], True)
    upkeep = line.check(line.begins + 60 * 24 * MINUTE)
    assert not upkeep.more


@pytest.mark.parametrize(("where", "why"), [("labels", "a label names its group"), ("group", "the sender's group labels do")])
def test_words_too_long_for_an_index_hold_nobody_up(line: Line, worker: Applier, where: str, why: str) -> None:
    source, long = line.source(), "".join(f"{place:x}{place * 7919:x}" for place in range(1200))
    body = group(alert("Long", cluster=long, namespace=long[::-1])) if where == "labels" else group(alert("Long"), big=long)
    line.keep(line.post(source, body), line.post(source, group(alert("Fine"))))
    with suppress(psycopg.Error):
        worker.round()
    assert line.waiting() == [], why
    assert "Fine" in titles(line)


def test_a_fault_of_the_database_itself_is_no_fault_of_the_delivery(line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch) -> None:
    line.keep(line.post(line.source(), group(alert("One"))))

    def away(*_: Any) -> None:
        raise psycopg.OperationalError("the server went away")

    with monkeypatch.context() as patch:
        patch.setattr(batches, "write", away)
        with pytest.raises(psycopg.OperationalError):
            worker.round()
    assert (len(line.waiting()), line.rows("SELECT 1 FROM quarantine")) == (1, [])
    line.write("UPDATE lane SET lease_until = now() - interval '1 second' WHERE org_id = :org", org=line.company.id)
    worker.round()
    assert titles(line) == ["One"]


def test_a_worker_that_lost_the_lane_writes_nothing(line: Line, worker: Applier, monkeypatch: pytest.MonkeyPatch) -> None:
    line.keep(line.post(line.source(), group(alert("One"))))
    real = applier.inbox.waiting

    def taken_over(open_work: Any) -> Any:
        with work(line.database, INSTANCE) as other:
            other.session.execute(text("UPDATE lane SET fence = fence + 1, lease_owner = 'two' WHERE kind = 'inbox'"))
        return real(open_work)

    monkeypatch.setattr(applier.inbox, "waiting", taken_over)
    worker.round()
    assert (line.alert_rows(), len(line.waiting())) == ([], 1)
    assert lane(line, INBOX).lease_owner == "two", "and leaves the lane to who has it"


def test_two_workers_at_once_apply_everything_once(line: Line, database: Database) -> None:
    source, t = line.source(), line.begins
    workers = [Applier(database, name) for name in ("one", "two", "three")]
    threads = [threading.Thread(target=each.run) for each in workers]
    for thread in threads:
        thread.start()
    try:
        for place in range(60):
            line.keep(line.post(source, group(alert("One", starts=t), place=str(place)), t + timedelta(milliseconds=place)))
            time.sleep(0.01)
        until(lambda: not line.rows("SELECT 1 FROM pending"))
    finally:
        for each in workers:
            each.stop()
        for thread in threads:
            thread.join(10)
    assert (line.alert_row().deliveries, line.alert_row().count) == (60, 1)
    assert len(line.rows("SELECT 1 FROM alert_entry")) == 60


def test_a_worker_that_is_woken_looks_at_once(line: Line, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applier, "_TICK", 30.0)
    source = line.source()
    running = Applier(database, "one")
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        time.sleep(0.3)
        line.keep(line.post(source, group(alert("One"))))
        running.wake()
        until(lambda: titles(line) == ["One"])
    finally:
        running.stop()
        thread.join(5)
    assert not thread.is_alive(), "and ends when it is told to"


def test_what_time_changes_is_looked_at_when_it_is_due_and_not_before(line: Line, worker: Applier) -> None:
    source = line.source("prometheus")
    line.keep(line.post(source, b'[{"labels":{"alertname":"One"}}]', line.begins - 3 * MINUTE))
    worker.round()
    due = lane(line, CHECK).due_at
    assert due == line.begins + 2 * MINUTE
    worker.round()
    assert line.alert_row().status == "firing"
    line.write("UPDATE alert SET check_at = now(), expires_at = now()")
    line.write("UPDATE lane SET due_at = now() WHERE org_id = :org AND kind = 'check'", org=line.company.id)
    worker.round()
    assert (line.alert_row().status, line.alert_row().closed_by) == ("resolved", "timed_out")
    assert lane(line, CHECK).due_at == line.alert_row().check_at or lane(line, CHECK).due_at == line.incident_row().check_at


def test_a_silence_is_due_when_the_next_sign_of_life_is(line: Line, worker: Applier) -> None:
    source = line.source("heartbeat", every_minutes=5, grace_minutes=1)
    line.keep(line.post(source, b""))
    worker.round()
    assert lane(line, CHECK).due_at == line.begins + 6 * MINUTE, "a beat brings the lane forward, though it makes no alert"


def test_a_sender_that_has_been_silent_is_missed_by_the_worker(line: Line, worker: Applier) -> None:
    source = line.source("heartbeat")
    line.keep(line.post(source, b"", line.begins - 30 * MINUTE))
    for _ in range(2):
        worker.round()
    assert titles(line) == [f"No sign of life from {source.name}"]


def test_a_full_delivery_has_an_id_for_each_of_its_alerts() -> None:
    assert MOST_PLACES > 1_000_000


def test_an_organization_that_fails_does_not_keep_others_from_their_turn(
    line: Line, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Line(database, found_company(database, "Beta"))
    for each in (line, other):
        each.keep(each.post(each.source(), group(alert("One"))))
    real = applier.apply

    def fails(open_work: Any, waiting: Any) -> None:
        if open_work.org_id == line.company.id:
            raise psycopg.OperationalError("the connection is gone")
        real(open_work, waiting)

    monkeypatch.setattr(applier, "apply", fails)
    running = Applier(database, "one")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError) if lanes_due(database, line) else nullcontext():
            running.round()
    assert (titles(line), titles(other)) == ([], ["One"])


def lanes_due(database: Database, line: Line) -> bool:
    """Whether a worker would take the company's deliveries now."""
    with work(database, Tenant()) as open_work:
        return line.company.id in lanes.due(open_work, INBOX)


def test_a_worker_waits_for_a_database_that_is_away(own_database: TestDatabase) -> None:
    url = own_database.app_url.set(host="127.0.0.1", port=9).difference_update_query(["host"])
    nobody = Database(url, pool_size=1, statement_timeout_ms=500, name="x")
    running = Applier(nobody, "one")
    thread = threading.Thread(target=running.run)
    thread.start()
    time.sleep(0.5)
    assert thread.is_alive()
    running.stop()
    thread.join(5)
    assert not thread.is_alive()
    nobody.close()
