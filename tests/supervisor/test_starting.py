"""Does `make run` bring a page up by itself, and say what is in the way where it cannot?"""

import re
from pathlib import Path

import pytest

from engine.storage.datadir import DataDir
from tests.supervisor.watching import Shared, everything_is_free, health_kinds, token_works
from tests.testkit.installation import Installation, port_of

pytestmark = pytest.mark.slow


def test_the_first_start_makes_the_data_directory_and_prints_the_address_and_one_set_up_link(product: Shared) -> None:
    assert f"is at {product.url}\n" in product.first_words
    assert re.findall(rf"{product.url}/setup\?link=\S{{40,}}\n", product.first_words) == [product.setup_link() + "\n"]
    assert f"Data is in {product.data_dir}; Ctrl-C stops everything." in product.first_words
    assert (product.data_dir / "postgres" / "PG_VERSION").exists()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (product.data_dir, *(product.data_dir / "keys").iterdir())}
    assert modes.pop(product.data_dir.name) == "0o711"
    assert set(modes.values()) == {"0o600"}


def test_after_the_first_start_health_is_ok_with_web_and_worker(product: Shared) -> None:
    assert product.first_health["faults"] == []
    assert health_kinds(product.first_health) == {"web", "worker"}


def test_the_second_start_builds_nothing_and_offers_no_set_up(stopped: Shared) -> None:
    before = len(stopped.said())
    stopped.start()
    words = stopped.said()[before:]
    assert "uilding the page" not in words
    assert "/setup?link=" not in words
    assert "revision" not in words
    assert token_works(stopped, stopped.token)


def test_a_second_start_on_the_same_data_says_where_the_first_runs(running: Shared) -> None:
    second = running.command("up")
    assert (second.returncode, second.stderr) == (0, "")
    assert running.process is not None
    assert second.stdout == f"Already running: {running.url} (pid {running.process.pid}, data in {running.data_dir})\n"
    assert running.health()["status"] == "ok"


def test_of_two_starts_at_the_same_moment_one_runs_and_the_other_says_so(stopped: Shared) -> None:
    before = len(stopped.said())
    twin = Installation(stopped.data_dir, stopped.environment, stopped.port)
    stopped.begin()
    twin.begin()
    first, second = stopped.process, twin.process
    assert first is not None and second is not None
    stopped.until(lambda: first.poll() is not None or second.poll() is not None)
    loser, stopped.process = (first, second) if first.poll() is not None else (second, first)
    assert loser.returncode == 0
    assert stopped.said()[before:].count("Already running: ") == 1
    stopped.until(lambda: "Ctrl-C stops everything" in stopped.said()[before:])
    assert token_works(stopped, stopped.token)


def test_a_start_on_a_busy_port_names_its_holder_and_the_setting_and_leaves_nothing(running: Shared, scratch: Path) -> None:
    other = Installation(scratch / "elsewhere", running.environment, running.port)
    second = other.command("up")
    assert second.returncode == 1
    holder = running.children()["web"]
    assert f"✗ port {running.port} is in use by {holder.name()} (pid {holder.pid}): end it, or set AIOPS_PORT" in second.stdout
    assert not (other.data_dir / "postgres").exists()
    home = DataDir(other.data_dir)
    assert home.acquire("tests") is None
    home.release()
    assert running.health()["status"] == "ok"


def test_all_faults_of_the_settings_are_said_at_once_before_anything_starts(scratch: Path) -> None:
    new = Installation(scratch / "misconfigured", port=port_of(21))
    wrong = {"AIOPS_PROFILE": "prod", "AIOPS_POOL_SIZE": "many", "AIOPS_DATABSE_URL": "postgresql://x", "AIOPS_WARN_EMAIL": "a@b.example"}
    done = new.command("up", AIOPS_POSTGRES_BIN="/nonexistent", **wrong)
    assert (done.returncode, done.stdout) == (1, "")
    for words in (
        "AIOPS_PROFILE: Input should be 'development', 'staging' or 'production'",
        "AIOPS_POOL_SIZE: ",
        "AIOPS_DATABSE_URL: there is no such setting; did you mean AIOPS_DATABASE_URL?",
        "AIOPS_WARN_EMAIL: set AIOPS_SMTP_URL too",
        "AIOPS_POSTGRES_BIN: no file `postgres` in /nonexistent",
    ):
        assert f"✗ {words}" in done.stderr
    assert not new.data_dir.exists()


def test_an_unusable_data_directory_is_said_with_what_to_do(scratch: Path) -> None:
    (scratch / "file").write_text("not a folder")
    done = Installation(scratch / "file" / "data", port=port_of(21)).command("up")
    assert done.returncode == 1
    assert f"✗ AIOPS_DATA_DIR: cannot use {scratch}/file/data: Not a directory; choose another folder" in done.stdout


@pytest.mark.parametrize(
    ("script", "words", "why"),
    [
        ("#!/bin/sh\necho 'postgres (PostgreSQL) 12.22'\n", "these binaries are 12: set AIOPS_POSTGRES_BIN", "data of another version"),
        ("no program", "does not run or does not say its version", "a file that is no program"),
    ],
)
def test_wrong_postgres_binaries_are_refused_and_the_data_stays(stopped: Shared, scratch: Path, script: str, words: str, why: str) -> None:
    folder = scratch / "other-binaries"
    folder.mkdir(exist_ok=True)
    (folder / "postgres").write_text(script)
    (folder / "postgres").chmod(0o755)
    done = stopped.command("up", AIOPS_POSTGRES_BIN=str(folder))
    assert done.returncode == 1, why
    assert words in done.stdout, why
    assert "Traceback" not in done.stderr, why
    assert everything_is_free(stopped), why
