"""What tests of the pages' memory share."""

from pathlib import Path
from uuid import uuid4

import pytest

from engine.identity.actor import Actor
from engine.storage.database import Database
from tests.conftest import TestDatabase
from tests.factories import Company, found_company
from tests.operations.alerting import Alerting
from tests.state.loops import Page


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
def line(database: Database, company: Company) -> Alerting:
    """The way of alerts in that organization."""
    return Alerting(database, company)


@pytest.fixture
def me(company: Company) -> Actor:
    """Who responds in that organization."""
    return company.operator
