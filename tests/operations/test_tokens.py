"""What may a program do, and until when?"""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from engine.errors import NotFound, NotSignedIn, Refused, TooMany
from engine.identity import throttle
from engine.identity.actor import Actor, Request
from engine.model.vocabulary import ActorKind, Permission, Role
from engine.operations import callers, jobs, people, profile, sign_in, teams, tokens
from engine.operations.door import runtime, tenant_of
from engine.operations.tries import count_tries
from engine.storage.bus import Bus
from engine.storage.jobs import Errand, enqueue
from engine.storage.work import work
from tests.testkit.asking import newest, somebody, written
from tests.testkit.people import HERE, Company


def _as_token(owner: Actor, role: Role, **more: object) -> Actor:
    return sign_in.by_token(HERE, tokens.create(owner, "program", role, **more).secret)


@pytest.mark.parametrize(("who", "role", "happens"), [("admin", "admin", True), ("admin", "owner", False), ("owner", "owner", True)])
def test_a_token_has_at_most_the_role_of_who_makes_it(acme: Company, who: str, role: str, happens: bool) -> None:
    if happens:
        assert tokens.create(acme.people[Role(who)], "program", Role(role)).role == role
        return
    with pytest.raises(Refused, match="higher role"):
        tokens.create(acme.people[Role(who)], "program", Role(role))


def test_a_token_acts_with_its_role_and_has_no_profile(acme: Company) -> None:
    me = _as_token(acme.owner, Role.OPERATOR)
    assert (me.kind, me.role, me.org_id) == (ActorKind.TOKEN, Role.OPERATOR, acme.id)
    assert people.members(me).total == people.members(acme.owner).total >= 1
    for refused in (lambda: people.invite(me, somebody(), Role.VIEWER), lambda: profile.show(me), lambda: tokens.all(me)):
        with pytest.raises(Refused):
            refused()


def test_scopes_cut_a_token_down(acme: Company) -> None:
    me = _as_token(acme.owner, Role.ADMIN, scopes=[Permission.VIEW, Permission.MANAGE_TEAM])
    assert teams.rename(me, acme.red.id, acme.red.name).name == acme.red.name
    for refused in (lambda: people.invite(me, somebody(), Role.VIEWER), lambda: tokens.create(me, "more", Role.VIEWER)):
        with pytest.raises(Refused):
            refused()


def test_scopes_add_nothing_to_a_role(acme: Company) -> None:
    me = _as_token(acme.owner, Role.VIEWER, scopes=[Permission.MANAGE_PEOPLE, Permission.VIEW])
    with pytest.raises(Refused):
        people.invite(me, somebody(), Role.VIEWER)


# the scopes a cut-down token asks for in a further token, whether it gets it, why
OFFSPRING = [
    ([Permission.VIEW], True, "fewer"),
    ([Permission.VIEW, Permission.MANAGE_TOKENS], True, "the same"),
    ([Permission.VIEW, Permission.MANAGE_PEOPLE], False, "one that it does not have itself"),
    (None, False, "all of the role"),
    ([], False, "none named is all of the role too"),
]


@pytest.mark.parametrize(("scopes", "happens", "why"), OFFSPRING)
def test_a_cut_down_token_makes_no_mightier_one(acme: Company, scopes: list[Permission] | None, happens: bool, why: str) -> None:
    me = _as_token(acme.owner, Role.ADMIN, scopes=[Permission.VIEW, Permission.MANAGE_TOKENS])
    if happens:
        assert tokens.create(me, "offspring", Role.VIEWER, scopes=scopes).secret, why
        return
    with pytest.raises(Refused):
        tokens.create(me, "offspring", Role.VIEWER, scopes=scopes)


def test_a_team_s_token_sees_its_team_only(acme: Company) -> None:
    me = _as_token(acme.owner, Role.OWNER, team_id=acme.red.id)
    assert (me.role, me.teams) == (Role.VIEWER, {acme.red.id: Role.OWNER})
    with work(runtime().database, tenant_of(acme.owner)) as open_work:
        ids = {team: enqueue(open_work, Errand("probe", {}, team_id=team)) for team in (acme.red.id, acme.blue.id)}
    assert jobs.show(me, ids[acme.red.id]).kind == "probe"
    assert ids[acme.blue.id] not in [job.id for job in jobs.newest(me).items]
    with pytest.raises(NotFound):
        jobs.show(me, ids[acme.blue.id])
    with pytest.raises(NotFound):
        teams.rename(me, acme.blue.id, "Taken over")


def test_a_token_for_a_foreign_team_is_not_made(acme: Company, beta: Company) -> None:
    with pytest.raises(NotFound):
        tokens.create(acme.owner, "program", Role.VIEWER, team_id=beta.red.id)


def test_a_token_expires(acme: Company) -> None:
    made = tokens.create(acme.owner, "program", Role.VIEWER, expires_in_days=30)
    assert made.expires_at is not None
    assert sign_in.by_token(HERE, made.secret)
    written(acme.owner, "UPDATE token_directory SET expires_at = expires_at - interval '30 days' WHERE token_id = :id", id=made.id)
    with pytest.raises(NotSignedIn, match="expired"):
        sign_in.by_token(HERE, made.secret)


def test_revoking_tells_which_were_live(acme: Company, beta: Company) -> None:
    mine, foreign = tokens.create(acme.owner, "program", Role.VIEWER), tokens.create(beta.owner, "program", Role.VIEWER)
    answer = tokens.revoke(acme.admin, [mine.id, mine.id, foreign.id])
    assert answer.success == (mine.id,)
    assert [failed.id for failed in answer.failed] == [foreign.id]
    with pytest.raises(NotSignedIn):
        sign_in.by_token(HERE, mine.secret)
    assert sign_in.by_token(HERE, foreign.secret).org_id == beta.id
    assert tokens.revoke(acme.admin, [mine.id]).success == (), "revoking is for good"


def test_a_remembered_token_is_forgotten_as_soon_as_it_is_revoked(acme: Company) -> None:
    """Callers are remembered for two seconds; the notice of the commit drops them at once."""
    made = tokens.create(acme.owner, "program", Role.VIEWER)
    secret = made.secret.get_secret_value()

    async def revoke() -> None:
        bus = Bus(runtime().database.dsn)
        heard = asyncio.Event()
        bus.watch(callers.forget)
        bus.watch(lambda notice: heard.set() if made.id in notice.ids else None)
        listening = asyncio.create_task(bus.run())
        while not bus.connected:  # noqa: ASYNC110 it says so by no event
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(callers.by_token, HERE, secret)
        await asyncio.to_thread(tokens.revoke, acme.owner, [made.id])
        await asyncio.wait_for(heard.wait(), 1.5)
        listening.cancel()

    asyncio.run(revoke())
    with pytest.raises(NotSignedIn):
        callers.by_token(HERE, secret)


def test_the_last_use_is_noted_once_a_minute_at_most(acme: Company) -> None:
    made = tokens.create(acme.owner, "program", Role.VIEWER)

    def used_at() -> object:
        return next(t.used_at for t in tokens.all(acme.owner).items if t.id == made.id)

    assert used_at() is None
    sign_in.by_token(HERE, made.secret)
    first = used_at()
    assert first is not None
    sign_in.by_token(HERE, made.secret)
    assert used_at() == first
    written(acme.owner, "UPDATE api_token SET used_at = used_at - :by WHERE id = :id", by=timedelta(seconds=61), id=made.id)
    sign_in.by_token(HERE, made.secret)
    assert used_at() > first  # pyright: ignore[reportOperatorIssue]


def test_a_secret_is_shown_once_and_kept_nowhere(acme: Company) -> None:
    made = tokens.create(acme.owner, "program", Role.VIEWER)
    secret = made.secret.get_secret_value()
    listed = next(t for t in tokens.all(acme.owner).items if t.id == made.id)
    assert secret.startswith(listed.hint.rstrip("…")) and len(listed.hint) < 20
    for place in (repr(listed), repr(newest(acme.owner, "tokens.create")), repr(made)):
        assert secret.split("_", 2)[2] not in place


# what is shown, why it is no token
NO_TOKENS = [
    ("", "nothing"),
    ("aio_abcdefgh_" + "x" * 43, "the form is right, the id is nobody's"),
    ("Bearer aio", "not even the form"),
    ("aio_abcdefgh_" + "x" * 10_000, "far too long"),
]


@pytest.mark.parametrize(("shown", "why"), NO_TOKENS)
def test_what_is_no_token_is_not_let_in(nearby: Request, shown: str, why: str) -> None:
    with pytest.raises(NotSignedIn):
        sign_in.by_token(nearby, SecretStr(shown))
    assert why


def test_the_right_id_with_a_wrong_secret_is_not_let_in(acme: Company, nearby: Request) -> None:
    right = tokens.create(acme.owner, "program", Role.VIEWER).secret.get_secret_value()
    with pytest.raises(NotSignedIn):
        sign_in.by_token(nearby, SecretStr(right[:-1] + ("A" if right[-1] != "A" else "B")))


def test_guessing_tokens_is_throttled_and_a_right_one_still_works(acme: Company, nearby: Request) -> None:
    right = tokens.create(acme.owner, "program", Role.VIEWER).secret
    for _ in range(60):
        count_tries(throttle.token(nearby.address))
    with pytest.raises(TooMany):
        sign_in.by_token(nearby, SecretStr("aio_abcdefgh_" + "x" * 43))
    assert sign_in.by_token(nearby, right)
