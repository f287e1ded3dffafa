"""Does every open page learn what changed, and nothing of what it may not see?"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest

from engine.storage import bus as bus_module
from engine.storage.bus import EVERYTHING, Bus, Notice, Subscription
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from engine.storage.work import CHANNEL, Tenant, Work, work
from tests.storage.tenants import found

ORG, OTHER, RED, BLUE, ONE = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
JOB = frozenset({"job"})


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Bus]:
    """A bus that hears, until the block ends."""
    bus = Bus(database.dsn)
    task = asyncio.create_task(bus.run())
    await until(lambda: bus.connected)
    yield bus
    task.cancel()


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something, not for long."""
    for _ in range(300):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen within 3 s")


async def change(database: Database, tenant: Tenant, touch: Callable[[Work], None]) -> None:
    """One commit."""

    def commit() -> None:
        with work(database, tenant) as open_work:
            touch(open_work)

    await asyncio.to_thread(commit)


async def next_of(tab: Subscription) -> Notice:
    """The next notice of a tab, which must come soon."""
    return await asyncio.wait_for(tab.next(), 3)


# Who hears


@dataclass(frozen=True)
class Hearing:
    """A notice, a tenant, whether it concerns it, and why."""

    notice: Notice
    tenant: Tenant
    hears: bool
    why: str


HEARINGS = [
    Hearing(Notice(ORG, JOB), Tenant(ORG), True, "of the own organization, and of no team"),
    Hearing(Notice(ORG, JOB), Tenant(OTHER, all_teams=True), False, "of another organization"),
    Hearing(Notice(ORG, JOB), Tenant(), False, "nobody in particular"),
    Hearing(Notice(ORG, JOB, teams=(RED,)), Tenant(ORG, (RED,)), True, "of the own team"),
    Hearing(Notice(ORG, JOB, teams=(RED,)), Tenant(ORG, (BLUE,)), False, "of another team"),
    Hearing(Notice(ORG, JOB, teams=(RED,)), Tenant(ORG), False, "who is in no team hears of none"),
    Hearing(Notice(ORG, JOB, teams=(RED, BLUE)), Tenant(ORG, (BLUE,)), True, "one of the teams is enough"),
    Hearing(Notice(ORG, JOB, teams=(RED,)), Tenant(ORG, all_teams=True), True, "who sees all teams hears all"),
    Hearing(Notice(ORG, JOB, teams=(RED,)), Tenant(OTHER, (RED,), all_teams=True), False, "the organization comes first"),
    Hearing(Notice(None, JOB), Tenant(ORG), True, "of the installation"),
    Hearing(EVERYTHING, Tenant(ORG), True, "a lost connection concerns all"),
]


@pytest.mark.fast
@pytest.mark.parametrize("case", HEARINGS, ids=lambda case: case.why)
def test_a_notice_concerns_those_who_may_see_what_changed(case: Hearing) -> None:
    assert case.notice.concerns(case.tenant) is case.hears


def test_notices_are_filtered_before_a_tab_hears_them(database: Database) -> None:
    mine, other = found(database), found(database)
    org_id = mine.org_id
    tenants = {"red": Tenant(org_id, (RED,)), "blue": Tenant(org_id, (BLUE,)), "admin": Tenant(org_id, all_teams=True), "other": other}

    async def scenario() -> None:
        async with listening(database) as bus:
            with (
                bus.subscribe(tenants["red"]) as red,
                bus.subscribe(tenants["blue"]) as blue,
                bus.subscribe(tenants["admin"]) as admin,
                bus.subscribe(tenants["other"]) as stranger,
            ):
                await change(database, mine, lambda w: w.touch("job", ONE, RED))
                await change(database, mine, lambda w: w.touch("people"))
                await change(database, other, lambda w: w.touch("team"))
                assert await next_of(stranger) == Notice(other.org_id, frozenset({"team"}))
                of_red, of_all = Notice(org_id, JOB, (ONE,), (RED,)), Notice(org_id, frozenset({"people"}))
                heard = [tab.waiting() for tab in (red, blue, admin, stranger)]
                assert heard == [[of_red, of_all], [of_all], [of_red, of_all], []]

    asyncio.run(scenario())


def test_a_watcher_hears_every_organization(database: Database) -> None:
    one, two = found(database), found(database)
    heard: list[UUID | None] = []

    async def scenario() -> None:
        async with listening(database) as bus:
            bus.watch(lambda notice: heard.append(notice.org_id))
            await change(database, one, lambda w: w.touch("job"))
            await change(database, two, lambda w: w.touch("job"))
            await until(lambda: len(heard) == 2)

    asyncio.run(scenario())
    assert heard == [one.org_id, two.org_id]


def test_a_tab_that_is_closed_hears_nothing_more(database: Database) -> None:
    tenant = found(database)

    async def scenario() -> None:
        async with listening(database) as bus:
            with bus.subscribe(tenant) as closed:
                assert bus.tabs == 1
            with bus.subscribe(tenant) as here:
                assert bus.tabs == 1
                await change(database, tenant, lambda w: w.touch("job"))
                await next_of(here)
            assert bus.tabs == 0
            assert closed.waiting() == []

    asyncio.run(scenario())


# What goes wrong


def test_a_tab_that_falls_behind_gets_one_refresh_in_place_of_what_it_missed() -> None:
    async def scenario() -> None:
        tab = Subscription(Tenant(ORG))
        for _ in range(bus_module._MOST_WAITING):
            tab.put(Notice(ORG, JOB))
        assert len(tab.waiting()) == bus_module._MOST_WAITING, "so many fit"
        for _ in range(bus_module._MOST_WAITING + 1):
            tab.put(Notice(ORG, JOB))
        tab.put(Notice(ORG, JOB, (ONE,)))
        assert await tab.next() is EVERYTHING
        assert tab.waiting() == [Notice(ORG, JOB, (ONE,))], "and then goes on as before"

    asyncio.run(scenario())


def test_a_tab_that_falls_behind_holds_up_nobody_else(database: Database) -> None:
    tenant = found(database)

    async def scenario() -> None:
        async with listening(database) as bus:
            with bus.subscribe(tenant) as slow, bus.subscribe(tenant) as quick:
                for _ in range(bus_module._MOST_WAITING):
                    slow.put(Notice(tenant.org_id, JOB))
                await change(database, tenant, lambda w: w.touch("job", ONE))
                assert await next_of(quick) == Notice(tenant.org_id, JOB, (ONE,))
                assert slow.waiting() == [EVERYTHING]

    asyncio.run(scenario())


def kill_listeners(cluster: Embedded) -> int:
    """End every connection that listens, as a restart of the database does."""
    with psycopg.connect(cluster._superuser_url(), autocommit=True) as db:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = %s"
        return len(db.execute(query, [f"LISTEN {CHANNEL}"]).fetchall())


def test_after_a_lost_connection_every_tab_refreshes_and_hears_again(
    database: Database, cluster: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "_RETRY", 0.1)
    one, two = found(database), found(database)

    async def scenario() -> None:
        async with listening(database) as bus:
            watched: list[Notice] = []
            bus.watch(watched.append)
            with bus.subscribe(one) as first, bus.subscribe(Tenant(two.org_id, (RED,))) as second:
                assert await asyncio.to_thread(kill_listeners, cluster) >= 1
                await until(lambda: not bus.connected)
                await change(database, one, lambda w: w.touch("job"))  # nobody hears this one: hence the refresh
                assert await next_of(first) is EVERYTHING
                assert await next_of(second) is EVERYTHING
                assert watched == [EVERYTHING], "our caches forget too"
                await change(database, one, lambda w: w.touch("job", ONE))
                assert await next_of(first) == Notice(one.org_id, JOB, (ONE,))
                assert second.waiting() == []

    asyncio.run(scenario())


def test_a_database_that_is_away_at_the_start_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "_RETRY", 0.05)
    tenant = found(database)

    async def scenario() -> None:
        bus = Bus("postgresql:///nowhere?host=/nonexistent")
        task = asyncio.create_task(bus.run())
        with bus.subscribe(tenant) as tab:
            await asyncio.sleep(0.1)
            assert not bus.connected and not task.done()
            bus._dsn = database.dsn
            assert await next_of(tab) is EVERYTHING, "the page was drawn before anybody listened"
        task.cancel()

    asyncio.run(scenario())


GARBLED = ["", "hello", "{}", "[]", "null", '{"o": 5, "k": "", "i": [], "t": []}', '{"o": "x", "k": "job", "i": [], "t": []}']


@pytest.mark.parametrize("payload", GARBLED)
def test_a_garbled_notice_is_passed_over(database: Database, payload: str) -> None:
    tenant = found(database)

    async def scenario() -> None:
        async with listening(database) as bus:
            with bus.subscribe(tenant) as tab:
                async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as db:
                    await db.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
                await change(database, tenant, lambda w: w.touch("job", ONE))
                assert await next_of(tab) == Notice(tenant.org_id, JOB, (ONE,))

    asyncio.run(scenario())
