"""Does row-level security hold, whatever SQL is sent? (scenario S2)"""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import SQLModel

from engine.errors import Refused
from engine.identity.actor import Actor
from engine.model.fields import Rls
from engine.model.instance import Instance
from engine.model.vocabulary import Role
from engine.operations import audit, teams, tokens
from engine.operations.door import tenant_of
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.embedded import Embedded
from engine.storage.jobs import Errand
from engine.storage.work import INSTANCE, Tenant, work
from tests.storage.furnished import furnish, furnish_installation
from tests.testkit.database import TestDatabase
from tests.testkit.people import Company, found_company

EVERY_TABLE = """
SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN (SELECT relname FROM pg_class WHERE relispartition)
"""
PARTITIONS = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname"
DIRECTORIES = {model.__tablename__ for model in SQLModel.__subclasses__() if getattr(model, "rls", None) is Rls.DIRECTORY}
OPEN_TO_ALL = DIRECTORIES | {"alembic_version"}


@pytest.fixture(scope="module")
def database(shared: TestDatabase, scratch: Path) -> Database:
    """The application's pool, with the door open; the companies of this module last as long as it."""
    shared.open_door(scratch)
    return shared.database


@pytest.fixture(scope="module")
def acme(database: Database) -> Company:
    """The organization that looks."""
    return found_company(database, "Acme").whole()


@pytest.fixture(scope="module")
def beta(database: Database) -> Company:
    """The organization that must not be seen."""
    return found_company(database, "Beta").whole()


@pytest.fixture
def superuser(cluster: Embedded, shared: TestDatabase) -> Iterator[psycopg.Connection]:
    """Whoever sees every row: to prove that there is something to hide."""
    with psycopg.connect(cluster._superuser_url(), dbname=shared.name, autocommit=True) as db:
        yield db


@pytest.fixture
def owner(shared: TestDatabase) -> Iterator[Connection]:
    """The role that owns the tables, in a transaction that is rolled back."""
    with shared.owner.connect() as db:
        yield db


@pytest.fixture(scope="module")
def furnished(database: Database, shared: TestDatabase, acme: Company, beta: Company) -> Company:
    """Acme beside Beta, both with a row in every table."""
    for company in (acme, beta):
        furnish(database, shared, company)
    furnish_installation(database)
    return acme


def guarded_tables(db: Connection) -> list[str]:
    """Every table but the few that map a hash to an organization."""
    return sorted(set(db.execute(text(EVERY_TABLE)).scalars()) - OPEN_TO_ALL)


def seen_in(db: Connection, table: str) -> int:
    """How many rows of a table this connection sees."""
    return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


@contextmanager
def refused(words: str) -> Iterator[None]:
    """PostgreSQL itself refuses it, with these words."""
    with pytest.raises(ProgrammingError, match=words) as caught:
        yield
    assert isinstance(caught.value.orig, psycopg.errors.InsufficientPrivilege)


# Reading


def test_only_the_four_directories_have_no_policy(database: Database) -> None:
    with database.engine.connect() as db:
        with_policy = set(db.execute(text("SELECT DISTINCT tablename FROM pg_policies")).scalars())
        assert set(db.execute(text(EVERY_TABLE)).scalars()) - with_policy == OPEN_TO_ALL
    assert OPEN_TO_ALL == {"lane", "session_directory", "source_directory", "token_directory", "alembic_version"}


def test_raw_sql_without_a_tenant_sees_no_row_of_any_guarded_table(
    database: Database, superuser: psycopg.Connection, furnished: Company
) -> None:
    with database.engine.connect() as db:
        tables = guarded_tables(db)
        there = {table: superuser.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone() is not None for table in tables}
        assert all(there.values()), f"nothing to hide in {[table for table in tables if not there[table]]}"
        assert {table: seen_in(db, table) for table in tables} == dict.fromkeys(tables, 0)


@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_a_pooled_connection_forgets_the_tenant_when_the_transaction_ends(shared: TestDatabase, furnished: Company, ends: str) -> None:
    """After the first `set_config` the setting is '' instead of null: the policies must neither fail nor match on it."""
    database = Database(shared.app_url, pool_size=1, statement_timeout_ms=5000, name="single")
    everything = Tenant(furnished.id, (furnished.red.id,), True, furnished.owner.id, furnished.owner.email, instance=True)
    which = text("SELECT pg_backend_pid()")
    try:
        with work(database, everything) as open_work:
            before = open_work.session.execute(which).scalar_one()
            assert seen_in(open_work.session.connection(), "job") > 0
            if ends == "rollback":
                open_work.session.rollback()
        with database.engine.connect() as db:
            assert db.execute(which).scalar_one() == before, "this test needs the same connection"
            assert db.execute(text("SELECT current_setting('app.org', true)")).scalar_one() == ""
            assert {table: seen_in(db, table) for table in guarded_tables(db)} == dict.fromkeys(guarded_tables(db), 0)
    finally:
        database.close()


def test_two_hundred_interleaved_transactions_never_see_the_other_organization(
    shared: TestDatabase, furnished: Company, beta: Company
) -> None:
    database = Database(shared.app_url, pool_size=3, statement_timeout_ms=5000, name="small")
    owned = "SELECT org_id FROM {} UNION SELECT org_id FROM audit"
    query = text(" UNION ".join(owned.format(table) for table in ("team", "job", "api_token", "membership", "link", "session")))
    begin = threading.Barrier(6)
    pids, wrong = set(), []

    def visit(number: int) -> None:
        mine = furnished if number % 2 else beta
        try:
            with work(database, Tenant(mine.id, all_teams=True)) as open_work:
                pids.add(open_work.session.execute(text("SELECT pg_backend_pid()")).scalar_one())
                if set(open_work.session.execute(query).scalars()) != {mine.id}:
                    wrong.append(number)
                if number % 5 == 0:
                    raise Refused("a transaction that fails leaves as little behind")
        except Refused:
            pass

    def line(first: int) -> None:
        begin.wait()
        numbers = list(range(first, 200, 6))
        random.Random(first).shuffle(numbers)
        for number in numbers:
            visit(number)

    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(line, range(6)))
    finally:
        database.close()
    assert wrong == []
    assert len(pids) <= 3


def test_a_partition_cannot_be_read_around_the_policy_of_its_table(database: Database, owner: Connection) -> None:
    partitions = list(owner.execute(text(PARTITIONS)).scalars())
    assert len(partitions) >= 6
    for name in partitions:
        with database.engine.connect() as db, refused("permission denied for table"):
            seen_in(db, name)


def test_even_a_grant_on_a_partition_would_show_nothing(database: Database, superuser: psycopg.Connection, acme: Company) -> None:
    row = superuser.execute("SELECT tableoid::regclass::text FROM audit LIMIT 1").fetchone()
    assert row is not None
    name, role = row[0], database.url.username
    superuser.execute(f"GRANT SELECT ON {name} TO {role}".encode())
    try:
        with work(database, Tenant(acme.id, all_teams=True)) as open_work:
            assert seen_in(open_work.session.connection(), name) == 0
    finally:
        superuser.execute(f"REVOKE SELECT ON {name} FROM {role}".encode())


# Writing

FOREIGN_ROWS = {
    "team": "INSERT INTO team VALUES (:org, :id, 'theirs', now(), 1)",
    "membership": "INSERT INTO membership VALUES (:org, :user, 'owner', now(), 1)",
    "organization": "INSERT INTO organization VALUES (:id, 'another', now())",
    "job": """INSERT INTO job VALUES
        (:org, :id, null, 'x', null, '{}', 'waiting', now(), 0, 0, '', null, '', '', now(), null, null, null, 0, false)""",
    "idempotency_key": "INSERT INTO idempotency_key VALUES (:org, :id, 'k', '', null, now())",
    "saved_view": "INSERT INTO saved_view VALUES (:org, :id, :user, 'alerts', 'theirs', '', now())",
    "intake_minute": "INSERT INTO intake_minute VALUES (:org, :id, :id, null, 1, 1, 1, 0, 0)",
    "audit": "INSERT INTO audit VALUES (:org, :id, 9, now(), 'user', null, '', '', 'done', '', '{}', '', '', '', '')",
    "password": "UPDATE password SET user_id = :user",
    "team moved": "UPDATE team SET org_id = :org",
}


@pytest.mark.parametrize("table", FOREIGN_ROWS)
def test_a_row_of_another_organization_cannot_be_written(database: Database, acme: Company, beta: Company, table: str) -> None:
    sql = FOREIGN_ROWS[table]
    values = {"org": beta.id, "id": uuid4(), "user": beta.viewer.id}
    mine = Tenant(acme.id, all_teams=True, user_id=acme.owner.id, email=acme.owner.email)
    with refused("violates row-level security policy"), work(database, mine) as open_work:
        open_work.session.execute(text(sql), {name: value for name, value in values.items() if f":{name}" in sql})


@pytest.mark.parametrize("sql", ["UPDATE team SET name = 'ours' WHERE org_id = :org", "DELETE FROM team WHERE org_id = :org"])
def test_rows_of_another_organization_are_not_there_to_change(database: Database, acme: Company, beta: Company, sql: str) -> None:
    with work(database, Tenant(acme.id, all_teams=True)) as open_work:
        assert open_work.session.execute(text(sql), {"org": beta.id}).rowcount == 0  # pyright: ignore[reportAttributeAccessIssue]
    assert {beta.red.name, beta.blue.name} <= {team.name for team in teams.all(beta.owner).items}


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("UPDATE audit SET operation = 'x'", psycopg.errors.InsufficientPrivilege, "permission denied"),
        ("DELETE FROM audit", psycopg.errors.InsufficientPrivilege, "permission denied"),
        ("TRUNCATE audit", psycopg.errors.InsufficientPrivilege, "permission denied"),
        (
            "INSERT INTO audit_anchor SELECT org_id, 7, hash, now() FROM audit_head",
            psycopg.errors.InsufficientPrivilege,
            "permission denied",
        ),
        ("ALTER TABLE audit DISABLE TRIGGER ALL", psycopg.errors.InsufficientPrivilege, "must be owner"),
    ],
)
def test_the_application_cannot_change_the_audit_log(
    database: Database, acme: Company, sql: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(ProgrammingError, match=words) as caught, work(database, Tenant(acme.id, all_teams=True)) as open_work:
        open_work.session.execute(text(sql))
    assert isinstance(caught.value.orig, error)


@pytest.mark.parametrize("sql", ["UPDATE audit SET operation = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_a_trigger_keeps_even_the_owner_from_changing_the_audit_log(database: Database, owner: Connection, acme: Company, sql: str) -> None:
    audit.request_verification(acme.owner)  # there is an entry to change
    owner.execute(text("SELECT set_config('app.org', :org, true)"), {"org": str(acme.id)})
    with pytest.raises(Exception, match="the audit log is append-only"):
        owner.execute(text(sql))


@pytest.mark.parametrize("sql", ["UPDATE audit SET operation = 'x'", "DELETE FROM audit"])
def test_without_a_tenant_the_owner_finds_nothing_to_change(owner: Connection, acme: Company, sql: str) -> None:
    assert owner.execute(text(sql)).rowcount == 0


def test_the_owner_too_is_held_by_the_policies(owner: Connection, acme: Company) -> None:
    kept_for_retention = {"audit", "audit_anchor"}
    for table in set(guarded_tables(owner)) - kept_for_retention:
        assert seen_in(owner, table) == 0, table


# Teams


KINDS = "SELECT kind FROM job WHERE kind <> 'audit.verify'"


@dataclass(frozen=True)
class Look:
    """Who looks, what must be seen, and why."""

    who: str
    sees: set[str]
    why: str


LOOKS = [
    Look("viewer of red", {"red", "all"}, "rows of the own team and of the whole organization"),
    Look("owner of red", {"red", "all"}, "a role in a team opens no other team"),
    Look("viewer of blue", {"blue", "all"}, "the same, seen from the other side"),
    Look("viewer", {"all"}, "who is in no team sees what belongs to no team"),
    Look("operator", {"all"}, "an operator of the organization is not in every team"),
    Look("admin", {"red", "blue", "all"}, "from admin on, every team is visible"),
    Look("owner", {"red", "blue", "all"}, "as the admin"),
]


def looking(company: Company, who: str) -> Actor:
    """The person that a row of LOOKS names."""
    role, _, team = who.partition(" of ")
    return getattr(company, team).people[Role(role)] if team else company.people[Role(role)]


@pytest.fixture(scope="module")
def with_rows_of_teams(database: Database, acme: Company, beta: Company) -> Company:
    """A token and a job of red, of blue and of nobody; Beta has the same."""
    for company in (acme, beta):
        owners = {"red": company.red.id, "blue": company.blue.id, "all": None}
        for name, team_id in owners.items():
            tokens.create(company.owner, name, Role.VIEWER, team_id=team_id)
        with work(database, Tenant(company.id, all_teams=True)) as open_work:
            for name, team_id in owners.items():
                jobs.enqueue(open_work, Errand(name, {}, team_id=team_id))
    return acme


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.who)
def test_a_person_sees_the_rows_of_the_own_teams(database: Database, with_rows_of_teams: Company, look: Look) -> None:
    actor = looking(with_rows_of_teams, look.who)
    with work(database, tenant_of(actor)) as open_work:
        assert set(open_work.session.execute(text("SELECT name FROM api_token WHERE name <> 'ci'")).scalars()) == look.sees, look.why
        assert set(open_work.session.execute(text(KINDS)).scalars()) == look.sees, look.why


def test_a_member_cannot_write_a_row_of_another_team(database: Database, acme: Company) -> None:
    with refused("violates row-level security policy"), work(database, tenant_of(acme.red.people[Role.OWNER])) as open_work:
        jobs.enqueue(open_work, Errand("x", {}, team_id=acme.blue.id))


def test_a_member_cannot_change_or_cancel_a_row_of_another_team(database: Database, with_rows_of_teams: Company) -> None:
    with work(database, tenant_of(with_rows_of_teams.red.people[Role.OWNER])) as open_work:
        changed = open_work.session.execute(text("UPDATE job SET cancel_asked = true RETURNING kind")).scalars()
        assert set(changed) - {"audit.verify"} == {"red", "all"}


def test_teams_of_another_organization_open_nothing(database: Database, with_rows_of_teams: Company, beta: Company) -> None:
    strange = Tenant(with_rows_of_teams.id, teams=(beta.red.id, beta.blue.id))
    with work(database, strange) as open_work:
        assert set(open_work.session.execute(text(KINDS)).scalars()) == {"all"}


# People


def ids_of(database: Database, tenant: Tenant, sql: str) -> set[UUID]:
    """The ids that a tenant sees."""
    with work(database, tenant) as open_work:
        return set(open_work.session.execute(text(sql)).scalars())


def test_before_the_organization_is_known_a_person_is_found_by_the_own_address_alone(database: Database, acme: Company) -> None:
    mine = Tenant(email=acme.viewer.email)
    assert ids_of(database, mine, "SELECT id FROM app_user") == {acme.viewer.id}
    assert ids_of(database, mine, "SELECT user_id FROM membership") == set()
    assert ids_of(database, mine, "SELECT user_id FROM password") == set()


def test_a_person_sees_the_own_rows_and_no_more(database: Database, acme: Company, beta: Company) -> None:
    mine = Tenant(user_id=acme.viewer.id)
    for sql in ("SELECT id FROM app_user", "SELECT user_id FROM membership", "SELECT user_id FROM password"):
        assert ids_of(database, mine, sql) == {acme.viewer.id}
    assert ids_of(database, mine, "SELECT id FROM organization") == {acme.id}


def test_an_organization_sees_its_members_but_cannot_change_their_accounts(database: Database, acme: Company, beta: Company) -> None:
    people_of_acme = {actor.id for group in (acme.people, acme.red.people, acme.blue.people) for actor in group.values()}
    tenant = Tenant(acme.id, all_teams=True)
    assert ids_of(database, tenant, "SELECT id FROM app_user") == people_of_acme
    assert ids_of(database, tenant, "UPDATE app_user SET name = 'Mallory' RETURNING id") == set()


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"all_teams": True}, "the organization of the person"),
        ({"email": True}, "whoever knows the address"),
        ({"instance": True}, "the installation itself"),
        ({"all_teams": True, "email": True, "instance": True, "other": True}, "another person with everything but the account"),
    ],
)
def test_a_password_is_invisible_to_anyone_but_its_person(database: Database, acme: Company, what: dict[str, bool], why: str) -> None:
    victim, other = acme.viewer, acme.admin
    tenant = Tenant(
        acme.id,
        all_teams=what.get("all_teams", False),
        email=victim.email if what.get("email") else "",
        instance=what.get("instance", False),
        user_id=other.id if what.get("other") else None,
    )
    assert victim.id not in ids_of(database, tenant, "SELECT user_id FROM password"), why
    assert victim.id not in ids_of(database, tenant, f"UPDATE password SET hash = hash WHERE user_id <> '{other.id}' RETURNING user_id"), (
        why
    )


# The installation's own rows


def test_an_organization_sees_nothing_of_the_installation(database: Database, furnished: Company) -> None:
    with work(database, Tenant(furnished.id, all_teams=True, user_id=furnished.owner.id)) as open_work:
        db = open_work.session.connection()
        assert [
            seen_in(db, table) for table in ("instance", "lease", "heartbeat", "timer", "sign_in_failure", "proof", "intake_stage")
        ] == [0] * 7


def test_the_installation_sees_nothing_of_an_organization(database: Database, furnished: Company) -> None:
    with work(database, INSTANCE) as open_work:
        assert open_work.session.get(Instance, uuid4()) is None
        db = open_work.session.connection()
        own = {"instance", "lease", "heartbeat", "timer", "sign_in_failure", "proof", "intake_stage"}
        assert {table for table in guarded_tables(db) if seen_in(db, table)} == own
