"""Are severities, states and lengths of time said as an operator says them?"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from engine.model.sources import SourceView
from engine.model.vocabulary import IncidentStatus, Severity, SourceAuth
from state import words

pytestmark = pytest.mark.fast

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
BEFORE = NOON - timedelta(minutes=1)
# The kinds of tags and the marks that the style has.
TAGS = {"", "critical", "error", "warning", "info", "good"}


def source(**more: Any) -> SourceView:
    """A source of which nothing was ever heard."""
    plain: dict[str, Any] = {name: "" for name in ("public_id", "url", "kind", "name", "signature_header", "last_failure", "created_by")}
    plain |= {name: False for name in ("paused", "silent", "provisioned", "demo")}
    plain |= {name: 0 for name in ("deliveries", "alerts", "rejected", "quarantined", "failures", "version")}
    plain |= {"id": uuid4(), "team_id": None, "settings": {}, "auth": SourceAuth.SECRET, "networks": (), "credentials": ()}
    return SourceView(**plain | {"last_seen_at": None, "last_failure_at": None, "created_at": NOON} | more)


def test_a_severity_is_a_word_and_a_mark_that_there_is_a_shape_for() -> None:
    assert [words.severity(each) for each in (*Severity, None)] == ["Critical", "Error", "Warning", "Info", "Not stated"]
    assert [words.mark(each) for each in (*Severity, None)] == ["critical", "error", "warning", "info", "unstated"]


@pytest.mark.parametrize("severity", [*Severity, None])
def test_what_is_over_has_the_mark_of_what_is_good(severity: Severity | None) -> None:
    assert words.mark(severity, is_over=True) == "good"


@pytest.mark.parametrize("status", list(IncidentStatus))
def test_every_status_is_said_without_underscores_and_has_a_tag(status: IncidentStatus) -> None:
    said, kind = words.status(status)
    assert said[0].isupper() and "_" not in said and said.lower() == status.value.replace("_", " ")
    assert kind in TAGS


def test_what_nobody_looks_after_looks_worse_than_what_is_over() -> None:
    assert (words.status(IncidentStatus.DETECTED), words.status(IncidentStatus.RESOLVED)) == (
        ("Detected", "critical"),
        ("Resolved", "good"),
    )


# a moment, how the browser reads it
MOMENTS = [
    (None, ""),
    (NOON, "2026-01-02T12:00:00+00:00"),
    (NOON.astimezone(timezone(timedelta(hours=2))), "2026-01-02T12:00:00+00:00"),
    (NOON.replace(microsecond=1), "2026-01-02T12:00:00.000001+00:00"),
]


@pytest.mark.parametrize(("at", "said"), MOMENTS)
def test_a_moment_is_said_in_universal_time(at: datetime | None, said: str) -> None:
    assert words.iso(at) == said


# seconds, how that is said
LENGTHS: list[tuple[float, str]] = [
    (-5, "0 ms"),
    (0, "0 ms"),
    (0.0004, "0 ms"),
    (0.24, "240 ms"),
    (1, "1.0 s"),
    (1.25, "1.2 s"),
    (9.94, "9.9 s"),
    (10, "10 s"),
    (59, "59 s"),
    (60, "1 m 00 s"),
    (108, "1 m 48 s"),
    (3599, "59 m 59 s"),
    (3600, "1 h 00 min"),
    (7500, "2 h 05 min"),
    (2 * 86400 - 60, "47 h 59 min"),
    (2 * 86400, "2 d 0 h"),
    (3 * 86400 + 5 * 3600, "3 d 5 h"),
]


@pytest.mark.parametrize(("seconds", "said"), LENGTHS)
def test_a_length_of_time_is_said_as_precisely_as_it_matters(seconds: float, said: str) -> None:
    assert words.length(timedelta(seconds=seconds)) == said


def test_a_length_that_is_not_known_is_a_dash() -> None:
    assert words.length(None) == "–"


# the seconds just below a border, where rounding must not say what no clock shows
@pytest.mark.parametrize("seconds", [0.9996, 9.96, 59.6, 3599.6])
def test_rounding_never_reaches_over_a_border(seconds: float) -> None:
    assert words.length(timedelta(seconds=seconds)) not in ("1000 ms", "60 s", "10.0 s", "60 m 00 s")


# how the source is, how that is said, why
STATES: list[tuple[dict[str, Any], tuple[str, str], str]] = [
    ({}, ("Waiting", "info"), "nothing was ever heard"),
    ({"last_seen_at": NOON}, ("Heard", "good"), "something was"),
    ({"last_failure_at": NOON}, ("Failing", "critical"), "only what could not be taken"),
    ({"last_seen_at": BEFORE, "last_failure_at": NOON}, ("Failing", "critical"), "what came last failed"),
    ({"last_seen_at": NOON, "last_failure_at": NOON}, ("Failing", "critical"), "in doubt it fails"),
    ({"last_seen_at": NOON, "last_failure_at": BEFORE}, ("Heard", "good"), "what came last was good"),
    ({"silent": True, "last_seen_at": NOON}, ("Silent", "warning"), "for too long"),
    ({"silent": True, "last_failure_at": NOON}, ("Silent", "warning"), "silence is what its settings ask about"),
    ({"paused": True, "silent": True, "last_failure_at": NOON}, ("Paused", ""), "who paused it wants no alarm"),
]


@pytest.mark.parametrize(("more", "said", "why"), STATES)
def test_a_source_is_said_to_be_as_it_is(more: dict[str, Any], said: tuple[str, str], why: str) -> None:
    assert words.source_status(source(**more)) == said, why
