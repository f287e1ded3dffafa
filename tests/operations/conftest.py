"""What tests of the door share: two companies that outlive a test, an open door, and somebody to spare."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Role
from engine.storage.database import Database
from tests.testkit.people import Company, hire


@pytest.fixture(scope="module")
def acme(resident: Company) -> Company:
    """An organization that tests leave as they found it."""
    return resident


@pytest.fixture(scope="module")
def beta(neighbour: Company) -> Company:
    """Another organization."""
    return neighbour


@pytest.fixture(autouse=True)
def _open_door(database: Database) -> None:
    """The door is open on the shared database, whatever the test before did."""


@pytest.fixture
def spare(acme: Company) -> Callable[[Role], Actor]:
    """Hire somebody into Acme for this test alone."""
    return lambda role: hire(acme.owner, role)


@pytest.fixture
def nearby() -> Request:
    """A request from an address that nobody has tried anything from."""
    return Request(trace_id="test-trace", address=f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}", agent="pytest")
