"""How is the database reached, and is our role a harmless one?"""

from functools import cached_property

from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from engine.errors import Misconfigured, Unavailable
from engine.settings import Settings

_OLDEST = 150000


def address(url: SecretStr | str, settings: Settings) -> URL:
    """The URL for our driver, with a checked certificate when the settings ask for it."""
    plain = url if isinstance(url, str) else url.get_secret_value()
    made = make_url(plain).set(drivername="postgresql+psycopg")
    if settings.database_tls == "verify" and not settings.embedded:
        root = str(settings.database_tls_root) if settings.database_tls_root else "system"
        made = made.update_query_dict({"sslmode": "verify-full", "sslrootcert": root})
    return made


class Database:
    """A pool of connections as one role."""

    def __init__(self, url: URL, *, pool_size: int, statement_timeout_ms: int, name: str, asks_first: bool = True) -> None:
        self.url = url
        self._statement_timeout_ms = statement_timeout_ms
        options = f"-c statement_timeout={statement_timeout_ms} -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=asks_first,
            connect_args={"connect_timeout": 5, "options": options, "application_name": f"aiops {name}"},
        )

    @cached_property
    def aside(self) -> "Database":
        """A second, small pool for what is written beside an open transaction.

        Who holds a connection of the first pool and waits for another of it may wait for others that do the same.
        """
        return Database(self.url, pool_size=2, statement_timeout_ms=self._statement_timeout_ms, name="aside")

    @cached_property
    def keeping(self) -> "Database":
        """One connection for what comes in, which is not asked each time whether it is alive: who writes tries twice."""
        return Database(self.url, pool_size=1, statement_timeout_ms=self._statement_timeout_ms, name="keeping", asks_first=False)

    @property
    def dsn(self) -> str:
        """For connections outside the pool, such as the one that listens."""
        parts = self.url.translate_connect_args(username="user", database="dbname")
        more = {name: value if isinstance(value, str) else ",".join(value) for name, value in self.url.query.items()}
        return make_conninfo("", **(parts | more))

    @property
    def in_use(self) -> int:
        """Connections of the pool in use now."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def check_role(self) -> None:
        """Refuse a role that row-level security could not hold, or a database that is too old. Raises Misconfigured."""
        with self.engine.connect() as db:
            version = int(db.execute(text("SHOW server_version_num")).scalar_one())
            role = db.execute(text(_ROLE)).one()
        faults = []
        if version < _OLDEST:
            faults.append(f"PostgreSQL {version // 10000} is too old: 15 or later is needed")
        powers = [
            (role.rolsuper, "is a superuser"),
            (role.rolbypassrls, "may bypass row-level security"),
            (role.rolcreaterole and not role.rolsuper, "may make roles, and so become another one"),
        ]
        if what := " and ".join(words for has, words in powers if has):
            faults.append(f"AIOPS_DATABASE_URL: role {role.rolname} {what}; give it a plain role that owns nothing (docs/operating.md)")
        if role.owned:
            faults.append(
                f"AIOPS_DATABASE_URL: role {role.rolname} owns, or may become the owner of, {role.owned}; "
                "use that role in AIOPS_DATABASE_OWNER_URL, and another one here that owns nothing"
            )
        if faults:
            raise Misconfigured(*faults)

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()
        for more in ("aside", "keeping"):
            if more in vars(self):
                getattr(self, more).close()


# A role may act as any role it is a member of, so what those own or may do counts as its own.
_ROLE = """
SELECT r.rolname,
       EXISTS (SELECT 1 FROM pg_roles s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER')) AS rolsuper,
       EXISTS (SELECT 1 FROM pg_roles s WHERE s.rolbypassrls AND pg_has_role(r.oid, s.oid, 'MEMBER')) AS rolbypassrls,
       EXISTS (SELECT 1 FROM pg_roles s WHERE s.rolcreaterole AND pg_has_role(r.oid, s.oid, 'MEMBER')) AS rolcreaterole,
       (SELECT min(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND pg_has_role(r.oid, c.relowner, 'MEMBER')) AS owned
FROM pg_roles r WHERE r.rolname = current_user
"""


def open_application(settings: Settings, url: SecretStr | str, name: str) -> Database:
    """The application's pool, its role checked. Raises Misconfigured, or Unavailable when nothing answers."""
    timeout = settings.statement_timeout_ms * (1 if name == "web" else 15)
    database = Database(address(url, settings), pool_size=settings.pool_size, statement_timeout_ms=timeout, name=name)
    return _checked(database)


def _checked(database: Database) -> Database:
    try:
        database.check_role()
    except OperationalError as error:
        database.close()
        raise Unavailable("database", f"the database does not answer: {str(error.orig).strip()}") from None
    except Misconfigured:
        database.close()
        raise
    return database
