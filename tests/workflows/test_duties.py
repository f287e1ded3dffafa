"""Does the installation keep itself tidy, and keep what it must?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.model.ids import floor_id
from engine.operations import incidents, teams
from engine.storage import jobs
from engine.storage.database import Database
from engine.storage.work import Tenant, work
from engine.workflows.duties import Duties, Keeping
from tests.testkit.database import RETENTION, TestDatabase
from tests.testkit.deliveries import Deliveries
from tests.testkit.people import HERE, enter, found_company
from tests.workflows.conftest import hand_on

KEEPING = Keeping(RETENTION, jobs=timedelta(days=14))


def rows(database: Database, tenant: Tenant, table: str) -> int:
    """How many rows an organization has."""
    with work(database, tenant) as open_work:
        return open_work.session.execute(text(f"SELECT count(*) FROM {table} WHERE org_id = :org"), {"org": tenant.org_id}).scalar_one()


def test_the_weeks_ahead_are_made(own_database: TestDatabase, database: Database) -> None:
    last = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit'::regclass AND inhrelid <> 'audit_default'::regclass"
    with own_database.owner.begin() as db:
        weeks = sorted(db.execute(text(last)).scalars())
        db.execute(text(f"DROP TABLE {weeks[-1]}"))
    Duties(database, own_database.owner, KEEPING).partitions()
    with own_database.owner.connect() as db:
        assert sorted(db.execute(text(last)).scalars()) == weeks


def test_without_the_owner_it_is_said_which_setting_is_missing(database: Database) -> None:
    with pytest.raises(RuntimeError, match="AIOPS_DATABASE_OWNER_URL is not set"):
        Duties(database, None, KEEPING).partitions()


def test_the_sweep_removes_what_is_past_its_time_in_every_organization(database: Database) -> None:
    companies = [found_company(database, name) for name in ("Acme", "Beta")]
    for company in companies:
        tenant = Tenant(company.id, all_teams=True)
        keyed = company.owner.on(replace(HERE, idempotency_key="k"))
        teams.create(keyed, "Payments")
        for kind in ("old", "new"):
            hand_on(database, tenant, kind)
        enter(company.viewer)
        with work(database, tenant) as open_work:
            for leased in jobs.claim(open_work, "one", 10):
                jobs.finish(open_work, leased, {})
        with work(database, tenant) as open_work:
            for sql in (
                "UPDATE job SET finished_at = now() - interval '15 days' WHERE kind = 'old'",
                "UPDATE idempotency_key SET created_at = now() - interval '25 hours'",
                f"UPDATE session_directory SET expires_at = now() - interval '1 day' WHERE user_id = '{company.viewer.id}'",
                f"UPDATE session SET seen_at = now() - interval '91 days' WHERE user_id IN ('{company.viewer.id}', '{company.admin.id}')",
            ):
                open_work.session.execute(text(sql))
    before = [[rows(database, Tenant(company.id, all_teams=True), table) for table in ("session", "audit")] for company in companies]
    Duties(database, None, KEEPING).sweep()
    for company, (sessions, entries) in zip(companies, before, strict=True):
        tenant = Tenant(company.id, all_teams=True)
        assert (rows(database, tenant, "job"), rows(database, tenant, "idempotency_key")) == (1, 0)
        assert rows(database, tenant, "session") == sessions - 2, "the viewer's two; the admin's is live, however long unused"
        assert rows(database, tenant, "audit") == entries > 0, "the log is kept by its own rule"


def test_a_sweep_with_nothing_to_do_does_nothing(database: Database) -> None:
    company = found_company(database, "Acme")
    tenant = Tenant(company.id, all_teams=True)
    tables = ("session", "job", "audit", "idempotency_key", "session_directory")
    before = {table: rows(database, tenant, table) for table in tables}
    Duties(database, None, KEEPING).sweep()
    assert {table: rows(database, tenant, table) for table in tables} == before


def test_the_sweep_removes_incidents_and_alerts_that_are_past_their_time(database: Database) -> None:
    company = found_company(database, "Acme")
    tenant = Tenant(company.id, all_teams=True)
    (old, resolved, _), (_, recent, _) = Deliveries.by(company.owner).fire(), Deliveries.by(company.owner).fire()
    for id in (resolved, recent):
        incidents.resolve(company.owner, id)
    with work(database, tenant) as open_work:
        long_ago = floor_id(open_work.now - timedelta(days=500))
        for sql in (
            f"UPDATE incident SET resolved_at = now() - interval '401 days' WHERE id = '{resolved}'",
            f"UPDATE alert SET id = '{long_ago}' WHERE id = '{old}'",
            f"WITH gone AS (DELETE FROM alert WHERE id = '{long_ago}' RETURNING *) INSERT INTO alert_history SELECT * FROM gone",
        ):
            open_work.session.execute(text(sql))
    Duties(database, None, KEEPING).sweep()
    assert (rows(database, tenant, "incident"), rows(database, tenant, "incident_alert")) == (1, 1)
    assert (rows(database, tenant, "alert"), rows(database, tenant, "alert_history")) == (1, 0)
