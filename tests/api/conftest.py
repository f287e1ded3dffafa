"""What tests of REST share: the application on an open door, and two companies that outlive a test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.operations.door import Runtime, install, runtime
from engine.storage.database import Database
from tests.api.clients import Server, serve
from tests.testkit.residents import _open_door, acme, beta  # noqa: F401 fixtures of this folder


@pytest.fixture(scope="session")
def server(scratch: Path) -> Server:
    """The application with the settings of a laptop."""
    return serve(str(scratch))


@pytest.fixture
def away(database: Database) -> Iterator[Callable[[], None]]:
    """Called, it leaves the door without its database: behind a port at which nobody listens."""
    here = runtime()
    url = database.url.set(host="127.0.0.1", port=9).difference_update_query(["host"])
    nobody = Database(url, pool_size=2, statement_timeout_ms=500, name="x")
    yield lambda: install(Runtime(nobody, here.life, here.public_url, here.local_url, here.data_dir, here.version, here.vault))
    nobody.close()
