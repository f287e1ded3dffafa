"""What is in an organization and in an installation that have a row in every table?"""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from engine.errors import NotSignedIn, Refused
from engine.model.heard import Delivery
from engine.model.vocabulary import DefinitionKind, ListPage, ProcessKind, Role
from engine.operations import audit, definitions, organizations, people, saved_views, sign_in, teams, tokens
from engine.storage import instance, proof, quarantine, sources
from engine.storage.database import Database
from engine.storage.instance import Beat
from engine.storage.work import INSTANCE, Tenant, work
from tests.testkit.database import TestDatabase
from tests.testkit.deliveries import Deliveries, alert
from tests.testkit.people import HERE, Company

GATE = {"threshold": {"count": 3, "minutes": 5}}


def furnish(database: Database, shared: TestDatabase, company: Company) -> None:
    """Give an organization a row in every table that holds anything of organizations."""
    line = Deliveries.by(company.owner)
    tokens.create(company.owner, "ci", Role.VIEWER)
    audit.request_verification(company.owner)
    people.invite(company.owner, f"{uuid4().hex}@example.com", Role.VIEWER)
    teams.create(company.owner.on(replace(HERE, idempotency_key="once")), "Green")
    saved_views.save(company.owner, ListPage.INCIDENTS, "mine", "open=true")
    with pytest.raises(Refused):
        organizations.rename(company.viewer, "Mine")
    with pytest.raises(NotSignedIn):
        sign_in.sign_in(HERE, company.viewer.email, SecretStr("not the password"))
    for team_id in (None, company.red.id):
        line.fire(team_id)
    over, _, _ = line.fire()
    poisoned_id = line.source().id
    definitions.create(company.owner, DefinitionKind.RULE, {"name": "three", "when": {"field": "title", "value": "Rare"}, "then": GATE})
    line.deliver(line.source(), alert("Rare"))
    with work(database, Tenant(company.id, all_teams=True)) as open_work:
        moved = {"org": company.id, "id": over}
        open_work.session.execute(text("INSERT INTO alert_history SELECT * FROM alert WHERE org_id = :org AND id = :id"), moved)
        poisoned = sources.one(open_work, poisoned_id)
        assert poisoned is not None
        quarantine.add(open_work, poisoned, Delivery(b"{", {}, open_work.now), "half a body")
        open_work.session.execute(text("INSERT INTO pending VALUES (:org, :id, 1, 1)"), moved)
    with shared.owner.begin() as db:
        db.execute(text("INSERT INTO audit_anchor VALUES (:org, 0, :hash, now())"), {"org": company.id, "hash": b"\0" * 32})


def furnish_installation(database: Database) -> None:
    """Give the installation a row in every table of its own."""
    with work(database, INSTANCE) as open_work:
        instance.settle(open_work)
        instance.hold(open_work, "tenancy", "me", timedelta(seconds=5))
        instance.beat(open_work, Beat("tenancy", ProcessKind.WEB, "0", open_work.now, open_work.now, None))
        instance.plan(open_work, {"tenancy": 3600})
        proof.record(open_work, open_work.now, 0.1, "")
