"""Does every change of the past show? (scenario S10)"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import DataError

from engine.errors import Conflict, Refused
from engine.identity.actor import Actor
from engine.model.audit import AuditEntry, AuditVerdict, AuditView
from engine.model.views import Paging
from engine.model.vocabulary import ActorKind, Outcome, Role
from engine.operations import audit as asked
from engine.operations import organizations, people, profile, sign_in, teams, tokens
from engine.storage import audit
from engine.storage.audit import Act, Wanted
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from engine.storage.work import Tenant, work
from tests.storage.chains import write_at
from tests.storage.tenants import found, robot
from tests.testkit.asking import text_of
from tests.testkit.database import TestDatabase
from tests.testkit.people import HERE, PASSWORD, Company, hire


@pytest.fixture
def tenant(database: Database) -> Tenant:
    """A fresh organization with an empty log."""
    return found(database)


@pytest.fixture
def forger(cluster: Embedded, shared: TestDatabase) -> Iterator[psycopg.Connection]:
    """Somebody who is past every guard: a superuser, with the triggers off."""
    with psycopg.connect(cluster._superuser_url(), dbname=shared.name, autocommit=True) as db:
        db.execute("SET session_replication_role = replica")
        yield db


def verdict(database: Database, tenant: Tenant) -> AuditVerdict:
    """What the verifier says."""
    with work(database, tenant) as open_work:
        return audit.verify(open_work, lambda done, note: None)


def entries(database: Database, tenant: Tenant, wanted: Wanted = Wanted()) -> tuple[AuditView, ...]:  # noqa: B008
    """The log, newest first."""
    with work(database, tenant) as open_work:
        return audit.matching(open_work, wanted, Paging(limit=200)).items


def act(database: Database, tenant: Tenant, detail: dict[str, Any]) -> UUID:
    """One entry, as operations write it."""
    with work(database, tenant) as open_work:
        return audit.append(open_work, robot(tenant), Act("test.act", Outcome.DONE, "a thing", detail))


def within_a_minute() -> None:
    """Refusals are counted by the minute: do not begin at the end of one."""
    if time.time() % 60 > 57:
        time.sleep(60 - time.time() % 60)


# The chain


def test_an_empty_log_is_intact(database: Database, tenant: Tenant) -> None:
    assert verdict(database, tenant) == AuditVerdict(True, 0, None, None, "")


def test_a_chain_of_three_thousand_entries_is_intact_and_says_how_far_it_is(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        now = open_work.now
    write_at(database, tenant, [now] * 3000)
    said: list[float] = []
    with work(database, tenant) as open_work:
        assert audit.verify(open_work, lambda done, note: said.append(done)) == AuditVerdict(True, 3000, None, None, "")
    assert said == sorted(said)
    assert said[-1] == 1.0


def test_each_entry_follows_the_one_before_it(database: Database, tenant: Tenant, forger: psycopg.Connection) -> None:
    ids = [act(database, tenant, {"n": n}) for n in range(3)]
    rows = forger.execute("SELECT id, seq, previous_hash, hash FROM audit WHERE org_id = %s ORDER BY seq", [tenant.org_id]).fetchall()
    assert [(row[0], row[1]) for row in rows] == [(id, n + 1) for n, id in enumerate(ids)]
    assert [row[2] for row in rows] == [audit.GENESIS, rows[0][3], rows[1][3]]


def test_the_chain_of_one_organization_knows_nothing_of_another(database: Database, tenant: Tenant) -> None:
    other = found(database)
    for n in range(4):
        act(database, tenant if n % 2 else other, {})
    assert [verdict(database, t).checked for t in (tenant, other)] == [2, 2]


def test_eight_threads_at_once_make_one_unbroken_chain(database: Database, tenant: Tenant) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: act(database, tenant, {"n": n}), range(80)))
    assert verdict(database, tenant) == AuditVerdict(True, 80, None, None, "")
    assert {entry.detail["n"] for entry in entries(database, tenant)} == set(range(80))


def test_the_order_of_ids_is_that_of_the_chain(database: Database, tenant: Tenant) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: act(database, tenant, {"n": n}), range(20)))
    assert [entry.seq for entry in entries(database, tenant)] == list(range(20, 0, -1))


def test_entries_written_while_the_verifier_walks_do_not_look_like_tampering(database: Database, tenant: Tenant) -> None:
    act(database, tenant, {})

    def meanwhile(_done: float, _note: str) -> None:
        for n in range(3):
            act(database, tenant, {"n": n})

    with work(database, tenant) as open_work:
        assert audit.verify(open_work, meanwhile) == AuditVerdict(True, 4, None, None, "")


def test_an_entry_and_what_it_tells_of_are_kept_or_lost_together(database: Database, acme: Company) -> None:
    teams.create(acme.owner, "Once")
    with pytest.raises(Conflict):
        teams.create(acme.owner, "Once")
    created = entries(database, Tenant(acme.id), Wanted(operation="teams.create"))
    assert [entry.target for entry in created].count("Once") == 1


# Tampering


@dataclass(frozen=True)
class Forgery:
    """What somebody does to a chain of ten, the first entry that must be named, the words, and why."""

    name: str
    sql: list[str]
    names: int
    words: str
    why: str


SEVENTH = "org_id = %(org)s AND seq = 7"
ANOTHER_ID = "(overlay(id::text placing 'ffff' from 33))::uuid"
TRADE = """
UPDATE audit a SET {} FROM (SELECT * FROM audit WHERE org_id = %(org)s AND seq IN (4, 7)) b
WHERE a.org_id = b.org_id AND a.seq = 11 - b.seq
"""
FORGERIES = [
    Forgery("operation edited", [f"UPDATE audit SET operation = 'x' WHERE {SEVENTH}"], 7, "was edited", "another deed"),
    Forgery("detail edited", [f"UPDATE audit SET detail = '{{\"n\": 8}}' WHERE {SEVENTH}"], 7, "was edited", "other facts"),
    Forgery("actor edited", [f"UPDATE audit SET actor_name = 'eve' WHERE {SEVENTH}"], 7, "was edited", "another person"),
    Forgery("actor unnamed", [f"UPDATE audit SET actor_id = null WHERE {SEVENTH}"], 7, "was edited", "nobody"),
    Forgery("time edited", [f"UPDATE audit SET at = at + interval '1 us' WHERE {SEVENTH}"], 7, "was edited", "even a microsecond"),
    Forgery("outcome edited", [f"UPDATE audit SET outcome = 'refused' WHERE {SEVENTH}"], 7, "was edited", "a deed made a refusal"),
    Forgery("address edited", [f"UPDATE audit SET address = '::1' WHERE {SEVENTH}"], 7, "was edited", "another machine"),
    Forgery("target edited", [f"UPDATE audit SET target = '' WHERE {SEVENTH}"], 7, "was edited", "another thing"),
    Forgery("trace edited", [f"UPDATE audit SET trace_id = '' WHERE {SEVENTH}"], 7, "was edited", "another request"),
    Forgery("id edited", [f"UPDATE audit SET id = {ANOTHER_ID} WHERE {SEVENTH}"], 7, "was edited", "the id"),
    Forgery("deleted", [f"DELETE FROM audit WHERE {SEVENTH}"], 8, "entry 7 is missing", "a hole; 8 is the first that is there"),
    Forgery("first deleted", ["DELETE FROM audit WHERE org_id = %(org)s AND seq = 1"], 2, "entry 1 is missing", "the beginning too"),
    Forgery("tail deleted", ["DELETE FROM audit WHERE org_id = %(org)s AND seq > 8"], 9, "from 9 to 10 are missing", "the head remembers"),
    Forgery("all deleted", ["DELETE FROM audit WHERE org_id = %(org)s"], 1, "from 1 to 10 are missing", "the head remembers"),
    Forgery("swapped", [TRADE.format("seq = b.seq")], 4, "does not follow", "the order is part of the chain"),
    Forgery("contents swapped", [TRADE.format("operation = b.operation, detail = b.detail")], 4, "was edited", "each in the other's place"),
    Forgery("two of one number", [f"UPDATE audit SET seq = 6 WHERE {SEVENTH}"], 6, "entry 7 is missing", "a number is used once"),
    Forgery("previous hash forged", [f"UPDATE audit SET previous_hash = hash WHERE {SEVENTH}"], 7, "does not follow", "a broken link"),
    Forgery("hash forged", [f"UPDATE audit SET hash = previous_hash WHERE {SEVENTH}"], 7, "was edited", "it is not the hash of the row"),
    Forgery("head's hash edited", ["UPDATE audit_head SET hash = sha256('x') WHERE org_id = %(org)s"], 11, "head", "the last link"),
    Forgery("head set back", ["UPDATE audit_head SET seq = 5 WHERE org_id = %(org)s"], 11, "head", "as if there were fewer"),
    Forgery("head set forward", ["UPDATE audit_head SET seq = 12 WHERE org_id = %(org)s"], 11, "from 11 to 12 are missing", "or more"),
    Forgery("head deleted", ["DELETE FROM audit_head WHERE org_id = %(org)s"], 11, "head", "entries without an end"),
]


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
def test_the_verifier_names_the_first_bad_entry(database: Database, tenant: Tenant, forger: psycopg.Connection, forgery: Forgery) -> None:
    ids = [act(database, tenant, {"n": n}) for n in range(1, 11)]
    for sql in forgery.sql:
        assert forger.execute(sql, {"org": tenant.org_id}).rowcount > 0
    found_fault = verdict(database, tenant)
    assert not found_fault.intact, forgery.why
    assert found_fault.bad_seq == forgery.names, found_fault
    assert forgery.words in found_fault.fault, found_fault
    assert found_fault.checked < 11
    if forgery.name.endswith(("edited", "forged")) and forgery.names <= 10 and forgery.name != "id edited":
        assert found_fault.bad_id == ids[forgery.names - 1]


def test_a_change_that_rewrites_the_rest_of_the_chain_but_not_the_head_is_found(
    database: Database, tenant: Tenant, forger: psycopg.Connection
) -> None:
    """Who rewrites the head too leaves no trace in the database: that is why the chain is exported off the machine."""
    for n in range(5):
        act(database, tenant, {"n": n})
    with work(database, tenant) as open_work:
        last = open_work.session.execute(select(AuditEntry).where(AuditEntry.seq == 5)).scalar_one()
        last.operation = "forged.act"
        forged = audit.hash_of(last)
        open_work.session.rollback()
    forger.execute("UPDATE audit SET operation = 'forged.act', hash = %s WHERE org_id = %s AND seq = 5", [forged, tenant.org_id])
    assert (verdict(database, tenant).intact, verdict(database, tenant).checked) == (False, 5)


def test_the_door_gives_the_verdict_to_an_admin_and_to_nobody_below(database: Database, acme: Company) -> None:
    assert asked.verify(acme.admin).intact
    with pytest.raises(Refused):
        asked.verify(acme.operator)


# What an entry holds


def test_arguments_are_kept_and_secrets_among_them_are_not(database: Database, acme: Company, forger: psycopg.Connection) -> None:
    person = hire(acme.owner, Role.VIEWER)
    fresh = "quiet staple battery horse incorrect"
    profile.change_password(person, SecretStr(PASSWORD), SecretStr(fresh))
    token = tokens.create(acme.owner, "deploys", Role.OPERATOR, expires_in_days=7)
    link = people.invite(acme.owner, "new@example.com", Role.VIEWER)
    sign_in.use_link(HERE, text_of(link), SecretStr(PASSWORD))
    rows = forger.execute("SELECT operation, row_to_json(audit)::text FROM audit WHERE org_id = %s", [acme.id]).fetchall()
    assert {"profile.change_password", "tokens.create", "people.invite", "sign_in.use_link"} <= {row[0] for row in rows}
    secret_half = token.secret.get_secret_value().split("_", 2)[2]  # it may hold a “_” of its own
    link_half = link.url.get_secret_value().partition("link=")[2].split("_", 2)[2]
    for row in rows:
        for secret in (PASSWORD, fresh, secret_half, link_half, "argon2", "**********"):
            assert secret not in row[1], f"{row[0]} holds a secret"
    [created] = entries(database, Tenant(acme.id), Wanted(operation="tokens.create"))
    assert created.detail == {"name": "deploys", "role": "operator", "expires_in_days": 7}


def test_an_entry_says_who_did_what_to_which_thing_from_where(database: Database, acme: Company) -> None:
    teams.create(acme.admin, "Payments")
    [entry] = entries(database, Tenant(acme.id), Wanted(words="Payments"))
    said = (entry.actor_kind, entry.actor_name, entry.operation, entry.outcome, entry.target, entry.address, entry.trace_id, entry.times)
    assert said == (ActorKind.USER, acme.admin.name, "teams.create", Outcome.DONE, "Payments", HERE.address, HERE.trace_id, 1)


def test_a_long_argument_is_cut(database: Database, acme: Company) -> None:
    with pytest.raises(Refused):
        organizations.rename(acme.viewer, "x")
    asked.request_verification(acme.owner)
    teams.create(acme.owner, "y" * 100)
    assert all(len(json.dumps(entry.detail)) < 400 for entry in entries(database, Tenant(acme.id)))


def test_reads_are_not_audited(database: Database, acme: Company) -> None:
    before = len(entries(database, Tenant(acme.id)))
    people.members(acme.viewer)
    teams.all(acme.viewer)
    asked.search(acme.owner)
    asked.verify(acme.owner)
    profile.show(acme.viewer)
    assert len(entries(database, Tenant(acme.id))) == before


# Refusals


def test_the_refusals_of_a_minute_are_one_entry_with_a_count(database: Database, acme: Company) -> None:
    within_a_minute()
    for _ in range(10):
        with pytest.raises(Refused):
            organizations.rename(acme.viewer, "Mine")
    [entry] = entries(database, Tenant(acme.id), Wanted(outcome=Outcome.REFUSED))
    assert (entry.operation, entry.actor_name, entry.times) == ("organizations.rename", acme.viewer.name, 10)
    assert "permission" in entry.detail["reason"]
    assert verdict(database, Tenant(acme.id)).intact, "the count is outside the chain"


def test_refusals_at_the_same_moment_are_one_entry_too(database: Database, acme: Company) -> None:
    within_a_minute()

    def try_it(_: int) -> None:
        with pytest.raises(Refused):
            organizations.rename(acme.viewer, "Mine")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_it, range(24)))
    assert [entry.times for entry in entries(database, Tenant(acme.id), Wanted(outcome=Outcome.REFUSED))] == [24]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda a, now: (replace(a, id=uuid4()), "x", now), "another actor"),
        (lambda a, now: (a, "y", now), "another operation"),
        (lambda a, now: (a, "x", now + timedelta(minutes=1)), "another minute"),
    ],
    ids=["actor", "operation", "minute"],
)
def test_a_refusal_of_something_else_is_an_entry_of_its_own(
    database: Database, tenant: Tenant, change: Callable[..., Any], why: str
) -> None:
    actor: Actor = robot(tenant)
    with work(database, tenant) as open_work:
        moment = open_work.now.replace(second=30)
    for who, operation, now in [(actor, "x", moment), (actor, "x", moment), change(actor, moment)]:
        with work(database, tenant) as open_work:
            open_work.now = now
            audit.refuse(open_work, who, Act(operation, Outcome.REFUSED))
    assert [entry.times for entry in entries(database, tenant)] == [1, 2], why


def test_a_refusal_is_kept_although_what_was_tried_is_rolled_back(database: Database, acme: Company) -> None:
    """The permission is there, the rank is not: the operation itself refuses, half-way through its transaction."""
    with pytest.raises(Refused):
        tokens.create(acme.admin, "too much", Role.OWNER)
    assert tokens.all(acme.admin).items == ()
    [entry] = entries(database, Tenant(acme.id), Wanted(outcome=Outcome.REFUSED))
    assert (entry.operation, entry.detail) == ("tokens.create", {"reason": "A token cannot have a higher role than your own."})


# Searching


def test_words_find_an_entry_and_signs_of_a_pattern_are_only_signs(database: Database, tenant: Tenant) -> None:
    for name in ("50% of alice", "50 of bob", "a_b"):
        with work(database, tenant) as open_work:
            audit.append(open_work, robot(tenant, name), Act("test.act", Outcome.DONE))
    for words, names in {"50%": {"50% of alice"}, "a_b": {"a_b"}, "ALICE of": {"50% of alice"}, "test.act bob": {"50 of bob"}}.items():
        assert {entry.actor_name for entry in entries(database, tenant, Wanted(words=words))} == names, words


def test_a_time_is_in_since_and_out_of_until(database: Database, tenant: Tenant) -> None:
    with work(database, tenant) as open_work:
        now = open_work.now.replace(microsecond=0)
    hour = timedelta(hours=1)
    write_at(database, tenant, [now - 2 * hour, now - hour, now])
    assert [e.seq for e in entries(database, tenant, Wanted(since=now - hour, until=now))] == [2]


# Any detail at all

numbers = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
documents = st.recursive(st.none() | st.booleans() | numbers | texts, lambda x: st.lists(x) | st.dictionaries(texts, x), max_leaves=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example({"n": 1e22, "m": -0.0, "k": 10.0, "tiny": 5e-324, "huge": 1.7e308, "e": 1e-7})
@example({"n": [1e23, 2.0**70, -1e300, 123456789012345680.0], "m": 10**400})
@example({"ü": "\u2028\U0001f600\x7f\x1f", "": {"b": [1, [], {}], "a": None}, "a\\u0000": "\\u0000"})
@given(st.dictionaries(texts, documents, max_size=5))
def test_any_detail_that_can_be_kept_is_verified_as_it_is_read_back(database: Database, tenant: Tenant, detail: dict[str, Any]) -> None:
    act(database, tenant, detail)
    assert verdict(database, tenant).intact
    assert audit._as_kept(entries(database, tenant)[0].detail) == audit._as_kept(detail)


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        ({"name": "a\x00b"}, "PostgreSQL keeps no NUL in a text"),
        ({"a\x00b": 1}, "nor in a name"),
        ({"n": float("nan")}, "JSON knows no such number"),
        ({"n": float("inf")}, "nor this one"),
        ({"name": "\ud800"}, "half a character is none"),
    ],
    ids=["nul", "nul in a name", "nan", "infinity", "surrogate"],
)
def test_what_cannot_be_kept_is_refused_as_a_whole(database: Database, tenant: Tenant, detail: dict[str, Any], why: str) -> None:
    act(database, tenant, {})
    with pytest.raises((DataError, UnicodeEncodeError, OverflowError)):
        act(database, tenant, detail)
    assert verdict(database, tenant) == AuditVerdict(True, 1, None, None, ""), why
    act(database, tenant, {})
    assert verdict(database, tenant).checked == 2, "and the chain goes on"


def test_the_canonical_form_never_changes() -> None:
    """It is a promise to whoever keeps an exported log: with another form, every entry of the past would look edited."""
    entry = AuditEntry(
        org_id=UUID(int=1),
        id=UUID(int=2),
        seq=3,
        at=datetime(2025, 6, 11, 9, 30, 0, 5, tzinfo=timezone(timedelta(hours=2))),
        actor_kind=ActorKind.USER,
        actor_id=UUID(int=4),
        actor_name="Zoë",
        operation="teams.create",
        outcome=Outcome.DONE,
        target="Payments",
        detail={"z": 1.0, "a": [1e23, 0.1, None, True]},
        address="::1",
        trace_id="t",
        previous_hash=audit.GENESIS,
        hash=b"",
    )
    row = (
        '{"actor":["user","00000000-0000-0000-0000-000000000004","Zoë"],"at":"2025-06-11T07:30:00.000005+00:00",'
        '"detail":{"a":[100000000000000000000000,0.1,null,true],"z":1},"id":"00000000-0000-0000-0000-000000000002",'
        '"operation":"teams.create","org_id":"00000000-0000-0000-0000-000000000001","outcome":"done","request":["::1","t"],'
        '"seq":3,"target":"Payments"}'
    )
    assert audit.hash_of(entry) == hashlib.sha256(bytes(32) + row.encode()).digest()
