"""What does the page of one silence remember?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import reflex as rx

from engine.errors import AiopsError, Conflict, Invalid
from engine.model.alerts import AlertView
from engine.model.views import Paging
from engine.model.vocabulary import Permission
from engine.operations import alerts, silences, teams
from engine.operations.silences import SilenceView
from state import form as forms
from state import said
from state.call import actor_of, call, may, requires, tell
from state.definition import NEW, faults
from state.live import watch
from state.named import Named, named
from state.people import TeamChoice
from state.silences import SilenceRow, row
from state.thing import ThingState

_MOST_MATCHERS, _LONGEST = 20, 1000  # more, and longer values, a silence does not take
_USUAL_MINUTES = 120
_MOST_HOURS = 744
_MATCHED = ("service", "environment", "resource", "team")


@dataclass
class SpanRow:
    """A time that a silence covers."""

    starts_at: str
    ends_at: str


class SilenceState(ThingState, rx.State):
    """One silence, or one that is being made: its form, and what it would mean."""

    silence: SilenceRow = SilenceRow(*[""] * 10, is_once=True, is_over=False)
    is_new: bool = False
    may_respond: bool = False
    form: dict[str, str] = {}
    drawn: str = ""
    faults: dict[str, str] = {}
    team_choices: list[TeamChoice] = []
    quiet: list[Named] = []
    spans: list[SpanRow] = []
    meaning: str = ""
    is_stale: bool = False  # somebody has changed it since the form was drawn
    round: int = 0
    _version: int = 0
    _said_by: dict[str, str] = {}  # who made it where a tool said so for them

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Begin anew with another silence."""
        self.loaded = self.missing = False
        self.faults, self.drawn, self.quiet, self.spans, self.meaning = {}, "", [], [], ""

    @rx.event
    @requires(Permission.VIEW)
    async def load_again(self) -> None:
        """Give up what was typed, and show what somebody else has made of it."""
        self.drawn = ""
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def said(self, form: dict[str, str]) -> None:
        """Show what the silence, as it is written now, would keep quiet, and when."""
        try:
            found = await call(self, silences.preview, self._spec(form, await self._zone()))
        except Invalid as error:
            waits = not str(form.get("matchers") or "").strip() or not str(form.get("comment") or "").strip()
            self.faults, self.quiet, self.spans, self.meaning = ({} if waits else faults(error)), [], [], ""
            return
        some = "" if found.counted_all else "at least "
        self.faults = {}
        would = f"Would keep {some}{found.muted:,} of what fires now quiet."
        self.meaning = would if found.muted else "Nothing that fires now would be quiet."
        self.quiet = [named(each) for each in found.alerts[:10]]
        self.spans = [SpanRow(each.starts_at.isoformat(), each.ends_at.isoformat()) for each in found.spans]

    @rx.event
    @requires(Permission.RESPOND)
    async def save(self, form: dict[str, Any]) -> rx.event.EventSpec | None:
        """Keep what the form says: a new silence, or a change of this one."""
        self.faults = {}
        try:
            spec = self._spec(form, await self._zone())
            if self.is_new:
                made = await call(self, silences.create, spec, UUID(form["team"]) if form.get("team") else None)
            else:
                made = await call(self, silences.change, self._uuid(self.silence.id), spec | self._said_by, self._version)
        except Invalid as error:
            self.faults = faults(error)
            return None
        except Conflict as error:
            self.faults = {"general": str(error)}
            return None
        await tell(self, "good", f"“{made.comment}” is kept.")
        return rx.redirect("/silences")

    @rx.event
    @requires(Permission.RESPOND)
    async def end(self) -> rx.event.EventSpec:
        """End it now."""
        self.round += 1
        await call(self, silences.end, self._uuid(self.silence.id))
        await tell(self, "good", f"“{self.silence.comment}” is over. What still fires is in its incident now.")
        return rx.redirect("/silences")

    async def _zone(self) -> str:
        return (await actor_of(self)).time_zone or "UTC"

    async def _read(self) -> None:
        if (named := self._named()) == NEW:
            await self._begin()
            return
        view = await call(self, silences.show, named)
        self.silence, self.is_new = row(view), False
        self.may_respond = (await actor_of(self)).may(Permission.RESPOND, view.team_id) and not view.over
        if not self.drawn:
            self._version, self.drawn, self.form = view.version, f"{view.id}-{view.version}", values(view)
        self.is_stale = self._version != view.version
        self._said_by = {"created_by": view.spec["created_by"]} if view.spec.get("created_by") else {}

    async def _begin(self) -> None:
        self.is_new, self.may_respond = True, may(await actor_of(self), Permission.RESPOND)
        if self.drawn == NEW:
            return
        self.drawn, self.form = NEW, _EMPTY | {"zone": await self._zone()} | await self._asked()
        known = await call(self, teams.all, Paging(limit=200))
        self.team_choices = [TeamChoice(str(team.id), team.name) for team in known.items]

    async def _asked(self) -> dict[str, str]:
        """What the address says already: an alert to be quiet, or a silence to make again."""
        asked = self.router.url.query_parameters
        try:
            if id := asked.get("alert"):
                alert = await call(self, alerts.show, id)
                return {"matchers": said.matchers(matchers_of(alert)), "comment": f"“{alert.title}”"}
            if id := asked.get("again"):
                before = values(await call(self, silences.show, id))
                return before | {"starts": "", "ends": "", "lasts": str(_USUAL_MINUTES)}
        except AiopsError:
            return {}
        return {"matchers": (asked.get("match") or "")[:2000]}

    def _spec(self, form: dict[str, Any], viewers: str) -> dict[str, Any]:
        zone = str(form.get("zone") or "").strip() or viewers
        starts = _wall(form.get("starts"), "starts") or _now(zone)
        lasts = forms.number(form, "lasts")
        ends = starts + timedelta(minutes=lasts) if lasts else _wall(form.get("ends"), "ends")
        if ends is None:
            raise Invalid.field("ends", "Say when it ends, or how long it lasts.")
        spec = {"matchers": said.matchers_of(str(form.get("matchers") or "")), "comment": form.get("comment") or "", "zone": zone}
        chosen = str(form.get("repeats") or "")
        rule = str(form.get("rule") or "") if chosen in ("", _OTHER) else chosen
        return spec | {"starts": starts.isoformat(), "ends": ends.isoformat(), "rule": rule}


_EMPTY = {"matchers": "", "comment": "", "starts": "", "ends": "", "lasts": str(_USUAL_MINUTES), "zone": "UTC", "repeats": "", "rule": ""}
_OTHER = "other"
REPEATS = (
    ("", "once"),
    ("FREQ=DAILY", "every day"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every working day"),
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=MONTHLY", "every month"),
    (_OTHER, "by the rule beside"),
)


def values(view: SilenceView) -> dict[str, str]:
    """The controls of the form, of what is kept."""
    spec = view.spec
    known = {rule for rule, _ in REPEATS}
    repeats = {"repeats": view.rule, "rule": ""} if view.rule in known else {"repeats": _OTHER, "rule": view.rule}
    times = {name: _shown(spec[name]) for name in ("starts", "ends")}
    return _EMPTY | {"matchers": said.matchers(spec["matchers"]), "comment": view.comment, "lasts": "", "zone": view.zone} | times | repeats


def _shown(wall: str) -> str:
    at = datetime.fromisoformat(wall)
    return at.isoformat(timespec="seconds" if at.second else "minutes")


def matchers_of(alert: AlertView) -> list[dict[str, str]]:
    """What names this alert, and little else: its labels; of one that has none, its places."""
    labels = [{"name": name, "value": value} for name, value in sorted(alert.labels.items()) if 0 < len(value) <= _LONGEST]
    places = [{"name": name, "value": value} for name in _MATCHED if (value := getattr(alert, name))]
    return (labels or places)[:_MOST_MATCHERS]


def lasting(alert: AlertView, hours: int, zone: str) -> dict[str, Any]:
    """A silence of this alert alone, from now on. Raises Invalid when nothing names it."""
    if not 1 <= hours <= _MOST_HOURS:
        raise Invalid(f"Silence it for 1 to {_MOST_HOURS} hours.")
    matchers = matchers_of(alert)
    if not matchers:
        raise Invalid("This alert has no labels by which it could be named; silence its service or source instead.")
    starts = _now(zone)
    times = {"starts": starts.isoformat(), "ends": (starts + timedelta(hours=hours)).isoformat(), "zone": zone}
    return times | {"matchers": matchers, "comment": f"“{alert.title[:200]}” for {hours} h"}


def _now(zone: str) -> datetime:
    """This minute on the wall clock of a zone. Raises Invalid when there is no such zone."""
    try:
        return datetime.now(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, second=0, microsecond=0)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        raise Invalid.field("zone", f"“{zone[:60]}” is no time zone; write one such as Europe/Berlin.") from None


def _wall(text: Any, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=None) if text else None
    except ValueError:
        raise Invalid.field(name, "Write a day and a time.") from None


watch("/silences/[silence_id]", SilenceState.refresh, "silence")
