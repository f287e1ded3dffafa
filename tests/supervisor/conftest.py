"""The installation that the supervisor's tests share: each begins with it running, or with it stopped, as it asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervisor.watching import Shared, gone
from tests.testkit.installation import Installation, port_of


@pytest.fixture(scope="session")
def product(scratch: Path) -> Iterator[Shared]:
    """It on a port of its own, beside the installation of the browser tests."""
    made = Shared(scratch / "supervised", port=port_of(19))
    made.start(240)
    made.first_words = made.said()
    made.first_health = made.until(lambda: _well(made))
    made.token = made.owner()
    yield made
    made.stop()


@pytest.fixture
def running(product: Shared) -> Shared:
    """It, and it runs and is well."""
    if product.process is None or product.process.poll() is not None:
        product.start()
    product.until(lambda: _well(product))
    return product


@pytest.fixture
def stopped(product: Shared) -> Shared:
    """It, and nothing of it runs."""
    processes = product.all_processes() if product.process is not None and product.process.poll() is None else []
    product.stop()
    assert gone(processes, within=10)
    return product


def _well(made: Installation) -> dict[str, object]:
    said = made.health()
    return said if said.get("status") == "ok" else {}
