"""Organizations with nobody in them, for tests that need rows and no people."""

from engine.identity.actor import Actor, Request
from engine.model.ids import new_id
from engine.model.people import Organization
from engine.model.vocabulary import ActorKind, Role
from engine.storage import directories
from engine.storage.database import Database
from engine.storage.work import Tenant, work


def found(database: Database) -> Tenant:
    """A fresh organization, as a worker sees it."""
    with work(database, Tenant()) as open_work:
        tenant = Tenant(new_id(open_work.now), all_teams=True)
        open_work.become(tenant)
        open_work.session.add(Organization(id=tenant.org_id, name="Quiet", created_at=open_work.now))
        open_work.session.flush()
        directories.enter(open_work)
    return tenant


def robot(tenant: Tenant, name: str = "robot") -> Actor:
    """Somebody to act in an organization that has no people."""
    assert tenant.org_id is not None
    return Actor(ActorKind.WORKFLOW, tenant.org_id, name, tenant.org_id, Role.OWNER, request=Request("trace", "198.51.100.7"))
