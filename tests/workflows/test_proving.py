"""Is it proved that alerts get through, and noticed when they do not?"""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engine.model.views import Paging
from engine.operations import alerts, incidents, sources
from engine.storage import health, proof
from engine.storage.database import Database
from engine.storage.work import INSTANCE, work
from engine.workflows import proving
from engine.workflows.applier import Applier
from tests.testkit.database import TestDatabase
from tests.testkit.people import Company, found_company
from tests.workflows.conftest import until


@pytest.fixture
def company(database: Database) -> Company:
    """Somebody who must not be bothered."""
    return found_company(database, "Unbothered")


@pytest.fixture
def running(database: Database) -> Iterator[Applier]:
    """A worker that applies what is delivered."""
    applier = Applier(database, "one")
    thread = threading.Thread(target=applier.run)
    thread.start()
    yield applier
    applier.stop()
    thread.join(10)
    assert not thread.is_alive()


def last(database: Database) -> Any:
    """The last result."""
    with work(database, INSTANCE) as open_work:
        return proof.last(open_work)


def rows(database: Database, sql: str, **values: Any) -> list[Any]:
    """Rows of the organization of proofs."""
    with work(database, proof.TENANT) as open_work:
        return list(open_work.session.execute(text(sql), values).all())


def test_a_proof_alert_takes_the_way_of_every_other_and_is_timed(database: Database, running: Applier, company: Company) -> None:
    proving.prove(database, threading.Event())
    found = last(database)
    assert (found.error, 0 < found.seconds < 10) == ("", True)
    (alert,) = rows(database, "SELECT * FROM alert ORDER BY first_seen_at DESC LIMIT 1")
    assert (alert.title, alert.severity, alert.org_id) == ("Proof alert", "info", proof.ORGANIZATION)
    assert alert.incident_id


def test_a_proof_alert_ends_and_nothing_of_it_piles_up(database: Database, running: Applier) -> None:
    for _ in range(2):
        proving.prove(database, threading.Event())
    until(lambda: {row.status for row in rows(database, "SELECT status FROM alert")} == {"resolved"})
    before = len(rows(database, "SELECT 1 FROM incident"))
    assert before >= 2
    with work(database, proof.TENANT) as open_work:
        old = "first_seen_at = first_seen_at - interval '2 hours'"
        open_work.session.execute(text(f"UPDATE alert SET {old}"))
        open_work.session.execute(text("UPDATE incident SET opened_at = opened_at - interval '2 hours'"))
        proof.forget_old(open_work)
    assert rows(database, "SELECT 1 FROM alert") == rows(database, "SELECT 1 FROM incident") == []


def test_nobody_sees_it_nor_misses_a_number(database: Database, running: Applier, company: Company) -> None:
    proving.prove(database, threading.Event())
    for who in (company.owner, company.viewer):
        assert alerts.search(who).total == incidents.search(who).total == sources.all(who, page=Paging()).total == 0
    with work(database, INSTANCE) as open_work:
        members = open_work.session.execute(text("SELECT count(*) FROM membership WHERE org_id = :org"), {"org": proof.ORGANIZATION})
        assert members.scalar_one() == 0


def test_an_alert_that_does_not_get_through_is_a_fault(
    database: Database, own_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, scratch: Any
) -> None:
    monkeypatch.setattr(proving, "_LONGEST", 0.3)
    proving.prove(database, threading.Event())
    found = last(database)
    assert found.seconds is None and "not grouped" in found.error
    faults = [fault.words for fault in health.measure(database, scratch).faults]
    assert any("proof" in words for words in faults), faults


def test_the_next_one_that_gets_through_ends_the_fault(database: Database, monkeypatch: pytest.MonkeyPatch, scratch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(proving, "_LONGEST", 0.1)
        proving.prove(database, threading.Event())
    applier = Applier(database, "one")
    thread = threading.Thread(target=applier.run)
    thread.start()
    try:
        proving.prove(database, threading.Event())
    finally:
        applier.stop()
        thread.join(10)
    assert last(database).seconds is not None
    assert not any("proof" in fault.words for fault in health.measure(database, scratch).faults)
    assert last(database).at > rows(database, "SELECT now() AS now")[0].now - timedelta(minutes=1)
