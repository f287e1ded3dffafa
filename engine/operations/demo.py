"""How does somebody see the product at work before anything real is connected?"""

from pydantic import SecretStr

from engine.errors import Conflict, Invalid
from engine.identity import secrets
from engine.model.ids import new_id
from engine.model.jobs import JobView
from engine.model.overview import DemoSender, DemoView, Removed
from engine.model.sources import Source
from engine.model.vocabulary import Permission, SourceAuth
from engine.operations.door import Context, operation, runtime
from engine.pipeline import acts
from engine.storage import demo as stored
from engine.storage import jobs, lanes, sources
from engine.storage.jobs import Errand

DEMO_JOB = "demo"
# The kinds of senders that the demonstration has one of each, and how they are called.
SENDERS = ("alertmanager", "grafana", "cloudevents")
_NAMES: dict[str, str] = dict(zip(SENDERS, ("Demo: Alertmanager", "Demo: Grafana", "Demo: shop events"), strict=True))


@operation("demo.show", Permission.VIEW, reads=True)
def show(ctx: Context) -> DemoView:
    """Say whether a demonstration is here, whether it runs, and whether one may be started."""
    running = stored.running(ctx.work, DEMO_JOB)
    return DemoView(bool(stored.sources(ctx.work)), running, not stored.has_others(ctx.work))


@operation("demo.start", Permission.CONFIGURE)
def start(ctx: Context, speed: float = 1.0) -> JobView:
    """Have a scripted outage of a small shop play through the real webhooks. Raises Conflict once real senders are set up."""
    if not 0.1 <= speed <= 100:
        raise Invalid.field("speed", "Choose a speed from 0.1 to 100; 1 takes four minutes.")
    lanes.alone(ctx.work)  # so that of two who start it at once one is refused
    if stored.has_others(ctx.work):
        raise Conflict("There are sources of yours already: the demonstration would get between real alerts.")
    if stored.running(ctx.work, DEMO_JOB) is not None:
        raise Conflict("The demonstration is running already.")
    id = jobs.enqueue(ctx.work, Errand(DEMO_JOB, {"speed": speed}, created_by=ctx.actor.name))
    view = jobs.one(ctx.work, id)
    assert view is not None
    return view


@operation("demo.prepare", Permission.CONFIGURE)
def prepare(ctx: Context) -> tuple[DemoSender, ...]:
    """Make the demonstration's sources, each with a fresh secret; none, if the job that asks is to end, as it was removed meanwhile.

    For the job that plays it: doing it twice makes them once.
    """
    lanes.alone(ctx.work)  # whoever removes it is done, or has not begun
    if jobs.is_to_end(ctx.work, ctx.actor.id):
        return ()
    there = {source.kind: source for source in stored.sources(ctx.work)}
    made: list[DemoSender] = []
    for kind in SENDERS:
        source = there.get(kind) or _source(ctx, kind)
        for old in sources.credentials(ctx.work, [source.id]).get(source.id, []):
            old.expires_at = ctx.work.now
            ctx.work.session.add(old)
        token = secrets.new_token()
        sources.add_credential(ctx.work, source, token, runtime().vault)
        made.append(DemoSender(kind, f"/webhook/{kind}/{source.public_id}", SecretStr(token.text)))
    ctx.work.touch("source")
    return tuple(made)


@operation("demo.remove", Permission.CONFIGURE)
def remove(ctx: Context) -> Removed:
    """Remove the demonstration: its sources, what they sent, their alerts, and the incidents that hold nothing else."""
    found = stored.sources(ctx.work)
    if (running := stored.running(ctx.work, DEMO_JOB)) is not None:
        jobs.cancel(ctx.work, running)
    gone = stored.remove(ctx.work, stored.ever(ctx.work))
    acts.recount(ctx.work, gone.left, acts.Who(ctx.actor.id, ctx.actor.name, ctx.work.now))
    for source in found:
        sources.unregister(ctx.work, source.id)
        source.deleted_at = ctx.work.now
        ctx.work.session.add(source)
    for kind in ("source", "alert", "incident", "quarantine"):
        ctx.work.touch(kind)
    return Removed(gone.alerts, gone.incidents)


def _source(ctx: Context, kind: str) -> Source:
    now = ctx.work.now
    source = Source(
        org_id=ctx.actor.org_id,
        id=new_id(now),
        public_id=secrets.new_token().public_id,
        kind=kind,
        name=_NAMES[kind],
        auth=SourceAuth.SECRET,
        demo=True,
        created_by=ctx.actor.name,
        created_at=now,
    )
    sources.add(ctx.work, source)
    return source
