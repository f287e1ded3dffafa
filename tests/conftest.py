"""What every test may ask for: a real PostgreSQL, the door open on it, and people to act."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy import URL, Engine, create_engine

from engine.identity import secrets
from engine.operations import door
from engine.settings import Settings, load
from engine.storage import migrate, partitions
from engine.storage.bus import Bus
from engine.storage.database import Database, address
from engine.storage.datadir import DataDir
from engine.storage.embedded import APPLICATION, OWNER, Embedded
from engine.storage.sessions import Life
from engine.storage.vault import vault
from tests.factories import Company, found_company
from tests.installation import Installation

RETENTION = Settings.model_construct().retention
LIFE = Life(timedelta(hours=12), timedelta(days=7))


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Argon2 at its cheapest: a company has a dozen passwords. One test looks at the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
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
    """The bundled PostgreSQL, started once."""
    home = DataDir(scratch / "data")
    home.make()
    home.acquire("tests")
    embedded = Embedded(home)
    embedded.start(print)
    yield embedded
    embedded.stop()
    home.release()


@pytest.fixture(scope="session")
def settings(cluster: Embedded) -> Settings:
    """The settings of the test installation."""
    return load({"AIOPS_DATA_DIR": str(cluster.home.path)})


class TestDatabase:
    """One database with both roles; `name` is its name in the cluster."""

    __test__ = False

    def __init__(self, cluster: Embedded, settings: Settings, name: str) -> None:
        self.name = name
        self.owner_url = _in(address(cluster.url(OWNER), settings), name)
        self.app_url = _in(address(cluster.url(APPLICATION), settings), name)
        self.owner: Engine = create_engine(self.owner_url)
        self.database = Database(self.app_url, pool_size=10, statement_timeout_ms=5000, name="test")

    def open_door(self, scratch: Path) -> None:
        """Let operations of this process work on it."""
        door.install(
            door.Runtime(
                self.database,
                LIFE,
                "http://localhost:3000",
                "http://127.0.0.1:3000",
                scratch,
                "0.0.test",
                vault(scratch, ""),
                Bus(self.database.dsn),
            )
        )

    def close(self) -> None:
        """Give its connections back."""
        self.owner.dispose()
        self.database.close()


@contextmanager
def _made(cluster: Embedded, settings: Settings, name: str) -> Iterator[TestDatabase]:
    with psycopg.connect(cluster._superuser_url(), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        made = TestDatabase(cluster, settings, name)
        try:
            yield made
        finally:
            made.close()
            superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def shared(cluster: Embedded, settings: Settings) -> Iterator[TestDatabase]:
    """The database most tests share, each with an organization of its own."""
    with _made(cluster, settings, "shared") as made:
        migrate.up(made.owner, APPLICATION)
        partitions.keep_up(made.owner, RETENTION, datetime.now(UTC))
        yield made


@pytest.fixture
def database(shared: TestDatabase, scratch: Path) -> Database:
    """The application's pool on the shared database, with the door open on it."""
    shared.open_door(scratch)
    return shared.database


@pytest.fixture
def empty(cluster: Embedded, settings: Settings) -> Iterator[TestDatabase]:
    """A database of its own without a schema."""
    with _made(cluster, settings, f"own_{uuid4().hex[:12]}") as made:
        yield made


@pytest.fixture
def fresh(empty: TestDatabase, scratch: Path) -> TestDatabase:
    """A database of its own, migrated, with the door open on it: for what is once an installation."""
    migrate.up(empty.owner, APPLICATION)
    partitions.keep_up(empty.owner, RETENTION, datetime.now(UTC))
    empty.open_door(scratch)
    return empty


@pytest.fixture
def acme(database: Database) -> Company:
    """An organization with a person of each role, two teams, and somebody in each."""
    return found_company(database, "Acme")


@pytest.fixture
def beta(database: Database) -> Company:
    """Another organization, which must never see anything of Acme."""
    return found_company(database, "Beta")


def _in(url: URL, name: str) -> URL:
    return url.set(database=name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Under CI nothing may be left out: a test that skips there fails."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped under CI=true: {report.longrepr}"


@pytest.fixture(scope="session")
def installation(scratch: Path) -> Iterator[Installation]:
    """One installation with an owner, Ada of Acme, that browser and socket tests share. Its API token is `token`."""
    made = Installation(scratch / "installation").start()
    made.token = made.owner()
    yield made
    made.stop()
