"""What does time change by itself?"""

from typing import Any

import pytest

from engine.model.heard import Heard, Known
from engine.stages import correlate
from tests.pipeline.stored import Line
from tests.testkit.clock import MINUTE
from tests.testkit.deliveries import alert, group


def over(line: Line, source: Any, name: str = "One", service: str = "a", minute: int = 0) -> None:
    """An alert that fired and ended a minute later."""
    at = line.begins + minute * MINUTE
    line.send(source, group(alert(name, starts=at, service=service)), at)
    line.send(source, group(alert(name, starts=at, ends=at + MINUTE, service=service)), at + MINUTE)


# Incidents


def test_an_incident_resolves_after_five_quiet_minutes(line: Line) -> None:
    over(line, line.source())
    line.check(line.begins + 5 * MINUTE)
    assert line.incident_row().status == "detected"
    line.check(line.begins + 6 * MINUTE)
    found = line.incident_row()
    assert (found.status, found.resolved_by, found.resolved_at) == ("resolved", "all its alerts have ended", line.begins + 6 * MINUTE)
    assert line.told().count("resolved") == 1


def test_an_incident_whose_alert_fires_again_meanwhile_does_not_resolve(line: Line) -> None:
    source = line.source()
    over(line, source)
    again = line.begins + 3 * MINUTE
    line.send(source, group(alert("One", starts=again, service="a")), again)
    line.check(line.begins + 9 * MINUTE)
    assert (line.incident_row().status, line.incident_row().check_at, line.incident_row().firings) == ("detected", None, 2)


@pytest.mark.parametrize(
    ("minute", "numbers", "why"), [(30, [1], "within thirty minutes it is reopened"), (50, [1, 2], "after that it is over")]
)
def test_an_alert_that_comes_back_reopens_its_incident_only_for_a_while(line: Line, minute: int, numbers: list[int], why: str) -> None:
    source = line.source(refire_minutes=120)
    over(line, source)
    line.check(line.begins + 6 * MINUTE)
    at = line.begins + minute * MINUTE
    line.send(source, group(alert("One", starts=at, service="a")), at)
    assert [row.number for row in line.incident_rows()] == numbers, why
    assert (line.incident_rows()[-1].status, line.alert_row().incident_number) == ("detected", numbers[-1])
    assert (line.incident_rows()[0].reopened, line.told().count("reopened")) == ((1, 1) if len(numbers) == 1 else (0, 0))


def test_an_alert_that_comes_back_returns_to_its_incident_though_the_window_of_its_group_is_over(line: Line) -> None:
    source = line.source()
    line.send(source, group(alert("Long", starts=line.begins, service="a")))
    over(line, source, minute=2)
    at = line.begins + 20 * MINUTE
    line.send(source, group(alert("One", starts=at, service="a")), at)
    assert {row.title: row.incident_number for row in line.alert_rows()} == {"Long": 1, "One": 1}


# Alerts


def test_a_closed_alert_leaves_for_the_history_after_its_re_fire_window(line: Line) -> None:
    over(line, line.source(refire_minutes=10))
    line.check(line.begins + 10 * MINUTE)
    assert len(line.alert_rows()) == 1
    line.check(line.begins + 11 * MINUTE)
    (kept,) = line.rows("SELECT * FROM alert_history")
    assert (line.alert_rows(), kept.title, kept.status, kept.count, kept.incident_number) == ([], "One", "resolved", 1, 1)


def test_what_fires_after_its_re_fire_window_is_a_new_alert_whether_the_old_one_left_or_not(line: Line) -> None:
    source = line.source(refire_minutes=10)
    over(line, source)
    for minute in (20, 40):
        over(line, source, minute=minute)
        line.check(line.begins + (minute + 1) * MINUTE)
    line.check(line.begins + 60 * MINUTE)
    assert [row.count for row in line.rows("SELECT count FROM alert_history")] == [1, 1, 1]


def test_an_alert_that_said_when_it_ends_ends_then_and_goes_on_with_the_next_delivery(line: Line) -> None:
    source, t = line.source("prometheus"), line.begins

    def fires(minute: int, until: int) -> None:
        told = alert("One", starts=t, service="a") | {"endsAt": (t + until * MINUTE).isoformat()}
        del told["status"]
        line.send(source, b"[" + group(told).partition(b'"alerts": [')[2].removesuffix(b"]}") + b"]", t + minute * MINUTE)

    fires(0, 4)
    line.check(t + 5 * MINUTE)
    assert (line.alert_row().status, line.alert_row().closed_by, line.alert_row().ends_at) == ("resolved", "timed_out", t + 4 * MINUTE)
    assert line.incident_row().open_by_severity == [0] * 5
    fires(6, 10)
    assert (line.alert_row().status, line.alert_row().count, line.incident_row().open_by_severity) == ("firing", 1, [1, 0, 0, 0, 0])
    assert line.told("alert_entry") == ["opened", "timed_out", "reopened"]


def test_an_alert_not_heard_of_for_as_long_as_the_setting_says_is_stale(line: Line) -> None:
    source, t = line.source(stale_minutes=20), line.begins
    line.send(source, group(alert("One", starts=t, service="a")), t)
    line.send(source, group(alert("One", starts=t, service="a"), again="1"), t + 10 * MINUTE)
    line.check(t + 20 * MINUTE)
    assert (line.alert_row().status, line.alert_row().check_at) == ("firing", t + 30 * MINUTE)
    line.check(t + 30 * MINUTE)
    assert (line.alert_row().status, line.alert_row().closed_by) == ("resolved", "stale")


def test_a_sender_that_says_a_thing_once_is_never_stale(line: Line) -> None:
    line.send(line.source(), group(alert("One", starts=line.begins)))
    line.check(line.begins + 60 * 24 * 30 * MINUTE)
    assert line.alert_row().status == "firing"


def test_a_flapping_alert_becomes_steady(line: Line) -> None:
    source = line.source()
    for minute in (0, 2, 4, 6):
        over(line, source, minute=minute)
    assert line.alert_row().flapping
    line.check(line.begins + 37 * MINUTE)
    assert "steady" in line.told("alert_entry")
    (kept,) = line.rows("SELECT flapping FROM alert UNION ALL SELECT flapping FROM alert_history")
    assert not kept.flapping


def test_a_flapping_alert_that_stays_firing_is_in_an_open_incident_once_it_is_steady(line: Line) -> None:
    source, t = line.source(refire_minutes=240, flap_minutes=120), line.begins
    for minute in (0, 2, 4):
        over(line, source, minute=minute)
    line.check(t + 15 * MINUTE)
    assert line.incident_row().status == "resolved"
    line.send(source, group(alert("One", starts=t + 60 * MINUTE, service="a")), t + 60 * MINUTE)
    line.check(t + 180 * MINUTE)
    assert (line.alert_row().status, line.alert_row().flapping) == ("firing", False)
    assert [row.status for row in line.incident_rows() if row.resolved_at is None], "it fires, and nobody would know"


# Several things at once


def test_an_alert_becomes_stale_in_the_same_round_in_which_an_incident_resolves(line: Line) -> None:
    source, t = line.source(stale_minutes=20), line.begins
    over(line, source, service="quiet")
    line.send(source, group(alert("Two", starts=t, service="b")), t)
    line.check(t + 25 * MINUTE)
    assert {row.title: row.status for row in line.incident_rows()} == {"quiet: One": "resolved", "b: Two": "detected"}
    assert {row.title: row.closed_by for row in line.alert_rows()} == {"One": "sender", "Two": "stale"}


def test_a_silent_sender_is_missed_in_the_same_round_in_which_an_alert_times_out(line: Line) -> None:
    heart, source, t = line.source("heartbeat"), line.source(stale_minutes=1), line.begins
    line.send(heart, b"{}", t)
    line.send(source, group(alert("One", starts=t, service="a")), t)
    line.check(t + 7 * MINUTE)
    assert [(row.severity, row.status) for row in line.alert_rows()] == [("critical", "firing"), ("critical", "resolved")]


# Signs of life


def test_a_sender_that_falls_silent_raises_an_alert_and_its_next_sign_of_life_ends_it(line: Line) -> None:
    source, t = line.source("heartbeat", every_minutes=5, grace_minutes=1), line.begins
    line.send(source, b"", t)
    assert line.alert_rows() == []
    line.check(t + 5 * MINUTE)
    assert line.alert_rows() == []
    line.check(t + 6 * MINUTE)
    found = line.alert_row()
    assert (found.title, found.status, found.severity) == (f"No sign of life from {source.name}", "firing", "critical")
    assert line.incident_row().title == f"{source.name}: No sign of life from {source.name}"
    line.check(t + 20 * MINUTE)
    assert line.alert_row().deliveries == 1, "each silence is told once"
    line.send(source, b"", t + 30 * MINUTE)
    assert (line.alert_row().status, line.alert_row().closed_by) == ("resolved", "sender")
    line.check(t + 36 * MINUTE)
    assert (line.alert_row().status, line.alert_row().count) == ("firing", 2)


def test_a_sender_that_never_said_anything_is_not_missed(line: Line) -> None:
    line.source("heartbeat")
    line.check(line.begins + 600 * MINUTE)
    assert line.alert_rows() == []


def test_a_paused_sender_is_not_missed(line: Line) -> None:
    source = line.source("heartbeat")
    line.send(source, b"", line.begins)
    line.write("UPDATE source SET paused = true WHERE id = :id", id=source.id)
    line.check(line.begins + 600 * MINUTE)
    assert line.alert_rows() == []


def test_alertmanager_s_watchdog_is_a_sign_of_life_and_no_alert(line: Line) -> None:
    source, t = line.source(), line.begins
    line.send(source, group(alert("Watchdog", starts=t), alert("One", starts=t)), t)
    assert [row.title for row in line.alert_rows()] == ["One"]
    line.check(t + 301 * MINUTE)
    assert f"No sign of life from {source.name}" in [row.title for row in line.alert_rows()]


# What the stages say holds in the database


def test_the_group_of_an_incident_is_that_of_the_alert_that_opened_it(line: Line) -> None:
    line.send(line.source(), group(alert("One", service="a", env="prod", cluster="eu")))
    told = Heard(title="One", firing=True, service="a", environment="prod", labels={"cluster": "eu"})
    known = Known(told, b"", "sender", "", None, None, 0)  # pyright: ignore[reportArgumentType]
    assert line.incident_row().group_key == correlate.group_of(known) == "environment prod, cluster eu, service a"
