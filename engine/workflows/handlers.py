"""Which jobs are there, and who carries them out?

A handler acts through the door like everybody else, as a workflow of the job's organization. It may run twice (a worker
can die after the deed and before the word), so what it does must be safe to repeat.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from engine.errors import Conflict
from engine.identity.actor import Actor, Request
from engine.model.audit import AuditVerdict
from engine.model.ids import time_of
from engine.model.people import Organization
from engine.model.vocabulary import ActorKind, Role
from engine.operations import audit, demo, rules
from engine.operations.door import PROGRESS, runtime
from engine.pipeline import grouping
from engine.pipeline.rehearsal import Rehearsed
from engine.storage import directories, proof
from engine.storage.database import Database
from engine.storage.jobs import Leased
from engine.storage.work import Tenant, work
from engine.workflows import demo as playing

Handler = Callable[[Leased], dict[str, Any]]
HANDLERS: dict[str, Handler] = {}
_NOT_SET_UP = {
    grouping.NOTIFY: "no channel is set up",
    grouping.ANALYSE: "no language model is set up",
    grouping.RUNBOOK: "no runbook of that name is set up",
}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Make a function the handler of a kind of job. It returns what the job's result will be."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def workflow(org_id: UUID, job_id: UUID, kind: str) -> Actor:
    """The actor that a job is in its organization."""
    return Actor(kind=ActorKind.WORKFLOW, id=job_id, name=kind, org_id=org_id, role=Role.OWNER, request=Request(trace_id=str(job_id)))


def everywhere(database: Database) -> list[Actor]:
    """The schedule as actor of every organization that has people."""
    with work(database, Tenant()) as open_work:
        ids = [id for id in directories.organizations(open_work) if id != proof.ORGANIZATION]
    found: list[Actor] = []
    for id in ids:
        with work(database, Tenant(id)) as open_work:
            name = open_work.session.get_one(Organization, id).name
        found.append(Actor(ActorKind.SCHEDULE, UUID(int=0), "schedule", id, Role.OWNER, organization=name))
    return found


@handles(audit.VERIFY_JOB)
def verify_audit(job: Leased) -> dict[str, Any]:
    """Walk the audit chain; the verdict is the result."""
    verdict = audit.verify(workflow(job.org_id, job.id, job.kind))
    return TypeAdapter(AuditVerdict).dump_python(verdict, mode="json")


@handles(grouping.NOTIFY)
@handles(grouping.ANALYSE)
@handles(grouping.RUNBOOK)
def asked_by_a_rule(job: Leased) -> dict[str, Any]:
    """What a rule asks for and nobody can do yet: it stays on record as failed, with the reason."""
    raise Conflict(_NOT_SET_UP[job.kind])


@handles(rules.DRY_RUN_JOB)
def dry_run(job: Leased) -> dict[str, Any]:
    """Ask a rule about the past; what came of it is the result."""
    found = rules.dry_run(workflow(job.org_id, job.id, job.kind), job.payload["spec"], job.payload["days"])
    return TypeAdapter(Rehearsed).dump_python(found, mode="json")


@handles(demo.DEMO_JOB)
def play_demo(job: Leased) -> dict[str, Any]:
    """Play the demonstration. A worker that takes it over plays it from its beginning, from the same start: nothing comes twice."""
    actor, progress = workflow(job.org_id, job.id, "demo"), PROGRESS.get()
    progress(0.0, "the senders are set up")  # who removed it before a worker took it over does not get it back
    senders = {made.kind: (made.path, made.secret.get_secret_value()) for made in demo.prepare(actor)}
    progress(0.0, "the senders are set up")  # nor does who removed it just now
    posting = playing.Posting(runtime().local_url, senders)
    sent = playing.play(posting, time_of(job.id), float(job.payload.get("speed", 1.0)), progress)
    return {"alerts": sent}
