"""How does the schema get to this version, and back?"""

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from alembic import command
from engine.errors import Misconfigured

_PROJECT = Path(__file__).resolve().parents[2]
_LOCK = 0x61696F7073  # "aiops": one migration at a time, whoever starts it
# What the application may do beyond reading and writing rows; everything else it gets in full.
_NARROWER = {"audit": "SELECT, INSERT", "audit_anchor": "SELECT", "alembic_version": "SELECT"}


@cache
def newest() -> str:
    """The revision of this version of the product."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def current(engine: Engine) -> str | None:
    """The revision the database is at; None when it is empty."""
    with engine.connect() as db:
        return MigrationContext.configure(db).get_current_revision()


def up(engine: Engine, application_role: str) -> tuple[str | None, str]:
    """Bring the schema to the newest revision as its owner, and grant the application what it needs.

    Returns the revisions before and after. Raises Misconfigured when the database is newer than this version.
    """
    with engine.begin() as db:
        _lock(db)
        before = MigrationContext.configure(db).get_current_revision()
        _refuse_newer(before)
        if before != newest():
            command.upgrade(_config(db), "head")
        if before != newest() or not db.execute(text(_MAY_READ), {"role": application_role}).scalar_one():
            _grant(db, application_role)
    return before, newest()


def down(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision (`base`: nothing is left, and all data is gone).

    Raises Misconfigured when the database is newer than this version, which cannot know the way back.
    """
    with engine.begin() as db:
        _lock(db)
        _refuse_newer(MigrationContext.configure(db).get_current_revision())
        command.downgrade(_config(db), revision)


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise Misconfigured(f"the database is at revision {revision}, newer than this version: start the newer version again")


def _config(connection: Connection | None = None) -> Config:
    config = Config(str(_PROJECT / "alembic.ini"))
    config.attributes["connection"] = connection
    return config


def _lock(db: Connection) -> None:
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _grant(db: Connection, role: str) -> None:
    quoted = db.dialect.identifier_preparer.quote(role)
    db.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    for name in db.execute(text(_TABLES)).scalars().all():
        rights = _NARROWER.get(name, "SELECT, INSERT, UPDATE, DELETE")
        db.execute(text(f"REVOKE ALL ON {name} FROM {quoted}"))
        db.execute(text(f"GRANT {rights} ON {name} TO {quoted}"))


# Another application role than the last time, such as after a change of AIOPS_DATABASE_URL, gets its rights now.
_MAY_READ = """
SELECT coalesce(bool_and(has_table_privilege(CAST(:role AS name), c.oid, 'SELECT')), true) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND pg_has_role(current_user, c.relowner, 'MEMBER')
"""

# Partitions get no grants: rights are asked of the parent, so that nobody reads around its policies.
_TABLES = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND pg_has_role(current_user, c.relowner, 'MEMBER')
"""
