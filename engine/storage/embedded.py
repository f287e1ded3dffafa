"""How does the bundled PostgreSQL start, survive and stop?

Only the binaries come from a package (or from AIOPS_POSTGRES_BIN); the rules are ours: a unix socket and no port, scram
passwords, checksums, our own user when we are root, no limit on recovery time, and a leftover postmaster is ended first.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from engine.errors import Misconfigured, Unavailable
from engine.process import ChildProcess, end, running_in, signal_all, spawn, wait_for_none
from engine.storage import binaries
from engine.storage.datadir import DataDir

USER = "aiops-postgres"
DATABASE = "aiops"
OWNER, APPLICATION = "aiops_owner", "aiops_app"
_SOCKET_LIMIT = 90  # of the 107 bytes that a socket's path may have
_PORT = 5432  # part of the socket's name; said, because PGPORT in the environment would change it
_SAY_EVERY, _PATIENCE, _PATIENCE_FOR_USERADD = 5.0, 60.0, 10.0

Say = Callable[[str], None]


class Embedded:
    """One PostgreSQL cluster in a data directory. The caller holds the directory's lock while it starts and stops it."""

    def __init__(self, home: DataDir, programs: Path | None = None) -> None:
        self.home = home
        self.data = home.path / "postgres"
        self.user = USER if os.geteuid() == 0 else None
        self.socket_dir = _socket_dir(home.path)
        self._chosen = programs
        self._first_words = home.path / "postgres-start.log"  # until its own log collector runs
        self._child: ChildProcess | None = None

    def url(self, role: str) -> str:
        """Where the cluster answers, as that role (OWNER or APPLICATION)."""
        return self._url(role, DATABASE)

    def start(self, say: Say) -> ChildProcess:
        """Start the cluster and wait until it answers, however long recovery takes. Returns the postmaster.

        `say` gets a line when something takes long. Raises Misconfigured or Unavailable with what to do.
        """
        self._make_user()
        programs = self._programs()
        self._end_leftovers(say)
        self._make_socket_dir()
        self._init(programs)
        command = [programs / "postgres", *self._arguments()]
        with self._first_words.open("wb") as output:
            self._child = spawn(command, at_our_death=signal.SIGINT, user=self.user, cwd=Path("/"), output=output)
        try:
            self._wait(self._child, say)
            self._make_roles()
        except BaseException:
            self.stop()
            raise
        return self._child

    def stop(self) -> None:
        """End sessions and stop cleanly; kill after a minute."""
        if self._child is not None:
            end(self._child, signal.SIGINT, 60)
            wait_for_none(self.data, "postgres", 5)  # its log collector goes last
            self._child = None

    def answers(self) -> bool:
        """Whether somebody's start of this cluster answers now."""
        try:
            psycopg.connect(self.url(APPLICATION), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{quote(self._password(role))}@/{database}?host={quote(str(self.socket_dir))}&port={_PORT}"

    def _superuser_url(self) -> str:
        return self._url("postgres", "postgres")

    def _password(self, role: str) -> str:
        return self.home.secret(f"postgres-{role}")

    def _make_user(self) -> None:
        if self.user is None:
            return
        tool = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        deadline, said = time.monotonic() + _PATIENCE_FOR_USERADD, b""
        while not _is_user(self.user):
            if tool is None:
                raise Misconfigured("useradd is missing (Debian: apt install passwd), or start as a user other than root")
            if time.monotonic() > deadline:
                raise Misconfigured(f"useradd {self.user} failed: {said.decode(errors='replace').strip()}")
            command = [tool, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", self.user]
            done = subprocess.run(command, capture_output=True)  # noqa: S603
            if done.returncode != 0:  # another first start may be making it at this moment, and has the file locked
                said = done.stderr
                time.sleep(0.1)

    def _programs(self) -> Path:
        chosen = self._chosen or binaries.packaged()
        return chosen if self.user is None else binaries.reachable(chosen, self.home.path)

    def _end_leftovers(self, say: Say) -> None:
        """End what still runs in this cluster after its supervisor was killed; a pid file of nobody's is removed."""
        for kill, patience in ((signal.SIGINT, 15.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            if not (left := running_in(self.data, "postgres")):
                break
            say(f"ending a PostgreSQL left over in {self.data} (pid {', '.join(map(str, left))})")
            signal_all(left if kill == signal.SIGKILL else [_postmaster_of(self.data, left)], kill)
            wait_for_none(self.data, "postgres", patience)
        if left := running_in(self.data, "postgres"):
            raise Unavailable("postgres", f"pid {left[0]} in {self.data} does not end; end it and start again")
        # Its pid may be another program's by now, which PostgreSQL would take for a running postmaster.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_socket_dir(self) -> None:
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        owner = self.socket_dir.stat().st_uid
        if owner not in (os.geteuid(), _uid(self.user)) or self.socket_dir.is_symlink():
            raise Misconfigured(f"{self.socket_dir} belongs to somebody else (uid {owner}); remove it")
        if self.user:
            shutil.chown(self.socket_dir, self.user, self.user)
        self.socket_dir.chmod(0o700)
        (self.socket_dir / f".s.PGSQL.{_PORT}.lock").unlink(missing_ok=True)  # for the same reason as the pid file

    def _init(self, programs: Path) -> None:
        major = binaries.major(programs)
        if (self.data / "PG_VERSION").exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            if made_by != str(major):
                raise Misconfigured(
                    f"{self.data} was made by PostgreSQL {made_by}, these binaries are {major}: set AIOPS_POSTGRES_BIN to "
                    f"binaries of {made_by}, or move the data with pg_dump (docs/operating.md)"
                )
            return
        # Made beside and renamed: a crash half-way leaves nothing that looks finished.
        scratch = self.home.path / "postgres.new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.home.path) as password_file:
            password_file.write(self._password("postgres"))
            password_file.flush()
            for path in (scratch, Path(password_file.name)) if self.user else ():
                shutil.chown(path, self.user, self.user)
            locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C.UTF-8"]
            command = [programs / "initdb", "-D", scratch, "-U", "postgres", "--auth=scram-sha-256", "--pwfile", password_file.name]
            command += ["--data-checksums", "--encoding=UTF8", *locale]
            groups = [] if self.user else None
            done = subprocess.run(command, capture_output=True, text=True, cwd="/", user=self.user, group=self.user, extra_groups=groups)  # noqa: S603
        if done.returncode != 0:
            raise Unavailable("postgres", f"initdb failed: {done.stderr.strip()[-400:]}")
        scratch.rename(self.data)

    def _arguments(self) -> list[str]:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": f"{max(64, min(1024, memory // 8))}MB",
            "max_wal_size": "2GB",
            "wal_compression": "on",
            "autovacuum_naptime": "10s",  # a storm in the first minute meets tables that were never looked at: plans are guesses until then
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "on",
            "log_directory": "log",
            "log_filename": "postgres-%a.log",
            "log_rotation_age": "1d",
            "log_truncate_on_rotation": "on",
            "log_min_error_statement": "panic",  # statements may carry what no log should
        }
        return ["-D", str(self.data), *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))]

    def _wait(self, child: ChildProcess, say: Say) -> None:
        began = said = time.monotonic()
        while True:
            try:
                psycopg.connect(self._superuser_url(), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise Misconfigured(f"{self.home.path}/keys does not fit the database; put back the folder from a backup") from None
                if child.poll() is not None:
                    raise Unavailable("postgres", f"PostgreSQL ended at its start: {self._last_words()}") from None
            if time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                say(f"PostgreSQL is recovering, {said - began:.0f} s so far; nothing is lost, please wait")
            time.sleep(0.05)

    def _last_words(self) -> str:
        logs = sorted([self._first_words, *(self.data / "log").glob("*.log")], key=lambda file: file.stat().st_mtime)
        lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
        return " · ".join(lines[-3:]) or f"no log in {self.data}/log"

    def _make_roles(self) -> None:
        """Make the two roles and the database; each step may have been done by a start that was cut short."""
        with psycopg.connect(self._superuser_url(), autocommit=True) as db:
            roles = {row[0] for row in db.execute("SELECT rolname FROM pg_roles")}
            for role in {OWNER, APPLICATION} - roles:
                plain = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS"
                secret = psycopg.sql.Literal(self._password(role))
                db.execute(psycopg.sql.SQL("CREATE ROLE {} " + plain + " PASSWORD {}").format(psycopg.sql.Identifier(role), secret))
            if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                db.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")


@contextmanager
def running(embedded: Embedded, say: Say) -> Iterator[Embedded]:
    """The cluster while the block runs: the one that somebody has started, else one of our own.

    Raises Unavailable when another process has the data directory and its database does not answer within a minute.
    """
    embedded.home.make()
    deadline = time.monotonic() + _PATIENCE
    while embedded.home.acquire("") is not None:
        if embedded.answers():
            yield embedded
            return
        if time.monotonic() > deadline:
            raise Unavailable("postgres", f"another process has {embedded.home.path}, but its database does not answer")
        time.sleep(0.2)
    try:
        embedded.start(say)
        yield embedded
    finally:
        embedded.stop()
        embedded.home.release()


def _socket_dir(home: Path) -> Path:
    near = home / "socket"
    if len(os.fsencode(near)) <= _SOCKET_LIMIT and "," not in str(near):  # a comma would make it two places
        return near
    mark = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"aiops-{os.geteuid()}-{mark}"


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _uid(user: str | None) -> int:
    return pwd.getpwnam(user).pw_uid if user else os.geteuid()


def _postmaster_of(data: Path, processes: list[int]) -> int:
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return processes[0]
    return pid if pid in processes else processes[0]
