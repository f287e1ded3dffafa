"""Does the demonstration play through the real webhooks, and come to an end whatever happens to it?"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from engine.errors import NotFound, Unavailable
from engine.identity.actor import Actor
from engine.model.sources import SourceView
from engine.model.vocabulary import JobState
from engine.operations import demo, incidents, sources
from engine.operations.demo import SENDERS
from engine.storage.database import Database
from engine.workflows import demo as playing
from engine.workflows.demo import ALERTMANAGER, EVENTS, GRAFANA, LENGTH, SCRIPT, Posting, bodies, play
from engine.workflows.runner import Runner
from tests.api.clients import Server, serve
from tests.pipeline.stored import Line
from tests.testkit.clock import until
from tests.testkit.people import found_company
from tests.workflows.conftest import ends, make_due, show

START = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
QUICK = 100.0


@dataclass
class Web:
    """The web process of this installation: takes what is posted, unless a test has it fail."""

    server: Server
    came: list[httpx.Request] = field(default_factory=list)
    before: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.came.append(request)
        if (instead := self.before(request)) is not None:
            return instead
        given = self.server.anybody()("POST", request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(given.status_code, content=given.content)


@pytest.fixture
def web(database: Database, scratch: Any, monkeypatch: pytest.MonkeyPatch) -> Web:
    """What the demonstration posts goes through the whole application, but for the wire."""
    made, real = Web(serve(str(scratch))), httpx.Client
    monkeypatch.setattr(playing.httpx, "Client", lambda **more: real(**more, transport=httpx.MockTransport(made.answer)))
    return made


@pytest.fixture
def line(database: Database) -> Line:
    """A company without sources, in a database in which nobody else delivers."""
    return Line(database, found_company(database, "Curious"))


@pytest.fixture
def runner(database: Database) -> Iterator[Runner]:
    """A worker's runner."""
    made = Runner(database, "one")
    yield made
    made.close()


def senders(line: Line) -> dict[str, tuple[str, str]]:
    """The demonstration's senders, prepared: where each posts, and its secret."""
    return {each.kind: (each.path, each.secret.get_secret_value()) for each in demo.prepare(line.company.owner)}


def there(line: Line) -> list[SourceView]:
    """The sources that there are."""
    return list(sources.all(line.company.owner).items)


def quickly(line: Line, web: Web, start: datetime = START) -> int:
    """Play without a worker, as fast as can be, and apply everything."""
    sent = play(Posting("http://127.0.0.1:1", senders(line)), start, 1e6, lambda done, note: None)
    while line.apply_batch():
        pass
    return sent


def test_the_script_is_told_in_order_by_three_senders_and_everything_in_it_ends() -> None:
    assert len(SCRIPT) == 60 and {each.sender for each in SCRIPT} == set(SENDERS)
    assert all(0 <= each.at < each.until < LENGTH for each in SCRIPT)
    assert len({(each.sender, each.name, each.resource) for each in SCRIPT}) == 60, "no alert is another one again"


def test_a_moment_is_one_post_of_each_sender_but_for_events_which_come_one_by_one() -> None:
    begins = [each for each in SCRIPT if each.at < 40]
    over = [each for each in SCRIPT if each.until < 180]
    came = list(bodies(begins, over, START))
    assert Counter(sender for sender, _, _ in came) == {ALERTMANAGER: 1, GRAFANA: 1, EVENTS: 1 + 2}
    told = {sender: body for sender, _, body in came}
    for sender in (ALERTMANAGER, GRAFANA):
        said = Counter(each["status"] for each in told[sender]["alerts"])
        assert said == {"firing": sum(s.sender == sender for s in begins), "resolved": sum(s.sender == sender for s in over)}
        assert told[sender]["status"] == "firing"
    (only,) = bodies([], [each for each in SCRIPT if each.sender == GRAFANA][:1], START)
    assert (only[0], only[2]["status"]) == (GRAFANA, "resolved")
    assert list(bodies([], [], START)) == []


def test_every_kind_reads_what_is_posted_and_all_of_it_ends(line: Line, web: Web) -> None:
    assert quickly(line, web) == 60
    assert {request.url.path.split("/")[2] for request in web.came} == set(SENDERS)
    rows = line.rows("SELECT title, status, severity, service, environment, resource, count FROM alert")
    assert (len(rows), Counter(row.status for row in rows), {row.count for row in rows}) == (60, {"resolved": 60}, {1})
    assert all(row.title and row.severity and row.service and row.resource and row.environment == "demo" for row in rows)
    assert line.rows("SELECT reason FROM quarantine") == []
    expected = Counter((each.severity, each.service, each.resource) for each in SCRIPT)
    assert Counter((row.severity, row.service, row.resource) for row in rows) == expected
    assert 1 < len(line.incident_rows()) < 30, "grouped, which is what is shown"
    shown = {each.kind: (each.alerts, each.failures, each.quarantined) for each in there(line)}
    assert shown == {kind: (2 * sum(each.sender == kind for each in SCRIPT), 0, 0) for kind in SENDERS}


def test_a_worker_plays_it_as_a_job_that_can_be_followed(line: Line, web: Web, runner: Runner, database: Database) -> None:
    job = demo.start(line.company.owner, QUICK)
    notes: set[str] = set()
    web.before = lambda request: notes.add(show(database, line.tenant, job.id).note)
    assert runner.take_due() == 1
    until(lambda: show(database, line.tenant, job.id).state in (JobState.DONE, JobState.FAILED), 60)
    done = ends(database, line.tenant, job.id)
    assert (done.state, done.result, done.error) == (JobState.DONE, {"alerts": 60}, "")
    assert {"the shop is failing", "the shop recovers"} <= notes
    line.apply_batch()
    assert Counter(row.status for row in line.alert_rows()) == {"resolved": 60}


def test_a_worker_that_takes_it_over_tells_nothing_twice(line: Line, web: Web) -> None:
    quickly(line, web)
    before = len(line.incident_rows())
    assert quickly(line, web) == 60
    rows = line.alert_rows()
    assert (len(rows), {row.count for row in rows}, Counter(row.status for row in rows)) == (60, {1}, {"resolved": 60})
    assert (len(line.incident_rows()), len(there(line))) == (before, 3)


def test_played_another_time_it_tells_of_another_outage(line: Line, web: Web) -> None:
    quickly(line, web)
    quickly(line, web, START.replace(hour=13))
    assert len(line.alert_rows()) == 120


def test_removed_half_way_it_stops_and_says_why(line: Line, web: Web) -> None:
    def removed(request: httpx.Request) -> None:
        if len(web.came) == 20:
            demo.remove(line.company.owner)

    web.before = removed
    with pytest.raises(NotFound, match="The demonstration was removed"):
        quickly(line, web)
    assert len(web.came) == 20
    line.apply_batch()
    assert (line.alert_rows(), line.incident_rows(), there(line)) == ([], [], [])


def test_removed_half_way_the_job_ends_and_nothing_is_made_again(line: Line, web: Web, runner: Runner, database: Database) -> None:
    job = demo.start(line.company.owner, QUICK)
    runner.take_due()
    until(lambda: len(web.came) > 10)
    demo.remove(line.company.owner)
    ended = ends(database, line.tenant, job.id)
    assert ended.state in (JobState.FAILED, JobState.CANCELLED)
    assert ended.error in ("", "The demonstration was removed.") and ended.finished_at
    make_due(database, line.tenant)
    assert (runner.take_due(), ended.attempts, there(line)) == (0, 1, [])


def test_a_job_that_meets_closed_doors_fails_for_good(line: Line, web: Web, runner: Runner, database: Database) -> None:
    web.before = lambda request: httpx.Response(404)
    job = demo.start(line.company.owner, QUICK)
    runner.take_due()
    ended = ends(database, line.tenant, job.id)
    assert (ended.state, ended.error, ended.attempts) == (JobState.FAILED, "The demonstration was removed.", 1)


def test_removed_while_no_worker_has_it_it_does_not_come_back(line: Line, web: Web, database: Database) -> None:
    """The worker that had it died; another one takes it over after somebody removed it."""
    job = demo.start(line.company.owner, QUICK)
    demo.prepare(line.company.owner)
    line.write("UPDATE job SET state = 'running', attempts = 1, lease_until = now() - interval '1 minute' WHERE id = :id", id=job.id)
    demo.remove(line.company.owner)
    make_due(database, line.tenant)
    second = Runner(database, "two")
    assert second.take_due() == 1
    ended = ends(database, line.tenant, job.id)
    second.close()
    assert (ended.state, there(line), web.came) == (JobState.CANCELLED, [], [])


def test_removed_just_before_its_senders_are_made_it_does_not_come_back(
    line: Line, web: Web, runner: Runner, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(actor: Actor) -> object:
        demo.remove(line.company.owner)
        return prepare(actor)

    prepare = demo.prepare
    monkeypatch.setattr(demo, "prepare", late)
    job = demo.start(line.company.owner, QUICK)
    runner.take_due()
    ended = ends(database, line.tenant, job.id)
    assert (ended.state, there(line), web.came) == (JobState.CANCELLED, [], [])


def nobody(request: httpx.Request) -> httpx.Response:
    """Nobody listens there."""
    raise httpx.ConnectError("refused", request=request)


# how the webhooks answer, what is said, why
ANSWERS: list[tuple[Callable[[httpx.Request], httpx.Response], type[Exception], str, str]] = [
    (nobody, Unavailable, "do not answer (ConnectError)", "the web process is away"),
    (lambda request: httpx.Response(503), Unavailable, "answered 503", "it takes nothing now"),
    (lambda request: httpx.Response(302), Unavailable, "answered 302", "somebody else answers there"),
    (lambda request: httpx.Response(401), NotFound, "was removed", "its secrets have ended"),
    (lambda request: httpx.Response(404), NotFound, "was removed", "its sources are gone"),
]


@pytest.mark.parametrize(("answer", "fault", "said", "why"), ANSWERS)
def test_what_the_webhooks_answer_is_told_in_words(
    web: Web, answer: Callable[[httpx.Request], httpx.Response], fault: type[Exception], said: str, why: str
) -> None:
    web.before = answer
    with pytest.raises(fault) as caught:
        Posting("http://127.0.0.1:1", {EVENTS: ("/webhook/x", "secret")}).post(EVENTS, "application/json", {})
    assert said in str(caught.value), why


def test_when_the_web_process_is_away_it_is_tried_again(line: Line, web: Web, runner: Runner, database: Database) -> None:
    web.before = nobody
    job = demo.start(line.company.owner, QUICK)
    runner.take_due()
    until(lambda: ends(database, line.tenant, job.id, *JobState).error)
    waiting = ends(database, line.tenant, job.id, JobState.WAITING)
    assert (waiting.attempts, "do not answer" in waiting.error) == (1, True)
    web.before = lambda request: None
    make_due(database, line.tenant)
    assert runner.take_due() == 1
    assert ends(database, line.tenant, job.id).state is JobState.DONE
    line.apply_batch()
    assert (Counter(row.status for row in line.alert_rows()), len(there(line))) == ({"resolved": 60}, 3)


def test_what_it_tells_is_an_outage_that_people_can_work_on(line: Line, web: Web) -> None:
    quickly(line, web)
    view = max(incidents.search(line.company.viewer).items, key=lambda each: each.alerts)
    assert view.alerts > 10 and view.open_alerts == 0 and view.environment == "demo" and len(view.services) > 0
    assert incidents.members(line.company.viewer, view.id).total == view.alerts
