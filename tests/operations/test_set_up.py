"""How does an installation get its first owner, once?"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import SecretStr

from engine.errors import AiopsError, Conflict, Invalid, NotFound, TooMany
from engine.identity.actor import Request
from engine.identity.secrets import digest
from engine.model.sessions import SignedIn
from engine.model.vocabulary import Role
from engine.operations import audit, organizations, profile, sign_in
from engine.storage import instance
from engine.storage.work import INSTANCE, work
from tests.testkit.asking import known, written
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, PASSWORD

LINK = "the set-up link"


def _offer(fresh: TestDatabase, link: str = LINK) -> bool:
    with work(fresh.database, INSTANCE) as open_work:
        return instance.offer_setup(open_work, digest(link))


def _set_up(link: str = LINK, password: str = PASSWORD, request: Request = HERE) -> SignedIn:
    return sign_in.set_up(request, SecretStr(link), "First", "Ada", "ada@example.com", SecretStr(password))


def test_the_set_up_link_makes_the_first_owner_once(fresh: TestDatabase) -> None:
    assert not sign_in.is_set_up(HERE)
    with pytest.raises(NotFound):
        _set_up()
    assert _offer(fresh)
    with pytest.raises(Invalid):
        _set_up(password="short")
    me = known(_set_up().secret)
    assert (me.role, me.instance_admin, me.organization, me.email) == (Role.OWNER, True, "First", "ada@example.com")
    assert sign_in.is_set_up(HERE)
    assert not _offer(fresh), "no further link is offered"
    with pytest.raises(NotFound):
        _set_up()
    with pytest.raises(Conflict, match="organization create"):
        sign_in.set_up_locally(HERE, "Second", "Eve", "eve@example.com", SecretStr(PASSWORD))
    assert organizations.create(me, "Second").id, "further organizations come by the administrator"
    assert [e.operation for e in audit.search(me).items][-2:] == ["sign_in.open_session", "sign_in.set_up"]


def test_two_set_ups_at_the_same_moment_make_one_owner(fresh: TestDatabase) -> None:
    _offer(fresh)
    together = Barrier(2)

    def attempt(_: int) -> str:
        together.wait()
        try:
            _set_up()
        except AiopsError as error:
            return type(error).__name__
        return "owner"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == ["NotFound", "owner"]


def test_a_set_up_link_is_replaced_expires_and_cannot_be_guessed(fresh: TestDatabase) -> None:
    _offer(fresh, "an older link")
    _offer(fresh)
    with pytest.raises(NotFound):
        _set_up("an older link")
    written(INSTANCE, "UPDATE instance SET setup_expires_at = now() - interval '1 second'")
    with pytest.raises(NotFound, match="too old"):
        _set_up()
    _offer(fresh)
    guesser = Request(address="2001:db8::9")
    for _ in range(60):
        with pytest.raises(NotFound):
            _set_up("a guess", request=guesser)
    with pytest.raises(TooMany):
        _set_up(request=guesser)
    assert _set_up(), "from elsewhere, the right link still works"


def test_the_command_line_sets_up_without_a_link(fresh: TestDatabase) -> None:
    _offer(fresh)
    org_id = sign_in.set_up_locally(HERE, "First", "Ada", "Ada@Example.com", SecretStr(PASSWORD))
    opened = sign_in.sign_in(HERE, "ada@example.com", SecretStr(PASSWORD))
    assert opened.org_id == org_id
    assert profile.show(known(opened.secret)).instance_admin
    with pytest.raises(NotFound):
        _set_up()
