"""Does the dashboard count right for its range and team, and say what waits for me?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.model.ids import floor_id
from engine.model.vocabulary import Role
from engine.operations import demo, incidents, sources
from engine.storage import proof
from engine.storage.database import Database
from engine.storage.work import INSTANCE, work
from state.overview import RANGES, OverviewState, sparkline
from tests.state.visits import Visit, opened
from tests.testkit.asking import written
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import found_company, hire


@pytest.fixture
def line(database: Database) -> Deliveries:
    """An organization with nothing yet: what is counted here is only what the test made."""
    return Deliveries(database, found_company(database, f"Counted {uuid4().hex[:6]}"))


def dashboard(who: Actor, query: str = "") -> Visit:
    """The dashboard, open."""
    return Visit(OverviewState, who, f"/?{query}" if query else "/").arrived()


def points(said: str) -> list[tuple[float, float]]:
    """The points of a line."""
    return [(float(x), float(y)) for x, _, y in (each.partition(",") for each in said.split())]


def test_nothing_is_said_to_be_nothing(line: Deliveries) -> None:
    page = dashboard(line.company.viewer)
    assert (page.open_incidents, page.open_words, page.open_mark, page.unacknowledged) == (0, "nothing is open", "", 0)
    assert (page.noise, page.noise_words, page.acknowledged_in, page.latency, page.slowest) == ("–", "0 incidents of 0 firings", *"–––")
    assert (page.firing, page.a_minute, page.quarantined) == ("0 fire now, 0 heard", "0.0", 0)
    assert (list(page.open), list(page.mine), list(page.resolved), list(page.senders), page.seen) == ([], [], [], [], [])
    assert (page.has_sources, page.demo_offered, page.loaded) == (False, False, True)


def test_what_is_open_is_counted_by_severity(line: Deliveries) -> None:
    for severity in ("critical", "warning", "warning", "info"):
        opened(line, severity)
    line.deliver(line.source(), alert("Somehow", severity=None, service="x"))
    page = dashboard(line.company.viewer)
    assert page.open_words == "1 critical, 2 warning, 1 info, 1 not stated"
    assert (page.open_incidents, page.open_mark, page.unacknowledged) == (5, "critical", 5)
    assert (page.firing, page.a_minute) == ("5 fire now, 5 heard", "1.0")


def test_the_mark_is_that_of_the_worst_that_is_stated(line: Deliveries) -> None:
    line.deliver(line.source(), alert("Somehow", severity=None, service="x"))
    assert dashboard(line.company.viewer).open_mark == ""
    opened(line, "warning")
    assert dashboard(line.company.viewer).open_mark == "warning"


def test_noise_times_and_what_was_resolved_are_told(line: Deliveries) -> None:
    view, me = opened(line, "critical", "error", "error", "error"), line.company.operator
    incidents.acknowledge(me, view.id)
    page = dashboard(me)
    assert (page.noise, page.noise_words) == ("75%", "1 incidents of 4 firings")
    assert page.acknowledged_in.endswith("s") and page.latency.endswith("s") and page.slowest.endswith("s")
    assert (page.unacknowledged, [row.number for row in page.open]) == (0, [view.number])
    incidents.resolve(me, view.id)
    page.do("refresh")
    assert (list(page.open), [(row.number, row.is_over) for row in page.resolved]) == ([], [(view.number, True)])
    assert page.open_words == "nothing is open"


def test_what_waits_for_me_is_mine_and_open(line: Deliveries) -> None:
    me, other = line.company.operator, hire(line.company.owner, Role.OPERATOR)
    mine, theirs, nobodys, done = (opened(line) for _ in range(4))
    for view, who in ((mine, me), (theirs, other), (done, me)):
        incidents.assign(me, view.id, who.id)
    incidents.resolve(me, done.id)
    assert [row.number for row in dashboard(me).mine] == [mine.number]
    assert [row.number for row in dashboard(other).mine] == [theirs.number]
    assert list(dashboard(line.company.admin).mine) == []
    assert nobodys.number in [row.number for row in dashboard(me).open]


def test_the_tab_is_told_which_incidents_are_seen(line: Deliveries) -> None:
    view = opened(line)
    seen = {"number": str(view.number), "title": view.title, "severity": "Critical", "status": "Detected"}
    assert dashboard(line.company.viewer).seen == [seen]


def came(line: Deliveries, hours: int) -> None:
    """So many hours ago one alert came."""
    told = "INSERT INTO intake_minute VALUES (:org, :id, :source, null, 1, 1, 1, 0.5, 0.5)"
    at = datetime.now(UTC) - timedelta(hours=hours)
    written(line.tenant, told, org=line.company.id, id=floor_id(at), source=uuid4())


def test_the_range_is_chosen_and_in_the_address(line: Deliveries) -> None:
    owner = line.company.owner
    for hours in (0, 3, 12, 100):
        came(line, hours)
    page = dashboard(owner)
    assert (page.hours, page.query) == ("24", "")
    for hours, heard in (("1", 1), ("6", 2), ("24", 3), ("168", 4)):
        page.do("look_back", hours)
        assert (page.firing, page.query) == (f"0 fire now, {heard} heard", "" if hours == "24" else f"hours={hours}")
        assert dashboard(owner, page.query).firing == page.firing
    page.do("look_back", "1000")
    assert page.hours == "24", "what there is not is the usual one"
    assert [dashboard(owner, query).hours for query in ("hours=5", "hours=x", "hours=")] == ["24"] * 3
    assert set(RANGES) == {"1", "6", "24", "168"}


def test_a_team_is_chosen_and_in_the_address(line: Deliveries) -> None:
    red, blue = line.company.red, line.company.blue
    for team in (red, blue, blue):
        line.deliver(line.source(team_id=team.id), alert(uuid4().hex, service=uuid4().hex))
    page = dashboard(line.company.owner)
    assert {(choice.id, choice.name) for choice in page.team_choices} == {(str(each.id), each.name) for each in (red, blue)}
    for team, count in ((red, 1), (blue, 2)):
        page.do("only_team", str(team.id))
        assert (page.open_incidents, len(page.senders), page.query) == (count, count, f"team={team.id}")
        assert dashboard(line.company.owner, page.query).open_incidents == count
    page.do("look_back", "6")
    assert page.query == f"hours=6&team={blue.id}"
    page.do("only_team", "")
    assert (page.open_incidents, page.query) == (3, "hours=6")


@pytest.mark.parametrize("team", ["nothing", "0190a0a0-0000-7000-8000-000000000000", "another's"])
def test_a_team_that_one_does_not_see_is_all_teams(line: Deliveries, database: Database, team: str) -> None:
    opened(line)
    if team == "another's":
        team = str(found_company(database, "Other").red.id)
    page = dashboard(line.company.owner, f"team={team}")
    assert (page.team, page.open_incidents, page.query) == ("", 1, "")
    page.do("only_team", team)
    assert (page.team, page.open_incidents) == ("", 1)


# what happens to a source, what it is called then, its mark
SENDERS: list[tuple[str, Callable[[Deliveries, str], None], str, str]] = [
    ("nothing", lambda line, id: None, "", "unstated"),
    ("it was heard", lambda line, id: line.deliver(sources.show(line.company.owner, id), alert("x")), "", "good"),
    ("it was paused", lambda line, id: sources.pause(line.company.owner, id) and None, "paused", "info"),
    (
        "it failed",
        lambda line, id: written(line.tenant, "UPDATE source SET last_failure_at = now() WHERE id = :id", id=id),
        "failing",
        "critical",
    ),
    (
        "it is silent for too long",
        lambda line, id: written(
            line.tenant, "UPDATE source SET settings = '{\"silent_minutes\": 1}', created_at = now() - interval '1 h' WHERE id = :id", id=id
        ),
        "silent",
        "warning",
    ),
]


@pytest.mark.parametrize(("why", "happen", "state", "mark"), SENDERS, ids=[why for why, *_ in SENDERS])
def test_senders_are_shown_as_they_are(
    line: Deliveries, why: str, happen: Callable[[Deliveries, str], None], state: str, mark: str
) -> None:
    source = line.source()
    happen(line, str(source.id))
    page = dashboard(line.company.viewer)
    (sender,) = page.senders
    assert (sender.name, sender.href, sender.state, sender.mark) == (source.name, f"/sources/{source.id}", state, mark), why
    assert page.has_sources


def test_the_demonstration_is_offered_to_who_may_start_it_while_nothing_is_connected(line: Deliveries) -> None:
    assert [dashboard(line.company.people[role]).demo_offered for role in (Role.ADMIN, Role.VIEWER)] == [True, False]
    demo.prepare(line.company.owner)
    page = dashboard(line.company.admin)
    assert (page.demo_here, page.demo_offered) == (True, True)
    line.source()
    page.do("refresh")
    assert page.demo_offered is False


def test_the_last_proof_is_told(line: Deliveries) -> None:
    with work(line.database, INSTANCE) as open_work:
        at = open_work.now
        proof.record(open_work, at, 0.254, "")
    page = dashboard(line.company.viewer)
    assert (page.proof, page.proof_at) == ("0.25 s", at.isoformat())


def test_lines_have_a_point_for_each_part_of_the_range(line: Deliveries) -> None:
    opened(line, "critical", "error")
    page = dashboard(line.company.viewer)
    for said in (page.heard_line, page.firings_line, page.incidents_line):
        found = points(said)
        assert len(found) == 48 and found[0][0] == 0 and found[-1] == (240.0, 5.0), "what came just now is at the end, and highest"
        assert {y for _, y in found[:-1]} == {41.0}


def test_a_line_of_nothing_lies_at_the_bottom() -> None:
    assert sparkline([0, 0, 0]) == "0.0,41.0 120.0,41.0 240.0,41.0"


def test_a_line_of_one_value_is_one_point() -> None:
    assert (sparkline([5]), sparkline([0]), sparkline([])) == ("0.0,5.0", "0.0,41.0", "")


def test_a_line_stays_within_its_picture_whatever_the_values() -> None:
    for values in ([1], [0, 10**9, 1], [3, 3, 3], list(range(48)), [1, 0] * 50):
        assert all(0 <= x <= 240 and 3 <= y <= 44 for x, y in points(sparkline(values)))


def test_nothing_of_another_organization_is_counted(line: Deliveries, database: Database) -> None:
    opened(line)
    page = dashboard(found_company(database, "Other").owner)
    assert (page.open_incidents, page.firing, list(page.open), list(page.senders)) == (0, "0 fire now, 0 heard", [], [])
