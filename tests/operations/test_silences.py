"""How are silences made, ended, extended, previewed and put into a calendar?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.errors import Conflict, Invalid, NotFound, Refused
from engine.model.vocabulary import Role
from engine.operations import definitions, silences, teams
from engine.storage.database import Database
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import found_company

HOUR = timedelta(hours=1)


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization of its own."""
    return Deliveries(database, found_company(database, "Quiet"))


def spec(starts: float = -1, hours: float = 2, *, zone: str = "UTC", rule: str = "", **labels: str) -> dict[str, Any]:
    """A silence from so many hours from now on, in the wall clock of UTC."""
    begins = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + starts * HOUR
    matchers = [{"name": name, "value": value} for name, value in (labels or {"service": "payment"}).items()]
    ends = begins + hours * HOUR
    return {
        "matchers": matchers,
        "starts": begins.isoformat(),
        "ends": ends.isoformat(),
        "zone": zone,
        "rule": rule,
        "comment": "deploying\nin two lines",
    }


def test_an_operator_makes_a_silence_and_a_viewer_does_not(line: Deliveries) -> None:
    made = silences.create(line.company.operator, spec())
    assert (made.active, made.over, made.author, made.next) == (True, False, line.company.operator.name, None)
    with pytest.raises(Refused):
        silences.create(line.company.viewer, spec())
    assert [each.id for each in silences.all(line.company.viewer).items] == [made.id]


def test_an_operator_of_a_team_silences_the_alerts_of_that_team(line: Deliveries) -> None:
    red = line.company.red
    silences.create(red.people[Role.OPERATOR], spec(), red.id)
    with pytest.raises(Refused):
        silences.create(red.people[Role.OPERATOR], spec())
    assert silences.all(line.company.blue.people[Role.OPERATOR]).items == ()


def test_a_silence_is_ended_for_good_and_shown_among_those_that_are_over(line: Deliveries) -> None:
    owner = line.company.owner
    made = silences.create(owner, spec(rule="FREQ=DAILY"))
    ended = silences.end(owner, made.id)
    assert (ended.active, ended.over, ended.next) == (False, True, None)
    assert (silences.all(owner).items, [each.id for each in silences.all(owner, over=True).items]) == ((), [made.id])
    for act in (lambda: silences.end(owner, made.id), lambda: silences.change(owner, made.id, spec())):
        with pytest.raises(Conflict, match="is over"):
            act()


def test_a_silence_is_extended_on_the_clock_of_its_zone(line: Deliveries) -> None:
    owner = line.company.owner
    made = silences.create(owner, spec(hours=10, zone="Europe/Berlin"))
    until = datetime.now(UTC).replace(microsecond=0) + 20 * HOUR
    extended = silences.extend(owner, made.id, until)
    assert extended.current and extended.current.ends_at == until
    again = silences.create(owner, spec(rule="FREQ=WEEKLY"))
    with pytest.raises(Conflict, match="comes again"):
        silences.extend(owner, again.id, until)


# what is written, words of the refusal
WRONG: list[tuple[dict[str, Any], str]] = [
    (spec(-5, 2), "over already"),
    (spec(-5, 2, rule="FREQ=DAILY;COUNT=1"), "over already"),
    (spec(hours=0), "at least a minute"),
    (spec(rule="FREQ=HOURLY"), "daily, weekly"),
    (spec(zone="Mars/Olympus"), "no time zone"),
    ({**spec(), "comment": " "}, "comment"),
    ({**spec(), "matchers": [{"name": "a", "op": "=~", "value": ".*"}]}, "every alert"),
]


@pytest.mark.parametrize(("said", "words"), WRONG)
def test_what_is_wrong_with_a_silence_is_said(line: Deliveries, said: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid, match=words):
        silences.create(line.company.owner, said)


def test_before_it_is_made_a_silence_shows_what_it_would_mean(line: Deliveries) -> None:
    line.deliver(line.source(), alert("Slow", service="payment"), alert("Full", service="search"))
    found = silences.preview(line.company.owner, spec(rule="FREQ=DAILY"))
    assert (found.muted, found.counted_all, [each.title for each in found.alerts]) == (1, True, ["Slow"])
    assert [later.starts_at - earlier.starts_at for earlier, later in zip(found.spans, found.spans[1:], strict=False)] == [24 * HOUR] * 4
    assert silences.all(line.company.owner).items == ()


def test_a_calendar_shows_every_time_that_silences_cover(line: Deliveries) -> None:
    owner = line.company.owner
    daily = silences.create(owner, spec(rule="FREQ=DAILY", service="a"))
    once = silences.create(owner, spec(30, 4, service="b"))
    now = datetime.now(UTC)
    found = silences.calendar(owner, now, now + 48 * HOUR)
    assert [(each.silence_id, each.recurs) for each in found] == [(daily.id, True), (daily.id, True), (once.id, False), (daily.id, True)]
    silences.end(owner, daily.id)
    assert [each.silence_id for each in silences.calendar(owner, now + HOUR, now + 48 * HOUR)] == [once.id]
    with pytest.raises(Invalid, match="92 days"):
        silences.calendar(owner, now, now + timedelta(days=100))


def test_another_organization_sees_none_of_it(line: Deliveries, beta: Any) -> None:
    made = silences.create(line.company.owner, spec())
    with pytest.raises(NotFound):
        silences.show(beta.owner, made.id)


def test_a_team_that_decides_something_cannot_be_deleted_before_that_has_ended(line: Deliveries) -> None:
    owner, red = line.company.owner, line.company.red
    made = silences.create(owner, spec(), red.id)
    rule = definitions.create(owner, "rule", {"name": "ours", "when": {"all": []}, "then": {"suppress": True}}, red.id)
    with pytest.raises(Conflict, match="deploying, ours"):
        teams.delete(owner, red.id)
    silences.end(owner, made.id)
    definitions.delete(owner, "rule", rule.id)
    teams.delete(owner, red.id)
    assert silences.all(owner, over=True).items == ()
