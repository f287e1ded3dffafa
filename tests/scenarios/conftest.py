"""What scenarios share: an installation that real senders post to."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.scenarios.senders.story import MISSING, Told, tell
from tests.testkit.installation import Installation, port_of


@pytest.fixture(scope="session")
def installation(scratch: Path) -> Iterator[Installation]:
    """One of their own, with one organization alone: the docs are followed as somebody new does."""
    made = Installation(scratch / "senders", port=port_of(16)).start()
    made.token = made.owner()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def story(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Future[Told]]":
    """The story of real senders, which begins now and is told while other tests run."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(tell, installation, tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="session", autouse=True)
def _the_story_begins(request: pytest.FixtureRequest) -> None:
    """With the first scenario, when somebody will ask for it. Until it is told, no other source is known by our address."""
    if not MISSING and any(item.nodeid.startswith("tests/scenarios/test_real_senders.py") for item in request.session.items):
        request.getfixturevalue("story")
