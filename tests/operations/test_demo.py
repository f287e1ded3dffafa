"""Can the product be seen at work before anything real is connected, and does nothing of that stay?"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from engine.errors import Conflict, Invalid, Refused
from engine.identity.actor import Actor
from engine.model.overview import DemoSender
from engine.model.sources import SourceView
from engine.model.vocabulary import AlertStatus, IncidentStatus, JobState, Role, Severity
from engine.operations import alerts, demo, incidents, jobs, overview, quarantine, sources
from engine.operations.demo import SENDERS
from engine.storage.database import Database
from engine.storage.sources import directory, found
from engine.storage.work import Tenant, work
from tests.testkit.asking import written
from tests.testkit.deliveries import ALL, Deliveries, alert, group
from tests.testkit.people import found_company

# Everything that is kept of what senders said.
TABLES = (
    *("alert", "alert_history", "alert_entry", "incident", "incident_alert", "incident_entry"),
    *("inbox", "pending", "quarantine", "intake_minute", "source_credential"),
)


@pytest.fixture
def line(database: Database) -> Deliveries:
    """The way of alerts in an organization without sources."""
    return Deliveries(database, found_company(database, "Curious"))


def made(line: Deliveries) -> dict[str, SourceView]:
    """The demonstration's sources by kind, prepared."""
    demo.prepare(line.company.owner)
    return {each.kind: each for each in sources.all(line.company.viewer, page=ALL).items if each.demo}


def rows_of(line: Deliveries) -> dict[str, int]:
    """How many rows there are of what senders said."""
    with work(line.database, line.tenant) as open_work:
        return {table: open_work.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}


def opens(line: Deliveries, sender: DemoSender) -> bool:
    """Whether a delivery with its secret finds its source."""
    public_id = sender.secret.get_secret_value().split("_")[1]
    with work(line.database, Tenant()) as open_work:
        place = directory(open_work, public_id)
        if place is None:
            return False
        open_work.become(Tenant(place[0], all_teams=True))
        there = found(open_work, place[1])
    return there is not None and public_id in {each.public_id for each in there.credentials}


def test_it_is_there_from_its_preparation_to_its_removal(line: Deliveries) -> None:
    me, viewer = line.company.owner, line.company.viewer
    assert demo.show(viewer) == demo.show(me)
    assert (demo.show(viewer).is_here, demo.show(viewer).job_id, demo.show(viewer).may_start) == (False, None, True)
    job = demo.start(me, 50)
    assert (job.state, job.kind, job.created_by) == (JobState.WAITING, "demo", me.name)
    assert (demo.show(viewer).is_here, demo.show(viewer).job_id) == (False, job.id)
    demo.prepare(me)
    assert demo.show(viewer).is_here
    demo.remove(me)
    assert (demo.show(viewer).is_here, demo.show(viewer).job_id, demo.show(viewer).may_start) == (False, None, True)
    assert jobs.show(viewer, job.id).state is JobState.CANCELLED
    assert demo.start(me).state is JobState.WAITING, "and can be started anew"


def test_it_plays_once_at_a_time(line: Deliveries) -> None:
    demo.start(line.company.owner)
    with pytest.raises(Conflict, match="running already"):
        demo.start(line.company.admin)
    assert jobs.newest(line.company.owner, kind="demo").total == 1


def test_of_two_who_start_it_at_the_same_moment_one_is_refused(line: Deliveries) -> None:
    def start(who: Actor) -> str:
        try:
            return demo.start(who).state
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(start, [line.company.owner, line.company.admin] * 4))
    assert sorted(ends) == ["refused"] * 7 + ["waiting"]


def test_it_is_not_started_among_real_senders(line: Deliveries) -> None:
    company = line.company
    real = line.source(team_id=company.red.id)
    with pytest.raises(Conflict, match="sources of yours already"):
        demo.start(company.owner)
    assert (demo.show(company.owner).may_start, jobs.newest(company.owner, kind="demo").total) == (False, 0)
    sources.delete(company.owner, real.id)
    assert demo.start(company.owner).state is JobState.WAITING


@pytest.mark.parametrize("speed", [0, 0.09, -1, 100.1, float("inf"), float("nan")])
def test_a_speed_at_which_nobody_could_look_is_refused(line: Deliveries, speed: float) -> None:
    with pytest.raises(Invalid) as caught:
        demo.start(line.company.owner, speed)
    assert caught.value.errors[0].field == "speed"


# who, whether that one starts and removes it, why
MAY: list[tuple[str, bool, str]] = [
    ("organization owner", True, "an owner may everything"),
    ("organization admin", True, "an admin configures"),
    ("organization operator", False, "who responds does not configure"),
    ("organization viewer", False, "who looks does not configure"),
    ("red owner", False, "it is the whole organization's, not a team's"),
]


@pytest.mark.parametrize(("who", "may", "why"), MAY)
def test_it_is_started_and_removed_by_who_configures(line: Deliveries, who: str, may: bool, why: str) -> None:
    place, _, role = who.partition(" ")
    me = (line.company.people if place == "organization" else line.company.red.people)[Role(role)]
    for act in (demo.start, demo.prepare, demo.remove):
        if may:
            act(me)
        else:
            with pytest.raises(Refused):
                act(me)
    assert jobs.newest(line.company.owner, kind="demo").total == int(may), why


def test_its_sources_are_made_once_and_their_secrets_anew(line: Deliveries) -> None:
    me = line.company.owner
    first = demo.prepare(me)
    shown = {each.id: each for each in sources.all(me, page=ALL).items}
    again = demo.prepare(me)
    assert [each.kind for each in first] == [each.kind for each in again] == list(SENDERS)
    assert [each.path for each in first] == [each.path for each in again]
    assert {each.id for each in sources.all(me, page=ALL).items} == set(shown) and len(shown) == len(SENDERS)
    assert all(each.demo and each.team_id is None and each.url.endswith(tuple(s.path for s in first)) for each in shown.values())
    assert ([opens(line, each) for each in first], [opens(line, each) for each in again]) == ([False] * 3, [True] * 3)
    assert {len(each.credentials) for each in sources.all(me, page=ALL).items} == {1}


def test_a_source_of_it_that_was_deleted_is_made_again(line: Deliveries) -> None:
    gone = made(line)["grafana"]
    sources.delete(line.company.owner, gone.id)
    assert len(made(line)) == len(SENDERS) and made(line)["grafana"].id != gone.id


def test_its_secrets_are_in_no_view_and_not_in_the_record(line: Deliveries) -> None:
    senders = demo.prepare(line.company.owner)
    shown = repr((senders, sources.all(line.company.owner), demo.show(line.company.owner)))
    assert not any(each.secret.get_secret_value().split("_", 2)[2] in shown for each in senders)


def test_removing_it_takes_everything_away(line: Deliveries) -> None:
    there, me = made(line)["alertmanager"], line.company.operator
    line.deliver(there, alert("Over", service="a"), alert("On", service="b"), alert("On too", service="b", severity="info"))
    line.deliver(there, alert("Over", service="a", over=True))
    over = line.alert("Over")
    moved = "INSERT INTO alert_history SELECT * FROM alert WHERE id = :id"
    written(line.tenant, moved, id=over.id)
    written(line.tenant, "DELETE FROM alert WHERE id = :id", id=over.id)
    incidents.comment(me, line.incident_of("On").id, "Look at this.")
    line.put_aside(there, b"{")
    line.keep(line.post(there, group(alert("Waits"))))
    assert all(rows_of(line).values()), "there is something of everything"
    removed = demo.remove(line.company.owner)
    assert (removed.alerts, removed.incidents) == (3, 2)
    assert rows_of(line) == dict.fromkeys(TABLES, 0)
    line.apply()
    assert rows_of(line) == dict.fromkeys(TABLES, 0), "what still waited does not come after it"
    assert (line.alerts(), line.incidents(), sources.all(line.company.owner).total) == ((), (), 0)
    assert (quarantine.all(line.company.owner).total, overview.show(line.company.owner).heard) == (0, 0)


def test_what_a_source_of_it_sent_goes_too_when_that_was_deleted_before(line: Deliveries) -> None:
    there = made(line)["alertmanager"]
    line.deliver(there, alert("Demo"))
    sources.delete(line.company.owner, there.id)
    removed = demo.remove(line.company.owner)
    assert (removed.alerts, line.alerts(), rows_of(line)) == (1, (), dict.fromkeys(TABLES, 0))


def test_what_was_let_in_while_it_was_removed_does_not_bring_it_back(line: Deliveries) -> None:
    there, real = made(line)["alertmanager"], line.source()
    demo.remove(line.company.owner)
    line.keep(line.post(there, group(alert("Late"))), line.post(real, group(alert("Real"))))
    line.apply()
    assert [each.title for each in line.alerts()] == ["Real"]
    line.keep(line.post(there, group(alert("Later"))))
    line.apply()
    assert (rows_of(line)["inbox"], rows_of(line)["pending"]) == (1, 0)


def test_its_secrets_open_nothing_once_it_is_removed(line: Deliveries) -> None:
    senders = demo.prepare(line.company.owner)
    demo.remove(line.company.owner)
    assert [opens(line, each) for each in senders] == [False] * 3
    with work(line.database, Tenant()) as open_work:
        assert [directory(open_work, each.path.rpartition("/")[2]) for each in senders] == [None] * 3, "nor is it known that they were"
    assert set(made(line)) == set(SENDERS), "and its names are free again"


def test_an_incident_that_also_holds_a_real_alert_stays_with_that_alone(line: Deliveries) -> None:
    there, me = made(line)["alertmanager"], line.company.operator
    line.deliver(there, alert("Demo", service="shop"), alert("Demo too", service="shop", severity="error"))
    real = line.source()
    line.deliver(real, alert("Real", service="search", severity="warning"))
    view = incidents.move(me, line.incident_of("Demo").id, [line.alert("Real").id])
    assert (view.alerts, view.open_alerts, view.severity) == (3, 3, Severity.CRITICAL)
    assert demo.remove(line.company.owner).alerts == 2
    left = line.incident_of("Real")
    assert (left.id, left.alerts, left.open_alerts, left.severity) == (view.id, 1, 1, Severity.WARNING)
    assert [each.title for each in incidents.members(me, view.id).items] == ["Real"]
    assert [each.title for each in line.alerts()] == ["Real"]
    line.deliver(real, alert("Real", service="search", severity="warning", over=True))
    assert line.incident_of("Real").open_alerts == 0, "nothing is left that would keep it open"


def test_an_incident_that_only_ever_held_a_real_alert_for_a_while_stays(line: Deliveries) -> None:
    there, me = made(line)["alertmanager"], line.company.operator
    line.deliver(there, alert("Demo", service="shop"))
    line.deliver(line.source(), alert("Real", service="search"), alert("Stays", service="search"))
    real = line.incident_of("Real")
    incidents.move(me, line.incident_of("Demo").id, [line.alert("Real").id])
    incidents.move(me, real.id, [line.alert("Real").id])
    demo.remove(line.company.owner)
    assert (line.incident_of("Real").id, line.incident_of("Stays").id) == (real.id, real.id)
    assert line.incident_of("Real").open_alerts == 2


def test_what_real_senders_said_stays(line: Deliveries) -> None:
    there = made(line)["alertmanager"]
    real = line.source()
    for source, name in ((there, "Demo"), (real, "Real")):
        line.deliver(source, alert(name, service=name))
        line.put_aside(source, b"{")
        line.keep(line.post(source, group(alert(f"{name} waits"))))
    before = line.alert("Real"), line.incident_of("Real")
    demo.remove(line.company.owner)
    assert (line.alert("Real"), line.incident_of("Real")) == before
    assert quarantine.all(line.company.owner).total == 1
    line.apply()
    assert {each.title for each in line.alerts()} == {"Real", "Real waits"}
    assert [each.id for each in sources.all(line.company.owner).items] == [real.id]


def test_removing_what_is_not_there_removes_nothing(line: Deliveries) -> None:
    line.deliver(line.source(), alert("Real"))
    for _ in range(2):
        removed = demo.remove(line.company.owner)
        assert (removed.alerts, removed.incidents, len(line.alerts())) == (0, 0, 1)


def test_another_organization_neither_sees_nor_removes_it(line: Deliveries, database: Database) -> None:
    other = found_company(database, "Elsewhere")
    line.deliver(made(line)["alertmanager"], alert("Demo"))
    job = demo.start(line.company.owner)
    assert (demo.show(other.owner).is_here, demo.show(other.owner).job_id, demo.show(other.owner).may_start) == (False, None, True)
    assert demo.remove(other.owner).alerts == 0
    assert (demo.show(line.company.owner).job_id, len(line.alerts())) == (job.id, 1)
    assert demo.start(other.owner).state is JobState.WAITING, "each has its own"


def test_what_it_sent_is_acted_on_like_anything_else(line: Deliveries) -> None:
    line.deliver(made(line)["alertmanager"], alert("Demo"))
    me, view = line.company.operator, line.incident_of("Demo")
    incidents.acknowledge(me, view.id)
    alerts.resolve(me, [line.alert("Demo").id])
    assert line.alert("Demo").status is AlertStatus.RESOLVED
    assert incidents.resolve(me, view.id).status is IncidentStatus.RESOLVED
