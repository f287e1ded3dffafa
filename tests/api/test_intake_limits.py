"""What happens when too much comes, or what keeps it is away? Nothing that is not on disk is ever answered with a 2xx."""

import asyncio
import gzip
import json
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import event

from engine.api import intake, keeping
from engine.api.intake import TooLarge, Unsupported, unpacked
from engine.api.keeping import Keeper, Overloaded
from engine.integrations.sources.contract import Undecodable
from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.operations.door import install, runtime
from engine.storage import inbox
from engine.storage.inbox import Post
from tests.api.clients import Server, _loop, serve
from tests.api.test_intake import GROUP, aside, forget, kept, made, path, refused_as, secret, sender
from tests.testkit.people import Company

LIMIT = 200_000


@pytest.fixture(scope="module")
def small(server: Server) -> Server:
    """The application with a small limit of bodies, which gives up on strangers after ten tries."""
    return serve(str(server.settings.data_dir), body_limit_bytes=str(LIMIT), rate_limit_per_minute="10")


@pytest.fixture(autouse=True)
def _nothing_is_remembered(server: Server, small: Server) -> Iterator[None]:
    forget(server)
    forget(small)
    yield


# Bodies


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " x-gzip "])
def test_a_zipped_body_is_kept_unpacked(server: Server, acme: Company, coding: str) -> None:
    new, body = made(acme), json.dumps(GROUP).encode()
    answer = sender(server, new).post(path(new), content=gzip.compress(body), headers={"content-encoding": coding})
    assert answer.status_code == 202
    assert [row.body for row in kept(acme, new)] == [body]


@pytest.mark.parametrize(
    ("coding", "body", "status", "slug", "why"),
    [
        ("gzip", b"\x1f\x8b rubbish", 422, "not-understood", "it is not what it says"),
        ("gzip", b"{}", 422, "not-understood", "nor is this"),
        ("gzip", gzip.compress(b"[]" * 5000, mtime=0)[:-20], 422, "not-understood", "it ends too early"),
        ("gzip", gzip.compress(b" " * 50_000_000, mtime=0), 413, "too-large", "a bomb goes no further than the limit"),
        ("br", b"{}", 415, "http-415", "a coding that is not read"),
        ("gzip, gzip", b"{}", 415, "http-415", "one inside the other"),
        ("deflate", zlib.compress(b"{}"), 415, "http-415", "a coding that is not read"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    small: Server, acme: Company, coding: str, body: bytes, status: int, slug: str, why: str
) -> None:
    new = made(acme)
    answer = sender(small, new).post(path(new), content=body, headers={"content-encoding": coding})
    assert refused_as(answer, status, slug), why
    assert kept(acme, new) == []


def test_a_bomb_is_unpacked_no_further_than_allowed() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(TooLarge):
        unpacked(bomb, "gzip", 1000)
    assert unpacked(gzip.compress(b"x" * 1000), "gzip", 1000) == b"x" * 1000
    with pytest.raises(Undecodable):
        unpacked(gzip.compress(b"x" * 1000)[:-1], "gzip", 5000)
    with pytest.raises(Unsupported):
        unpacked(b"", "zstd", 1)


def test_a_body_of_several_gzip_members_is_read_whole_or_refused() -> None:
    body = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    try:
        assert unpacked(body, "gzip", 1000) == b'{"a":1}'
    except Undecodable:
        pass


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(small: Server, acme: Company) -> None:
    new = made(acme)
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for place in range(100):
            read.append(place)
            yield b" " * 10_000

    headers = {"content-length": "1000000"}
    assert refused_as(sender(small, new).post(path(new), content=body(), headers=headers), 413, "too-large")
    assert read == []


def test_a_body_that_does_not_say_how_large_it_is_is_read_only_up_to_the_limit(small: Server, acme: Company) -> None:
    new = made(acme)
    read: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for place in range(100):
            read.append(place)
            yield b" " * 10_000

    assert refused_as(sender(small, new).post(path(new), content=body()), 413, "too-large")
    assert len(read) <= LIMIT // 10_000 + 2
    assert kept(acme, new) == aside(acme, new) == []


def test_a_body_of_exactly_the_limit_is_taken(small: Server, acme: Company) -> None:
    new, body = made(acme), json.dumps(GROUP).encode()
    assert sender(small, new).post(path(new), content=body.ljust(LIMIT)).status_code == 202
    assert sender(small, new).post(path(new), content=body.ljust(LIMIT + 1)).status_code == 413


def test_a_connection_that_ends_before_its_body_does_keeps_nothing(server: Server, acme: Company) -> None:
    new = made(acme)
    messages = iter([{"type": "http.request", "body": b'{"alerts"', "more_body": True}, {"type": "http.disconnect"}])
    scope = {"type": "http", "method": "POST", "path": path(new), "client": ("203.0.113.9", 1), "query_string": b""}
    scope["headers"] = [(b"authorization", f"Bearer {secret(new)}".encode())]
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    _loop.run(server.app(scope, receive, send))  # pyright: ignore[reportArgumentType]
    assert sent[0]["status"] == 422
    assert kept(acme, new) == []


# Limits of number


@pytest.mark.parametrize(("kind", "status"), [("alertmanager", 503), ("generic", 503), ("pagerduty", 429)])
def test_a_source_that_sends_more_than_its_limit_is_told_to_come_again_in_the_way_it_understands(
    server: Server, acme: Company, kind: str, status: int
) -> None:
    new = made(acme, kind, settings={"per_minute": 3})
    payload = {"summary": "x", "source": "y", "severity": "info"}
    body = {"alertmanager": GROUP, "generic": {"title": "x"}, "pagerduty": {"event_action": "trigger", "payload": payload}}[kind]
    answers = [sender(server, new).post(path(new), body) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 3 + [status] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert answers[-1].json()["status"] == status
    assert "3 deliveries a minute" in answers[-1].json()["detail"]
    assert len(kept(acme, new)) == 3
    other = made(acme, kind, settings={"per_minute": 3})
    assert sender(server, other).post(path(other), body).status_code == 202, "each source has its own"


@pytest.mark.parametrize(("kind", "status"), [("alertmanager", 503), ("pagerduty", 429)])
def test_an_address_that_fails_too_often_is_told_to_wait_and_others_are_not(small: Server, acme: Company, kind: str, status: int) -> None:
    new, address = made(acme, kind), f"2001:db8::{uuid4().hex[:4]}"
    answers = [small.anybody(address).post(path(new), GROUP) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [status] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert small.anybody(f"2001:db8:1::{uuid4().hex[:4]}").post(path(new), GROUP).status_code == 401


def test_a_right_credential_is_taken_from_an_address_from_which_others_fail(small: Server, acme: Company) -> None:
    new, address = made(acme), f"2001:db8::{uuid4().hex[:4]}"
    for _ in range(12):
        small.anybody(address).post(path(new), GROUP)
    assert sender(small, new, address).post(path(new), GROUP).status_code == 202


# One commit for many


def at_once(server: Server, posts: Sequence[tuple[str, str, Any]]) -> list[httpx.Response]:
    """Send all of these at the same time: address, secret, body."""

    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(server.app, raise_app_exceptions=False, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=server.origin) as client:
            calls = [client.post(where, json=body, headers={"authorization": f"Bearer {token}"}) for where, token, body in posts]
            return list(await asyncio.gather(*calls))

    return _loop.run(send())


@pytest.fixture
def commits() -> Iterator[list[int]]:
    """Grows with each transaction in which deliveries are kept."""
    made_so_far: list[int] = []
    engine = runtime().database.keeping.engine

    def note(_: Any) -> None:
        made_so_far.append(1)

    event.listen(engine, "commit", note)
    yield made_so_far
    event.remove(engine, "commit", note)


def test_fifty_posts_at_once_share_their_commits_and_each_is_kept(server: Server, acme: Company, commits: list[int]) -> None:
    new = made(acme)
    answers = at_once(server, [(path(new), secret(new), GROUP | {"place": place}) for place in range(50)])
    assert {answer.status_code for answer in answers} == {202}
    assert {UUID(answer.json()["delivery"]) for answer in answers} == {row.id for row in kept(acme, new)}
    assert 1 <= len(commits) < 50


def test_posts_of_two_organizations_at_once_are_each_kept_in_their_own(
    server: Server, acme: Company, beta: Company, commits: list[int]
) -> None:
    new, other = made(acme), made(beta)
    answers = at_once(server, [(path(each), secret(each), GROUP) for each in (new, other) * 20])
    assert {answer.status_code for answer in answers} == {202}
    assert (len(kept(acme, new)), len(kept(beta, other))) == (20, 20)
    assert kept(acme, other) == kept(beta, new) == []
    assert len(commits) < 40


def test_a_connection_that_died_while_nothing_came_costs_no_delivery(server: Server, acme: Company) -> None:
    new = made(acme)
    assert sender(server, new).post(path(new), GROUP).status_code == 202
    with runtime().database.engine.connect() as db:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aiops keeping' AND state = 'idle'"
        db.exec_driver_sql(kill)
    assert sender(server, new).post(path(new), GROUP).status_code == 202
    assert len(kept(acme, new)) == 2


# The database is away


def test_while_the_database_is_away_every_delivery_is_refused_and_told_to_come_again(
    server: Server, acme: Company, away: Callable[[], None]
) -> None:
    new = made(acme)
    away()
    for body in (GROUP, {"alerts": 7}):
        answer = sender(server, new).post(path(new), body)
        assert refused_as(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0


def test_while_the_database_is_away_a_source_that_is_remembered_is_not_promised_anything(
    server: Server, acme: Company, away: Callable[[], None]
) -> None:
    new, here = made(acme), runtime()
    assert sender(server, new).post(path(new), GROUP).status_code == 202
    away()
    answers = at_once(server, [(path(new), secret(new), GROUP)] * 5 + [(path(new), secret(new), {"alerts": 7})])
    assert {answer.status_code for answer in answers} == {503}
    install(here)
    assert sender(server, new).post(path(new), GROUP).status_code == 202, "and goes on when it is back"
    assert len(kept(acme, new)) == 2


def test_a_failure_of_ours_while_keeping_is_no_2xx_either(server: Server, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    new = made(acme)

    def fails(*_: Any) -> None:
        raise ArithmeticError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "append", fails)
        answers = at_once(server, [(path(new), secret(new), GROUP)] * 3)
    assert {answer.status_code for answer in answers} == {500}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    assert kept(acme, new) == []
    assert sender(server, new).post(path(new), GROUP).status_code == 202


# The keeper


def post(size: int = 10, org: int = 1) -> Post:
    """A delivery of that size."""
    now = datetime.now(UTC)
    return Post(delivery_id(now), UUID(int=org), None, UUID(int=2), "alertmanager", Delivery(b"x" * size, {}, now), 1)


class Slow:
    """Writes when it is let."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.may = threading.Event()
        self.fault: Exception | None = None

    def __call__(self, posts: Sequence[Post]) -> None:
        self.batches.append(len(posts))
        assert self.may.wait(5)
        if self.fault:
            raise self.fault


def test_what_comes_while_a_commit_is_under_way_goes_together_in_the_next() -> None:
    slow = Slow()

    async def scene() -> None:
        keeper = Keeper(slow)
        waiting = [asyncio.create_task(keeper.keep(post())) for _ in range(1)]
        await asyncio.sleep(0.05)
        waiting += [asyncio.create_task(keeper.keep(post())) for _ in range(30)]
        await asyncio.sleep(0.05)
        assert not any(each.done() for each in waiting), "nobody is answered before it is on disk"
        slow.may.set()
        await asyncio.gather(*waiting)

    asyncio.run(scene())
    assert slow.batches == [1, 30]


@pytest.mark.parametrize(("most", "size", "taken"), [("_MOST_WAITING", 10, 5), ("_MOST_BYTES", 10, 5)])
def test_who_comes_when_too_much_waits_is_told_so_and_what_waits_is_kept(
    monkeypatch: pytest.MonkeyPatch, most: str, size: int, taken: int
) -> None:
    slow = Slow()
    monkeypatch.setattr(keeping, most, taken if most == "_MOST_WAITING" else taken * size)

    async def scene() -> None:
        keeper = Keeper(slow)
        first = asyncio.create_task(keeper.keep(post(size)))
        await asyncio.sleep(0.05)
        waiting = [asyncio.create_task(keeper.keep(post(size))) for _ in range(taken)]
        await asyncio.sleep(0.05)
        with pytest.raises(Overloaded):
            await keeper.keep(post(size))
        slow.may.set()
        await asyncio.gather(first, *waiting)
        await keeper.keep(post(size))

    asyncio.run(scene())
    assert sum(slow.batches) == taken + 2


def test_a_failure_is_told_to_each_that_waited_for_that_commit_and_to_no_other() -> None:
    slow = Slow()

    async def scene() -> None:
        keeper = Keeper(slow)
        slow.fault = psycopg.OperationalError("away")
        failing = asyncio.create_task(keeper.keep(post()))
        await asyncio.sleep(0.05)
        later = [asyncio.create_task(keeper.keep(post())) for _ in range(3)]
        slow.may.set()
        with pytest.raises(psycopg.OperationalError):
            await failing
        found = await asyncio.gather(*later, return_exceptions=True)
        assert {type(each) for each in found} == {psycopg.OperationalError}
        slow.fault = None
        await keeper.keep(post())

    asyncio.run(scene())


def test_a_sender_that_hangs_up_while_it_waits_does_not_disturb_the_others() -> None:
    slow = Slow()

    async def scene() -> None:
        keeper = Keeper(slow)
        waiting = [asyncio.create_task(keeper.keep(post())) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        slow.may.set()
        await asyncio.gather(*waiting[1:])
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]

    asyncio.run(scene())


def test_one_commit_is_no_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(keeping, "_BYTES_AT_ONCE", 100)
    slow.may.set()

    async def scene() -> None:
        keeper = Keeper(slow)
        await asyncio.gather(*(keeper.keep(post(40)) for _ in range(6)), keeper.keep(post(500)))

    asyncio.run(scene())
    assert slow.batches == [2, 2, 2, 1], "what is larger than that by itself goes alone"


@pytest.mark.parametrize(("kind", "status"), [("alertmanager", 503), ("pagerduty", 429)])
def test_an_overloaded_keeper_tells_senders_to_come_again_in_the_way_they_understand(
    server: Server, acme: Company, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    new = made(acme, kind)
    payload = {"summary": "x", "source": "y", "severity": "info"}
    body = GROUP if kind == "alertmanager" else {"event_action": "trigger", "payload": payload}
    monkeypatch.setattr(keeping, "_MOST_BYTES", 3)
    answer = sender(server, new).post(path(new), body)
    assert refused_as(answer, status, "overloaded")
    assert int(answer.headers["retry-after"]) > 0
    assert kept(acme, new) == []


def test_more_alerts_than_a_delivery_has_places_for_are_refused(server: Server, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    new = made(acme)
    monkeypatch.setattr(intake, "MOST_PLACES", 3)
    answer = sender(server, new).post(path(new), GROUP | {"alerts": GROUP["alerts"] * 4})
    assert refused_as(answer, 422, "not-understood")
    assert (kept(acme, new), len(aside(acme, new))) == ([], 1)


def test_a_slow_sender_holds_nobody_up(server: Server, acme: Company) -> None:
    new, began = made(acme), time.monotonic()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"alerts":'
        await asyncio.sleep(0.5)
        yield b"[]}"

    async def send() -> list[tuple[int, float]]:
        transport = httpx.ASGITransport(server.app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=server.origin) as client:

            async def one(**body: Any) -> tuple[int, float]:
                answer = await client.post(path(new), headers={"authorization": f"Bearer {secret(new)}"}, **body)
                return answer.status_code, time.monotonic() - began

            return list(await asyncio.gather(one(content=slowly()), *(one(json=GROUP) for _ in range(5))))

    slow, *others = _loop.run(send())
    assert [status for status, _ in (slow, *others)] == [202] * 6
    assert max(took for _, took in others) < slow[1]
