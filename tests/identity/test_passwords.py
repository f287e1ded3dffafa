"""Which passwords are refused, and does the person learn what to do?"""

from dataclasses import dataclass

import pytest

from engine.errors import Invalid
from engine.identity.passwords import LEAST, MOST, fault
from engine.model.people import User
from engine.storage import accounts

pytestmark = pytest.mark.fast


@dataclass(frozen=True)
class Tried:
    """A password, a part of the sentence it is refused with (empty: it is good), and why."""

    password: str
    says: str
    why: str


TRIED = [
    Tried("", "at least 12", "nothing"),
    Tried("xK9#mQ2$vLp", "at least 12", "eleven characters, however wild"),
    Tried("x" * 257, "at most 256", "a hash of a megabyte is a way to keep us busy"),
    Tried("passwordpassword", "easy to guess", "the most common one, twice"),
    Tried("123456789012", "easy to guess", "a row of digits"),
    Tried("qwertyuiop12", "easy to guess", "a row of keys"),
    Tried("aaaaaaaaaaaaaaaa", "easy to guess", "one letter"),
    Tried("Passw0rd2024", "easy to guess", "a common word in disguise"),
    Tried("ada.lovelace", "easy to guess", "the name of the person"),
    Tried("ada@example.com", "easy to guess", "the address of the person"),
    Tried("moc.elpmaxe@ada", "easy to guess", "the address backwards"),
    Tried("Lovelace1815", "easy to guess", "the name and a year"),
    Tried("aiopsaiops12", "easy to guess", "the name of the product"),
    Tried("correct horse battery staple quietly", "", "a few words in a row"),
    Tried("xK9#mQ2$vLpR", "", "twelve wild characters"),
    Tried("grüne Wolken über Köln", "", "letters of any language"),
    Tried("correct horse battery staple quietly beside seven grey harbour windows".ljust(256, "."), "", "as long as may be"),
    Tried("ab12" * 64, "easy to guess", "long, and yet only a pattern"),
]
ADA = User(email="ada@example.com", name="Ada Lovelace")


@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.why)
def test_a_new_password_is_refused_with_what_to_do(tried: Tried) -> None:
    if not tried.says:
        accounts.check_password(tried.password, ADA)
        return
    with pytest.raises(Invalid, match=tried.says) as refused:
        accounts.check_password(tried.password, ADA)
    assert [error.field for error in refused.value.errors] == ["password"], tried.why
    assert str(refused.value).endswith("."), "a sentence"
    assert tried.password not in str(refused.value) or not tried.password, "the password is not repeated"


def test_what_is_easy_for_one_person_may_be_good_for_another() -> None:
    assert fault("Quillfeatherby", ["quillfeatherby"]) is not None
    assert fault("Quillfeatherby", ["ada", "lovelace"]) is None


def test_empty_words_about_a_person_do_no_harm() -> None:
    assert fault("correct horse battery staple quietly", ["", ""]) is None


def test_the_limits_themselves_are_allowed() -> None:
    assert (LEAST, MOST) == (12, 256)
    assert fault("xK9#mQ2$vLpR"[:LEAST], []) is None
