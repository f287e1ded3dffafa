"""What does PostgreSQL itself say is in a database, and how is each table of it guarded?"""

from typing import Any

from sqlalchemy import text

from engine.model.fields import Rls
from tests.testkit.database import TestDatabase

EVERYTHING = """
SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'policy ' || polname FROM pg_policy
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname !~ '^_?alembic_version$'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger
UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
# Tables as they are, whatever order they were made in: columns, constraints, indexes, triggers, policies, rights.
SHAPE = """
SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid > 0
    AND connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' ', tablename, policyname, roles::text, cmd, qual, with_check) FROM pg_policies
UNION ALL SELECT concat_ws(' ', relname, relrowsecurity, relforcerowsecurity, relacl::text) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace
ORDER BY 1
"""
GRANTS = """
SELECT c.relname, array_remove(array_agg(g.privilege_type::text ORDER BY g.privilege_type::text), NULL) AS rights
FROM pg_class c LEFT JOIN LATERAL aclexplode(c.relacl) g ON g.grantee = CAST(:role AS regrole) OR g.grantee = 0
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') GROUP BY 1
"""


def all_of(database: TestDatabase, query: str) -> list[Any]:
    """The first column, as the owner."""
    with database.owner.connect() as db:
        return list(db.execute(text(query)).scalars())


def partitions_of(database: TestDatabase) -> set[str]:
    """The weeks and the default of every table that grows."""
    return set(all_of(database, "SELECT relname FROM pg_class WHERE relispartition AND relkind IN ('r', 'p')"))


def guard_of(database: TestDatabase, table: str) -> Rls:
    """Read off the settings that its policies for the application ask for."""
    policies = f"SELECT concat(qual, with_check) FROM pg_policies WHERE tablename = '{table}' AND roles = '{{public}}'"
    asked = {setting for policy in all_of(database, policies) for setting in _SETTINGS if f"'app.{setting}'" in policy}
    everybody = {"everybody"} if any("everybody" in policy for policy in all_of(database, policies)) else set()
    return _GUARDS[frozenset(asked | everybody)]


_SETTINGS = ("org", "user", "email", "teams", "all_teams", "instance")
_GUARDS = {
    frozenset(): Rls.DIRECTORY,
    frozenset({"instance"}): Rls.INSTANCE,
    frozenset({"org"}): Rls.ORG,
    frozenset({"org", "teams", "all_teams"}): Rls.TEAM,
    frozenset({"org", "teams", "all_teams", "everybody"}): Rls.TEAMS,
    frozenset({"user"}): Rls.OWN,
    frozenset({"org", "user"}): Rls.OWN,
    frozenset({"org", "user", "email"}): Rls.OWN,
}
