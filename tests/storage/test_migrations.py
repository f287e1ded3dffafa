"""Does the schema get to this version and back, is it what the models say, and is every table guarded?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlmodel import SQLModel

from engine.errors import Misconfigured
from engine.model.alerts import AlertColumns
from engine.model.fields import Rls
from engine.model.vocabulary import ListPage, Role
from engine.operations import alerts, demo, overview, people, saved_views, sources, tokens
from engine.storage import migrate, partitions
from engine.storage.embedded import APPLICATION, OWNER
from tests.storage.catalogue import EVERYTHING, GRANTS, SHAPE, TABLES, all_of, guard_of, partitions_of
from tests.testkit.database import RETENTION, TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import Company, found_company

pytestmark = pytest.mark.slow

REVISIONS = [script.revision for script in ScriptDirectory.from_config(migrate._config()).walk_revisions()]
# Before the organization is known, these map a hash or a public id to it, without content. This is the whole list.
UNGUARDED = {"session_directory", "token_directory", "source_directory", "lane", "alembic_version"}
_TABLES = [*SQLModel.__subclasses__(), *AlertColumns.__subclasses__()]
MODELS: dict[str, Any] = {str(model.__tablename__): model for model in _TABLES if "__table__" in vars(model)}


def differences(db: Connection) -> list[tuple[Any, ...]]:
    """What the models and the database do not agree on.

    The models do not name every index, check and foreign key of the migrations, nor the partitions; that much is not theirs.
    What a model has must be in the database, and every column of the database must be in a model, of the same type.
    """

    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name not in set(db.execute(text("SELECT relname FROM pg_class WHERE relispartition")).scalars())

    context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True, "include_object": ours})
    found: list[tuple[Any, ...]] = []
    for change in compare_metadata(context, SQLModel.metadata):
        found += change if isinstance(change, list) else [change]
    return [change for change in found if change[0] not in ("remove_index", "remove_fk")]


# Up and down


def test_from_empty_to_the_newest(empty: TestDatabase) -> None:
    assert migrate.current(empty.owner) is None
    assert migrate.up(empty.owner, APPLICATION) == (None, migrate.newest())
    assert migrate.current(empty.owner) == migrate.newest() == REVISIONS[0]


def test_a_second_time_changes_nothing(empty: TestDatabase) -> None:
    migrate.up(empty.owner, APPLICATION)
    before = all_of(empty, SHAPE)
    assert migrate.up(empty.owner, APPLICATION) == (migrate.newest(), migrate.newest())
    assert all_of(empty, SHAPE) == before


def test_down_to_the_base_leaves_nothing(empty: TestDatabase) -> None:
    migrate.up(empty.owner, APPLICATION)
    partitions.keep_up(empty.owner, RETENTION, datetime.now(UTC))
    migrate.down(empty.owner, "base")
    assert all_of(empty, EVERYTHING) == []
    assert migrate.current(empty.owner) is None


def test_up_again_is_the_same_as_up(empty: TestDatabase) -> None:
    migrate.up(empty.owner, APPLICATION)
    before = all_of(empty, SHAPE)
    migrate.down(empty.owner, "base")
    migrate.up(empty.owner, APPLICATION)
    assert all_of(empty, SHAPE) == before


def fill(database: TestDatabase) -> Company:
    """People, teams, sessions, links, tokens, refusals, an audit chain, a saved view, a demonstration, an alert."""
    company = found_company(database.database, "Acme")
    tokens.create(company.owner, "robot", Role.OWNER, [], None)
    people.invite(company.owner, "open@example.com", Role.VIEWER)
    saved_views.save(company.owner, ListPage.ALERTS, "mine", "status=firing")
    demo.prepare(company.owner)
    line = Deliveries.by(company.owner)
    line.deliver(line.source(), alert("One"))
    return company


def test_every_revision_goes_down_and_up_with_data_in_it(fresh: TestDatabase) -> None:
    fill(fresh)
    shape = all_of(fresh, SHAPE)
    weeks = [line for line in shape if "audit_2" in line]
    for revision in REVISIONS:
        below = ScriptDirectory.from_config(migrate._config()).get_revision(revision).down_revision
        migrate.down(fresh.owner, str(below or "base"))
        assert migrate.up(fresh.owner, APPLICATION) == (below, migrate.newest())
    partitions.keep_up(fresh.owner, RETENTION, datetime.now(UTC))
    assert weeks
    assert all_of(fresh, SHAPE) == shape
    fill(fresh)


def test_without_what_pages_need_sources_and_alerts_are_as_they_were(fresh: TestDatabase) -> None:
    company = fill(fresh)
    views = [each.name for each in sources.all(company.owner).items], [each.title for each in alerts.search(company.owner).items]
    migrate.down(fresh.owner, "0003")
    tables = set(all_of(fresh, TABLES))
    migrate.down(fresh.owner, "0002")
    assert migrate.current(fresh.owner) == "0002"
    gone = tables - set(all_of(fresh, TABLES))
    assert {"intake_minute", "intake_minute_default", "saved_view"} <= gone
    assert all(name.startswith(("intake_minute", "saved_view")) for name in gone)
    assert all_of(fresh, "SELECT attname FROM pg_attribute WHERE attrelid = 'source'::regclass AND attname = 'demo'") == []
    assert migrate.up(fresh.owner, APPLICATION) == ("0002", migrate.newest())
    partitions.keep_up(fresh.owner, RETENTION, datetime.now(UTC))
    assert ([each.name for each in sources.all(company.owner).items], [each.title for each in alerts.search(company.owner).items]) == views
    assert not any(each.demo for each in sources.all(company.owner).items), "nothing is taken for a demonstration's that may be real"
    assert (saved_views.all(company.owner, ListPage.ALERTS), overview.show(company.owner).heard) == ((), 0)


def test_a_migration_that_fails_leaves_all_as_it_was(empty: TestDatabase) -> None:
    """The last table of the first revision is there already; everything before it is undone."""
    with empty.owner.begin() as db:
        db.execute(text("CREATE TABLE sign_in_failure (other int)"))
    with pytest.raises(Exception, match="already exists"):
        migrate.up(empty.owner, APPLICATION)
    assert migrate.current(empty.owner) is None
    assert [name for name in all_of(empty, EVERYTHING) if name.startswith("relation")] == ["relation sign_in_failure"]
    with empty.owner.begin() as db:
        db.execute(text("DROP TABLE sign_in_failure"))
    assert migrate.up(empty.owner, APPLICATION)[0] is None


def test_migrations_at_the_same_moment_are_done_once(empty: TestDatabase) -> None:
    def start(_: int) -> str | None:
        owner = create_engine(empty.owner_url)
        try:
            return migrate.up(owner, APPLICATION)[0]
        finally:
            owner.dispose()

    with ThreadPoolExecutor(4) as pool:
        before = list(pool.map(start, range(4)))
    assert before.count(None) == 1
    assert before.count(migrate.newest()) == 3


def test_a_database_of_a_newer_version_is_left_alone(empty: TestDatabase) -> None:
    migrate.up(empty.owner, APPLICATION)
    with empty.owner.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = all_of(empty, SHAPE)
    for act in (lambda: migrate.up(empty.owner, APPLICATION), lambda: migrate.down(empty.owner, "base")):
        with pytest.raises(Misconfigured, match="at revision 9999, newer than this version: start the newer version again"):
            act()
    assert migrate.current(empty.owner) == "9999"
    assert all_of(empty, SHAPE) == before


# The models


def test_models_and_migrations_agree(shared: TestDatabase) -> None:
    with shared.owner.connect() as db:
        assert differences(db) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("ALTER TABLE team ADD COLUMN motto varchar", "remove_column"),
        ("ALTER TABLE team DROP COLUMN version", "add_column"),
        ("ALTER TABLE team ALTER COLUMN name DROP NOT NULL", "modify_nullable"),
        ("ALTER TABLE team ALTER COLUMN version TYPE bigint", "modify_type"),
        ("ALTER TABLE team ALTER COLUMN version SET DEFAULT 1", "modify_default"),
        ("CREATE TABLE mascot (id uuid PRIMARY KEY)", "remove_table"),
        ("DROP TABLE audit_anchor", "add_table"),
        ("DROP INDEX ix_session_user_id", "add_index"),
        ("ALTER TABLE audit_head DROP CONSTRAINT audit_head_org_id_fkey", "add_fk"),
        ("ALTER TABLE app_user DROP CONSTRAINT app_user_email_key", "add_constraint"),
    ],
)
def test_a_difference_is_found(shared: TestDatabase, change: str, found: str) -> None:
    """Is the comparison above able to fail?"""
    with _undone(shared) as db:
        db.execute(text(change))
        assert [difference[0] for difference in differences(db)] == [found]


@contextmanager
def _undone(database: TestDatabase) -> Iterator[Connection]:
    with database.owner.connect() as db:
        yield db
        db.rollback()


# Rights


NARROWER = {"audit": ["INSERT", "SELECT"], "audit_anchor": ["SELECT"], "alembic_version": ["SELECT"]}
IN_FULL = ["DELETE", "INSERT", "SELECT", "UPDATE"]


def test_the_application_has_the_rights_it_needs_and_no_more(shared: TestDatabase) -> None:
    with shared.owner.connect() as db:
        rights = {row.relname: row.rights for row in db.execute(text(GRANTS), {"role": APPLICATION})}
    weeks = partitions_of(shared)
    assert len(weeks) > 1
    assert {name: rights[name] for name in weeks} == dict.fromkeys(weeks, []), "nobody reads around the policies of the parent"
    assert {name: rights[name] for name in NARROWER} == NARROWER
    assert {name: found for name, found in rights.items() if found != IN_FULL and name not in weeks | set(NARROWER)} == {}


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT has_schema_privilege('aiops_app', 'public', 'CREATE')", "it would own what it makes"),
        ("SELECT has_database_privilege('aiops_app', current_database(), 'CREATE')", "a schema of its own could hide ours"),
        ("SELECT EXISTS (SELECT 1 FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace)", "it would act as the owner"),
        (
            "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid >= 16384)",
            "rights of a column go unseen",
        ),
        ("SELECT EXISTS (SELECT 1 FROM pg_class WHERE relkind IN ('v', 'm') AND oid >= 16384)", "a view reads as its owner"),
    ],
)
def test_there_is_no_way_around_the_rights(shared: TestDatabase, query: str, why: str) -> None:
    assert all_of(shared, query) == [False], why


def test_all_tables_are_the_owners(shared: TestDatabase) -> None:
    owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert all_of(shared, owners) == [OWNER]


# Row-level security


def test_every_table_is_guarded_but_those_of_the_list(shared: TestDatabase) -> None:
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    guarded = set(all_of(shared, f"{tables} AND relrowsecurity AND relforcerowsecurity"))
    assert set(all_of(shared, tables)) - guarded == UNGUARDED
    assert partitions_of(shared) <= guarded


def test_every_guarded_table_has_a_policy_but_partitions(shared: TestDatabase) -> None:
    """Without one nobody sees a row, which is right for partitions: they are read through their parent."""
    with_policy = set(all_of(shared, "SELECT DISTINCT polrelid::regclass::text FROM pg_policy"))
    assert with_policy == set(MODELS) - UNGUARDED


def test_every_table_has_a_model_that_says_how_it_is_guarded(shared: TestDatabase) -> None:
    assert set(MODELS) == set(SQLModel.metadata.tables)
    assert [name for name, model in MODELS.items() if not isinstance(getattr(model, "rls", None), Rls)] == []
    assert {name for name, model in MODELS.items() if model.rls is Rls.DIRECTORY} == UNGUARDED - {"alembic_version"}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_says_how_its_table_is_guarded(shared: TestDatabase, name: str) -> None:
    assert guard_of(shared, name) is MODELS[name].rls
