"""What tests of the pipeline share: an organization of their own, sources in it, and batches applied as a worker does."""

import pytest

from engine.storage.database import Database
from tests.pipeline.stored import Line
from tests.testkit.people import Company


@pytest.fixture
def line(database: Database, acme: Company) -> Line:
    """Acme's way from a delivery to its alerts."""
    return Line(database, acme)
