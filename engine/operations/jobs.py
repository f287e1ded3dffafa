"""What is being worked on?"""

from uuid import UUID

from engine.errors import Conflict, NotFound
from engine.model.jobs import JobView
from engine.model.views import Page, Paging
from engine.model.vocabulary import JobState, Permission
from engine.operations.door import Context, operation
from engine.operations.words import Words
from engine.storage import jobs as stored


@operation(Permission.VIEW, reads=True)
def newest(ctx: Context, kind: Words = "", page: Paging = Paging()) -> Page[JobView]:
    """List jobs, newest first."""
    return stored.newest(ctx.work, kind, page)


@operation(Permission.VIEW, reads=True)
def show(ctx: Context, job_id: UUID) -> JobView:
    """Show one job with its progress and result."""
    return _found(stored.one(ctx.work, job_id))


@operation(Permission.CONFIGURE)
def cancel(ctx: Context, job_id: UUID) -> JobView:
    """Cancel a job: at once when it waits, at its next step when it runs. Raises Conflict when it has ended."""
    state = stored.cancel(ctx.work, job_id)
    if state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED):
        raise Conflict(f"This job has ended already: it is {state}.")
    found = _found(stored.one(ctx.work, job_id))
    ctx.note(found.kind)
    return found


def _found(view: JobView | None) -> JobView:
    if view is None:
        raise NotFound("There is no such job.")
    return view
