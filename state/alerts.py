"""What does the list of alerts remember?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from engine.model.alerts import AlertView
from engine.model.views import Facets, Page, Paging
from engine.model.vocabulary import AlertStatus, ListPage
from engine.operations import alerts, facets
from state import words
from state.call import call, tell
from state.lists import FacetRow, ListState
from state.live import watch

ACTS = {"acknowledge": alerts.acknowledge, "resolve": alerts.resolve, "delete": alerts.delete}

_FACETS = {"severity": "Severity", "source_id": "Source", "service": "Service", "environment": "Environment"}


@dataclass
class AlertRow:
    """An alert as a row."""

    id: str
    href: str
    title: str
    mark: str
    severity: str
    service: str
    resource: str
    source: str
    count: str
    seen_at: str
    acknowledged_by: str
    incident: str
    incident_href: str
    flapping: bool
    is_over: bool
    quiet: str = ""  # what keeps it quiet, in a word
    quiet_by: str = ""
    fresh: bool = False


class AlertsState(ListState, rx.State):
    """The list of alerts."""

    LIST: ClassVar[ListPage] = ListPage.ALERTS
    FACETS: ClassVar[dict[str, str]] = _FACETS
    FILTERS: ClassVar[tuple[str, ...]] = ("state", "match", "incident")
    ORDERS: ClassVar[tuple[str, ...]] = ("severity", "-severity", "first_seen_at", "-first_seen_at")

    rows: list[AlertRow] = []
    facets: list[FacetRow] = [FacetRow(name, title, "") for name, title in _FACETS.items()]

    async def _act(self, name: str, ids: list[str]) -> None:
        done = await call(self, ACTS[name], ids) if name in ACTS else None
        if done is not None and done.failed:
            await tell(self, "warning", f"{len(done.success)} done, {len(done.failed)} not: {done.failed[0].error}")

    async def _page(self, part: Paging) -> Page[Any]:
        within = {"incident_id": self.filters["incident"]} if self.filters.get("incident") else {}
        return await call(self, alerts.search, **self._which(self.filters), **within, sort=self.sort or "-first_seen_at", page=part)

    async def _some(self, ids: list[str]) -> Sequence[AlertView]:
        return await call(self, alerts.those, ids)

    async def _counts(self, filters: dict[str, str]) -> Facets:
        return await call(self, facets.alerts, **self._which(filters))

    def _which(self, said: dict[str, str]) -> dict[str, Any]:
        state = said.get("state", "firing")
        which: dict[str, Any] = {"q": self.words, "service": said.get("service", ""), "environment": said.get("environment", "")}
        which |= {"status": AlertStatus(state)} if state in ("firing", "resolved") else {}
        which |= {"severity": [said["severity"]]} if said.get("severity") else {}
        which |= {"source_id": said["source_id"]} if said.get("source_id") else {}
        return which | ({"matcher": [part.strip() for part in said["match"].split(",") if part.strip()]} if said.get("match") else {})

    def _row(self, item: AlertView) -> AlertRow:
        return row(item)


def row(view: AlertView) -> AlertRow:
    """An alert as a row."""
    is_over = view.status is AlertStatus.RESOLVED
    return AlertRow(
        id=str(view.id),
        href=f"/alerts/{view.id}",
        title=view.title,
        mark=words.mark(view.severity, is_over=is_over),
        severity="Resolved" if is_over else words.severity(view.severity),
        service=view.service or "",
        resource=view.resource or "",
        source=view.source,
        count=f"×{view.count}",
        seen_at=words.iso(view.first_seen_at),
        acknowledged_by=view.acknowledged_by or "",
        incident=f"#{view.incident.number}" if view.incident else "",
        incident_href=f"/incidents/{view.incident.number}" if view.incident else "",
        flapping=view.flapping,
        is_over=is_over,
        quiet=words.quiet(view.muted_by),
        quiet_by=", ".join(each.name for each in view.muted_by),
    )


watch("/alerts", AlertsState.refresh, "alert", "silence", "inhibition")
