"""Does the command line do what it says, and say in words when it does not?"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import structlog
from pydantic import SecretStr

from engine import start
from engine.commands import main
from engine.model.vocabulary import ActorKind, Role
from engine.operations import profile, sign_in
from engine.storage import migrate
from engine.storage.embedded import Embedded
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, PASSWORD


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scratch: Path) -> Iterator[Run]:
    """Run a command as `python -m engine …` would, with these AIOPS_ variables and no others."""
    handlers, logging_before = logging.getLogger().handlers[:], structlog.get_config()
    for name in [name for name in os.environ if name.startswith("AIOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIOPS_DATA_DIR", str(scratch / "commands"))

    def go(*arguments: str, **variables: str) -> Ended:
        start.settings.cache_clear()
        with monkeypatch.context() as context:
            context.setattr(sys, "argv", ["engine", *arguments])
            for name, value in variables.items():
                context.setenv(f"AIOPS_{name.upper()}", value)
            code = 0
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Ended(code, said.out, said.err)

    yield go
    start.settings.cache_clear()
    structlog.configure(**logging_before)
    logging.getLogger().handlers[:] = handlers


def _at(database: TestDatabase) -> dict[str, str]:
    urls = {"database_url": database.app_url, "database_owner_url": database.owner_url}
    return {name: url.set(drivername="postgresql").render_as_string(hide_password=False) for name, url in urls.items()}


@pytest.fixture
def owned(run: Run, fresh: TestDatabase, tmp_path: Path) -> dict[str, str]:
    """The variables of an installation that `setup` has given its first owner."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    at = _at(fresh)
    done = run("setup", "--organization", "First", "--owner", "ada@example.com", "--password-file", str(tmp_path / "password"), **at)
    assert (done.code, done.err) == (0, "")
    assert "ada@example.com owns First" in done.out
    return at


def test_migrations_go_up_and_down_and_say_where(run: Run, empty: TestDatabase) -> None:
    at = _at(empty)
    newest = migrate.newest()
    assert run("migrate", "status", **at).out == f"The schema is at none; this version has {newest}.\n"
    early = run("token", "create", "--role", "admin", "--name", "ci", **at)
    assert (early.code, early.out) == (1, "") and "python -m engine migrate up" in early.err
    assert run("migrate", "up", **at).out == f"The schema was at none and is at {newest}.\n"
    assert run("migrate", "up", **at).out == f"The schema was at {newest} and is at {newest}.\n"
    unowned = run("token", "create", "--role", "admin", "--name", "ci", **at)
    assert (unowned.code, unowned.out) == (1, "") and "run `setup` first" in unowned.err
    assert run("migrate", "down", "base", "--yes", **at).out == "The schema is at base.\n"
    assert "at none" in run("migrate", "status", **at).out


def test_set_up_makes_the_first_owner_once(run: Run, owned: dict[str, str], tmp_path: Path, fresh: TestDatabase, scratch: Path) -> None:
    password = str(tmp_path / "password")
    again = run("setup", "--organization", "Second", "--owner", "eve@example.com", "--password-file", password, **owned)
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("✗ There is an owner already")
    fresh.open_door(scratch)
    opened = sign_in.sign_in(HERE, "ada@example.com", SecretStr(PASSWORD))
    me = sign_in.by_session(HERE, opened.secret)
    assert (me.name, me.role, profile.show(me).instance_admin) == ("ada", Role.OWNER, True)


def test_set_up_with_a_weak_password_says_what_is_wrong(run: Run, fresh: TestDatabase, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    weak = run("setup", "--organization", "x", "--owner", "a@b.c", "--password-file", str(tmp_path / "password"), **_at(fresh))
    assert weak.code == 1 and "12 characters" in weak.err and "hunter2" not in weak.err


def test_a_token_is_printed_once_and_works(run: Run, owned: dict[str, str], fresh: TestDatabase, scratch: Path) -> None:
    made = run("token", "create", "--role", "operator", "--name", "ci", "--expires", "90d", **owned)
    assert made.code == 0 and made.out.startswith("aio_") and made.out.count("\n") == 1
    assert made.out.strip() not in made.err
    fresh.open_door(scratch)
    program = sign_in.by_token(HERE, SecretStr(made.out.strip()))
    assert (program.kind, program.role, program.name) == (ActorKind.TOKEN, Role.OPERATOR, "ci")
    with psycopg.connect(owned["database_url"]) as db:
        row = db.execute("SELECT expires_at - now() FROM token_directory").fetchone()
    assert row is not None and row[0].days in (89, 90)


@pytest.mark.parametrize("value", ["90", "0d", "d", "1y", "99999d", "-1d"])
def test_a_length_that_is_none_is_said_in_words(run: Run, value: str) -> None:
    ended = run("token", "create", "--role", "admin", "--name", "ci", "--expires", value)
    assert (ended.code, ended.out) == (2, "") and "say it in days, such as 90d" in ended.err


def test_a_role_that_is_none_lists_those_there_are(run: Run) -> None:
    ended = run("token", "create", "--role", "god", "--name", "ci")
    assert ended.code == 2 and "'viewer', 'operator', 'admin', 'owner'" in ended.err


def test_a_further_organization_comes_with_a_link_and_has_to_be_named_then(
    run: Run, owned: dict[str, str], fresh: TestDatabase, scratch: Path
) -> None:
    made = run("organization", "create", "--name", "Second", "--owner", "eve@example.com", **owned)
    assert made.code == 0 and made.out.count("\n") == 1
    unnamed = run("token", "create", "--role", "admin", "--name", "ci", **owned)
    assert unnamed.code == 1 and "--organization: First, Second" in unnamed.err
    token = run("token", "create", "--role", "admin", "--name", "ci", "--organization", "Second", **owned)
    unknown = run("token", "create", "--role", "admin", "--name", "ci", "--organization", "Third", **owned)
    assert unknown.code == 1 and "no such organization" in unknown.err
    fresh.open_door(scratch)
    assert sign_in.by_token(HERE, SecretStr(token.out.strip())).name == "ci"
    purpose = sign_in.read_link(HERE, SecretStr(made.out.strip().partition("link=")[2]))
    assert (purpose.organization, purpose.email) == ("Second", "eve@example.com")


# what somebody who has the whole database does to the record, what the verifier says, why
TAMPERING = [
    ("UPDATE audit SET target = 'nothing' WHERE seq = 2", "entry 2 was edited", "an entry is edited"),
    ("DELETE FROM audit WHERE seq = 2", "entry 2 is missing", "an entry is taken out"),
    ("DELETE FROM audit WHERE seq = 3", "entries from 3 to 3 are missing at the end", "the last is taken off"),
    ("UPDATE audit SET seq = 5 - seq WHERE seq IN (2, 3)", "entry 2", "two change places"),
]


def test_the_record_is_verified_and_the_first_bad_entry_named(
    run: Run, owned: dict[str, str], fresh: TestDatabase, cluster: Embedded
) -> None:
    for name in ("one", "two"):
        run("token", "create", "--role", "viewer", "--name", name, **owned)
    intact = run("audit", "verify", **owned)
    assert (intact.code, intact.out) == (0, "✓ First: 3 entries, intact\n")
    with psycopg.connect(cluster._superuser_url(), dbname=fresh.name, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("CREATE TABLE kept AS SELECT * FROM audit")
        for statement, said, why in TAMPERING:
            superuser.execute(statement)  # type: ignore[arg-type]
            bad = run("audit", "verify", **owned)
            assert bad.code == 1 and bad.out.startswith("✗ First: ") and said in bad.out, why
            assert "missing at the end" in bad.out or "(id " in bad.out, why
            superuser.execute("DELETE FROM audit")
            superuser.execute("INSERT INTO audit SELECT * FROM kept")
    assert run("audit", "verify", **owned).code == 0


def test_a_configuration_of_alertmanager_is_taken_over_and_every_line_told(run: Run, owned: dict[str, str]) -> None:
    config = str(Path(__file__).parents[1] / "integrations" / "imports" / "company.yml")
    looked = run("import", "alertmanager", config, "--check", **owned)
    assert looked.code == 0 and looked.out.endswith("14 would be added, 0 would be changed, 0 as before.\n"), looked.out
    assert "✓ route.routes[1]: a rule, grouped by alertname, instance\n" in looked.out
    assert "✗ receivers: everybody-mail: tells email; nobody is told from here yet." in looked.out
    assert run("import", "alertmanager", config, **owned).out.endswith("14 added, 0 changed, 0 as before.\n")
    assert run("import", "alertmanager", config, **owned).out.endswith("0 added, 0 changed, 14 as before.\n")
    wrong = run("import", "alertmanager", __file__, **owned)
    assert wrong.code == 1 and wrong.err.startswith("✗ ")


def test_the_doctor_checks_everything_and_says_what_to_do(run: Run, owned: dict[str, str]) -> None:
    ended = run("doctor", **owned)
    lines = ended.out.splitlines()
    assert "  ✓ settings" in lines and "  ✓ clock" in lines
    assert any(line.startswith("  ✓ database, ") and f"revision {migrate.newest()}" in line for line in lines)
    bad = sum(line.startswith("  ✗") for line in lines)
    assert (lines[-1], ended.code) == (("All is well.", 0) if not bad else (f"{bad} to look after.", 1))


def test_the_doctor_names_what_is_wrong(run: Run, empty: TestDatabase) -> None:
    settings = run("doctor", prot="80", log_level="loud")
    assert settings.code == 1 and settings.out.count("✗ settings: AIOPS_") == 2
    schema = run("doctor", **_at(empty))
    assert schema.code == 1 and "✗ database: The schema is at none" in schema.out


NOWHERE = {
    "database_url": "postgresql://app:hunter2@127.0.0.1:9/aiops",
    "database_owner_url": "postgresql://owner:hunter2@127.0.0.1:9/aiops",
}
COMMANDS = [
    ("migrate", "status"),
    ("migrate", "up"),
    ("audit", "verify"),
    ("token", "create", "--role", "admin", "--name", "x"),
    ("doctor",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_does_not_answer_is_said_in_words(run: Run, command: tuple[str, ...]) -> None:
    ended = run(*command, **NOWHERE)
    assert ended.code == 1 and "database" in (ended.err + ended.out).lower()
    assert "hunter2" not in ended.err + ended.out


def test_wrong_settings_are_all_said(run: Run) -> None:
    ended = run("migrate", "status", prot="80", port="x")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("The settings need attention:") and ended.err.count("✗ AIOPS_") == 2


def test_a_database_of_somebody_else_needs_its_owner_for_migrations(run: Run) -> None:
    ended = run("migrate", "status", database_url=NOWHERE["database_url"])
    assert ended.code == 1 and "AIOPS_DATABASE_OWNER_URL" in ended.err


def test_the_reference_of_settings_is_printed(run: Run) -> None:
    ended = run("settings")
    assert ended.code == 0 and ended.out.startswith("| variable | default |") and "AIOPS_PORT" in ended.out


def test_help_lists_the_commands(run: Run) -> None:
    ended = run("--help")
    assert ended.code == 0
    for name in ("up", "web", "worker", "doctor", "settings", "migrate", "audit", "setup", "organization", "token"):
        assert f"\n  {name} " in ended.out


@pytest.mark.slow
def test_a_command_starts_the_bundled_database_when_it_does_not_run(scratch: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIOPS_")}
    environment["AIOPS_DATA_DIR"] = str(scratch / "own")
    command = [sys.executable, "-m", "engine", "migrate", "up"]
    done = subprocess.run(command, env=environment, cwd=start.PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"The schema was at none and is at {migrate.newest()}.\n"), done.stderr
    assert not (scratch / "own" / "postgres" / "postmaster.pid").exists(), "and ends it again"
