"""What does the page of one alert remember?"""

from dataclasses import dataclass, field
from uuid import UUID

import reflex as rx

from engine.errors import NotFound
from engine.model.alerts import AlertView, Quiet, Reason
from engine.model.inbox import DeliveryView
from engine.model.views import Paging
from engine.model.vocabulary import Permission, QuietBy
from engine.operations import alerts, silences
from state import words
from state.alerts import ACTS, AlertRow, row
from state.call import actor_of, answering, call, requires, tell
from state.live import watch
from state.rule import TraceRow, trace
from state.silence import lasting
from state.thing import ThingState

_LINES = Paging(limit=50)
_BODIES = Paging(limit=10)
_MOST_OF_A_BODY = 20_000


@dataclass
class Pair:
    """A name and its value."""

    name: str
    value: str


@dataclass
class HistoryLine:
    """Something that happened to the alert."""

    id: str
    at: str
    kind: str
    severity: str
    mark: str
    said: str


@dataclass
class Why:
    """One decision about the alert."""

    stage: str
    decision: str
    why: str
    score: int
    trace: list[TraceRow] = field(default_factory=list)


@dataclass
class QuietRow:
    """What keeps it quiet, until when, and where that is."""

    words: str
    until: str
    href: str


@dataclass
class Body:
    """A delivery as it came."""

    id: str
    at: str
    kind: str
    alerts: int
    body: str


class AlertState(ThingState, rx.State):
    """One alert: what it says, what happened to it, why it is what it is, and what was delivered."""

    alert: AlertRow = AlertRow(
        *[""] * 8, count="", seen_at="", acknowledged_by="", incident="", incident_href="", flapping=False, is_over=True
    )
    description: str = ""
    facts: list[Pair] = []
    labels: list[Pair] = []
    annotations: list[Pair] = []
    links: list[Pair] = []
    history: list[HistoryLine] = []
    reasons: list[Why] = []
    bodies: list[Body] = []
    times: dict[str, str] = {}
    quiet: list[QuietRow] = []
    silenced: int = 0
    settled: int = 0

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Begin anew with another alert."""
        self.loaded = self.missing = False
        self.bodies = []

    @rx.event
    @requires(Permission.VIEW)
    async def show_deliveries(self) -> None:
        """Read what was delivered, as it came."""
        found = await call(self, alerts.deliveries, self._id(), _BODIES)
        self.bodies = [_body(each) for each in found.items]

    @rx.event
    @requires(Permission.RESPOND)
    async def act(self, name: str, ids: list[str]) -> rx.event.EventSpec | None:
        """Acknowledge, close or delete it. What is refused is put back, with the reason."""
        async with answering(self):
            done = await call(self, ACTS[name], ids) if name in ACTS else None
            if done is not None and done.failed:
                await tell(self, "warning", done.failed[0].error)
            elif name == "delete":
                return rx.redirect("/alerts")
        await self._read()
        return None

    @rx.event
    @requires(Permission.RESPOND)
    async def silence(self, hours: int) -> None:
        """Keep this alert quiet for some hours."""
        view = await call(self, alerts.show, self._id())
        zone = (await actor_of(self)).time_zone or "UTC"
        await call(self, silences.create, lasting(view, hours, zone), view.team_id)
        self.silenced += 1
        await tell(self, "good", f"“{view.title}” is quiet for {hours} h. It is heard again if it still fires then.")
        await self._read()

    def _id(self) -> UUID:
        try:
            return UUID(self._named())
        except ValueError:
            raise NotFound("There is no such alert.") from None

    async def _read(self) -> None:
        id = self._id()
        view = await call(self, alerts.show, id)
        told = await call(self, alerts.history, id, _LINES)
        explained = await call(self, alerts.explain, id)
        self.alert, self.description = row(view), view.description or ""
        self.facts = _facts(view)
        self.labels = [Pair(*pair) for pair in sorted(view.labels.items())]
        self.annotations = [Pair(*pair) for pair in sorted(view.annotations.items())]
        self.links = [Pair(link.title, link.url) for link in view.links]
        self.times = {name: words.iso(getattr(view, name)) for name in ("starts_at", "ends_at", "first_seen_at", "last_seen_at")}
        self.history = [
            HistoryLine(
                str(e.id), words.iso(e.at), e.kind.value, words.severity(e.severity) if e.severity else "", words.mark(e.severity), e.said
            )
            for e in told.items
        ]
        self.quiet = [_quiet(each) for each in view.muted_by]
        self.reasons = [_why(each) for each in explained.reasons if each.stage != "dedup"]


def _facts(view: AlertView) -> list[Pair]:
    said = [
        ("Source", view.source),
        ("Service", view.service),
        ("Environment", view.environment),
        ("Resource", view.resource),
        ("Team, as its sender says", view.team),
        ("Fired", f"{view.count} times" if view.count != 1 else "once"),
        ("Heard", f"{view.deliveries} times" if view.deliveries != 1 else "once"),
        ("Closed by", view.closed_by),
        ("Acknowledged by", view.acknowledged_by),
        ("Fingerprint", view.fingerprint),
    ]
    return [Pair(name, value) for name, value in said if value]


def _why(each: Reason) -> Why:
    score = round(each.score * 100) if each.score is not None else -1
    return Why(each.stage, each.decision, each.why, score, trace(each.trace))


def _quiet(each: Quiet) -> QuietRow:
    places = {QuietBy.SILENCE: f"/silences/{each.id}", QuietBy.INHIBITION: f"/alerts/{each.id}"}
    href = places.get(each.by, "/rules") if each.id or each.by not in places else ""
    said = {QuietBy.SILENCE: "Silenced: ", QuietBy.INHIBITION: "Inhibited by “", QuietBy.RULE: "Quiet by the rule “"}.get(each.by, "")
    return QuietRow(f"{said}{each.name}{'”' if said.endswith('“') else ''}", words.iso(each.until), href)


def _body(each: DeliveryView) -> Body:
    cut = each.body[:_MOST_OF_A_BODY] + ("\n…" if len(each.body) > _MOST_OF_A_BODY else "")
    return Body(str(each.id), words.iso(each.received_at), each.kind, each.alerts, cut)


watch("/alerts/[alert_id]", AlertState.refresh, "alert", "silence", "inhibition")
