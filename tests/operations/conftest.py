"""What tests of the door share: two companies that outlive a test, one of the file's own, an open door, and somebody to spare."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Role
from engine.storage.database import Database
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import Company, found_company, hire
from tests.testkit.residents import _open_door, acme, beta  # noqa: F401 fixtures of this folder


@pytest.fixture
def spare(resident: Company) -> Callable[[Role], Actor]:
    """Hire somebody into Acme for this test alone."""
    return lambda role: hire(resident.owner, role)


@pytest.fixture
def nearby() -> Request:
    """A request from an address that nobody has tried anything from."""
    return Request(trace_id="test-trace", address=f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}", agent="pytest")


@pytest.fixture(scope="module")
def company(shared: TestDatabase, scratch: Path) -> Company:
    """An organization of the file's own, whose incidents are counted there, and nowhere else."""
    shared.open_door(scratch)
    return found_company(shared.database, "Troubled")


@pytest.fixture
def line(database: Database, company: Company) -> Deliveries:
    """The way of alerts in that organization."""
    return Deliveries(database, company)
