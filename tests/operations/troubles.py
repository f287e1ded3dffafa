"""Incidents to try things on, and what is looked at in them."""

from uuid import UUID, uuid4

from engine.identity.actor import Actor
from engine.model.incidents import IncidentView
from engine.model.vocabulary import IncidentEntryKind
from engine.operations import incidents
from tests.testkit.deliveries import ALL, Deliveries, alert


def opened(line: Deliveries, *severities: str | None, team_id: UUID | None = None, service: str = "") -> IncidentView:
    """An incident of a service of its own, with an alert of each severity: `<service> 0`, `<service> 1` and so on."""
    name = service or f"svc-{uuid4().hex[:12]}"
    said = [alert(f"{name} {place}", severity=each, service=name) for place, each in enumerate(severities or ("critical",))]
    line.deliver(line.source(team_id=team_id), *said)
    return line.incident_of(f"{name} 0")


def named(view: IncidentView) -> str:
    """The service that an incident is about."""
    return view.services[0]


def ids_of(line: Deliveries, view: IncidentView, *places: int) -> list[UUID]:
    """The alerts of an incident by their places."""
    return [line.alert(f"{named(view)} {place}").id for place in places]


def told(who: Actor, view: IncidentView) -> list[IncidentEntryKind]:
    """The kinds of lines of a timeline, the oldest first."""
    return [entry.kind for entry in incidents.timeline(who, view.id, page=ALL).items]


def counts(who: Actor, view: IncidentView) -> tuple[int, int]:
    """How many alerts it has, and how many of them fire."""
    now = incidents.show(who, view.id)
    return now.alerts, now.open_alerts
