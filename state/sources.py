"""What do the list of sources and the page that adds one remember?"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from engine.errors import AiopsError, Conflict, Invalid
from engine.model.sources import SourceView, TriedAlert
from engine.model.views import Paging
from engine.model.vocabulary import Permission, SourceAuth
from engine.operations import demo, intake, sources, teams
from state import form as forms
from state import words
from state.call import actor_of, call, may, requires, tell
from state.form import FormField
from state.live import watch
from state.people import TeamChoice
from state.source import SourceState
from state.table import TableState

_SETTING = "settings."


@dataclass
class SourceRow:
    """A source as a row."""

    id: str
    href: str
    name: str
    kind: str
    state: str
    state_kind: str
    seen_at: str
    alerts: str
    rejected: str
    quarantined: int
    failure: str


@dataclass
class KindRow:
    """A kind of sender that can be added."""

    id: str
    title: str
    about: str


@dataclass
class TriedRow:
    """What one alert of a sample would become."""

    title: str
    mark: str
    severity: str
    said: str


class SourcesState(TableState, rx.State):
    """The list of sources."""

    rows: list[SourceRow] = []
    demo_here: bool = False
    demo_running: bool = False
    demo_offered: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the list again."""
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def start_demo(self) -> rx.event.EventSpec:
        """Have the demonstration play, and go where it is seen."""
        await call(self, demo.start)
        await tell(self, "good", "The demonstration begins: an outage of a small shop, four minutes long.")
        return rx.redirect("/incidents")

    @rx.event
    @requires(Permission.CONFIGURE)
    async def remove_demo(self) -> None:
        """Remove everything that belongs to the demonstration."""
        gone = await call(self, demo.remove)
        await tell(self, "good", f"The demonstration is removed: {gone.alerts} alerts, {gone.incidents} incidents.")
        await self._read()

    async def _read(self) -> None:
        page = await call(self, sources.all, page=self._paging())
        self.rows = [_row(source) for source in page.items]
        shown = await call(self, demo.show)
        offered = shown.may_start and may(await actor_of(self), Permission.CONFIGURE)
        self.demo_here, self.demo_running, self.demo_offered = shown.is_here, shown.job_id is not None, offered
        self._took(page, "source")


class NewSourceState(rx.State):
    """The page that adds a source: its kinds, and the form drawn from the chosen one's schema."""

    kinds: list[KindRow] = []
    kind: str = ""
    title: str = ""
    auth: str = "secret"
    fields: list[FormField] = []
    faults: dict[str, str] = {}
    team_choices: list[TeamChoice] = []
    sample: str = ""
    tried: list[TriedRow] = []
    tried_fault: str = ""
    _schemas: dict[str, dict[str, Any]] = {}
    _samples: dict[str, str] = {}

    @rx.event
    @requires(Permission.CONFIGURE)
    async def arrive(self) -> None:
        """Read the kinds and the teams."""
        found = await call(self, sources.kinds)
        self.kinds = [KindRow(kind.id, kind.title, kind.about) for kind in found]
        self._schemas = {kind.id: kind.schema for kind in found}
        self._samples = {kind.id: kind.sample for kind in found}
        known = await call(self, teams.all, Paging(limit=200))
        self.team_choices = [TeamChoice(str(team.id), team.name) for team in known.items]
        self.kind, self.faults, self.fields, self.tried, self.tried_fault = "", {}, [], [], ""
        if asked := self.router.url.query_parameters.get("kind"):
            self._choose(asked)

    @rx.event
    @requires(Permission.CONFIGURE)
    async def choose(self, kind: str) -> None:
        """Draw the form of a kind."""
        self._choose(kind)

    @rx.event
    @requires(Permission.CONFIGURE)
    async def choose_auth(self, auth: str) -> None:
        """Choose how the sender proves itself."""
        self.auth = auth if auth in list(SourceAuth) else "secret"

    @rx.event
    @requires(Permission.CONFIGURE)
    async def create(self, form: dict[str, Any]) -> rx.event.EventSpec | None:
        """Add the source and go to its page, where its secret is shown once."""
        self.faults = {}
        try:
            made = await call(self, sources.create, **self._given(form))
        except Invalid as error:
            self._fault(error)
            return None
        except Conflict as error:
            self.faults = {"name": str(error)}
            return None
        (await self.get_state(SourceState))._greet(made)
        return rx.redirect(f"/sources/{made.source.id}")

    @rx.event
    @requires(Permission.VIEW)
    async def try_out(self, form: dict[str, Any]) -> None:
        """Show what the pasted sample would become with the settings as they are in the form."""
        self.faults, self.tried, self.tried_fault = {}, [], ""
        body = str(form.get("sample", ""))
        try:
            settings = forms.given(self._schemas[self.kind], _settings(form))
            found = await call(self, intake.try_out, self.kind, body, settings)
        except Invalid as error:
            self._fault(error)
        except AiopsError as error:
            self.tried_fault = str(error)
        else:
            self.tried = [_tried(each) for each in found]

    def _choose(self, kind: str) -> None:
        if kind not in self._schemas:
            return
        self.kind, self.faults, self.tried, self.sample = kind, {}, [], self._samples[kind]
        self.title = next(row.title for row in self.kinds if row.id == kind)
        self.fields = forms.drawn(self._schemas[kind], {}, forms.USUAL)

    def _given(self, form: dict[str, Any]) -> dict[str, Any]:
        networks = [line.strip() for line in str(form.get("networks") or "").replace(",", "\n").splitlines() if line.strip()]
        return {
            "kind": self.kind,
            "name": form.get("name", ""),
            "team_id": UUID(form["team"]) if form.get("team") else None,
            "auth": SourceAuth(self.auth),
            "signature_header": form.get("signature_header") or "X-Signature",
            "networks": networks,
            "settings": forms.given(self._schemas[self.kind], _settings(form)),
        }

    def _fault(self, error: Invalid) -> None:
        self.faults = {fault.field.removeprefix(_SETTING).partition(".")[0]: fault.message for fault in error.errors} or {
            "name": str(error)
        }


def _settings(form: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(_SETTING): value for name, value in form.items() if name.startswith(_SETTING)}


def _tried(each: TriedAlert) -> TriedRow:
    parts = (each.status and each.status.value, each.service, each.environment, each.resource, *each.notes)
    said = each.fault or " · ".join(part for part in parts if part)
    return TriedRow(each.title or "", words.mark(each.severity), words.severity(each.severity), said)


def _row(source: SourceView) -> SourceRow:
    state, kind = words.source_status(source)
    return SourceRow(
        id=str(source.id),
        href=f"/sources/{source.id}",
        name=source.name,
        kind=source.kind,
        state=state,
        state_kind=kind,
        seen_at=words.iso(source.last_seen_at),
        alerts=f"{source.alerts:,}",
        rejected=f"{source.rejected:,}",
        quarantined=source.quarantined,
        failure=source.last_failure,
    )


watch("/sources", SourcesState.refresh, "source", "delivery", "job")
