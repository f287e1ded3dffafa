"""What does the page of one rule remember?"""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import reflex as rx

from engine.errors import AiopsError, Invalid, NotFound
from engine.model.alerts import TraceLine
from engine.model.conditions import Comparison
from engine.model.jobs import JobView
from engine.model.views import Paging
from engine.model.vocabulary import DefinitionKind, JobState, Permission, Severity
from engine.operations import alerts, jobs, rules
from engine.operations.definitions import Kind
from state import form as forms
from state import words
from state.call import actor_of, call, requires
from state.definition import DefinitionState, faults, json_of, json_text, one_of_lines
from state.live import watch
from state.named import Named, named

_SHOWN, _WIDTH, _HEIGHT = 12, 600, 120
_FIELDS = ["title", "description", "severity", "service", "environment", "resource", "team", "source", "kind", "status"]
_TEXTS = ("severity", "service", "environment", "team", "runbook")
_NOTHING_YET = {"analyse": True}  # changes nothing of an alert
_FLAGS = ("suppress", "notify_only", "analyse")


@dataclass
class Column:
    """Alerts of a time and those of them that a rule holds of, drawn from the ground up; and both numbers."""

    x: str
    width: str
    top: str
    height: str
    held_top: str
    held_height: str
    at: str
    alerts: str
    matched: str


@dataclass
class Answer:
    """What a rule would have done: in words, with alerts and a picture."""

    words: str = ""
    changes: str = ""
    alerts: list[Named] = field(default_factory=list)
    bars: list[Column] = field(default_factory=list)
    most: str = ""
    since: str = ""


@dataclass
class TraceRow:
    """A part of a condition, as deep as it lies in it."""

    depth: int
    said: str
    seen: str
    holds: bool


class RuleState(DefinitionState, rx.State):
    """One rule: its form, what it does to alerts of late and of the past, and its versions."""

    KIND: ClassVar[Kind] = DefinitionKind.RULE
    PLACE: ClassVar[str] = "/rules"

    fields: list[str] = []
    may_ask: bool = False
    lately: Answer = Answer()
    wrong: str = ""
    history: Answer = Answer()
    job: str = ""
    asking: bool = False
    progress: int = 0
    note: str = ""
    tried: list[TraceRow] = []
    tried_title: str = ""
    tried_words: str = ""
    tried_mark: str = ""
    _said: dict[str, Any] = {}
    _with: str = ""

    @rx.event
    @requires(Permission.VIEW)
    async def said(self, form: dict[str, str]) -> None:
        """Ask the rule, as it is written now, about the newest alerts, and about the one that it is tried with."""
        self._said = form
        try:
            spec = self._asked_with(form)
            found = await call(self, rules.try_lately, spec)
            await self._try(spec)
        except Invalid as error:
            self.faults, self.wrong = faults(error), "What is written cannot be asked yet: look at the fields in red."
            return
        except (NotFound, ValueError):
            self.wrong = "The alert that this page was opened for is gone."
            return
        self.faults, self.wrong = {}, ""
        self.lately = answer(found.alerts, found.matched, found.changes, [named(each) for each in found.newest[:_SHOWN]])

    @rx.event
    @requires(Permission.VIEW)
    async def try_with(self, form: dict[str, Any]) -> None:
        """Try the rule with the newest alert that has these words."""
        try:
            found = await call(self, alerts.search, q=str(form.get("words") or ""), page=Paging(limit=1))
            if not found.items:
                raise Invalid.field("q", "No alert has these words.")
            self._with = str(found.items[0].id)
            await self._try(self._asked_with(self._said or self.form))
        except Invalid as error:
            self.faults = self.faults | faults(error)
        else:
            self.faults = {name: words for name, words in self.faults.items() if name != "q"}

    @rx.event
    @requires(Permission.CONFIGURE)
    async def ask_history(self, form: dict[str, Any]) -> None:
        """Have a worker ask the rule about days of the past, and follow it."""
        try:
            spec = self._asked_with(self._said or self.form)
            made = await call(self, rules.request_dry_run, spec, forms.number(form, "days") or 30)
        except Invalid as error:
            self.faults = faults(error)
            return
        self.job, self.asking, self.progress, self.note, self.history = str(made.id), True, 0, "waiting for a worker", Answer()

    @rx.event
    @requires(Permission.CONFIGURE)
    async def cancel(self) -> None:
        """Ask no further."""
        await call(self, jobs.cancel, UUID(self.job))
        await self._follow()

    def _forget(self) -> None:
        self.lately, self.history, self.wrong, self.job, self.asking = Answer(), Answer(), "", "", False
        self.tried, self.tried_title, self.tried_words, self._said, self._with = [], "", "", {}, ""

    def _about(self) -> str:
        """The alert that the rule is tried with: one that was looked for, or that of the address."""
        return self._with or self.router.url.query_parameters.get("alert") or ""

    async def _try(self, spec: dict[str, Any]) -> None:
        if not (about := self._about()):
            return
        trial = await call(self, rules.try_out, spec, UUID(about))
        self.tried_title = (await call(self, alerts.show, about)).title
        self.tried, self.tried_mark = trace(trial.trace), "good" if trial.holds else "unstated"
        does = "" if spec["then"] is _NOTHING_YET else ": " + (", ".join(trial.did) or "nothing would change")
        self.tried_words = f"holds{does}" if trial.holds else "does not hold"

    async def _know(self) -> None:
        await self._follow()
        self.may_ask = (await actor_of(self)).may(Permission.CONFIGURE)
        if not self.fields:
            newest = await call(self, alerts.search, page=Paging(limit=100))
            labels = {f"labels.{name}" for alert in newest.items for name in alert.labels}
            self.fields = [*_FIELDS, *sorted(labels)]

    async def _fresh(self) -> dict[str, str]:
        """A rule for alerts like the one that the address names, or an empty one."""
        usual = self._values({"when": {"field": "service", "value": ""}})
        if not (about := self._about()):
            return usual
        try:
            alert = await call(self, alerts.show, about)
        except AiopsError:
            return usual
        self.tried_title = alert.title
        same = [("title", alert.title), ("service", alert.service), ("environment", alert.environment)]
        parts = [Comparison(field=name, value=value[:1000]) for name, value in same if value]
        return self._values({"when": {"all": [part.model_dump(mode="json", exclude_defaults=True) for part in parts]}})

    async def _follow(self) -> None:
        if not self.asking:
            return
        try:
            found = await call(self, jobs.show, self.job)
        except NotFound:
            self.asking = False
            return
        self.progress, self.note = round(found.progress * 100), found.note
        self.asking = found.state in (JobState.WAITING, JobState.RUNNING)
        if not self.asking:
            self.history = _of_job(found)

    def _asked_with(self, form: dict[str, Any]) -> dict[str, Any]:
        """What a form says so far, with a name and something to do, so that it can be asked. Raises Invalid by field."""
        spec = self._spec(form)
        return spec | {"name": form.get("name") or "a new rule", "then": spec["then"] or _NOTHING_YET}

    def _spec(self, form: dict[str, Any]) -> dict[str, Any]:
        then: dict[str, Any] = {name: said for name in _TEXTS if (said := str(form.get(name) or "").strip())}
        then |= {name: True for name in _FLAGS if form.get(name)}
        then |= {"labels": labels} if (labels := forms.pairs(str(form.get("labels") or ""), "labels")) else {}
        then |= {"group_by": names} if (names := one_of_lines(form.get("group_by"))) else {}
        then |= {"hold_minutes": held} if (held := forms.number(form, "hold_minutes")) else {}
        if count := forms.number(form, "count"):
            minutes = forms.number(form, "minutes")
            then["threshold"] = {"count": count, "of": form.get("of") or "alerts", "minutes": 10 if minutes is None else minutes}
        kept = {"name": form.get("name", ""), "description": form.get("description") or "", "stop": bool(form.get("stop"))}
        return kept | {"enabled": self.enabled, "when": json_of(str(form.get("when") or ""), "when"), "then": then}

    def _values(self, spec: dict[str, Any]) -> dict[str, str]:
        then = spec.get("then", {})
        gate = then.get("threshold", {})
        return {
            "name": spec.get("name", ""),
            "description": spec.get("description", ""),
            "when": json_text(spec.get("when", {"all": []})),
            "stop": "on" if spec.get("stop") else "",
            **{name: then.get(name) or "" for name in _TEXTS},
            **{name: "on" if then.get(name) else "" for name in _FLAGS},
            "labels": "\n".join(f"{name} = {value}" for name, value in then.get("labels", {}).items()),
            "group_by": "\n".join(then.get("group_by", [])),
            "hold_minutes": str(then.get("hold_minutes") or ""),
            "count": str(gate.get("count", "")),
            "of": gate.get("of", "alerts"),
            "minutes": str(gate.get("minutes", "")),
        }


def trace(lines: tuple[TraceLine, ...]) -> list[TraceRow]:
    """Why a condition holds, a line each part."""
    return [TraceRow(line.depth, line.said, line.seen, line.holds) for line in lines]


def answer(looked_at: int, matched: int, changes: dict[str, int], shown: list[Named]) -> Answer:
    """What a rule would have done, in words."""
    said = f"Holds of {matched:,} of {looked_at:,} alerts" if looked_at else "There are no alerts to ask it about yet"
    changed = ", ".join(f"{name} of {count:,}" for name, count in sorted(changes.items()))
    return Answer(said, f"would change {changed}" if changed else "", shown)


def _of_job(found: JobView) -> Answer:
    """What a dry run has found, as its job keeps it."""
    if (told := found.result) is None or found.state is not JobState.DONE:
        return Answer("Cancelled." if found.state is JobState.CANCELLED else found.error or "It came to nothing.")
    shown = [_shown(each) for each in told["newest"][:_SHOWN]]
    made = answer(told["alerts"], told["matched"], told["changes"], shown)
    bars: list[dict[str, Any]] = told["bars"]
    most = max((bar["alerts"] for bar in bars), default=0)
    made.bars = [_bar(place, bar, max(1, most), len(bars)) for place, bar in enumerate(bars)]
    made.most, made.since = f"{most:,}", bars[0]["at"] if bars else ""
    return made


def _bar(place: int, bar: dict[str, Any], most: int, count: int) -> Column:
    width = _WIDTH / max(1, count)
    high, held = (bar[name] / most * _HEIGHT for name in ("alerts", "matched"))
    drawn = (place * width, max(1.0, width - 2), _HEIGHT - high, high, _HEIGHT - held, held)
    return Column(*(f"{each:.1f}" for each in drawn), at=bar["at"], alerts=f"{bar['alerts']:,}", matched=f"{bar['matched']:,}")


def _shown(said: dict[str, Any]) -> Named:
    severity = Severity(said["severity"]) if said["severity"] else None
    return Named(said["title"], f"/alerts/{said['id']}", words.mark(severity), words.severity(severity), said["first_seen_at"])


watch("/rules/[rule_id]", RuleState.refresh, "rule", "job")
