"""A real PostgreSQL for each process that runs tests, and databases in it, cloned from one that was migrated once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import URL, Engine, create_engine

from engine.operations import door
from engine.settings import Settings, load
from engine.storage import migrate, partitions
from engine.storage.bus import Bus
from engine.storage.database import Database, address
from engine.storage.datadir import DataDir
from engine.storage.embedded import APPLICATION, OWNER, Embedded
from engine.storage.vault import vault
from tests.testkit.people import LIFE

RETENTION = Settings.model_construct().retention
# Databases to clone: the schema as migrations make it, and the same with the weeks of today, as an installation has it.
SCHEMA, TEMPLATE = "only_schema", "migrated"
# Nothing here outlives a crash of the machine: tests of durability run installations, which have their own clusters.
_CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


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
def running_cluster(scratch: Path) -> Iterator[Embedded]:
    """The bundled PostgreSQL in that folder, while the block runs."""
    home = DataDir(scratch / "data")
    home.make()
    home.acquire("tests")
    embedded = Embedded(home)
    embedded.start(print)
    with psycopg.connect(embedded._superuser_url(), autocommit=True) as superuser:
        for name, value in _CARELESS.items():
            superuser.execute(f"ALTER SYSTEM SET {name} = {value}")
        superuser.execute("SELECT pg_reload_conf()")
    yield embedded
    embedded.stop()
    home.release()


def make_templates(cluster: Embedded) -> None:
    """Migrate the databases that others are cloned from."""
    settings = settings_of(cluster)
    with psycopg.connect(cluster._superuser_url(), autocommit=True) as superuser:
        for name, of in ((SCHEMA, "template1"), (TEMPLATE, SCHEMA)):
            superuser.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {of}")
            owner = create_engine(_in(address(cluster.url(OWNER), settings), name))
            migrate.up(owner, APPLICATION)
            if name == TEMPLATE:
                partitions.keep_up(owner, RETENTION, datetime.now(UTC))
            owner.dispose()


@contextmanager
def made_database(cluster: Embedded, name: str, template: str = TEMPLATE) -> Iterator[TestDatabase]:
    """A database while the block runs, a clone of a template: `template1` is empty."""
    with psycopg.connect(cluster._superuser_url(), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}")
        made = TestDatabase(cluster, settings_of(cluster), name)
        try:
            yield made
        finally:
            made.close()
            superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")


def settings_of(cluster: Embedded) -> Settings:
    """The settings of an installation on this cluster."""
    return load({"AIOPS_DATA_DIR": str(cluster.home.path)})


def _in(url: URL, name: str) -> URL:
    return url.set(database=name)
