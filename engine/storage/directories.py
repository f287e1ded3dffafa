"""Which organizations are there, as far as may be known without being in one?"""

from uuid import UUID

from sqlalchemy import select

from engine.model.jobs import Lane
from engine.storage import lanes
from engine.storage.jobs import LANE
from engine.storage.work import Work


def enter(work: Work) -> None:
    """Make a new organization findable by workers: its lanes, with nothing in them."""
    for kind in (LANE, lanes.INBOX, lanes.CHECK):
        work.session.add(Lane(org_id=work.org_id, kind=kind, due_at=None, fence=0))


def organizations(work: Work) -> list[UUID]:
    """Every organization, the oldest first."""
    return list(work.session.execute(select(Lane.org_id).where(Lane.kind == LANE).order_by(Lane.org_id)).scalars())
