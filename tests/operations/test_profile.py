"""What may people change about themselves?"""

from collections.abc import Callable

import pytest
from pydantic import SecretStr

from engine.errors import Invalid, NotFound, NotSignedIn, Stale, TooMany
from engine.identity.actor import Actor, Request
from engine.model.vocabulary import Role
from engine.operations import people, profile, sign_in
from tests.testkit.asking import OTHER_PASSWORD, entered, joined_too, known, newest
from tests.testkit.people import HERE, PASSWORD, Company

Hire = Callable[[Role], Actor]
RIGHT = SecretStr(PASSWORD)


def test_a_profile_shows_the_person_and_all_organizations(spare: Hire, beta: Company) -> None:
    person = spare(Role.OPERATOR)
    joined_too(beta.owner, person)
    mine = profile.show(person)
    assert (mine.email, mine.role, mine.instance_admin) == (person.email, Role.OPERATOR, False)
    assert [(o.name, o.role) for o in mine.organizations] == [("Acme", Role.OPERATOR), ("Beta", Role.VIEWER)]


def test_a_change_leaves_alone_what_is_left_out(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    assert profile.change(person, time_zone="Europe/Berlin").name == person.name
    changed = profile.change(person, name="Ada Lovelace")
    assert (changed.name, changed.time_zone) == ("Ada Lovelace", "Europe/Berlin")
    assert profile.change(person, time_zone="").time_zone == "", "empty is the browser's"
    assert known(entered(person).secret).name == "Ada Lovelace"


def test_a_time_zone_that_is_none_is_said_in_words(spare: Hire) -> None:
    with pytest.raises(Invalid, match="Europe/Berlin") as caught:
        profile.change(spare(Role.VIEWER), time_zone="Mars/Olympus")
    assert caught.value.errors[0].field == "time_zone"


def test_a_version_that_was_overtaken_changes_nothing(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    read = profile.show(person)
    profile.change(person, name="First", version=read.version)
    with pytest.raises(Stale):
        profile.change(person, name="Second", version=read.version)
    assert profile.show(person).name == "First"


# the new password, a word of the answer, why it is refused
WEAK = [
    ("", "12 characters", "empty"),
    ("short", "12 characters", "too short to last"),
    ("password1234", "easy to guess", "the first that an attacker tries"),
    ("qwertyuiop[]", "easy to guess", "a row of keys"),
    ("aaaaaaaaaaaaaaaa", "easy to guess", "one key"),
    ("{email}", "easy to guess", "the account's own address"),
    ("x" * 257, "at most 256", "hashing it would cost us"),
]


@pytest.mark.parametrize(("password", "words", "why"), WEAK)
def test_a_password_that_is_easy_to_guess_is_refused_in_words(spare: Hire, password: str, words: str, why: str) -> None:
    person = spare(Role.VIEWER)
    with pytest.raises(Invalid) as caught:
        profile.change_password(person, RIGHT, SecretStr(password.format(email=person.email)))
    fault = caught.value.errors[0]
    assert (fault.field, words in fault.message) == ("password", True), why
    assert entered(person), "the old one stays"


def test_a_changed_password_ends_all_other_sessions_in_every_organization(spare: Hire, beta: Company) -> None:
    person = spare(Role.VIEWER)
    others = [entered(person), entered(joined_too(beta.owner, person))]
    this = entered(person)
    assert profile.change_password(known(this.secret), RIGHT, SecretStr(OTHER_PASSWORD)) >= 3
    assert known(this.secret)
    for other in others:
        with pytest.raises(NotSignedIn):
            known(other.secret)
    with pytest.raises(NotSignedIn):
        entered(person)
    assert entered(person, OTHER_PASSWORD)


def test_a_wrong_current_password_changes_nothing_and_is_counted(spare: Hire, nearby: Request) -> None:
    me = spare(Role.VIEWER).on(nearby)
    for _ in range(5):
        with pytest.raises(Invalid, match="not your current password"):
            profile.change_password(me, SecretStr("a guess"), SecretStr(OTHER_PASSWORD))
    with pytest.raises(TooMany):
        profile.change_password(me, RIGHT, SecretStr(OTHER_PASSWORD))
    assert entered(me)


def test_no_password_reaches_the_record(spare: Hire, acme: Company) -> None:
    person = spare(Role.VIEWER)
    profile.change_password(person, RIGHT, SecretStr(OTHER_PASSWORD))
    entry = newest(acme.owner, "profile.change_password")[0]
    assert entry.actor_name == person.name
    assert PASSWORD not in repr(entry) and OTHER_PASSWORD not in repr(entry)


def test_a_new_password_makes_open_password_links_useless(acme: Company, spare: Hire) -> None:
    person = spare(Role.VIEWER)
    link = people.password_link(acme.owner, person.id).url.get_secret_value().partition("link=")[2]
    profile.change_password(person, RIGHT, SecretStr("seven quiet herons wade upstream"))
    with pytest.raises(NotFound):
        sign_in.use_link(HERE, SecretStr(link), SecretStr("another long sentence of words"))
