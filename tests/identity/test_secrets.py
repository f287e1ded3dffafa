"""Are secrets random, recognisable, and kept so that a stolen table is worth little?"""

import re
import string
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from engine.identity import secrets
from engine.identity.secrets import Token, csrf_token, digest, matches, new_secret, new_token, parse_token

pytestmark = pytest.mark.fast
GOOD = "aio_gtlhabz6_" + "Ln-2dIS4lK6ybJgrTokkkZG9cGfRa_7hvfmLWDlt3EE"  # as `new_token` makes it


# Tokens


def test_a_token_can_be_told_by_its_looks_and_taken_apart() -> None:
    token = new_token()
    assert re.fullmatch(r"aio_[a-z2-7]{8}_[0-9A-Za-z_-]{43}", token.text)
    assert parse_token(token.text) == token


def test_no_two_tokens_or_secrets_are_alike() -> None:
    tokens = [new_token() for _ in range(2000)]
    assert len({token.secret for token in tokens}) == 2000
    assert len({token.public_id for token in tokens}) == 2000
    assert len({new_secret() for _ in range(2000)}) == 2000


def test_a_secret_has_256_bits() -> None:
    assert len(new_secret()) == 43 == len(new_token().secret)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing"),
        ("aio", "the prefix alone"),
        (GOOD[:-1], "cut off"),
        (GOOD + "x", "too long"),
        (" " + GOOD, "a space before"),
        (GOOD + "\n", "a line break after"),
        ("AIO" + GOOD[3:], "another prefix"),
        (GOOD.replace("_", "-", 1), "another separator"),
        ("aio_ABCDEFGH_" + "a" * 43, "an id in capitals"),
        ("aio_abcdefgh_" + "a" * 42 + "ä", "a letter outside ASCII"),
        ("aio_abcdefg١_" + "a" * 43, "a digit outside ASCII"),
    ],
    ids=lambda value: value if " " in value and "aio" not in value else None,
)
def test_what_only_looks_like_a_token_is_none(text: str, why: str) -> None:
    assert parse_token(text) is None, why


@given(st.text())
def test_any_text_is_a_token_or_none(text: str) -> None:
    assert parse_token(text) is None or re.fullmatch(r"aio_.{52}", text)


@given(st.text(string.ascii_lowercase + string.digits, min_size=8, max_size=8), st.text(string.ascii_letters, min_size=43, max_size=43))
def test_a_token_survives_being_written_down(public_id: str, secret: str) -> None:
    token = Token(public_id, secret)
    assert parse_token(token.text) == token


def test_what_is_kept_proves_the_secret_and_does_not_hold_it() -> None:
    secret = new_secret()
    assert matches(secret, digest(secret))
    assert not matches(secret, digest(new_secret()))
    assert not matches(secret, b""), "an unknown token is compared too, and does not match"
    assert len(digest(secret)) == 32
    assert secret.encode() not in digest(secret)


# The double-submit token


def test_a_sessions_csrf_token_is_its_own_and_says_nothing_of_the_session() -> None:
    one, other = new_secret(), new_secret()
    assert csrf_token(one) == csrf_token(one)
    assert csrf_token(one) != csrf_token(other)
    assert re.fullmatch(r"[0-9a-f]{64}", csrf_token(one))
    assert csrf_token(one) != digest(one).hex(), "the hash that finds the session must not stand in a readable cookie"


# Password hashes


def test_the_product_hashes_with_at_least_64_mib_and_three_rounds_of_argon2id() -> None:
    """Other tests use a cheap hasher; this hash was made by the real one, when the module was loaded."""
    for found in (extract_parameters(secrets._NOBODY), extract_parameters(PasswordHasher().hash("x"))):
        assert found.type is Type.ID
        assert found.time_cost >= 3
        assert found.memory_cost >= 64 * 1024
        assert (found.salt_len, found.hash_len) >= (16, 32)


def test_a_password_matches_its_hash_and_no_other() -> None:
    kept = secrets.hash_password("correct horse")
    assert secrets.password_matches("correct horse", kept)
    for wrong in ("Correct horse", "correct horse ", "", kept):
        assert not secrets.password_matches(wrong, kept)


def test_the_same_password_is_hashed_differently_each_time() -> None:
    assert secrets.hash_password("correct horse") != secrets.hash_password("correct horse")


def test_nobodys_password_is_never_right_and_a_broken_hash_is_no_error() -> None:
    assert not secrets.password_matches("", None)
    assert not secrets.password_matches("anything", None)
    assert not secrets.password_matches("anything", "not a hash")
    assert not secrets.password_matches("anything", "")


def test_a_flood_of_sign_ins_hashes_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hash takes 64 MiB: the flood waits, and the memory does not grow with it."""
    counting, running, most = threading.Lock(), 0, 0
    meet = threading.Barrier(2, timeout=5)

    class Slow:
        def hash(self, _: str) -> str:
            nonlocal running, most
            with counting:
                running += 1
                most = max(most, running)
            meet.wait()
            with counting:
                running -= 1
            return "hash"

    monkeypatch.setattr(secrets, "_hasher", Slow())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(secrets.hash_password, ["x"] * 16))
    assert most == 2
