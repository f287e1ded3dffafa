"""Two organizations of a file, and operations open on them: for folders whose tests leave both as they found them."""

import pytest

from engine.storage.database import Database
from tests.testkit.people import Company


@pytest.fixture(scope="module")
def acme(resident: Company) -> Company:
    """An organization that tests leave as they found it: who is to be demoted or removed is hired for that."""
    return resident


@pytest.fixture(scope="module")
def beta(neighbour: Company) -> Company:
    """Another organization, which must never see anything of Acme."""
    return neighbour


@pytest.fixture(autouse=True)
def _open_door(database: Database) -> None:
    """The door is open on the shared database, whatever the test before did."""
