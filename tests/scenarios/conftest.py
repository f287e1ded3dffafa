"""What scenarios share: an installation that real senders post to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testkit.installation import Installation, port_of


@pytest.fixture(scope="session")
def installation(scratch: Path) -> Iterator[Installation]:
    """One of their own, with one organization alone: the docs are followed as somebody new does."""
    made = Installation(scratch / "senders", port=port_of(16)).start()
    made.token = made.owner()
    yield made
    made.stop()
