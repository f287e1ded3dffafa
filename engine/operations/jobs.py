"""What is being worked on?"""

from uuid import UUID

from engine.errors import Conflict, NotFound
from engine.model.jobs import JobView
from engine.model.views import Page, Paging
from engine.model.vocabulary import JobState, Permission
from engine.operations.audit import VERIFY_JOB
from engine.operations.door import Context, operation
from engine.operations.rules import DRY_RUN_JOB
from engine.operations.words import Words
from engine.storage import jobs as stored

# Kinds whose result tells what not everybody may know; the others ask what a job's list asks.
SEEN_WITH = {VERIFY_JOB: Permission.VIEW_AUDIT, DRY_RUN_JOB: Permission.CONFIGURE}


@operation("jobs.newest", Permission.VIEW, reads=True)
def newest(ctx: Context, kind: Words = "", page: Paging = Paging()) -> Page[JobView]:
    """List jobs, newest first, of the kinds that this actor may see."""
    hidden = [name for name, permission in SEEN_WITH.items() if not ctx.actor.may(permission)]
    return stored.newest(ctx.work, kind, page, hidden)


@operation("jobs.show", Permission.VIEW, reads=True)
def show(ctx: Context, job_id: UUID) -> JobView:
    """Show one job with its progress and result."""
    return _found(ctx, job_id)


@operation("jobs.cancel", Permission.CONFIGURE)
def cancel(ctx: Context, job_id: UUID) -> JobView:
    """Cancel a job: at once when it waits, at its next step when it runs. Raises Conflict when it has ended."""
    _found(ctx, job_id)
    state = stored.cancel(ctx.work, job_id)
    if state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        raise Conflict(f"This job has ended already: it is {state}.")
    found = _found(ctx, job_id)
    ctx.note(found.kind)
    return found


def _found(ctx: Context, job_id: UUID) -> JobView:
    view = stored.one(ctx.work, job_id)
    if view is None or not ctx.actor.may(SEEN_WITH.get(view.kind, Permission.VIEW)):
        raise NotFound("There is no such job.")
    return view
