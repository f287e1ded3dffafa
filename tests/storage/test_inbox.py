"""Is what was accepted on disk, once, and applied in its order?"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from engine.model.heard import Delivery
from engine.model.ids import delivery_id
from engine.model.views import Paging
from engine.storage import inbox
from engine.storage.database import Database
from engine.storage.inbox import Post, Waiting
from engine.storage.work import Tenant, work
from tests.storage.tenants import found

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization."""
    return found(database)


def post(tenant: Tenant, body: bytes = b"{}", at: datetime = NOW, **more: Any) -> Post:
    """A delivery."""
    assert tenant.org_id is not None
    source, alerts = more.pop("source_id", UUID(int=7)), more.pop("alerts", 1)
    delivery = Delivery(body, more.pop("headers", {}), at)
    return Post(delivery_id(at), tenant.org_id, more.pop("team_id", None), source, "alertmanager", delivery, alerts, **more)


def keep(database: Database, tenant: Tenant, *posts: Post) -> None:
    """Keep deliveries."""
    with work(database, tenant) as open_work:
        inbox.append(open_work, posts)


def waiting(database: Database, tenant: Tenant) -> list[Waiting]:
    """The next batch."""
    with work(database, tenant) as open_work:
        return inbox.waiting(open_work)


def applied(database: Database, tenant: Tenant, *ids: UUID) -> None:
    """These are done."""
    with work(database, tenant) as open_work:
        inbox.applied(open_work, ids)


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b'{"a": 1}', {}, "JSON"),
        (b"", {}, "nothing"),
        (bytes(range(256)), {}, "any bytes"),
        (b"x" * 3_000_000, {}, "large"),
        (b"{}", {"content-type": "application/cloudevents+json", "ce-source": "Ärger \\ \" ' % 日本"}, "with headers of any text"),
    ],
)
def test_a_delivery_comes_out_as_it_went_in(database: Database, tenant: Tenant, body: bytes, headers: dict[str, str], why: str) -> None:
    given = post(tenant, body, headers=headers)
    keep(database, tenant, given)
    assert waiting(database, tenant) == [Waiting(given.id, UUID(int=7), "alertmanager", Delivery(body, headers, NOW), repeated=False)], why


def test_many_are_kept_at_once_and_come_out_the_oldest_first(database: Database, tenant: Tenant) -> None:
    given = [post(tenant, str(place).encode(), NOW + place * SECOND) for place in range(50)]
    keep(database, tenant, *reversed(given))
    assert [each.id for each in waiting(database, tenant)] == [each.id for each in given]


def test_the_same_delivery_written_twice_is_there_once(database: Database, tenant: Tenant) -> None:
    given = post(tenant)
    keep(database, tenant, given)
    keep(database, tenant, given, post(tenant, b"other"))
    assert len(waiting(database, tenant)) == 2


def test_a_delivery_that_was_applied_does_not_wait_again_when_it_is_written_again(database: Database, tenant: Tenant) -> None:
    given = post(tenant)
    keep(database, tenant, given)
    applied(database, tenant, given.id)
    keep(database, tenant, given)
    assert waiting(database, tenant) == []


def test_what_is_applied_waits_no_more_and_the_rest_does(database: Database, tenant: Tenant) -> None:
    first, second = post(tenant), post(tenant, b"2", NOW + SECOND)
    keep(database, tenant, first, second)
    applied(database, tenant, first.id)
    assert [each.id for each in waiting(database, tenant)] == [second.id]
    applied(database, tenant, second.id, uuid4())
    assert waiting(database, tenant) == []


def test_keeping_wakes_the_lane_and_tells_the_worker_once(database: Database, tenant: Tenant) -> None:
    notices: list[str | None] = []
    for _ in range(2):
        with work(database, tenant) as open_work:
            inbox.append(open_work, [post(tenant, uuid4().bytes)])
            notices.append(open_work.notice())
    assert (notices[0] is None, notices[1]) == (False, None), "who is awake need not be told again"
    with work(database, tenant) as open_work:
        awake = text("SELECT due_at IS NOT NULL FROM lane WHERE kind = 'inbox' AND org_id = :o")
        assert open_work.session.execute(awake, {"o": tenant.org_id}).scalar_one()


def test_a_transaction_that_fails_keeps_nothing(database: Database, tenant: Tenant) -> None:
    with pytest.raises(RuntimeError), work(database, tenant) as open_work:
        inbox.append(open_work, [post(tenant)])
        raise RuntimeError("after all not")
    assert waiting(database, tenant) == []


# Batches


@pytest.mark.parametrize(
    ("limit", "most", "more", "why"),
    [
        ("_MOST_DELIVERIES", 3, {}, "deliveries"),
        ("_MOST_ALERTS", 30, {"alerts": 10}, "alerts in them"),
        ("_MOST_BYTES", 300, {"body": b"x" * 100}, "bytes"),
    ],
)
def test_a_batch_is_bounded_by_number_and_size(
    database: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, more: dict[str, Any], why: str
) -> None:
    monkeypatch.setattr(inbox, limit, most)
    keep(database, tenant, *(post(tenant, at=NOW + place * SECOND, **more) for place in range(5)))
    assert len(waiting(database, tenant)) == 3, why


def test_what_is_larger_than_a_batch_by_itself_is_a_batch(database: Database, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_MOST_ALERTS", 5)
    keep(database, tenant, post(tenant, alerts=99), post(tenant, b"2", NOW + SECOND))
    assert [len(waiting(database, tenant)) for _ in range(2)] == [1, 1]


# Repetition


@pytest.mark.parametrize(
    ("seconds", "same", "repeated", "why"),
    [
        (1, {}, True, "a retry"),
        (300, {}, True, "five minutes later it still is one"),
        (301, {}, False, "after that it is a re-send"),
        (1, {"source_id": UUID(int=8)}, False, "another source says it"),
        (1, {"body": b"{} "}, False, "the bytes differ"),
    ],
)
def test_the_same_body_of_the_same_source_within_five_minutes_is_a_repetition(
    database: Database, tenant: Tenant, seconds: int, same: dict[str, Any], repeated: bool, why: str
) -> None:
    first, second = post(tenant), post(tenant, at=NOW + seconds * SECOND, **same)
    keep(database, tenant, first, second)
    assert [each.repeated for each in waiting(database, tenant)] == [False, repeated], why
    applied(database, tenant, first.id)
    assert [each.repeated for each in waiting(database, tenant)] == [repeated], "also when the first was applied before"


def test_what_another_organization_delivered_is_no_repetition_and_is_not_seen(database: Database, tenant: Tenant) -> None:
    other = found(database)
    keep(database, other, post(other))
    keep(database, tenant, post(tenant, at=NOW + SECOND))
    assert [each.repeated for each in waiting(database, tenant)] == [False]
    with work(database, tenant) as open_work:
        assert open_work.session.execute(text("SELECT count(*) FROM inbox")).scalar_one() == 1


# Looking at it


def test_how_long_the_oldest_waits_is_known_to_the_millisecond(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        assert inbox.oldest(open_work) is None
    keep(database, tenant, post(tenant, at=NOW + MINUTE), post(tenant, at=NOW))
    with work(database, tenant) as open_work:
        assert inbox.oldest(open_work) == NOW


def test_deliveries_are_shown_as_they_came_with_whether_they_wait(database: Database, tenant: Tenant) -> None:
    first, second = post(tenant, b'{"n": 1}'), post(tenant, b"\xff", NOW + SECOND, source_id=UUID(int=8))
    keep(database, tenant, first, second)
    applied(database, tenant, first.id)
    with work(database, tenant) as open_work:
        newest = inbox.deliveries(open_work, None, None, Paging()).items
        of_one = inbox.deliveries(open_work, UUID(int=7), None, Paging()).items
        named = inbox.deliveries(open_work, None, [second.id], Paging()).items
    assert [(each.id, each.waiting) for each in newest] == [(second.id, True), (first.id, False)]
    assert ([each.body for each in of_one], [each.body for each in named]) == (['{"n": 1}'], ["\N{REPLACEMENT CHARACTER}"])


def test_a_delivery_of_a_team_is_shown_to_that_team_alone(database: Database, tenant: Tenant) -> None:
    red, blue = uuid4(), uuid4()
    keep(database, tenant, post(tenant, team_id=red), post(tenant, b"everybody's", NOW + SECOND))
    for team, seen in ((red, 2), (blue, 1)):
        with work(database, Tenant(tenant.org_id, teams=(team,))) as open_work:
            assert len(inbox.deliveries(open_work, None, None, Paging()).items) == seen
