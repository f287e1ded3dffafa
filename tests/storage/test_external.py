"""Does every PostgreSQL from 15 on serve, as our child and as a server of somebody else's, and is a dangerous role refused?"""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from engine import start
from engine.errors import Misconfigured, Unavailable
from engine.operations import people
from engine.process import end, spawn
from engine.settings import Settings, load
from engine.storage import database, migrate, partitions
from engine.storage.embedded import APPLICATION, OWNER, Embedded, running
from tests.testkit.database import RETENTION
from tests.testkit.people import found_company

DEBIAN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), Path("/usr/lib/postgresql/missing"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DEBIAN / "initdb").exists(), reason="needs Debian's binaries: apt install postgresql"),
]

# Whatever a password may have in it: it goes through URLs, and through the words of a connection.
PASSWORD = "a secret: 100% + ü/@?#'\""
LITERAL = "'" + PASSWORD.replace("'", "''") + "'"


@dataclass(frozen=True)
class Server:
    """A server of somebody else's, with a database `ops` of role `ops_owner`, and role `ops_app` for us."""

    port: int
    folder: Path

    def url(self, role: str, host: str = "localhost", more: str = "") -> str:
        """The database, as that role."""
        return f"postgresql://{role}:{quote(PASSWORD, safe='')}@{host}:{self.port}/ops{more}"

    def settings(self, role: str = "ops_app", **more: str) -> Settings:
        """The settings of an installation that uses it."""
        urls = {"AIOPS_DATABASE_URL": self.url(role), "AIOPS_DATABASE_OWNER_URL": self.url("ops_owner")}
        return load(urls | {"AIOPS_DATA_DIR": str(self.folder / "unused")} | more)

    def root(self, name: str) -> str:
        """The file of a certificate authority."""
        return str(self.folder / f"{name}.crt")

    def run(self, *statements: str) -> None:
        """As its administrator."""
        with psycopg.connect(self.url("admin"), autocommit=True) as db:
            for statement in statements:
                db.execute(statement)


@pytest.fixture(scope="module")
def server(scratch: Path, cluster: Embedded) -> Iterator[Server]:
    """Debian's PostgreSQL on a port of this machine, with TLS, run as whom `cluster` runs."""
    folder = scratch / "external"
    folder.mkdir(mode=0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made = Server(probe.getsockname()[1], folder)
    for name in ("right", "other"):
        _certificate(folder, name)
    _init(folder, cluster.user)
    options = {"port": made.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "ssl": "on"}
    options |= {"ssl_cert_file": folder / "right.crt", "ssl_key_file": folder / "right.key", "timezone": "Asia/Tokyo"}
    with (folder / "data" / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in options.items())
    with (folder / "log").open("wb") as log:
        command = [DEBIAN / "postgres", "-D", folder / "data"]
        child = spawn(command, at_our_death=signal.SIGKILL, user=cluster.user, cwd=Path("/"), output=log)
    try:
        _fill(made)
        yield made
    finally:
        end(child, signal.SIGINT, 10)


def _certificate(folder: Path, name: str) -> None:
    """A certificate for localhost that is its own authority."""
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}"
    command += f" -addext subjectAltName=DNS:localhost -keyout {folder}/{name}.key -out {folder}/{name}.crt"
    subprocess.run(command.split(), check=True, capture_output=True)


def _init(folder: Path, user: str | None) -> None:
    (folder / "data").mkdir(mode=0o700)
    (folder / "password").write_text(PASSWORD)
    if user:
        for name in ("data", "password", "right.key"):
            shutil.chown(folder / name, user, user)
    command = [DEBIAN / "initdb", "-D", folder / "data", "-U", "admin", "--auth=scram-sha-256", "--pwfile", folder / "password"]
    groups = [] if user else None
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(command, check=True, capture_output=True, cwd="/", user=user, group=user, extra_groups=groups)


def _fill(server: Server) -> None:
    """What an administrator is told to do (docs/operating.md)."""
    for _ in range(200):
        try:
            db = psycopg.connect(server.url("admin").replace("/ops", "/postgres"), autocommit=True)
            break
        except psycopg.OperationalError:
            time.sleep(0.05)
    with db:
        for role in ("ops_owner", "ops_app"):
            db.execute(f"CREATE ROLE {role} LOGIN PASSWORD {LITERAL}")
        db.execute("CREATE DATABASE ops OWNER ops_owner")


@pytest.fixture(scope="module")
def migrated(server: Server) -> Server:
    """The server with our schema."""
    bring_up(server.settings())
    return server


def bring_up(settings: Settings) -> None:
    """What the supervisor does before it starts the others."""
    owner = start.owner_engine(settings)
    migrate.up(owner, start.application_role(settings))
    partitions.keep_up(owner, RETENTION, datetime.now(UTC))
    owner.dispose()


@contextmanager
def opened(settings: Settings) -> Iterator[database.Database]:
    """The application's pool, as a process opens it."""
    found = start.database(settings, "test")
    try:
        yield found
    finally:
        found.close()


# Other binaries


def test_other_binaries_serve_and_the_schema_goes_up_and_down(scratch: Path) -> None:
    settings = load({"AIOPS_DATA_DIR": str(scratch / "debian"), "AIOPS_POSTGRES_BIN": str(DEBIAN)})
    with running(start.embedded(settings), print) as cluster:
        with psycopg.connect(cluster.url(APPLICATION)) as db:
            assert db.info.server_version // 10000 == int(DEBIAN.parent.name)
            assert db.execute("SHOW data_checksums").fetchone() == ("on",)
        owner = start.owner_engine(settings)
        assert owner.url.username == OWNER
        for _ in range(2):
            assert migrate.up(owner, APPLICATION) == (None, migrate.newest())
            with opened(settings):
                pass
            migrate.down(owner, "base")
        owner.dispose()


def test_data_of_other_binaries_is_refused_by_ours_and_taken_by_those_that_made_it(scratch: Path) -> None:
    folder = {"AIOPS_DATA_DIR": str(scratch / "debian")}
    theirs = load(folder | {"AIOPS_POSTGRES_BIN": str(DEBIAN)})
    with running(start.embedded(theirs), print):
        pass
    with pytest.raises(Misconfigured, match=f"made by PostgreSQL {DEBIAN.parent.name}, .*AIOPS_POSTGRES_BIN"):
        start.embedded(load(folder)).start(print)
    with running(start.embedded(theirs), print) as cluster:
        assert cluster.answers()


# A server of somebody else's


def test_the_whole_product_works_on_a_server_of_somebody_elses(migrated: Server) -> None:
    opened_database = start.open_door(migrated.settings(), "test")
    try:
        company = found_company(opened_database, "External")
        assert company.owner.email in {person.email for person in people.members(company.admin).items}
    finally:
        opened_database.close()


def test_times_are_told_in_utc_whatever_the_server_says(migrated: Server) -> None:
    with opened(migrated.settings()) as found, found.engine.connect() as db:
        assert db.execute(text("SHOW timezone")).scalar_one() == "UTC"


def test_a_second_migration_finds_nothing_to_do(migrated: Server) -> None:
    owner = start.owner_engine(migrated.settings())
    assert migrate.up(owner, "ops_app") == (migrate.newest(), migrate.newest())
    owner.dispose()


def test_another_role_for_the_application_gets_its_rights_at_the_next_start(migrated: Server) -> None:
    migrated.run(f"CREATE ROLE ops_second LOGIN PASSWORD {LITERAL}")
    settings = migrated.settings("ops_second")
    bring_up(settings)
    with opened(settings) as found, found.engine.connect() as db:
        assert db.execute(text("SELECT count(*) FROM lane")).scalar_one() >= 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            db.execute(text("SELECT count(*) FROM audit_default"))


def test_without_the_owners_url_migrations_say_which_setting_is_missing(server: Server) -> None:
    settings = load({"AIOPS_DATABASE_URL": server.url("ops_app")})
    with pytest.raises(Misconfigured, match="AIOPS_DATABASE_OWNER_URL"):
        start.owner_engine(settings)


def test_a_url_may_begin_as_other_programs_write_it(migrated: Server) -> None:
    short = migrated.url("ops_app").replace("postgresql://", "postgres://")
    with opened(migrated.settings(AIOPS_DATABASE_URL=short)) as found, found.engine.connect() as db:
        assert db.execute(text("SELECT current_user")).scalar_one() == "ops_app"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((":{port}/", ":1/"), "nothing listens there"),
        (("secret", "guess"), "the password is wrong"),
        (("/ops", "/opz"), "there is no such database"),
        (("localhost", "nowhere.invalid"), "there is no such host"),
    ],
)
def test_a_server_that_does_not_answer_is_unavailable(migrated: Server, change: tuple[str, str], why: str) -> None:
    url = migrated.url("ops_app").replace(change[0].format(port=migrated.port), change[1])
    with pytest.raises(Unavailable, match="the database does not answer") as refused, opened(migrated.settings(AIOPS_DATABASE_URL=url)):
        pass
    assert "secret" not in str(refused.value), why


def test_a_server_that_is_too_old_is_refused(migrated: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_OLDEST", 990000)
    with pytest.raises(Misconfigured, match=f"PostgreSQL {DEBIAN.parent.name} is too old: 15 or later"), opened(migrated.settings()):
        pass


# TLS


@dataclass(frozen=True)
class Tls:
    """How we are told to check, and the words of a refusal; none when it connects."""

    why: str
    host: str = "localhost"
    more: str = ""
    root: str = "right"
    refused: str = ""


CHECKS = [
    Tls("the authority we were told signed it, for the host we asked for"),
    Tls("the URL cannot switch it off", more="?sslmode=disable"),
    Tls("nor weaken it", more="?sslmode=require&sslrootcert=/nonexistent"),
    Tls("another authority, in the URL or not", more="?sslmode=require", root="other", refused="certificate verify failed"),
    Tls("somebody else's authority", root="other", refused="certificate verify failed"),
    Tls("those of the system do not know it", root="", refused="certificate verify failed"),
    Tls("a certificate for another name", host="127.0.0.1", refused='does not match host name "127.0.0.1"'),
    Tls("there is no such file", root="missing", refused="does not exist"),
]


@pytest.mark.parametrize("case", CHECKS, ids=lambda case: case.why)
def test_with_tls_verify_a_certificate_is_checked(migrated: Server, case: Tls) -> None:
    checks = {"AIOPS_DATABASE_TLS": "verify", "AIOPS_DATABASE_URL": migrated.url("ops_app", case.host, case.more)}
    if case.root:
        checks["AIOPS_DATABASE_TLS_ROOT"] = migrated.root(case.root)
    settings = migrated.settings(**checks)
    if case.refused:
        with pytest.raises(Unavailable, match=case.refused), opened(settings):
            pass
        return
    with opened(settings) as found, found.engine.connect() as db:
        assert db.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar_one(), case.why


def test_with_tls_verify_the_owner_and_the_one_that_listens_are_checked_too(migrated: Server) -> None:
    settings = migrated.settings(AIOPS_DATABASE_TLS="verify", AIOPS_DATABASE_TLS_ROOT=migrated.root("right"))
    owner = start.owner_engine(settings)
    assert owner.url.query["sslmode"] == "verify-full"
    with owner.connect() as db:
        assert db.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar_one()
    owner.dispose()
    with opened(settings) as found, psycopg.connect(found.dsn) as db:
        assert db.info.get_parameters()["sslmode"] == "verify-full"
        assert db.pgconn.ssl_in_use


def test_with_tls_verify_a_server_that_offers_none_is_refused(migrated: Server) -> None:
    settings = migrated.settings(AIOPS_DATABASE_TLS="verify", AIOPS_DATABASE_TLS_ROOT=migrated.root("right"))
    with plain(migrated), pytest.raises(Unavailable, match="does not support SSL"), opened(settings):
        pass


@contextmanager
def plain(server: Server) -> Iterator[None]:
    """The server without TLS for a while."""
    server.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    _wait_for(server, "off")
    try:
        yield
    finally:
        server.run("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")
        _wait_for(server, "on")


def _wait_for(server: Server, ssl: str) -> None:
    for _ in range(200):
        with psycopg.connect(server.url("admin")) as db:
            if db.execute("SHOW ssl").fetchone() == (ssl,):
                return
        time.sleep(0.02)
    raise AssertionError(f"ssl did not become {ssl}")


# Roles (scenario S3)


@dataclass(frozen=True)
class Role:
    """A role to connect as, how it is made, and the words of its refusal; none when it is taken."""

    name: str
    made: tuple[str, ...]
    why: str
    refused: str = ""


ROLES = [
    Role("plain", (), "it owns nothing and is a member of nothing"),
    Role("colleague", ("GRANT ops_app TO colleague",), "it may act as a role that is harmless itself"),
    Role("reader", ("GRANT pg_read_all_data TO reader",), "row-level security holds it too"),
    Role("chief", ("ALTER ROLE chief SUPERUSER",), "no policy holds it", "role chief is a superuser"),
    Role("bypasser", ("ALTER ROLE bypasser BYPASSRLS",), "no policy holds it", "role bypasser may bypass row-level security"),
    Role("maker", ("ALTER ROLE maker CREATEROLE",), "before version 16 it may make itself anybody", "role maker may make roles"),
    Role("ops_owner", (), "it may switch the policies off", "role ops_owner owns, or may become the owner of, "),
    Role("member", ("GRANT ops_owner TO member",), "it has all rights of the owner", "role member owns, or may become the owner of, "),
    Role(
        "sleeper",
        ("ALTER ROLE sleeper NOINHERIT", "GRANT ops_owner TO sleeper"),
        "one SET ROLE, and it is the owner",
        "role sleeper owns, or may become the owner of, ",
    ),
    Role(
        "grandchild",
        ("CREATE ROLE staff", "GRANT ops_owner TO staff", "GRANT staff TO grandchild"),
        "a member of a member is a member",
        "role grandchild owns, or may become the owner of, ",
    ),
    Role("heir", ("CREATE ROLE king SUPERUSER", "GRANT king TO heir"), "one SET ROLE, and it is a superuser", "role heir is a superuser"),
    Role(
        "friend",
        ("CREATE ROLE ghost BYPASSRLS", "GRANT ghost TO friend"),
        "one SET ROLE, and no policy holds it",
        "role friend may bypass row-level security",
    ),
    Role(
        "landlord",
        ("GRANT CREATE ON SCHEMA public TO landlord", "SET ROLE landlord", "CREATE TABLE shed (id int)"),
        "one table is enough",
        "role landlord owns, or may become the owner of, shed",
    ),
]


@pytest.mark.parametrize("case", ROLES, ids=lambda case: case.name)
def test_a_role_that_row_level_security_cannot_hold_is_refused(migrated: Server, case: Role) -> None:
    if not case.name.startswith("ops_"):
        migrated.run(f"CREATE ROLE {case.name} LOGIN PASSWORD {LITERAL}", *case.made)
    settings = migrated.settings(case.name)
    if not case.refused:
        with opened(settings):
            return
    with pytest.raises(Misconfigured) as refused, opened(settings):
        pass
    assert case.refused in str(refused.value), case.why
    assert all("AIOPS_DATABASE_URL" in fault for fault in refused.value.faults)


def test_everything_that_is_wrong_with_a_role_is_said_at_once(migrated: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_OLDEST", 990000)
    with pytest.raises(Misconfigured) as refused, opened(migrated.settings("admin")):
        pass
    assert len(refused.value.faults) == 3
