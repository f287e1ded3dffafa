"""Is a job carried out, whatever happens on the way?"""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from engine.errors import Conflict, Unavailable
from engine.model.vocabulary import JobState
from engine.operations import audit, teams
from engine.operations import jobs as jobs_operations
from engine.operations.door import PROGRESS
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.jobs import Leased
from engine.storage.work import CHANNEL, Tenant, work
from engine.workflows.runner import MOST_TRIES, Runner
from tests.storage.tenants import found, robot
from tests.testkit.clock import until
from tests.testkit.people import found_company
from tests.workflows.conftest import ends, hand_on, make_due, show

Handles = Callable[[Callable[[Leased], dict[str, Any]]], None]


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization."""
    return found(database)


@pytest.fixture
def runner(database: Database) -> Iterator[Runner]:
    """A worker's runner with two slots."""
    made = Runner(database, "one")
    yield made
    made.close()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds jobs up until the test lets them go on, or ends."""
    event = threading.Event()
    yield event
    event.set()


# A job that goes well


def test_a_job_goes_from_the_door_to_its_result(database: Database, runner: Runner) -> None:
    acme = found_company(database, "Acme")
    tenant = Tenant(acme.id, all_teams=True)
    for number in range(10):
        teams.create(acme.owner, f"Team {number}")
    with psycopg.connect(database.dsn, autocommit=True) as db:
        db.execute(f"LISTEN {CHANNEL}")
        asked = audit.request_verification(acme.owner)
        assert asked.state is JobState.WAITING
        assert runner.take_due() == 1
        done = ends(database, tenant, asked.id)
        told = [json.loads(notice.payload) for notice in db.notifies(timeout=0.2)]
    assert (done.state, done.progress, done.attempts, done.created_by) == (JobState.DONE, 1.0, 1, acme.owner.name)
    assert done.result is not None and done.result["intact"] is True and done.result["checked"] > 10
    assert "entries checked" in done.note
    of_job = [notice for notice in told if str(asked.id) in notice["i"]]
    assert len(of_job) >= 4, "written, taken, on its way, done: an open page follows it"


def test_progress_and_note_are_seen_while_it_runs(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    def handler(job: Leased) -> dict[str, Any]:
        PROGRESS.get()(0.5, f"half of {job.payload['what']}")
        gate.wait(5)
        return {"all": job.payload["what"]}

    carried_out_by(handler)
    id = hand_on(database, tenant, what="it")
    runner.take_due()
    until(lambda: show(database, tenant, id).progress == 0.5)
    assert (show(database, tenant, id).state, show(database, tenant, id).note) == (JobState.RUNNING, "half of it")
    gate.set()
    assert ends(database, tenant, id).result == {"all": "it"}


def test_one_job_does_not_report_for_another(database: Database, tenant: Tenant, carried_out_by: Handles) -> None:
    carried_out_by(lambda job: PROGRESS.get()(0.1, str(job.payload["n"])) or {"n": job.payload["n"]})
    runner = Runner(database, "one", slots=1)  # one thread, which keeps its context
    ids = [hand_on(database, tenant, n=n) for n in range(3)]
    for _ in ids:
        runner.take_due()
        until(lambda: not runner._running)
    runner.close()
    assert [show(database, tenant, id).note for id in ids] == ["0", "1", "2"]


def test_jobs_of_several_organizations_are_taken(database: Database, runner: Runner, carried_out_by: Handles) -> None:
    carried_out_by(lambda job: {"org": str(job.org_id)})
    tenants = [found(database) for _ in range(2)]
    ids = [hand_on(database, tenant) for tenant in tenants]
    assert runner.take_due() == 2
    for tenant, id in zip(tenants, ids, strict=True):
        assert ends(database, tenant, id).result == {"org": str(tenant.org_id)}


def test_no_more_run_at_once_than_there_are_slots(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    carried_out_by(lambda job: {"waited": gate.wait(5)})
    ids = [hand_on(database, tenant) for _ in range(5)]
    assert [runner.take_due(), runner.take_due()] == [2, 0]
    states = sorted(show(database, tenant, id).state for id in ids)
    assert states == [JobState.RUNNING] * 2 + [JobState.WAITING] * 3
    gate.set()
    until(lambda: runner.take_due() == 0 and {show(database, tenant, id).state for id in ids} == {JobState.DONE})


def test_the_end_of_a_worker_waits_for_what_is_in_hand_and_leaves_the_rest(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    carried_out_by(lambda job: {"waited": gate.wait(5)})
    ids = [hand_on(database, tenant) for _ in range(3)]
    runner.take_due()
    threading.Timer(0.2, gate.set).start()
    runner.close()
    assert sorted(show(database, tenant, id).state for id in ids) == [JobState.DONE, JobState.DONE, JobState.WAITING]


# A job that fails


def test_a_kind_that_nobody_knows_fails_for_good_and_says_so(database: Database, tenant: Tenant, runner: Runner) -> None:
    id = hand_on(database, tenant, "from.the.future")
    runner.take_due()
    failed = ends(database, tenant, id)
    assert (failed.state, failed.attempts) == (JobState.FAILED, 1)
    assert failed.error == "no worker of this version carries out jobs of the kind from.the.future"


def tries(database: Database, tenant: Tenant, runner: Runner, id: UUID) -> list[tuple[JobState, float]]:
    """Carry it out again and again until it ends: the state after each try, and the seconds it then waits."""
    seen = []
    while not seen or seen[-1][0] is JobState.WAITING:
        make_due(database, tenant)
        runner.take_due()
        view = ends(database, tenant, id, JobState.WAITING, JobState.FAILED, JobState.DONE)
        until(lambda: not runner._running)
        view = show(database, tenant, id)
        with work(database, tenant) as open_work:
            seen.append((view.state, (view.due_at - open_work.now).total_seconds()))
    return seen


def test_a_handler_that_raises_is_tried_again_ever_later_and_then_failed(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles
) -> None:
    carried_out_by(lambda job: {"n": 1 // 0})
    id = hand_on(database, tenant)
    seen = tries(database, tenant, runner, id)
    assert [state for state, _ in seen] == [JobState.WAITING] * (MOST_TRIES - 1) + [JobState.FAILED]
    for (_, wait), about in zip(seen, (5, 10, 20, 40), strict=False):
        assert about * 0.7 < wait < about * 1.3
    failed = show(database, tenant, id)
    assert (failed.attempts, failed.error) == (MOST_TRIES, "ZeroDivisionError; see the worker's log")


def test_a_try_that_goes_well_makes_good_the_ones_before(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles
) -> None:
    carried_out_by(lambda job: {"try": job.attempts} if job.attempts == 3 else {"n": 1 // 0})
    id = hand_on(database, tenant)
    assert [state for state, _ in tries(database, tenant, runner, id)] == [JobState.WAITING, JobState.WAITING, JobState.DONE]
    assert show(database, tenant, id).result == {"try": 3}


@pytest.mark.parametrize(
    ("error", "tries_made", "why"),
    [
        (Conflict("It is closed."), 1, "the words are final: trying again changes nothing"),
        (Unavailable("mail", "The mail server does not answer."), MOST_TRIES, "it may answer later"),
    ],
    ids=["refused by us", "a vendor is away"],
)
def test_an_error_of_ours_is_kept_in_its_own_words(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, error: Exception, tries_made: int, why: str
) -> None:
    def handler(_: Leased) -> dict[str, Any]:
        raise error

    carried_out_by(handler)
    id = hand_on(database, tenant)
    assert len(tries(database, tenant, runner, id)) == tries_made, why
    assert (show(database, tenant, id).state, show(database, tenant, id).error) == (JobState.FAILED, str(error))


def test_a_secret_in_an_unknown_error_does_not_reach_the_page(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles
) -> None:
    def handler(_: Leased) -> dict[str, Any]:
        raise RuntimeError("https://user:hunter2@example.com did not answer")

    carried_out_by(handler)
    id = hand_on(database, tenant)
    runner.take_due()
    assert "hunter2" not in ends(database, tenant, id, JobState.WAITING, JobState.FAILED).error


def test_one_that_fails_does_not_hold_up_the_next(database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles) -> None:
    carried_out_by(lambda job: {"n": 1 // job.payload["n"]})
    bad, good = hand_on(database, tenant, n=0), hand_on(database, tenant, n=1)
    runner.take_due()
    assert ends(database, tenant, good).state is JobState.DONE
    assert ends(database, tenant, bad, JobState.WAITING).attempts == 1


def test_a_result_that_cannot_be_kept_is_a_failure_and_not_a_silence(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles
) -> None:
    carried_out_by(lambda job: {"text": "a\x00b"})
    id = hand_on(database, tenant)
    runner.take_due()
    assert "DataError" in ends(database, tenant, id, JobState.WAITING, JobState.FAILED).error


# A job that is cancelled


def test_a_running_job_ends_as_cancelled_at_its_next_step(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    reached: list[str] = []

    def handler(_: Leased) -> dict[str, Any]:
        PROGRESS.get()(0.1, "begun")
        gate.wait(5)
        PROGRESS.get()(0.2, "next step")
        reached.append("the end")
        return {}

    carried_out_by(handler)
    id = hand_on(database, tenant)
    runner.take_due()
    until(lambda: show(database, tenant, id).note == "begun")
    assert jobs_operations.cancel(robot(tenant), id).state is JobState.RUNNING
    gate.set()
    cancelled = ends(database, tenant, id)
    assert (cancelled.state, cancelled.result, reached) == (JobState.CANCELLED, None, [])
    with pytest.raises(Conflict, match="it is cancelled"):
        jobs_operations.cancel(robot(tenant), id)


# A worker that vanishes


def test_another_worker_finishes_what_a_killed_one_had_begun(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles
) -> None:
    carried_out_by(lambda job: {"by try": job.attempts})
    id = hand_on(database, tenant)
    with work(database, tenant) as open_work:
        assert len(jobs.claim(open_work, "killed", 1)) == 1
    assert runner.take_due() == 0, "its lease holds for a while"
    make_due(database, tenant)
    assert runner.take_due() == 1
    assert ends(database, tenant, id).result == {"by try": 2}


def test_who_was_only_slow_cannot_write_over_the_result_of_the_other(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    carried_out_by(lambda job: {"waited": gate.wait(5), "try": 1} if job.attempts == 1 else {"try": 2})
    id = hand_on(database, tenant)
    slow = Runner(database, "slow")
    slow.take_due()
    until(lambda: show(database, tenant, id).state is JobState.RUNNING)
    make_due(database, tenant)
    runner.take_due()
    assert ends(database, tenant, id).result == {"try": 2}
    gate.set()
    slow.close()
    assert show(database, tenant, id).result == {"try": 2}
    assert show(database, tenant, id).attempts == 2


def test_a_long_job_keeps_its_lease_while_its_worker_lives(
    database: Database, tenant: Tenant, runner: Runner, carried_out_by: Handles, gate: threading.Event
) -> None:
    carried_out_by(lambda job: {"waited": gate.wait(5)})
    id = hand_on(database, tenant)
    runner.take_due()
    make_due(database, tenant)
    runner.renew()
    other = Runner(database, "other")
    assert other.take_due() == 0
    other.close()
    gate.set()
    assert ends(database, tenant, id).attempts == 1
