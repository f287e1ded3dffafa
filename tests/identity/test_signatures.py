"""Did the owner of a secret sign this body?"""

import hmac
from datetime import UTC, datetime, timedelta

import pytest

from engine.identity.signatures import TOLERANCE_SECONDS, signed

pytestmark = pytest.mark.fast

SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
# the example of docs.github.com, "Validating webhook deliveries"
GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def mac(message: bytes, secret: str = SECRET) -> str:
    """HMAC-SHA256, in hex."""
    return hmac.digest(secret.encode(), message, "sha256").hex()


def stamped(at: datetime, body: bytes = BODY, secret: str = SECRET) -> str:
    """A signature with its time."""
    stamp = str(int(at.timestamp()))
    return f"t={stamp},v1={mac(stamp.encode() + b'.' + body, secret)}"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (f"sha256={GITHUB}", "as GitHub sends it"),
        (GITHUB, "bare"),
        (GITHUB.upper(), "in capitals"),
        (f"  sha256={GITHUB} ", "with blanks around"),
        (stamped(NOW), "as Stripe sends it"),
        (stamped(NOW).replace(",", ", "), "with a blank between"),
        (f"v1={'0' * 64}," + stamped(NOW), "with the signature of a second secret before it"),
        (stamped(NOW) + f",v1={'0' * 64},v0=ab", "and after it"),
    ],
)
def test_a_right_signature_is_recognized_in_each_of_its_forms(said: str, why: str) -> None:
    assert signed(SECRET, BODY, said, NOW), why


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "none"),
        ("sha256=", "no value"),
        (f"sha256={GITHUB[:-1]}", "one character short"),
        (f"sha256={GITHUB}0", "one too long"),
        (f"sha256={mac(BODY, 'another')}", "of another secret"),
        (f"sha256={mac(b'Hello, World')}", "of another body"),
        (f"sha1={GITHUB}", "under the name of another algorithm"),
        ("sha256=é✓", "not even hex"),
        (f"t={STAMP}", "a time and no signature"),
        (f"t={STAMP},v1={GITHUB}", "a signature of the body without its time"),
        (f"t=,v1={mac(b'.' + BODY)}", "no time in its place"),
        (f"t=soon,v1={mac(b'soon.' + BODY)}", "a time that is none"),
        (f"t=-1,v1={mac(b'-1.' + BODY)}", "a time before all times"),
        (f"t={'9' * 5000},v1={mac(b'9' * 5000 + b'.' + BODY)}", "a time beyond all times"),
        (f"t=²,v1={mac('².'.encode() + BODY)}", "a digit that is no number"),
        ("," * 5000, "rubbish"),
        (",".join([f"v1={'0' * 64}"] * 5 + [f"v1={GITHUB}"]), "more guesses than anybody has secrets"),
    ],
)
def test_what_is_not_the_signature_of_the_body_is_none(said: str, why: str) -> None:
    assert not signed(SECRET, BODY, said, NOW), why


@pytest.mark.parametrize(
    ("seconds", "fresh"), [(0, True), (TOLERANCE_SECONDS, True), (TOLERANCE_SECONDS + 1, False), (-TOLERANCE_SECONDS - 1, False)]
)
def test_a_signature_with_a_time_is_right_only_around_that_time(seconds: int, fresh: bool) -> None:
    assert signed(SECRET, BODY, stamped(NOW), NOW + timedelta(seconds=seconds)) is fresh


def test_the_time_cannot_be_changed_without_the_secret() -> None:
    later = str(int(STAMP) + 1)
    assert not signed(SECRET, BODY, stamped(NOW).replace(STAMP, later), NOW)


def test_the_bytes_are_signed_and_not_what_they_mean() -> None:
    said = "sha256=" + mac(b'{"a": 1}')
    assert signed(SECRET, b'{"a": 1}', said, NOW)
    assert not signed(SECRET, b'{"a":1}', said, NOW)


def test_any_body_can_be_signed() -> None:
    for body in (b"", b"\0\xff", b"x" * 1_000_000):
        assert signed(SECRET, body, mac(body), NOW)
        assert signed(SECRET, body, stamped(NOW, body), NOW)
