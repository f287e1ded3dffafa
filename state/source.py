"""What does the page of one source remember?"""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from engine.errors import Invalid
from engine.model.sources import NewSource, SourceView
from engine.model.views import Paging
from engine.model.vocabulary import ListPage, Permission, SourceAuth
from engine.operations import alerts, intake, sources
from state import form as forms
from state import pasting, words
from state.call import actor_of, call, requires, tell
from state.form import FormField
from state.live import watch
from state.pasting import Paste
from state.thing import ThingState

_LATEST = Paging(limit=10)
_MOST_OF_A_BODY = 10_000


@dataclass
class DeliveryRow:
    """A delivery as it came."""

    id: str
    at: str
    alerts: int
    waiting: bool
    body: str


@dataclass
class CredentialRow:
    """A credential by the part of it that is no secret."""

    hint: str
    created_at: str
    expires_at: str


class SourceState(ThingState, rx.State):
    """One source: how it is, what to paste, what comes, its settings and credentials."""

    id: str = ""
    name: str = ""
    kind: str = ""
    state: str = ""
    state_kind: str = ""
    url: str = ""
    auth: str = ""
    networks: str = ""
    paused: bool = False
    provisioned: bool = False
    may_configure: bool = False
    may_respond: bool = False
    counts: list[tuple[str, str]] = []
    seen_at: str = ""
    failure: str = ""
    failure_at: str = ""
    secret: str = ""
    pastes: list[Paste] = []
    greeting: str = ""
    greeting_href: str = ""
    is_new: bool = False
    credentials: list[CredentialRow] = []
    deliveries: list[DeliveryRow] = []
    fields: list[FormField] = []
    faults: dict[str, str] = {}
    round: int = 0
    _version: int = 0
    _drawn: tuple[Any, ...] = ()
    _schema: dict[str, Any] = {}
    _secret_of: str = ""

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Begin anew with another source; a fresh secret stays with the source that it is of."""
        self.loaded = self.missing = False
        self.deliveries, self.fields, self.faults, self.greeting, self.is_new = [], [], {}, "", False
        if self._secret_of != self._named():
            self.secret = self._secret_of = ""

    @rx.event
    @requires(Permission.RESPOND)
    async def send_test(self) -> None:
        """Deliver a sample as if the sender had."""
        await call(self, intake.send_test, self._uuid(self.id))
        await tell(self, "good", "A test alert is on its way through everything.")

    @rx.event
    @requires(Permission.CONFIGURE)
    async def pause(self) -> None:
        """Refuse what comes, or take it again."""
        await call(self, sources.pause, self._uuid(self.id), not self.paused)
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def rotate(self, form: dict[str, Any]) -> None:
        """Make a fresh secret, shown once; the one before stays valid for some hours."""
        made = await call(self, sources.rotate, self._uuid(self.id), int(form.get("hours") or 24))
        self._greet(made)
        self.round += 1
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def save(self, form: dict[str, Any]) -> None:
        """Keep the settings; what somebody else changed meanwhile is not overwritten."""
        self.faults = {}
        try:
            settings = forms.given(self._schema, {name.removeprefix("settings."): value for name, value in form.items()})
            networks = [part.strip() for part in str(form.get("networks") or "").replace(",", "\n").splitlines() if part.strip()]
            told = {"networks": networks} if self.auth == SourceAuth.ADDRESS else {}
            await call(self, sources.change, self._uuid(self.id), form.get("name") or None, settings, **told, version=self._version)
        except Invalid as error:
            self.faults = {fault.field.removeprefix("settings.").partition(".")[0]: fault.message for fault in error.errors} or {
                "name": str(error)
            }
            return
        await tell(self, "good", "The settings are kept. They hold from the next delivery on.")
        self.round += 1
        self.fields = []
        await self._read()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def delete(self) -> rx.event.EventSpec:
        """Delete the source and go back to the list."""
        self.round += 1
        await call(self, sources.delete, self._uuid(self.id))
        await tell(self, "good", f"The source {self.name} is deleted. Its alerts stay.")
        return rx.redirect("/sources")

    @rx.event
    @requires(Permission.VIEW)
    async def hide_secret(self) -> None:
        """Take the secret off the page; it is not shown again."""
        self.secret = self._secret_of = ""
        await self._read()

    def _greet(self, made: NewSource) -> None:
        """Show a fresh secret once."""
        self.secret = made.secret.get_secret_value() if made.secret else ""
        self._secret_of = str(made.source.id)

    async def _read(self) -> None:
        view = await call(self, sources.show, self._named())
        self._show(view)
        actor = await actor_of(self)
        self.may_configure = actor.may(Permission.CONFIGURE, view.team_id) and not view.provisioned
        self.may_respond = actor.may(Permission.RESPOND, view.team_id)
        came = await call(self, intake.deliveries, view.id, _LATEST)
        self.deliveries = [
            DeliveryRow(str(d.id), words.iso(d.received_at), d.alerts, d.waiting, d.body[:_MOST_OF_A_BODY]) for d in came.items
        ]
        self.is_new = view.alerts == 0 or (self.is_new and not self.greeting)
        if self.is_new and view.alerts and not self.greeting:
            await self._greet_alert(view)
        if not self.fields:
            self._schema = next(kind.schema for kind in await call(self, sources.kinds) if kind.id == view.kind)
            self.fields, self._drawn = forms.drawn(self._schema, view.settings, forms.USUAL), ()
        # What somebody else changes after the form was drawn makes it stale; a pause or a fresh secret does not.
        drawn = (view.name, view.networks, view.settings)
        if self._drawn in ((), drawn):
            self._drawn, self._version = drawn, view.version

    async def _greet_alert(self, view: SourceView) -> None:
        found = await call(self, alerts.search, source_id=view.id, page=Paging(limit=1))
        if found.items:
            first = found.items[0]
            self.greeting = first.title
            self.greeting_href = f"/incidents/{first.incident.number}" if first.incident else f"/{ListPage.ALERTS}/{first.id}"

    def _show(self, view: SourceView) -> None:
        self.state, self.state_kind = words.source_status(view)
        self.id, self.name, self.kind, self.url = str(view.id), view.name, view.kind, view.url
        self.auth, self.networks, self.paused, self.provisioned = view.auth.value, "\n".join(view.networks), view.paused, view.provisioned
        self.counts = [
            ("Deliveries", f"{view.deliveries:,}"),
            ("Alerts", f"{view.alerts:,}"),
            ("Rejected", f"{view.rejected:,}"),
            ("Quarantined", f"{view.quarantined:,}"),
            ("Failures", f"{view.failures:,}"),
        ]
        self.seen_at, self.failure, self.failure_at = words.iso(view.last_seen_at), view.last_failure, words.iso(view.last_failure_at)
        self.credentials = [CredentialRow(c.hint, words.iso(c.created_at), words.iso(c.expires_at)) for c in view.credentials]
        proof = "" if view.auth is SourceAuth.ADDRESS else self.secret or pasting.SECRET
        self.pastes = pasting.lines(view.kind, view.url, proof)


watch("/sources/[source_id]", SourceState.refresh, "source", "delivery", "alert")
