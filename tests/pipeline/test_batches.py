"""What becomes of what was delivered?"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event

from engine.model.heard import Delivery
from engine.model.ids import entry_id
from engine.model.vocabulary import Role
from engine.operations.door import tenant_of
from engine.storage import rows
from engine.storage.database import Database
from engine.storage.inbox import Waiting
from engine.storage.work import Tenant, work
from engine.workflows.applier import apply
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE
from tests.testkit.deliveries import alert, group
from tests.testkit.people import Company

# From a delivery to an incident


def test_an_alert_is_written_with_everything_that_was_told(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("Full", starts=line.begins, service="orders", env="prod", host="db-1")))
    found = line.alert_row()
    assert (found.title, found.status, found.severity, found.severity_rank, found.severity_word) == (
        "Full",
        "firing",
        "critical",
        1,
        "critical",
    )
    assert (found.service, found.environment, found.resource, found.source_id) == ("orders", "prod", "db-1", source.id)
    assert (found.count, found.deliveries, found.starts_at, found.first_seen_at) == (1, 1, line.begins, line.begins)
    assert line.rows("SELECT 1 FROM alert WHERE search @@ CAST(:q AS tsquery)", q="'full' & 'host=db-1'")


def test_each_alert_gets_an_incident_with_its_reason_and_score(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("One", service="orders"), alert("Two", service="orders"), alert("Three", service="stock")))
    placed = line.rows(
        "SELECT i.number, a.title, m.by, m.score, m.reason FROM incident_alert m JOIN incident i ON i.id = m.incident_id \
        JOIN alert a ON a.id = m.alert_id ORDER BY a.title"
    )
    opened, joined = "opened it: no open incident of its group within the window", "same service orders, within 5 min of its last alert"
    assert [(row.title, row.by, row.score, row.reason) for row in placed] == [
        ("One", "group", 1.0, opened),
        ("Three", "group", 1.0, opened),
        ("Two", "group", 0.8, joined),
    ]
    assert {row.title: row.incident_number for row in line.alert_rows()} == {row.title: row.number for row in placed}
    counts = {row.title: (row.alert_count, row.open_by_severity) for row in line.incident_rows()}
    assert counts == {"orders: One": (2, [2, 0, 0, 0, 0]), "stock: Three": (1, [1, 0, 0, 0, 0])}


def test_a_later_batch_joins_the_incident_of_its_group_and_after_the_window_opens_another(line: Line) -> None:
    source, t = line.source(), line.begins
    for name, minute in (("One", 0), ("Two", 5), ("Three", 10), ("Four", 16)):
        line.send(source, group(alert(name, service="orders")), t + minute * MINUTE)
    assert {row.title: row.incident_number for row in line.alert_rows()} == {"One": 1, "Two": 1, "Three": 1, "Four": 2}


def test_a_firing_group_may_hold_an_alert_that_is_over(line: Line) -> None:
    t = line.begins
    body = group(alert("Up", starts=t, service="a"), alert("Over", starts=t, ends=t + MINUTE, service="a"))
    line.send(line.source(), body, t + 2 * MINUTE)
    assert [(row.title, row.status, row.incident_number) for row in line.alert_rows()] == [("Over", "resolved", None), ("Up", "firing", 1)]
    assert line.told("alert_entry") == ["opened", "resolved"]


def test_an_alert_that_ends_ends_in_its_incident_too(line: Line) -> None:
    source, t = line.source(), line.begins
    line.send(source, group(alert("One", starts=t, service="a")), t)
    line.send(source, group(alert("One", starts=t, ends=t + MINUTE, service="a")), t + MINUTE)
    assert (line.alert_row().status, line.alert_row().closed_by, line.alert_row().ends_at) == ("resolved", "sender", t + MINUTE)
    assert (line.incident_row().open_by_severity, line.incident_row().status, line.incident_row().check_at) == (
        [0] * 5,
        "detected",
        t + 6 * MINUTE,
    )


def test_an_alert_that_becomes_worse_makes_its_incident_worse(line: Line) -> None:
    source, t = line.source(), line.begins
    body = {"generatorURL": "", "fingerprint": "f"}
    for severity, minute in (("warning", 0), ("critical", 1), ("info", 2)):
        told = alert("One", starts=t, service="a") | body
        told["labels"]["severity"] = severity
        line.send(source, group(told), t + minute * MINUTE)
        assert (line.alert_row().severity, line.incident_row().severity) == (severity, severity)
    assert line.incident_row().open_by_severity == [0, 0, 0, 1, 0]
    changes = line.rows("SELECT severity_before, severity FROM alert_entry WHERE severity_before IS NOT NULL ORDER BY id")
    assert [tuple(row) for row in changes] == [("warning", "critical"), ("critical", "info")]


def test_labels_and_words_that_change_while_an_alert_goes_on_are_shown_as_they_are_now(line: Line) -> None:
    source, t = line.source(), line.begins
    for severity, pod, minute in (("warning", "a", 0), ("critical", "b", 1)):
        told = alert("One", starts=t, pod=pod) | {"fingerprint": "f"}
        told["labels"]["severity"] = severity
        line.send(source, group(told), t + minute * MINUTE)
    found = line.alert_row()
    assert (found.severity, found.severity_word) == ("critical", "critical")
    assert (found.labels["pod"], found.labels["severity"], found.resource) == ("b", "critical", "b")


# The timeline


def test_the_timeline_tells_what_happened_once_for_many_alerts(line: Line) -> None:
    source, t = line.source(), line.begins
    names = ("One", "Two", "Three")
    line.send(source, group(*(alert(name, starts=t, service="a") for name in names)), t)
    line.send(source, group(*(alert(name, starts=t, ends=t + MINUTE, service="a") for name in names)), t + MINUTE)
    line.send(source, group(alert("One", starts=t + 2 * MINUTE, service="a")), t + 2 * MINUTE)
    told = {row.kind: (row.said, row.detail.get("count")) for row in line.rows("SELECT * FROM incident_entry")}
    assert told == {
        "opened": ("grouped by service a", None),
        "alert_joined": ("“One” and 2 more joined", 3),
        "alert_resolved": ("“One” and 2 more resolved", 3),
        "alert_refired": ("“One” fired again", 1),
    }


def test_a_re_send_is_in_the_history_of_the_alert_and_not_in_the_timeline(line: Line) -> None:
    source, t = line.source(), line.begins
    for minute in range(3):
        line.send(source, group(alert("One", starts=t, service="a"), again=str(minute)), t + minute * MINUTE)
    assert line.told("alert_entry") == ["opened", "heard", "heard"]
    assert sorted(line.told()) == ["alert_joined", "opened"]
    assert (line.alert_row().count, line.alert_row().deliveries, line.alert_row().last_seen_at) == (1, 3, t + 2 * MINUTE)


def test_a_flapping_alert_is_told_once_and_then_left_in_peace(line: Line) -> None:
    source, t = line.source(), line.begins
    for minute in range(0, 12, 2):
        at = t + minute * MINUTE
        line.send(source, group(alert("One", starts=at, service="a")), at)
        line.send(source, group(alert("One", starts=at, ends=at + MINUTE, service="a")), at + MINUTE)
    told = line.told()
    assert line.alert_row().flapping
    assert (told.count("alert_flapping"), told.count("alert_refired"), told.count("alert_resolved")) == (1, 1, 2)


def test_incident_numbers_begin_at_one_and_have_no_gaps_in_each_organization(line: Line, beta: Company) -> None:
    other = Line(line.database, beta)
    for each in (line, other):
        source = each.source()
        each.send(source, group(alert("One", service="a"), alert("Two", service="b")))
        refused = each.post(source, group(alert("Three", service="c")))
        each.keep(refused)
        with pytest.raises(RuntimeError), work(each.database, each.tenant) as open_work:
            apply(open_work, each.waiting())
            raise RuntimeError("the database goes away")
        each.apply_batch()
    for each in (line, other):
        assert [row.number for row in each.incident_rows()] == [1, 2, 3]


# Once


def test_the_same_delivery_cannot_be_applied_twice(line: Line) -> None:
    line.keep(line.post(line.source(), group(alert("One", service="a"))))
    waiting = line.waiting()
    line.apply_batch(waiting)
    with pytest.raises(psycopg.errors.UniqueViolation):
        line.apply_batch(waiting)
    assert (line.alert_row().deliveries, line.alert_row().count, line.told("alert_entry")) == (1, 1, ["opened"])


def test_what_is_applied_after_a_rollback_is_as_if_there_had_been_none(line: Line) -> None:
    source, t = line.source(), line.begins
    line.keep(line.post(source, group(alert("One", starts=t, service="a"), alert("Two", starts=t, service="a"))))
    with pytest.raises(RuntimeError), work(line.database, line.tenant) as open_work:
        apply(open_work, line.waiting())
        raise RuntimeError("the worker is gone")
    assert (line.alert_rows(), line.incident_rows(), len(line.waiting())) == ([], [], 1)
    assert (line.apply_batch(), line.apply_batch()) == (1, 0)
    assert [(row.title, row.count, row.deliveries) for row in line.alert_rows()] == [("One", 1, 1), ("Two", 1, 1)]
    assert len(line.incident_rows()) == 1


def test_a_line_of_an_alert_s_history_says_by_its_id_which_alert_of_which_delivery_it_was(line: Line) -> None:
    post = line.post(line.source(), group(alert("One"), alert("Two")))
    line.keep(post)
    line.apply_batch()
    assert [row.id for row in line.rows("SELECT id FROM alert_entry ORDER BY id")] == [entry_id(post.id, 0), entry_id(post.id, 1)]


def test_the_same_body_of_the_same_source_within_five_minutes_counts_once(line: Line) -> None:
    source, other, t, body = line.source(), line.source(), line.begins, group(alert("One", starts=line.begins))
    for minute in (0, 1, 4):
        line.send(source, body, t + minute * MINUTE)
    assert (line.alert_row().deliveries, line.told("alert_entry")) == (1, ["opened", "repeated", "repeated"])
    line.send(source, body, t + 10 * MINUTE)
    assert line.alert_row().deliveries == 2, "a re-send that says the same is heard, when it is no repetition"
    line.send(other, body, t + 10 * MINUTE)
    assert [row.deliveries for row in line.alert_rows()] == [2, 1], "what another source says is its own"


def test_an_acknowledgement_in_the_batch_of_its_trigger_does_not_overwrite_what_the_trigger_told(line: Line) -> None:
    source = line.source("pagerduty")
    payload = b'"payload":{"summary":"Disk full","source":"db-1","severity":"critical"}'
    line.keep(
        line.post(source, b'{"event_action":"trigger","dedup_key":"k",' + payload + b"}"),
        line.post(source, b'{"event_action":"acknowledge","dedup_key":"k","client":"Grace"}', line.begins + MINUTE),
    )
    line.apply_batch()
    found = line.alert_row()
    assert (found.title, found.severity, found.acknowledged_by) == ("Disk full", "critical", "Grace")
    assert line.incident_row().severity == "critical"


# Whose


def test_two_organizations_with_the_same_alert_never_mix(line: Line, beta: Company) -> None:
    other, body = Line(line.database, beta), group(alert("One", service="a"))
    for each in (line, other):
        each.send(each.source(), body)
    assert line.alert_row().id != other.alert_row().id
    assert (line.incident_row().number, other.incident_row().number) == (1, 1)
    assert line.rows("SELECT 1 FROM alert WHERE org_id <> :mine", mine=line.company.id) == []


def test_two_sources_with_one_identity_group_tell_of_one_alert(line: Line) -> None:
    pair = [line.source(identity_group="pair"), line.source(identity_group="pair")]
    for place, source in enumerate(pair):
        line.send(source, group(alert("One", starts=line.begins)), line.begins + place * MINUTE)
    assert (line.alert_row().count, line.alert_row().deliveries) == (1, 2)


@pytest.mark.parametrize("batches", [1, 2])
def test_an_alert_of_two_sources_belongs_to_the_team_that_told_of_it_first(line: Line, batches: int) -> None:
    acme = line.company
    first, second = (line.source(team_id=team.id, identity_group="pair") for team in (acme.red, acme.blue))
    for place, source in enumerate((first, second)):
        line.keep(line.post(source, group(alert("One", starts=line.begins)), line.begins + place * MINUTE))
        if batches == 2:
            line.apply_batch()
    line.apply_batch()
    assert (line.alert_row().team_id, line.alert_row().source_id, line.incident_row().team_ids) == (acme.red.id, first.id, [acme.red.id])


def test_an_incident_is_seen_by_the_teams_of_its_alerts_and_by_nobody_else(line: Line) -> None:
    acme = line.company
    red, blue = line.source(team_id=acme.red.id), line.source(team_id=acme.blue.id)
    line.send(red, group(alert("Red", service="a")))
    line.send(red, group(alert("Shared", service="b")))
    line.send(blue, group(alert("Shared too", service="b")))
    in_red, in_blue = (tenant_of(team.people[Role.OPERATOR]) for team in (acme.red, acme.blue))

    def seen(tenant: Tenant) -> list[str]:
        return [row.title for row in line.rows("SELECT title FROM incident ORDER BY number", tenant)]

    assert (seen(in_red), seen(in_blue)) == (["a: Red", "b: Shared"], ["b: Shared"])
    assert [row.title for row in line.rows("SELECT title FROM alert", in_blue)] == ["Shared too"]
    assert {row.said for row in line.rows("SELECT said FROM incident_entry WHERE alert_id IS NOT NULL", in_blue)} == {"“Shared too” joined"}


# At any size


@contextmanager
def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile: by the driver, and by what is above it."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *more: Any) -> None:
        sent.append(statement)

    with monkeypatch.context() as patch:
        for name in ("run", "fetch", "copy"):
            real = getattr(rows, name)
            patch.setattr(rows, name, lambda work, what, *more, real=real: (sent.append(what), real(work, what, *more))[1])
        event.listen(database.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(database.engine, "before_cursor_execute", note)


def test_a_batch_of_five_hundred_sends_as_many_statements_as_a_batch_of_one(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    source, t = line.source(), line.begins
    line.send(source, group(alert("Warm", service="w")))
    sizes: list[int] = []
    for round, count in enumerate((1, 500)):
        told = [alert(f"{round} {place}", starts=t, service=f"{round} s{place % 50}") for place in range(count)]
        line.keep(line.post(source, group(*told), t + round * MINUTE, count))
        with counted(line.database, monkeypatch) as sent:
            line.apply_batch()
        sizes.append(len(sent))
        assert len(sent) > 15, "everything is counted"
    assert sizes[0] == sizes[1]
    assert (len(line.alert_rows()), len(line.incident_rows())) == (502, 52)


def test_a_batch_that_cannot_be_written_leaves_nothing_behind_on_its_connection(line: Line) -> None:
    source = line.source()
    line.keep(line.post(source, group(alert("One", service="a"))))
    for _ in range(3):
        with pytest.raises(RuntimeError), work(line.database, line.tenant) as open_work:
            apply(open_work, line.waiting())
            raise RuntimeError("not this time")
    line.apply_batch()
    assert len(line.alert_rows()) == len(line.incident_rows()) == 1


def test_a_delivery_of_a_source_that_was_deleted_since_is_still_applied(line: Line) -> None:
    source = line.source()
    line.keep(line.post(source, group(alert("One"))))
    line.write("UPDATE source SET deleted_at = now() WHERE id = :id", id=source.id)
    line.apply_batch()
    assert line.alert_row().title == "One"


def test_what_came_is_counted_for_its_source(line: Line) -> None:
    source = line.source("generic")
    line.keep(line.post(source, b'[{"title": "One"}, 7, {"title": "Two"}]', alerts=3))
    line.apply_batch()
    assert len(line.rows("SELECT count FROM intake_stage WHERE stage = 'grouped'")) == 1
    (kept,) = line.rows("SELECT * FROM source WHERE id = :id", id=source.id)
    assert (kept.deliveries, kept.alerts, kept.quarantined, kept.last_seen_at) == (1, 2, 1, line.begins)
    assert kept.last_failure == "An alert must be an object."


def made(line: Line, source_id: UUID, body: bytes) -> Waiting:
    """A delivery that nobody kept."""
    post = line.post(line.source(), body)
    return Waiting(post.id, source_id, "alertmanager", Delivery(body, {}, line.begins), repeated=False)


def test_an_empty_group_changes_nothing(line: Line) -> None:
    source = line.source()
    line.apply_batch([made(line, source.id, group())])
    assert (line.alert_rows(), line.incident_rows()) == ([], [])
