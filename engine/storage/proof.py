"""Does an alert get through everything, and how quickly?

An organization of its own, which nobody is a member of: a proof alert must not be mistaken for a real one, nor take a number
from one.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import col

from engine.model.alerts import Alert, AlertHistory
from engine.model.ids import new_id
from engine.model.inbox import Proof
from engine.model.incidents import Incident, IncidentAlert
from engine.model.people import Organization
from engine.model.sources import Source
from engine.model.vocabulary import SourceAuth
from engine.storage import directories
from engine.storage.work import Tenant, Work

ORGANIZATION = UUID(int=1)
TENANT = Tenant(ORGANIZATION, all_teams=True)
KIND = "generic"
_KEPT = timedelta(hours=1)


def source(work: Work) -> Source:
    """The source of proof alerts; made with its organization when it is not there yet."""
    found = work.session.execute(select(Source).where(Source.org_id == ORGANIZATION)).scalar_one_or_none()
    if found is not None:
        return found
    work.session.add(Organization(id=ORGANIZATION, name="Proof", created_at=work.now))
    work.session.flush()
    directories.enter(work)
    made = Source(
        org_id=ORGANIZATION,
        id=new_id(work.now),
        public_id="proof",
        kind=KIND,
        name="proof",
        auth=SourceAuth.ADDRESS,
        created_by="",
        created_at=work.now,
    )
    work.session.add(made)
    work.session.flush()
    return made


def is_grouped(work: Work, fingerprint: str) -> bool:
    """Whether the proof alert is in an incident."""
    query = select(Alert.incident_id).where(Alert.org_id == ORGANIZATION, Alert.fingerprint == fingerprint)
    return work.session.execute(query).scalar_one_or_none() is not None


def record(work: Work, at: datetime, seconds: float | None, error: str) -> None:
    """Keep the result."""
    work.session.merge(Proof(id=1, at=at, seconds=seconds, error=error))


def last(work: Work) -> Proof | None:
    """The last result."""
    return work.session.get(Proof, 1)


def forget_old(work: Work) -> None:
    """Remove proof alerts and incidents that are over."""
    before = work.now - _KEPT
    for table in (Alert, AlertHistory):
        work.session.execute(delete(table).where(col(table.org_id) == ORGANIZATION, col(table.first_seen_at) < before))
    work.session.execute(delete(IncidentAlert).where(col(IncidentAlert.org_id) == ORGANIZATION, col(IncidentAlert.joined_at) < before))
    work.session.execute(delete(Incident).where(col(Incident.org_id) == ORGANIZATION, col(Incident.opened_at) < before))
