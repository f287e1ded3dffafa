"""To what can a list be narrowed?"""

from dataclasses import replace
from uuid import UUID

from engine.model.views import Facet, Facets
from engine.model.vocabulary import AlertStatus, Permission
from engine.operations.alerts import AnyWords
from engine.operations.door import Context, operation
from engine.operations.incidents import Since, Statuses, TitleWords
from engine.operations.words import Matchers, Severities, Words, parsed, stated
from engine.storage import alerts as stored_alerts
from engine.storage import incidents as stored_incidents
from engine.storage import sources
from engine.storage.alerts import Filter
from engine.storage.incidents import Filter as IncidentFilter


@operation("facets.incidents", Permission.VIEW, reads=True)
def incidents(
    ctx: Context,
    open: bool | None = None,
    status: Statuses | None = None,
    severity: Severities | None = None,
    owner_id: UUID | None = None,
    acknowledged: bool | None = None,
    service: Words = "",
    environment: Words = "",
    q: TitleWords = "",
    since: Since | None = None,
) -> Facets:
    """Count what the incidents that would be found have in common: status, severity, owner, service, environment."""
    which = IncidentFilter(open, tuple(status or []), stated(severity), owner_id, acknowledged, service, environment, q, since)
    return stored_incidents.facets(ctx.work, which)


@operation("facets.alerts", Permission.VIEW, reads=True)
def alerts(
    ctx: Context,
    status: AlertStatus | None = None,
    severity: Severities | None = None,
    source_id: UUID | None = None,
    service: Words = "",
    environment: Words = "",
    matcher: Matchers | None = None,
    q: AnyWords = "",
    acknowledged: bool | None = None,
) -> Facets:
    """Count what the alerts that would be found have in common: severity, source, service, environment."""
    named = {"service": service, "environment": environment}
    which = Filter(
        status=status,
        severities=stated(severity),
        source_id=source_id,
        fields={name: value for name, value in named.items() if value},
        matchers=tuple(parsed(each) for each in matcher or []),
        words=q,
        acknowledged=acknowledged,
    )
    found = stored_alerts.facets(ctx.work, which)
    names = sources.names(ctx.work, [UUID(v.value) for facet in found.facets if facet.name == "source_id" for v in facet.values])
    return replace(found, facets=tuple(_with_names(facet, names) for facet in found.facets))


def _with_names(facet: Facet, names: dict[UUID, str]) -> Facet:
    if facet.name != "source_id":
        return facet
    return replace(facet, values=tuple(replace(value, label=names.get(UUID(value.value), "")) for value in facet.values))
