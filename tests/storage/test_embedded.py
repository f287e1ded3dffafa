"""Does the bundled PostgreSQL keep to its rules, and come back after everything that can happen to it?"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from engine.errors import Misconfigured, Unavailable
from engine.process import end, running_in, signal_all, spawn
from engine.settings import load
from engine.storage import binaries
from engine.storage import embedded as module
from engine.storage.database import open_application
from engine.storage.datadir import DataDir, Holder
from engine.storage.embedded import APPLICATION, DATABASE, OWNER, Embedded, running

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
# Starts the cluster as the supervisor does, says the postmaster's pid, and waits to be killed.
SUPERVISOR = """
import sys, time
from pathlib import Path
from engine.storage.datadir import DataDir
from engine.storage.embedded import Embedded
home = DataDir(Path(sys.argv[1]))
assert home.acquire("http://localhost:3000") is None
print(Embedded(home).start(print).pid, flush=True)
time.sleep(60)
"""
# Uses the cluster as a command does, until it is asked to end.
COMMAND = """
import signal, sys, time
from pathlib import Path
from engine.storage.datadir import DataDir
from engine.storage.embedded import Embedded, running
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with running(Embedded(DataDir(Path(sys.argv[1]))), print):
    time.sleep(60)
"""

Place = Callable[..., Embedded]


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    """How the database of `used` was set up: that of most tests is a careless one, for speed."""
    return {}


@pytest.fixture(scope="module")
def used(scratch: Path, rules: dict[str, str]) -> Path:
    """A data directory whose database has a row and was stopped."""
    home = DataDir(scratch / "used")
    home.make()
    made = Embedded(home)
    made.start(print)
    with psycopg.connect(made._superuser_url()) as db:
        rules |= {name: str(db.execute("SELECT current_setting(%s)", [name]).fetchone()[0]) for name, *_ in RULES}
    with psycopg.connect(made.url(OWNER)) as db:
        db.execute("CREATE TABLE note (words text)")
        db.execute("INSERT INTO note VALUES ('kept')")
    made.stop()
    return home.path


@pytest.fixture
def place(used: Path) -> Iterator[Place]:
    """The cluster that was used before, not started, in a folder of that name."""
    placed: list[Embedded] = []

    def move(name: str, binaries: Path | None = None) -> Embedded:
        placed.append(Embedded(DataDir(used.rename(used.parent / name)), binaries))
        return placed[-1]

    yield move
    for cluster in placed:
        cluster.stop()
        signal_all(running_in(cluster.data, "postgres"), signal.SIGKILL)
        cluster.home.release()
        if cluster.home.path not in cluster.socket_dir.parents:
            shutil.rmtree(cluster.socket_dir, ignore_errors=True)
        cluster.home.path.rename(used)


@pytest.fixture
def kept(place: Place) -> Embedded:
    """The cluster that was used before, not started."""
    return place("kept")


@contextmanager
def changed(file: Path, text: str) -> Iterator[None]:
    """A file with other content for a while."""
    before = file.read_text()
    file.write_text(text)
    yield
    file.write_text(before)


def notes(cluster: Embedded) -> list[str]:
    """The rows in it."""
    with psycopg.connect(cluster.url(OWNER)) as db:
        return [row[0] for row in db.execute("SELECT words FROM note")]


def write(cluster: Embedded, words: str) -> None:
    """The row that was kept, and one more."""
    with psycopg.connect(cluster.url(OWNER)) as db:
        db.execute("DELETE FROM note WHERE words <> 'kept'")
        db.execute("INSERT INTO note VALUES (%s)", [words])


def control(cluster: Embedded) -> str:
    """What the cluster's control file says of its state."""
    tool = cluster._programs() / "pg_controldata"
    said = subprocess.run([tool, cluster.data], capture_output=True, text=True, check=True).stdout
    return next(line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("Database cluster state"))


def holder_of(cluster: Embedded) -> Holder | None:
    """Who has the data directory."""
    other = DataDir(cluster.home.path)
    holder = other.acquire("")
    other.release()
    return holder


def eventually(true: Callable[[], bool], within: float = 30.0) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def leave_running(cluster: Embedded) -> int:
    """A postmaster that nobody looks after, as when a supervisor was killed and the kernel did not tell it."""
    user = {"user": cluster.user, "group": cluster.user, "extra_groups": []} if cluster.user else {}
    command = ["setsid", "--fork", cluster._programs() / "postgres", *cluster._arguments()]
    subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, **user)
    assert eventually(cluster.answers)
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


# The rules


# what is set, to what, and what for
RULES = [
    ("data_checksums", "on", "a broken disk is noticed"),
    ("password_encryption", "scram-sha-256", "no password can be read out of the catalog"),
    ("listen_addresses", "", "nobody reaches it by the network"),
    ("unix_socket_permissions", "0700", "nor another user of this machine"),
    ("fsync", "on", "what is committed survives a power cut"),
    ("full_page_writes", "on", "and so does the page it is on"),
    ("synchronous_commit", "on", "and the last commits too"),
    ("server_encoding", "UTF8", "people write in all languages"),
    ("TimeZone", "UTC", "times are told in one zone"),
    ("log_min_error_statement", "panic", "statements may carry what no log should"),
]


@pytest.mark.parametrize(("setting", "value", "why"), RULES)
def test_it_is_set_up_as_our_rules_say(used: Path, rules: dict[str, str], setting: str, value: str, why: str) -> None:
    assert rules[setting] == value, why


def test_it_has_no_socket_of_the_network(cluster: Embedded) -> None:
    assert cluster._child is not None
    handles = [os.readlink(link) for link in Path(f"/proc/{cluster._child.pid}/fd").iterdir() if link.is_symlink()]
    ours = {handle.removeprefix("socket:[").removesuffix("]") for handle in handles if handle.startswith("socket:")}
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6")]
    network = {line.split()[9] for table in tables if table.exists() for line in table.read_text().splitlines()[1:]}
    assert ours
    assert not ours & network


def test_everybody_needs_a_password(cluster: Embedded) -> None:
    with psycopg.connect(cluster._superuser_url()) as db:
        methods = {row[0] for row in db.execute("SELECT auth_method FROM pg_hba_file_rules")}
    assert methods == {"scram-sha-256"}
    for role in ("postgres", OWNER, APPLICATION):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=str(cluster.socket_dir), user=role, dbname=DATABASE, password="guessed")


def test_its_files_are_closed_to_others(cluster: Embedded) -> None:
    home = cluster.home.path
    for name in ("postgres", OWNER, APPLICATION):
        assert stat.S_IMODE((home / "keys" / f"postgres-{name}").stat().st_mode) == 0o600
    for folder in (cluster.data, cluster.socket_dir, home / "keys"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    assert stat.S_IMODE((cluster.socket_dir / ".s.PGSQL.5432").stat().st_mode) == 0o700


def test_it_does_not_run_as_root(cluster: Embedded) -> None:
    assert cluster._child is not None
    uid = Path(f"/proc/{cluster._child.pid}").stat().st_uid
    assert pwd.getpwuid(uid).pw_name == "aiops-postgres" if os.geteuid() == 0 else uid == os.geteuid()
    assert cluster.data.stat().st_uid == cluster.socket_dir.stat().st_uid == uid


@pytest.mark.parametrize("role", [OWNER, APPLICATION])
def test_our_roles_may_nothing_special(cluster: Embedded, role: str) -> None:
    special = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    groups = "SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole"
    with psycopg.connect(cluster._superuser_url()) as db:
        assert db.execute(f"SELECT {special} FROM pg_roles WHERE rolname = %s", [role]).fetchone() == (False,)
        assert db.execute(groups, [role]).fetchone() == (0,)


def test_the_application_owns_nothing(cluster: Embedded) -> None:
    # but for what is its own for as long as a connection: temporary tables
    owned = """SELECT count(*) FROM pg_shdepend d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
        LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
        LEFT JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
        WHERE d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND d.deptype = 'o'
        AND d.refobjid = %s::regrole AND coalesce(n.nspname, '') !~ '^pg_(toast_)?temp'"""
    with psycopg.connect(cluster._superuser_url()) as db:
        assert db.execute(owned, [APPLICATION]).fetchone() == (0,)
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
        assert db.execute(owner, [DATABASE]).fetchone() == (OWNER,)


# Stop and start


def test_a_second_start_keeps_what_was_written(kept: Embedded) -> None:
    kept.start(print)
    assert "kept" in notes(kept)


def test_a_stop_is_clean_though_somebody_is_in_the_middle_of_something(kept: Embedded) -> None:
    postmaster = kept.start(print)
    unfinished = psycopg.connect(kept.url(OWNER))
    unfinished.execute("INSERT INTO note VALUES ('not committed')")
    kept.stop()
    assert postmaster.returncode == 0
    assert control(kept) == "shut down"
    assert running_in(kept.data, "postgres") == []
    assert not kept.answers()
    kept.start(print)
    assert "not committed" not in notes(kept)


def test_stopping_what_does_not_run_does_nothing(kept: Embedded) -> None:
    kept.stop()
    kept.start(print)
    kept.stop()
    kept.stop()


# Crashes


def test_after_all_was_killed_what_was_committed_is_there(kept: Embedded) -> None:
    postmaster = kept.start(print)
    unfinished = psycopg.connect(kept.url(OWNER))
    unfinished.execute("INSERT INTO note VALUES ('not committed')")
    write(kept, "committed")
    signal_all(running_in(kept.data, "postgres"), signal.SIGKILL)
    postmaster.wait()
    assert control(kept) == "in production"
    again = Embedded(kept.home)
    again.start(print)
    try:
        assert notes(again) == ["kept", "committed"]
    finally:
        again.stop()


def test_a_pid_file_that_names_another_program_does_not_stop_the_start(kept: Embedded) -> None:
    """After a crash of the machine its number may be anybody's, and that one is none of our business."""
    other = spawn(["sleep", "60"], at_our_death=signal.SIGKILL, user=kept.user)
    try:
        lines = [str(other.pid), str(kept.data), "1700000000", "5432", str(kept.socket_dir), "", "0 0", "ready   "]
        (kept.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (kept.socket_dir / ".s.PGSQL.5432.lock").write_text("\n".join(lines[:5]) + "\n")
        kept.start(print)
        assert "kept" in notes(kept)
        assert other.poll() is None
    finally:
        end(other, signal.SIGKILL, 5)


@pytest.mark.parametrize("content", ["", "no number\n"])
def test_a_broken_pid_file_does_not_stop_the_start(kept: Embedded, content: str) -> None:
    (kept.data / "postmaster.pid").write_text(content)
    kept.start(print)
    assert "kept" in notes(kept)


def test_a_leftover_is_ended_first_and_that_is_said(kept: Embedded) -> None:
    left = leave_running(kept)
    write(kept, "written to the leftover")
    unfinished = psycopg.connect(kept.url(OWNER))
    unfinished.execute("SELECT 1")
    said: list[str] = []
    postmaster = kept.start(said.append)
    assert postmaster.pid != left
    assert left not in running_in(kept.data, "postgres")
    assert f"left over in {kept.data}" in said[0] and str(left) in said[0]
    assert len(said) == 1, "it was asked once, and ended"
    assert notes(kept) == ["kept", "written to the leftover"]


def test_what_a_killed_postmaster_left_is_waited_for(kept: Embedded) -> None:
    left = leave_running(kept)
    write(kept, "committed")
    os.kill(left, signal.SIGKILL)
    kept.start(print)
    assert notes(kept) == ["kept", "committed"]


def test_somebody_who_looks_around_in_its_folder_is_left_alone(kept: Embedded) -> None:
    shell = spawn(["sleep", "60"], at_our_death=signal.SIGKILL, cwd=kept.data)
    try:
        said: list[str] = []
        kept.start(said.append)
        assert shell.poll() is None
        assert said == []
    finally:
        end(shell, signal.SIGKILL, 5)


def test_it_dies_with_its_supervisor_however_that_dies(kept: Embedded) -> None:
    command = [sys.executable, "-c", SUPERVISOR, kept.home.path]
    supervisor = spawn(command, at_our_death=signal.SIGKILL, cwd=PROJECT, output=subprocess.PIPE)
    assert supervisor.stdout is not None
    postmaster = int(supervisor.stdout.readline())
    write(kept, "committed")
    assert postmaster in running_in(kept.data, "postgres")
    supervisor.kill()
    supervisor.communicate()
    assert eventually(lambda: running_in(kept.data, "postgres") == [])
    assert control(kept) == "shut down", "it was asked, not killed"
    kept.start(print)
    assert notes(kept) == ["kept", "committed"]


# Starts that were cut short


@pytest.fixture(scope="module")
def interrupted(scratch: Path) -> DataDir:
    """A data directory whose first start was cut short."""
    home = DataDir(scratch / "cut-short")
    home.make()
    (home.path / "postgres.new" / "base").mkdir(parents=True)
    (home.path / "postgres.new" / "PG_VERSION").write_text("18\n")
    return home


def test_a_first_start_that_was_cut_short_is_done_again(interrupted: DataDir) -> None:
    made = Embedded(interrupted)
    made.start(print)
    try:
        assert made.answers()
        left = {path.name for path in interrupted.path.iterdir()}
        assert left == {"keys", "postgres", "postgres-start.log", "socket"}, "and no file with a password"
    finally:
        made.stop()


ROLE_STEPS = (f"DROP DATABASE {DATABASE}", f"DROP ROLE {APPLICATION}", f"DROP ROLE {OWNER}")


@pytest.mark.parametrize("undone", [1, 2, 3])
def test_roles_that_were_not_all_made_are_made_at_the_next_start(interrupted: DataDir, undone: int) -> None:
    made = Embedded(interrupted)
    made.start(print)
    try:
        with psycopg.connect(made._superuser_url(), autocommit=True) as db:
            for step in ROLE_STEPS[:undone]:
                db.execute(step)
        made.stop()
        made.start(print)
        for role in (OWNER, APPLICATION):
            psycopg.connect(made.url(role)).close()
    finally:
        made.stop()


def test_an_initdb_that_fails_says_why_and_can_be_repeated(scratch: Path) -> None:
    tools = scratch / "broken" / "bin"
    tools.mkdir(parents=True)
    for name, script in {"postgres": "echo 'postgres (PostgreSQL) 18.0'", "initdb": "echo 'no space left' >&2; exit 1"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    home = DataDir(scratch / "never")
    home.make()
    for _ in range(2):
        with pytest.raises(Unavailable, match="initdb failed: no space left"):
            Embedded(home, tools).start(print)
    assert not (home.path / "postgres").exists()


def test_two_first_starts_at_once_make_its_user_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the list of users locked, and then the user there."""
    tool, tries = tmp_path / "useradd", tmp_path / "tries"
    tool.write_text(f"#!/bin/sh\necho try >> {tries}\necho 'cannot lock /etc/passwd; try again later.' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: str(tool))
    monkeypatch.setattr(module, "_is_user", lambda _: tries.exists() and len(tries.read_text().split()) >= 2)
    made = Embedded(DataDir(tmp_path))
    made.user = "aiops-nobody"
    made._make_user()
    assert tries.read_text().split() == ["try", "try"]


def test_a_user_that_cannot_be_made_is_said_in_the_words_of_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "useradd"
    tool.write_text("#!/bin/sh\necho 'no more room in /etc' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(module.shutil, "which", lambda *_, **__: str(tool))
    monkeypatch.setattr(module, "_PATIENCE_FOR_USERADD", 0.3)
    made = Embedded(DataDir(tmp_path))
    made.user = "aiops-nobody"
    with pytest.raises(Misconfigured, match="useradd aiops-nobody failed: no more room in /etc"):
        made._make_user()


# What it refuses


def test_data_of_another_major_version_is_refused_unharmed(kept: Embedded) -> None:
    with (
        changed(kept.data / "PG_VERSION", "9\n"),
        pytest.raises(Misconfigured, match="made by PostgreSQL 9, .*AIOPS_POSTGRES_BIN"),
    ):
        kept.start(print)
    kept.start(print)
    assert "kept" in notes(kept)


def test_a_start_that_fails_says_what_the_log_says(kept: Embedded) -> None:
    with changed(kept.data / "postgresql.auto.conf", "no_such_setting = 1\n"), pytest.raises(Unavailable, match="no_such_setting"):
        kept.start(print)
    assert running_in(kept.data, "postgres") == []


def test_lost_passwords_are_said_and_not_waited_for(kept: Embedded) -> None:
    with (
        changed(kept.home.path / "keys" / "postgres-postgres", "another"),
        pytest.raises(Misconfigured, match="keys does not fit the database"),
    ):
        kept.start(print)
    assert running_in(kept.data, "postgres") == []


# Places


def test_a_path_too_long_for_a_socket_puts_it_elsewhere(place: Place) -> None:
    deep = place("long" * 30)
    deep.start(print)
    assert "kept" in notes(deep)
    assert deep.home.path not in deep.socket_dir.parents
    assert stat.S_IMODE(deep.socket_dir.stat().st_mode) == 0o700
    assert Embedded(deep.home).answers(), "another process finds it"


def test_a_path_is_measured_in_bytes(place: Place) -> None:
    wide = place("ü" * 50)
    wide.start(print)
    assert "kept" in notes(wide)


def test_the_place_elsewhere_is_refused_when_somebody_else_made_it(place: Place, tmp_path: Path) -> None:
    deep = place("trap" * 30)
    deep.socket_dir.symlink_to(tmp_path)
    try:
        with pytest.raises(Misconfigured, match="belongs to somebody else"):
            deep.start(print)
    finally:
        deep.socket_dir.unlink()


@pytest.mark.parametrize("name", ["a,comma", ' 50% of ü\'s "all" & more? #@:'])
def test_a_path_may_have_any_name(place: Place, name: str) -> None:
    odd = place(name)
    odd.start(print)
    assert "kept" in notes(odd)
    opened = open_application(load({"AIOPS_DATA_DIR": str(odd.home.path)}), odd.url(APPLICATION), "test")
    psycopg.connect(opened.dsn).close()
    opened.close()


def test_a_relative_path_works(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place("near").home.path.parent)
    relative = Embedded(DataDir(Path("near")))
    relative.start(print)
    try:
        assert "kept" in notes(relative)
    finally:
        relative.stop()


def test_settings_of_other_programs_do_not_move_it(kept: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    kept.start(print)
    monkeypatch.delenv("PGPORT")
    assert "kept" in notes(kept)


def test_binaries_closed_to_its_user_are_copied_and_left_as_they_are(place: Place, tmp_path: Path) -> None:
    """As in root's home, or after an installation under umask 077."""
    closed = tmp_path / "closed"
    shutil.copytree(binaries.packaged().parent, closed, ignore=shutil.ignore_patterns("include"))
    subprocess.run(["chmod", "-R", "go-rwx", closed], check=True)
    before = {path: path.stat().st_mode for path in (closed, *closed.rglob("*"))}
    cluster = place("closed", closed / "bin")
    for _ in range(2):
        cluster.start(print)
        assert "kept" in notes(cluster)
        cluster.stop()
    assert {path: path.stat().st_mode for path in (closed, *closed.rglob("*"))} == before
    made = list(cluster.home.path.glob("postgres-binaries-*"))
    assert len(made) == (1 if os.geteuid() == 0 else 0), "one for both starts; nobody but root needs it"


# Recovery


def test_a_long_recovery_is_waited_for_and_said(kept: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept.data / "recovery.signal").touch()
    if kept.user:
        shutil.chown(kept.data / "recovery.signal", kept.user)
    monkeypatch.setattr(module, "_SAY_EVERY", 0.1)
    said: list[str] = []
    with changed(kept.data / "postgresql.auto.conf", "restore_command = 'sleep 0.3; false'\nhot_standby = off\n"):
        kept.start(said.append)
    assert len(said) >= 2
    assert all("recovering" in words and "please wait" in words for words in said)
    assert "kept" in notes(kept)


# A command beside the product


def test_a_command_uses_the_cluster_of_another_process_and_leaves_it_running(kept: Embedded) -> None:
    other = spawn([sys.executable, "-c", COMMAND, kept.home.path], at_our_death=signal.SIGKILL, cwd=PROJECT)
    try:
        assert eventually(lambda: (kept.home.path / "lock").exists() and str(other.pid) in (kept.home.path / "lock").read_text())
        with running(kept, print):  # it may still be starting
            assert kept._child is None
            assert "kept" in notes(kept)
        assert kept.answers()
    finally:
        end(other, signal.SIGTERM, 10)
    assert other.returncode == 0
    assert running_in(kept.data, "postgres") == [], "who started it stops it"


def test_a_command_alone_starts_the_cluster_and_stops_it(kept: Embedded) -> None:
    with running(kept, print):
        assert "kept" in notes(kept)
        assert holder_of(kept) == Holder(os.getpid(), "")
    assert running_in(kept.data, "postgres") == []
    assert holder_of(kept) is None


def test_a_command_that_fails_stops_the_cluster_too(kept: Embedded) -> None:
    with pytest.raises(KeyboardInterrupt), running(kept, print):
        raise KeyboardInterrupt
    assert running_in(kept.data, "postgres") == []
    assert holder_of(kept) is None


def test_a_command_starts_the_cluster_when_the_other_process_ends_meanwhile(kept: Embedded) -> None:
    other = DataDir(kept.home.path)
    other.acquire("")
    leaving = threading.Timer(0.5, other.release)
    leaving.start()
    with running(kept, print):
        assert "kept" in notes(kept)
    leaving.join()


def test_a_command_gives_up_on_another_process_whose_database_never_answers(kept: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.5)
    other = DataDir(kept.home.path)
    other.acquire("")
    with pytest.raises(Unavailable, match="another process has .*does not answer"), running(kept, print):
        pass
    other.release()
