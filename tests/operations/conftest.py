"""What tests of the door share: two companies that outlive a test, an open door, and somebody to spare."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Role
from tests.testkit.people import Company, hire
from tests.testkit.residents import _open_door, acme, beta  # noqa: F401 fixtures of this folder


@pytest.fixture
def spare(resident: Company) -> Callable[[Role], Actor]:
    """Hire somebody into Acme for this test alone."""
    return lambda role: hire(resident.owner, role)


@pytest.fixture
def nearby() -> Request:
    """A request from an address that nobody has tried anything from."""
    return Request(trace_id="test-trace", address=f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}", agent="pytest")
