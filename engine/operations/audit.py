"""Who did what, and is the record whole?"""

from pydantic import AwareDatetime

from engine.model.audit import AuditVerdict, AuditView
from engine.model.jobs import JobView
from engine.model.views import Page, Paging
from engine.model.vocabulary import Outcome, Permission
from engine.operations.door import Context, operation
from engine.operations.words import Words
from engine.storage import audit as stored
from engine.storage import jobs
from engine.storage.jobs import Errand

VERIFY_JOB = "audit.verify"


@operation("audit.search", Permission.VIEW_AUDIT, reads=True)
def search(
    ctx: Context,
    words: Words = "",
    operation: Words = "",
    outcome: Outcome | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    page: Paging = Paging(),
) -> Page[AuditView]:
    """Search the audit log, newest first; `words` are looked for in actor, operation, target and address."""
    return stored.matching(ctx.work, stored.Wanted(words, operation, outcome, since, until), page)


@operation("audit.operations_seen", Permission.VIEW_AUDIT, reads=True)
def operations_seen(ctx: Context) -> tuple[str, ...]:
    """List the operations that occur lately, for a filter."""
    return stored.operations_seen(ctx.work)


@operation("audit.verify", Permission.VIEW_AUDIT, reads=True)
def verify(ctx: Context) -> AuditVerdict:
    """Walk the whole chain now; the verdict names the first bad entry. For a long chain, ask for a job."""
    return stored.verify(ctx.work, ctx.progress)


@operation("audit.request_verification", Permission.VIEW_AUDIT)
def request_verification(ctx: Context) -> JobView:
    """Have the worker walk the whole chain; follow the job for its progress and verdict."""
    id = jobs.enqueue(ctx.work, Errand(VERIFY_JOB, {}, created_by=ctx.actor.name))
    view = jobs.one(ctx.work, id)
    assert view is not None
    return view
