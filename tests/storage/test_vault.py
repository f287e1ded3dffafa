"""Can a secret be read again by us, and by nobody else?"""

import base64
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from engine.errors import Misconfigured
from engine.storage.vault import Vault, vault

pytestmark = pytest.mark.fast

OLD, NEW = (base64.urlsafe_b64encode(bytes([place]) * 32).decode() for place in (1, 2))


@pytest.mark.parametrize("secret", ["", "aio_k3y00000_x", "Ärger 日本 🔥", "x" * 100_000])
def test_what_was_sealed_opens(secret: str) -> None:
    found = Vault([OLD])
    assert found.open(found.seal(secret)) == secret


def test_what_is_sealed_does_not_show_its_secret_and_looks_different_each_time() -> None:
    found = Vault([OLD])
    one, two = found.seal("correct horse"), found.seal("correct horse")
    assert one != two
    assert b"correct" not in one
    assert b"correct" not in base64.urlsafe_b64decode(one)


def test_the_newest_key_seals_and_all_of_them_open(tmp_path: Path) -> None:
    before = vault(tmp_path, OLD).seal("secret")
    rotated = vault(tmp_path, f"{NEW}, {OLD}")
    assert rotated.open(before) == "secret"
    after = rotated.seal("secret")
    assert vault(tmp_path, NEW).open(after) == "secret"
    with pytest.raises(Misconfigured):
        vault(tmp_path, OLD).open(after)


def test_a_key_that_was_taken_away_is_named_as_what_is_missing() -> None:
    sealed = Vault([OLD]).seal("secret")
    with pytest.raises(Misconfigured, match=r"AIOPS_SEALING_KEYS: a secret was sealed with a key that is not among these"):
        Vault([NEW]).open(sealed)


@pytest.mark.parametrize("sealed", [b"", b"rubbish", b"\xff\xfe", b"gAAAAA=="])
def test_what_nobody_sealed_is_refused_in_the_same_words(sealed: bytes) -> None:
    with pytest.raises(Misconfigured, match="AIOPS_SEALING_KEYS"):
        Vault([OLD]).open(sealed)


def test_what_was_changed_does_not_open() -> None:
    sealed = bytearray(Vault([OLD]).seal("secret"))
    sealed[-10] ^= 1
    with pytest.raises(Misconfigured):
        Vault([OLD]).open(bytes(sealed))


@pytest.mark.parametrize(
    ("keys", "why"),
    [("short", "too short"), (OLD + ",x", "one of two"), ("x" * 44, "no base64"), (",", "none between the commas"), ("é" * 44, "no ASCII")],
)
def test_a_key_that_is_none_is_told_with_how_to_make_one_and_without_the_key(tmp_path: Path, keys: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=r"AIOPS_SEALING_KEYS: each key must be .*openssl rand -base64 32") as error:
        vault(tmp_path, keys)
    assert keys not in str(error.value) or keys == ",", why


def test_a_key_as_openssl_gives_it_is_taken(tmp_path: Path) -> None:
    key = base64.b64encode(b"\xfb\xef\xff" * 10 + b"\xfb\xef").decode()
    assert "+" in key or "/" in key, "plain base64, as openssl writes it"
    found = vault(tmp_path, key)
    assert found.open(found.seal("secret")) == "secret"


def test_without_a_setting_a_key_is_made_once_for_us_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        sealed = vault(tmp_path, "").seal("secret")
    finally:
        os.umask(old)
    file = tmp_path / "sealing.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Fernet(file.read_text())
    vault.cache_clear()
    assert vault(tmp_path, "").open(sealed) == "secret", "after a restart it is the same"


def test_with_a_setting_no_key_is_made(tmp_path: Path) -> None:
    vault(tmp_path, OLD)
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_the_data_directory_can_become_the_setting(tmp_path: Path) -> None:
    sealed = vault(tmp_path, "").seal("secret")
    kept = (tmp_path / "sealing.key").read_text()
    assert vault(tmp_path, f"{NEW},{kept}").open(sealed) == "secret"


PROGRAM = """
import sys, time
from pathlib import Path
from engine.storage.vault import vault
while not Path(sys.argv[1], "go").exists(): pass
found = vault(Path(sys.argv[1]), "")
sys.stdout.write(found.seal("secret").decode())
"""


@pytest.mark.parametrize("round", range(2))
def test_processes_that_start_at_once_make_one_key(tmp_path: Path, round: int) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    (tmp_path / "go").touch()
    ended = [process.communicate(timeout=60) for process in processes]
    assert [error.decode() for _, error in ended] == [""] * 4
    found = vault(tmp_path, "")
    assert [found.open(sealed) for sealed, _ in ended] == ["secret"] * 4


def test_a_key_that_another_process_is_just_making_is_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Fernet.generate_key

    def slowly() -> bytes:
        time.sleep(0.2)
        return real()

    monkeypatch.setattr(Fernet, "generate_key", slowly)

    def start(wait: float) -> Vault:
        time.sleep(wait)
        return vault.__wrapped__(tmp_path, "")

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(start, (0.0, 0.05, 0.1))
    assert [each.open(first.seal("secret")) for each in others] == ["secret"] * 2


def test_a_key_file_that_a_full_disk_left_empty_is_named(tmp_path: Path) -> None:
    (tmp_path / "sealing.key").touch(0o600)
    with pytest.raises(Misconfigured, match="sealing.key"):
        vault(tmp_path, "").seal("x")
