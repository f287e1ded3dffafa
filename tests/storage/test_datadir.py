"""Who has the data directory, and are its secrets made once?"""

import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import Misconfigured
from engine.process import spawn
from engine.storage.datadir import DataDir, Holder

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
URL = "http://localhost:3000"
# Takes the lock, says so, starts a child, and waits to be killed.
HOLDS = """
import sys, time
from pathlib import Path
from subprocess import Popen
from engine.storage.datadir import DataDir
assert DataDir(Path(sys.argv[1])).acquire("http://localhost:3000") is None
print(Popen(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""
ASKS = """
import sys
from pathlib import Path
from engine.storage.datadir import DataDir
sys.stdin.read()
print(DataDir(Path(sys.argv[1])).secret("shared"))
"""


@pytest.fixture
def home(tmp_path: Path) -> DataDir:
    """A data directory."""
    made = DataDir(tmp_path / "data")
    made.make()
    return made


def mode(path: Path) -> int:
    """Its permissions."""
    return stat.S_IMODE(path.stat().st_mode)


# The folder


def test_others_may_pass_through_the_folder_and_read_nothing(home: DataDir) -> None:
    assert (mode(home.path), mode(home.path / "keys")) == (0o711, 0o700)


def test_a_umask_does_not_change_that(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        home = DataDir(tmp_path / "strict")
        home.make()
    finally:
        os.umask(before)
    assert mode(home.path) == 0o711


def test_making_it_again_changes_nothing(home: DataDir) -> None:
    secret = home.secret("one")
    home.make()
    assert home.secret("one") == secret


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    DataDir(tmp_path / "a" / "b" / "c").make()
    assert (tmp_path / "a" / "b" / "c" / "keys").is_dir()


def test_a_relative_path_stays_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is started in another folder."""
    monkeypatch.chdir(tmp_path)
    home = DataDir(Path("here"))
    monkeypatch.chdir("/")
    home.make()
    assert (tmp_path / "here" / "keys").is_dir()


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("file", "a file is in its place"),
        ("file/data", "a file is on the way"),
        ("/proc/aiops", "nobody may make folders there"),
        ("x" * 300, "no name may be that long"),
    ],
)
def test_a_path_that_cannot_be_used_is_said_by_its_setting(tmp_path: Path, where: str, why: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="AIOPS_DATA_DIR: cannot use .*; choose another folder"):
        DataDir(tmp_path / where).make()


def test_a_lock_that_cannot_be_opened_is_said_by_its_setting(home: DataDir) -> None:
    """As when root made the folder, and somebody else starts on it."""
    (home.path / "lock").mkdir()
    with pytest.raises(Misconfigured, match="AIOPS_DATA_DIR: cannot open"):
        home.acquire(URL)


# The lock


def test_the_first_has_it_and_the_second_learns_where_the_first_is(home: DataDir) -> None:
    assert home.acquire(URL) is None
    assert DataDir(home.path).acquire("http://localhost:4000") == Holder(os.getpid(), URL)


def test_after_a_release_the_next_one_has_it(home: DataDir) -> None:
    home.acquire("a long address, longer than the next")
    home.release()
    second, third = DataDir(home.path), DataDir(home.path)
    assert second.acquire(URL) is None
    assert third.acquire("") == Holder(os.getpid(), URL)


def test_releasing_what_one_does_not_have_takes_it_from_nobody(home: DataDir) -> None:
    home.acquire(URL)
    other = DataDir(home.path)
    other.acquire("")
    other.release()
    assert other.acquire("") is not None


def test_only_one_of_many_gets_it(home: DataDir) -> None:
    together = threading.Barrier(20)

    def rush(_: int) -> Holder | None:
        together.wait()
        return DataDir(home.path).acquire(URL)

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(rush, range(20))).count(None) == 1


def test_the_lock_of_a_killed_process_is_free_though_its_child_lives(home: DataDir) -> None:
    holding = spawn([sys.executable, "-c", HOLDS, home.path], at_our_death=signal.SIGKILL, cwd=PROJECT, output=subprocess.PIPE)
    assert holding.stdout is not None
    child = int(holding.stdout.readline())
    try:
        assert home.acquire("") == Holder(holding.pid, URL)
        holding.kill()
        holding.wait()
        os.kill(child, 0)
        assert home.acquire("") is None
    finally:
        os.kill(child, signal.SIGKILL)
        holding.stdout.close()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": null, "url": ""}', '{"url": "x"}', "\x00\x00"])
def test_a_holder_that_has_not_yet_said_who_it_is_is_still_a_holder(home: DataDir, content: str) -> None:
    home.acquire(URL)
    (home.path / "lock").write_text(content)
    assert DataDir(home.path).acquire("") == Holder(0, "")


def test_the_lock_is_readable_by_us_alone(home: DataDir) -> None:
    home.acquire(URL)
    assert mode(home.path / "lock") == 0o600


# Secrets


def test_a_secret_is_the_same_ever_after(home: DataDir) -> None:
    assert home.secret("one") == DataDir(home.path).secret("one") != home.secret("two")


def test_a_secret_is_long_and_readable_by_us_alone(home: DataDir) -> None:
    assert len(home.secret("one")) >= 43
    assert mode(home.path / "keys" / "one") == 0o600


def test_a_secret_may_be_put_there_by_hand(home: DataDir) -> None:
    (home.path / "keys" / "one").write_text("from a backup\n")
    assert home.secret("one") == "from a backup"


def test_many_threads_that_ask_at_once_get_the_same_secret(home: DataDir) -> None:
    for round_ in range(20):
        together = threading.Barrier(20)

        def ask(_: int, name: str = f"secret-{round_}", together: threading.Barrier = together) -> str:
            together.wait()
            return DataDir(home.path).secret(name)

        with ThreadPoolExecutor(20) as pool:
            answers = set(pool.map(ask, range(20)))
        assert answers == {home.secret(f"secret-{round_}")}


def test_processes_that_ask_at_once_get_the_same_secret(home: DataDir) -> None:
    read, write = os.pipe()
    command = [sys.executable, "-c", ASKS, str(home.path)]
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(subprocess.run, command, cwd=PROJECT, stdin=read, capture_output=True, text=True) for _ in range(4)]
        os.close(write)  # all four go on at once
        answers = {done.result().stdout.strip() for done in asking}
    os.close(read)
    assert answers == {home.secret("shared")}


@pytest.mark.parametrize("left", ["", "\n"])
def test_a_secret_that_a_crash_left_empty_is_made_again_once(home: DataDir, left: str) -> None:
    file = home.path / "keys" / "one"
    file.write_text(left)
    assert len(home.secret("one")) >= 43
    assert home.secret("one") == home.secret("one")
    assert mode(file) == 0o600


def test_what_a_crash_left_half_written_is_never_read(home: DataDir) -> None:
    (home.path / "keys" / ".one.new").write_text("half of a sec")
    assert home.secret("one") != "half of a sec"
    assert os.listdir(home.path / "keys") == ["one"]
