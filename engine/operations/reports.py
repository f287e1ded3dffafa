"""What does somebody take along from here?"""

from typing import Literal
from uuid import UUID

from engine.errors import NotFound
from engine.model.views import Export, Paging
from engine.model.vocabulary import Permission
from engine.operations.door import Context, operation
from engine.stages import reports
from engine.storage import incidents as stored

_PART, _MOST_LINES = 200, 5000


@operation("reports.incident", Permission.VIEW, reads=True)
def incident(ctx: Context, incident_id: UUID, form: Literal["markdown", "json"] = "markdown") -> Export:
    """Write an incident with its alerts and its whole timeline as one file, for a review or a ticket."""
    if (row := stored.one(ctx.work, incident_id)) is None:
        raise NotFound("There is no such incident.")
    alerts = stored.members(ctx.work, incident_id, Paging(limit=_PART))
    told = stored.timeline(ctx.work, incident_id, [], Paging(limit=_PART))
    lines = [*told.items]
    while told.next_cursor and len(lines) < _MOST_LINES:
        told = stored.timeline(ctx.work, incident_id, [], Paging(cursor=told.next_cursor, limit=_PART))
        lines += told.items
    write = reports.markdown if form == "markdown" else reports.as_json
    text = write(stored.view(ctx.work, row), alerts.items, alerts.total, lines[:_MOST_LINES], is_cut=bool(told.next_cursor))
    return Export(f"incident-{row.number}.{'md' if form == 'markdown' else 'json'}", text)
