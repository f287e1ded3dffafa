"""What every test may ask for: a real PostgreSQL, the door open on it, and people to act."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import PasswordHasher

from engine.identity import secrets
from engine.settings import Settings
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from engine.workflows import applier
from tests.testkit.database import TestDatabase, made_database, make_templates, running_cluster, settings_of
from tests.testkit.installation import Installation
from tests.testkit.people import Company, found_company

pytest_plugins = ["tests.testkit.running"]


@pytest.fixture(scope="session", autouse=True)
def _in_a_hurry() -> Iterator[None]:
    """Argon2 at its cheapest, as people have passwords, and no rest between batches. What is about either sets it back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(applier, "_APART", 0.0)
        yield


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder that the database's own user can pass through; pytest's are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(scratch: Path) -> Iterator[Embedded]:
    """The bundled PostgreSQL, started once in each process that runs tests."""
    with running_cluster(scratch) as running:
        make_templates(running)
        yield running


@pytest.fixture(scope="session")
def settings(cluster: Embedded) -> Settings:
    """The settings of the test installation."""
    return settings_of(cluster)


@pytest.fixture(scope="session")
def shared(cluster: Embedded) -> Iterator[TestDatabase]:
    """The database most tests share, each with an organization of its own."""
    with made_database(cluster, "shared") as made:
        yield made


@pytest.fixture
def database(shared: TestDatabase, scratch: Path) -> Database:
    """The application's pool on the shared database, with the door open on it."""
    shared.open_door(scratch)
    return shared.database


@pytest.fixture
def empty(cluster: Embedded) -> Iterator[TestDatabase]:
    """A database of its own without a schema."""
    with made_database(cluster, f"own_{uuid4().hex[:12]}", "template1") as made:
        yield made


@pytest.fixture
def fresh(cluster: Embedded, scratch: Path) -> Iterator[TestDatabase]:
    """A database of its own, migrated, with the door open on it: for what is once an installation."""
    with made_database(cluster, f"own_{uuid4().hex[:12]}") as made:
        made.open_door(scratch)
        yield made


@pytest.fixture(scope="module")
def own_database(cluster: Embedded, scratch: Path) -> Iterator[TestDatabase]:
    """A database of the file's own, migrated, with the door open on it: for what looks at the work of all organizations."""
    with made_database(cluster, f"file_{uuid4().hex[:12]}") as made:
        made.open_door(scratch)
        yield made


@pytest.fixture
def acme(database: Database) -> Company:
    """An organization with a person of each role, two teams, and somebody in each; of this test alone."""
    return found_company(database, "Acme")


@pytest.fixture
def beta(database: Database) -> Company:
    """Another organization, which must never see anything of Acme."""
    return found_company(database, "Beta").whole()


@pytest.fixture(scope="module")
def resident(shared: TestDatabase, scratch: Path) -> Company:
    """An organization of a file whose tests leave it as they found it: who is to be demoted or removed is hired for that."""
    shared.open_door(scratch)
    return found_company(shared.database, "Acme")


@pytest.fixture(scope="module")
def neighbour(shared: TestDatabase, scratch: Path) -> Company:
    """Another organization of a file whose tests leave it as they found it."""
    shared.open_door(scratch)
    return found_company(shared.database, "Beta").whole()


@pytest.fixture(scope="session")
def installation(scratch: Path) -> Iterator[Installation]:
    """One installation with an owner, Ada of Acme, that browser and socket tests share. Its API token is `token`."""
    made = Installation(scratch / "installation").start()
    made.token = made.owner()
    yield made
    made.stop()
