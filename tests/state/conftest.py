"""What tests of the pages' memory share."""

from pathlib import Path
from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.storage.database import Database
from tests.state.loops import Page
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import Company, found_company


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page of a viewer of the organization, with no database behind it."""
    return Page(monkeypatch)


@pytest.fixture(scope="module")
def company(shared: TestDatabase, scratch: Path) -> Company:
    """An organization for all tests of a file."""
    shared.open_door(scratch)
    return found_company(shared.database, f"Paged {uuid4().hex[:6]}")


@pytest.fixture
def line(database: Database, company: Company) -> Deliveries:
    """The way of alerts in that organization."""
    return Deliveries(database, company)


@pytest.fixture
def me(company: Company) -> Actor:
    """Who responds in that organization."""
    return company.operator
