"""How many wrong passwords are too many? (scenario S14)"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from threading import Barrier
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from engine.errors import AiopsError, NotSignedIn, TooMany
from engine.identity import secrets, throttle
from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Role
from engine.operations import audit, sign_in
from engine.operations.tries import count_tries
from tests.testkit.asking import entered, somebody, tries_age
from tests.testkit.people import Company

Hire = Callable[[Role], Actor]
JUST_OVER = throttle.WINDOW + timedelta(seconds=1)


def _address() -> Request:
    return Request(address=f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}")


def _wrong(person: Actor, request: Request) -> None:
    with pytest.raises(NotSignedIn):
        entered(person, "a wrong guess", request)


def test_after_five_wrong_tries_even_the_right_password_waits(spare: Hire, nearby: Request) -> None:
    person = spare(Role.VIEWER)
    for _ in range(5):
        _wrong(person, nearby)
    with pytest.raises(TooMany) as caught:
        entered(person, request=nearby)
    assert 0 < caught.value.retry_after <= throttle.WINDOW.total_seconds() + 1
    assert "min" in str(caught.value)
    assert entered(person, request=_address()), "one machine does not lock a person out"
    tries_age(JUST_OVER)
    assert entered(person, request=nearby)


# what tries are counted for: the number that fits, what differs from try to try, why
LIMITS = [
    ("pair", 5, "nothing", "one account from one address"),
    ("address", 30, "account", "one address that goes through accounts"),
    ("account", 50, "address", "one account from everywhere"),
]


@pytest.mark.parametrize(("subject", "limit", "differs", "why"), LIMITS)
def test_tries_are_limited(spare: Hire, nearby: Request, subject: str, limit: int, differs: str, why: str) -> None:
    person = spare(Role.VIEWER)
    for _ in range(limit):
        email = somebody() if differs == "account" else person.email
        count_tries(throttle.sign_in(email, _address().address if differs == "address" else nearby.address))
    with pytest.raises(TooMany):
        entered(person, request=_address() if differs == "address" else nearby)
    tries_age(JUST_OVER)
    assert entered(person, request=nearby), f"{why}: the window passes"
    assert subject


def test_tries_at_the_same_moment_are_all_counted(spare: Hire, nearby: Request) -> None:
    person, together = spare(Role.VIEWER), Barrier(8)

    def attempt(_: int) -> str:
        together.wait()
        try:
            entered(person, "a wrong guess", nearby)
        except AiopsError as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == ["NotSignedIn"] * 5 + ["TooMany"] * 3


def test_the_right_password_forgives_the_wrong_ones_before_it(spare: Hire, nearby: Request) -> None:
    person = spare(Role.VIEWER)
    for _ in range(3):
        for _ in range(4):
            _wrong(person, nearby)
        assert entered(person, request=nearby)


def test_an_own_account_does_not_wash_an_address_clean(spare: Hire, nearby: Request) -> None:
    """Else who has one account could try others without end, signing in now and then."""
    mine = spare(Role.VIEWER)
    for _ in range(29):
        count_tries(throttle.sign_in(somebody(), nearby.address))
    assert entered(mine, request=nearby)
    count_tries(throttle.sign_in(somebody(), nearby.address))
    with pytest.raises(TooMany):
        entered(mine, request=nearby)


def test_what_was_refused_for_too_many_tries_is_not_looked_at(spare: Hire, nearby: Request) -> None:
    person = spare(Role.VIEWER)
    for _ in range(20):
        count_tries(throttle.sign_in(person.email, _address().address))
    for _ in range(5):
        count_tries(throttle.sign_in(person.email, nearby.address))
    said = {_said(person, password, nearby) for password in ("a wrong guess", "correct horse battery staple quietly")}
    assert len(said) == 1, "the answer does not tell whether it was right"


def test_an_unknown_account_is_told_the_same_as_a_wrong_password(spare: Hire, nearby: Request) -> None:
    person = spare(Role.VIEWER)
    with pytest.raises(NotSignedIn) as unknown:
        sign_in.sign_in(nearby, somebody(), SecretStr("a wrong guess"))
    assert str(unknown.value) == _said(person, "a wrong guess", nearby)


def test_an_unknown_account_takes_as_long_as_a_known_one(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_hasher", PasswordHasher())
    kept = secrets.hash_password("what somebody chose")

    def seconds(hash: str | None) -> float:
        began = time.perf_counter()
        assert not secrets.password_matches("a wrong guess", hash)
        return time.perf_counter() - began

    known, unknown = median(seconds(kept) for _ in range(5)), median(seconds(None) for _ in range(5))
    assert 1 / 3 < unknown / known < 3
    began = time.perf_counter()
    with pytest.raises(NotSignedIn):
        sign_in.sign_in(_address(), somebody(), SecretStr("a wrong guess"))
    assert time.perf_counter() - began > known / 3, "and the sign-in itself asks for that hash"


def test_failed_sign_ins_are_counted_not_chained(spare: Hire, acme: Company, nearby: Request) -> None:
    person = spare(Role.VIEWER)
    before = audit.search(acme.owner).total
    for _ in range(3):
        _wrong(person, nearby)
    assert audit.search(acme.owner).total == before


def _said(person: Actor, password: str, request: Request) -> str:
    with pytest.raises(AiopsError) as caught:
        entered(person, password, request)
    return str(caught.value)
