"""Does the installation remember what it must: set-up, leases, heartbeats, timers, failed tries?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from engine.errors import Conflict, NotFound
from engine.identity import secrets, throttle
from engine.model.vocabulary import ProcessKind
from engine.operations import sign_in
from engine.storage import instance
from engine.storage.database import Database
from engine.storage.instance import Beat, Holding
from engine.storage.work import INSTANCE, Work, work
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, PASSWORD

T = TypeVar("T")
FIVE = timedelta(seconds=5)
HOUR = 3600


@pytest.fixture
def database(fresh: TestDatabase) -> Database:
    """An installation of its own."""
    return fresh.database


def within(database: Database, what: Callable[[Work], T]) -> T:
    """One transaction of the installation."""
    with work(database, INSTANCE) as open_work:
        return what(open_work)


def sql(database: Database, statement: str) -> None:
    """A statement as the installation: time passes by moving what was written into the past."""
    within(database, lambda w: w.session.execute(text(statement)))


# Set-up


def offer(database: Database) -> str | None:
    """A fresh set-up link's secret; None when there is an owner."""
    secret = secrets.new_secret()
    return secret if within(database, lambda w: instance.offer_setup(w, secrets.digest(secret))) else None


def set_up(link: str | None) -> None:
    """Use a set-up link."""
    sign_in.set_up(HERE, SecretStr(link or ""), "Acme", "Ada", "ada@example.com", SecretStr(PASSWORD))


def test_a_fresh_installation_is_set_up_once_by_its_link(database: Database) -> None:
    assert not sign_in.is_set_up(HERE)
    link = offer(database)
    set_up(link)
    assert sign_in.is_set_up(HERE)
    assert offer(database) is None, "there is an owner: no further link"
    with pytest.raises(NotFound):
        set_up(link)


def test_a_fresh_link_replaces_the_one_before(database: Database) -> None:
    old, new = offer(database), offer(database)
    with pytest.raises(NotFound):
        set_up(old)
    set_up(new)


def test_a_link_expires_after_a_day(database: Database) -> None:
    link = offer(database)
    sql(database, "UPDATE instance SET setup_expires_at = setup_expires_at - interval '24 hours 1 second'")
    with pytest.raises(NotFound, match="prints a fresh one"):
        set_up(link)
    assert not sign_in.is_set_up(HERE)
    set_up(offer(database))


def test_the_link_is_kept_as_a_hash_and_gone_after_use(database: Database) -> None:
    link = offer(database)
    assert within(database, lambda w: instance.settle(w).setup_hash) == secrets.digest(str(link))
    set_up(link)
    assert within(database, lambda w: instance.settle(w).setup_hash) is None


def test_two_set_ups_at_once_make_one_owner(database: Database) -> None:
    link = offer(database)

    def try_it(_: int) -> bool:
        try:
            set_up(link)
        except (NotFound, Conflict):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_it, range(4))) == [False, False, False, True]


def test_there_is_one_row_of_the_installation_whoever_asks_first(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: within(database, lambda w: instance.settle(w).id), range(8)))
    assert len(ids) == 1


# Leases


def hold(database: Database, owner: str, name: str = "leader", length: timedelta = FIVE) -> Holding | None:
    """Try to take or keep a lease."""
    return within(database, lambda w: instance.hold(w, name, owner, length))


def test_one_holds_a_lease_and_keeps_it_with_the_same_fence(database: Database) -> None:
    assert hold(database, "a") == Holding("leader", "a", 1)
    assert hold(database, "b") is None
    assert hold(database, "a") == Holding("leader", "a", 1)


def test_a_lease_that_is_past_goes_to_the_next_with_a_higher_fence(database: Database) -> None:
    hold(database, "a")
    sql(database, "UPDATE lease SET until = now() - interval '1 second'")
    assert hold(database, "b") == Holding("leader", "b", 2)
    assert hold(database, "a") is None
    sql(database, "UPDATE lease SET until = now() - interval '1 second'")
    assert hold(database, "a") == Holding("leader", "a", 3), "higher than that of every holder before"


def test_a_lease_given_back_need_not_be_waited_for(database: Database) -> None:
    hold(database, "a", length=timedelta(days=1))
    within(database, lambda w: instance.let_go(w, "leader", "b"))
    assert hold(database, "b") is None, "only the holder gives it back"
    within(database, lambda w: instance.let_go(w, "leader", "a"))
    assert hold(database, "b") == Holding("leader", "b", 2)


def test_leases_of_different_names_do_not_touch(database: Database) -> None:
    assert hold(database, "a", "one") and hold(database, "b", "two")


def test_of_many_at_once_one_gets_the_lease(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda n: hold(database, f"worker {n}"), range(8)))
    assert len([holding for holding in held if holding]) == 1


# Heartbeats


def beat(database: Database, process: str, kind: ProcessKind = ProcessKind.WORKER) -> None:
    """A process says that it is alive."""
    within(database, lambda w: instance.beat(w, Beat(process, kind, "1.0", w.now, w.now, None)))


def processes(database: Database) -> list[str]:
    """Who was heard lately."""
    return [found.process for found in within(database, instance.beats)]


def test_a_process_is_heard_until_it_is_buried(database: Database) -> None:
    beat(database, "worker-1")
    beat(database, "web-1", ProcessKind.WEB)
    beat(database, "worker-1")
    assert processes(database) == ["web-1", "worker-1"]
    within(database, lambda w: instance.bury(w, "worker-1"))
    assert processes(database) == ["web-1"]


def test_a_process_unheard_for_long_is_forgotten(database: Database) -> None:
    beat(database, "gone")
    beat(database, "late")
    sql(database, "UPDATE heartbeat SET seen_at = now() - interval '11 minutes' WHERE process = 'gone'")
    sql(database, "UPDATE heartbeat SET seen_at = now() - interval '9 minutes' WHERE process = 'late'")
    beat(database, "here")
    assert processes(database) == ["here", "late"]


def test_a_beat_does_not_wipe_out_the_last_tick(database: Database) -> None:
    beat(database, "worker-1")
    within(database, lambda w: instance.ticked(w, "worker-1"))
    [before] = within(database, instance.beats)
    beat(database, "worker-1")
    [after] = within(database, instance.beats)
    assert before.tick_at is not None
    assert after.tick_at == before.tick_at
    assert after.seen_at > before.seen_at


# Timers


def due(database: Database) -> list[str]:
    """The timers that are due, which are then moved on."""
    return sorted(within(database, instance.timers_due))


def test_new_timers_are_due_at_once_as_a_set_and_then_after_their_length(database: Database) -> None:
    within(database, lambda w: instance.plan(w, {"sweep": 600, "partitions": HOUR}))
    assert due(database) == ["partitions", "sweep"]
    assert due(database) == []
    sql(database, "UPDATE timer SET due_at = due_at - interval '601 seconds'")
    assert due(database) == ["sweep"]


def test_missed_rounds_are_not_made_up_for(database: Database) -> None:
    within(database, lambda w: instance.plan(w, {"sweep": 600}))
    sql(database, "UPDATE timer SET due_at = now() - interval '10 days'")
    assert [due(database), due(database)] == [["sweep"], []]


def test_planning_again_keeps_what_is_due_and_takes_the_new_length(database: Database) -> None:
    within(database, lambda w: instance.plan(w, {"sweep": HOUR}))
    due(database)
    within(database, lambda w: instance.plan(w, {"sweep": 60}))
    assert due(database) == [], "a new leader does not start everything anew"
    sql(database, "UPDATE timer SET due_at = now()")
    due(database)
    sql(database, "UPDATE timer SET due_at = due_at - interval '61 seconds'")
    assert due(database) == ["sweep"]


def test_two_at_once_never_take_the_same_timer(database: Database) -> None:
    within(database, lambda w: instance.plan(w, {f"duty {n}": HOUR for n in range(20)}))
    with ThreadPoolExecutor(4) as pool:
        taken = [name for names in pool.map(lambda _: due(database), range(4)) for name in names]
    assert sorted(taken) == sorted(f"duty {n}" for n in range(20))


def test_the_last_round_of_a_duty_says_how_it_ended(database: Database) -> None:
    within(database, lambda w: instance.plan(w, {"sweep": 600, "partitions": HOUR}))
    within(database, lambda w: instance.timer_ended(w, "sweep", "no room" * 100))
    assert within(database, instance.timer_errors) == {"sweep": ("no room" * 100)[:500]}
    within(database, lambda w: instance.timer_ended(w, "sweep", ""))
    assert within(database, instance.timer_errors) == {}


# Failed tries


def test_tries_are_counted_for_each_subject_and_forgiven_when_one_was_right(database: Database) -> None:
    subjects = throttle.sign_in("ada@example.com", "198.51.100.7")
    for n in (1, 2, 3):
        counts = within(database, lambda w: instance.count_failures(w, subjects))
        assert [counts[s.key][1] for s in subjects] == [n] * 3
    within(database, lambda w: instance.forgive(w, subjects))
    counts = within(database, lambda w: instance.count_failures(w, subjects))
    assert [counts[s.key][1] for s in subjects] == [1, 3, 3], "the pair begins anew; the address keeps the wrong ones"


def test_tries_at_the_same_moment_are_all_counted(database: Database) -> None:
    subjects = throttle.sign_in("ada@example.com", "198.51.100.7")
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: within(database, lambda w: instance.count_failures(w, subjects)), range(24)))
    assert sorted(counts[subjects[0].key][1] for counts in counted) == list(range(1, 25))


def test_a_window_that_is_over_begins_anew(database: Database) -> None:
    subjects = throttle.token("198.51.100.7")
    for _ in range(3):
        within(database, lambda w: instance.count_failures(w, subjects))
    sql(database, "UPDATE sign_in_failure SET since = since - interval '15 minutes 1 second'")
    with work(database, INSTANCE) as open_work:
        assert instance.count_failures(open_work, subjects) == {subjects[0].key: (open_work.now, 1)}


def test_what_is_kept_of_a_try_names_nobody(database: Database) -> None:
    within(database, lambda w: instance.count_failures(w, throttle.sign_in("ada@example.com", "198.51.100.7")))
    rows = within(database, lambda w: w.session.execute(text("SELECT subject::text FROM sign_in_failure")).scalars().all())
    assert len(rows) == 3
    assert not any("ada" in row or "198" in row for row in map(str, rows) if not row.startswith("\\x"))
    assert all(len(row) == 66 for row in rows)
