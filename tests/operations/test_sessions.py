"""How does a session begin, go on and end?"""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from engine.errors import NotFound, NotSignedIn, Refused
from engine.identity.actor import Actor
from engine.model.vocabulary import Role
from engine.operations import people, sessions, sign_in, tokens
from tests.testkit.asking import entered, joined_too, known, newest, written
from tests.testkit.people import HERE, PASSWORD, Company

Hire = Callable[[Role], Actor]


def _aged(session_id: UUID, org_id: Actor, by: str) -> None:
    """As if the session had begun and been used that much earlier."""
    moved = "created_at = created_at - interval '{0}', seen_at = seen_at - interval '{0}', expires_at = expires_at - interval '{0}'"
    written(org_id, f"UPDATE session SET {moved.format(by)} WHERE id = :id", id=session_id)
    written(org_id, f"UPDATE session_directory SET expires_at = expires_at - interval '{by}' WHERE session_id = :id", id=session_id)


def test_the_secret_of_a_session_is_its_holder(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    opened = entered(person)
    me = known(opened.secret)
    assert (me.id, me.session_id, me.org_id, me.organization) == (person.id, opened.session_id, person.org_id, "Acme")
    assert opened.secret.get_secret_value() not in repr(opened)
    for nonsense in ("", "x", opened.secret.get_secret_value()[:-1]):
        with pytest.raises(NotSignedIn):
            known(nonsense)


def test_mine_lists_my_live_sessions_and_says_which_is_this(spare: Hire, acme: Company) -> None:
    person = spare(Role.VIEWER)
    other = entered(person)
    me = known(entered(person).secret)
    listed = sessions.mine(me).items
    assert [s.id for s in listed if s.is_this] == [me.session_id]
    assert {person.session_id, other.session_id, me.session_id} == {s.id for s in listed}
    assert {(s.address, s.agent) for s in listed} == {(HERE.address, HERE.agent)}
    assert acme.owner.session_id not in {s.id for s in listed}


def test_ending_some_sessions_leaves_the_others_and_everybody_else_s(spare: Hire, acme: Company) -> None:
    person = spare(Role.VIEWER)
    gone, kept = entered(person), entered(person)
    answer = sessions.end(person, [gone.session_id, acme.owner.session_id, uuid4()])
    assert answer.success == (gone.session_id,) and len(answer.failed) == 2
    with pytest.raises(NotSignedIn):
        known(gone.secret)
    assert known(kept.secret) and sessions.mine(acme.owner).total >= 1
    assert gone.session_id not in {s.id for s in sessions.mine(person).items}


def test_ending_everywhere_ends_the_sessions_of_every_organization(spare: Hire, beta: Company) -> None:
    person = spare(Role.VIEWER)
    here, there = entered(person), entered(joined_too(beta.owner, person))
    assert sessions.end_everywhere(person) >= 3
    for opened in (here, there):
        with pytest.raises(NotSignedIn):
            known(opened.secret)


def test_signing_out_ends_this_session_only(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    this, other = entered(person), entered(person)
    sessions.sign_out(known(this.secret))
    with pytest.raises(NotSignedIn):
        known(this.secret)
    assert known(other.secret)


def test_a_token_has_no_session_to_end(acme: Company) -> None:
    program = sign_in.by_token(HERE, tokens.create(acme.owner, "program", Role.OWNER).secret)
    with pytest.raises(Refused):
        sessions.sign_out(program)


def test_switching_ends_the_session_here_and_opens_one_there(spare: Hire, acme: Company, beta: Company) -> None:
    person = spare(Role.OPERATOR)
    joined_too(beta.owner, person, "admin")
    opened = entered(person)
    there = sessions.switch(known(opened.secret), beta.id)
    me = known(there.secret)
    assert (me.org_id, me.role, me.organization) == (beta.id, Role.ADMIN, "Beta")
    with pytest.raises(NotSignedIn):
        known(opened.secret)
    assert newest(acme.owner, "sessions.switch")[0].target == "Beta"
    assert known(sessions.switch(me, acme.id).secret).role is Role.OPERATOR


def test_nobody_switches_to_an_organization_of_others(spare: Hire, beta: Company) -> None:
    person = spare(Role.OWNER)
    for foreign in (beta.id, uuid4()):
        with pytest.raises(NotFound):
            sessions.switch(person, foreign)
    assert sessions.mine(person).total == 1, "the session goes on"


def test_signing_in_enters_the_organization_asked_for(spare: Hire, beta: Company) -> None:
    person = spare(Role.VIEWER)
    with pytest.raises(NotSignedIn):
        sign_in.sign_in(HERE, person.email, SecretStr(PASSWORD), beta.id)
    joined_too(beta.owner, person)
    assert sign_in.sign_in(HERE, person.email, SecretStr(PASSWORD), beta.id).org_id == beta.id
    assert sign_in.sign_in(HERE, f" {person.email.upper()} ", SecretStr(PASSWORD)).org_id == person.org_id, "the first joined"


def test_an_unused_session_ends_after_its_idle_time(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    opened = entered(person)
    _aged(opened.session_id, person, "11 hours 59 minutes")
    assert known(opened.secret), "and each use lets it live on"
    _aged(opened.session_id, person, "11 hours 59 minutes")
    assert known(opened.secret)
    _aged(opened.session_id, person, "12 hours 1 minute")
    with pytest.raises(NotSignedIn):
        known(opened.secret)


def test_a_session_ends_for_good_however_much_it_is_used(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    opened = entered(person)
    for _ in range(15):
        _aged(opened.session_id, person, "11 hours")
        known(opened.secret)
    _aged(opened.session_id, person, "4 hours")
    with pytest.raises(NotSignedIn):
        known(opened.secret)


def test_the_last_use_is_written_once_a_minute_at_most(spare: Hire) -> None:
    person = spare(Role.VIEWER)
    opened = entered(person)

    def seen_at() -> object:
        return next(s.seen_at for s in sessions.mine(person).items if s.id == opened.session_id)

    first = seen_at()
    known(opened.secret)
    assert seen_at() == first
    written(person, "UPDATE session SET seen_at = seen_at - interval '61 seconds' WHERE id = :id", id=opened.session_id)
    known(opened.secret)
    assert seen_at() > first  # pyright: ignore[reportOperatorIssue]


def test_a_session_is_of_no_use_once_its_holder_has_left(spare: Hire, acme: Company) -> None:
    person = spare(Role.VIEWER)
    people.remove(acme.owner, person.id)
    with pytest.raises(NotSignedIn, match="in no organization"):
        sign_in.sign_in(HERE, person.email, SecretStr(PASSWORD))
