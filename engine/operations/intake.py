"""What comes from a source, and what would come of a sample?"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from engine.errors import NotFound
from engine.integrations.sources import KINDS
from engine.model.heard import Delivery, Fault, Heard, Policy
from engine.model.ids import delivery_id
from engine.model.inbox import DeliveryView
from engine.model.sources import Source, TriedAlert
from engine.model.views import Page, Paging
from engine.model.vocabulary import AlertStatus, Permission
from engine.operations.door import Context, operation
from engine.operations.words import Words
from engine.stages.normalise import normalise
from engine.storage import inbox, sources
from engine.storage.inbox import Post

_MOST_TRIED = 50


@operation("intake.deliveries", Permission.VIEW, reads=True)
def deliveries(ctx: Context, source_id: UUID, page: Paging = Paging()) -> Page[DeliveryView]:
    """List what a source delivered, as it came, the newest first."""
    return inbox.deliveries(ctx.work, _source(ctx, source_id).id, None, page)


@operation("intake.send_test", Permission.RESPOND, thing=True)
def send_test(ctx: Context, source_id: UUID) -> DeliveryView:
    """Deliver a sample of the source's kind as if its sender had: it becomes an alert like any other."""
    source = _source(ctx, source_id)
    ctx.require(Permission.RESPOND, source.team_id)
    kind, now = KINDS[source.kind], ctx.work.now
    body = kind.sample.replace("{{now}}", now.strftime("%Y-%m-%dT%H:%M:%SZ")).encode()
    sent = Delivery(body, {"content-type": kind.sample_type} if kind.headers else {}, now)
    id = delivery_id(now)
    inbox.append(ctx.work, [Post(id, source.org_id, source.team_id, source.id, source.kind, sent, kind.accept(body, sent.headers).alerts)])
    ctx.note(source.name)
    return inbox.deliveries(ctx.work, source.id, [id], Paging(limit=1)).items[0]


@operation("intake.try_out", Permission.VIEW, reads=True)
def try_out(
    ctx: Context,
    kind: Words,
    body: Annotated[str, Field(max_length=1_000_000, description="a body as the sender posts it")],
    settings: dict[str, Any] | None = None,
    content_type: Words = "application/json",
) -> tuple[TriedAlert, ...]:
    """Show what a body would become with these settings. Nothing is kept. Raises Invalid for settings, Undecodable for the body."""
    entry, now = KINDS[kind], ctx.work.now
    made = entry.settings.model_validate(sources.checked(kind, settings or {}))
    delivery = Delivery(entry.accept(body.encode(), {"content-type": content_type}).body, {"content-type": content_type}, now)
    policy = sources.policy(UUID(int=0), None, entry, made)
    return tuple(_tried(index, heard, policy) for index, heard in enumerate(entry.read(delivery, made)[:_MOST_TRIED]))


def _tried(index: int, heard: Heard | Fault, policy: Policy) -> TriedAlert:
    if isinstance(heard, Fault):
        return TriedAlert(index=index, fault=heard.reason)
    known = normalise(heard, policy)
    return TriedAlert(
        index=index,
        title=heard.title,
        severity=known.severity,
        status=AlertStatus.FIRING if heard.firing else AlertStatus.RESOLVED,
        service=heard.service,
        environment=heard.environment,
        resource=heard.resource,
        team=heard.team,
        starts_at=heard.starts_at,
        ends_at=heard.ends_at,
        fingerprint=known.fingerprint,
        identity_by=known.identity_by,
        labels=heard.labels,
        notes=heard.notes,
    )


def _source(ctx: Context, source_id: UUID) -> Source:
    if (source := sources.one(ctx.work, source_id)) is None:
        raise NotFound("There is no such source.")
    return source
