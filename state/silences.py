"""What do the list of silences and their calendar remember?"""

from calendar import Calendar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

import reflex as rx

from engine.model.vocabulary import Permission
from engine.operations import silences
from engine.operations.silences import Occurrence, SilenceView
from state import said, words
from state.call import actor_of, call, requires, tell
from state.live import watch
from state.table import TableState

_A_DAY, _A_WEEK = 3, 20  # entries of a day that are shown in a month and in a week
_MONDAYS = Calendar()
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


@dataclass
class SilenceRow:
    """A silence as a row; `at` is when it ends, or begins next."""

    id: str
    href: str
    comment: str
    matchers: str
    author: str
    state: str
    kind: str
    when: str
    at: str
    again: str
    is_once: bool
    is_over: bool


class SilencesState(TableState, rx.State):
    """The silences that count now or later, or those that are over."""

    rows: list[SilenceRow] = []
    over: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the list again."""
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def search(self, words: str) -> None:
        """Look for words in the comment."""
        self._look_for(words)
        await self._read()

    @rx.event
    @requires(Permission.VIEW)
    async def show(self, which: str) -> None:
        """Show those that count, or those that are over."""
        self.over = which == "over"
        self._look_for(self.words)
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def extend(self, id: str, hours: int) -> None:
        """Let one last longer."""
        view = await call(self, silences.show, UUID(id))
        if view.ends_at is not None and hours in (1, 24):
            await call(self, silences.extend, UUID(id), view.ends_at + timedelta(hours=hours))
        await self._read()

    @rx.event
    @requires(Permission.RESPOND)
    async def end(self, id: str) -> None:
        """End one now."""
        view = await call(self, silences.end, UUID(id))
        await tell(self, "good", f"“{view.comment}” is over. What still fires is in its incident now.")
        await self._read()

    async def _read(self) -> None:
        page = await call(self, silences.all, self.over, self.words, self._paging())
        self.rows = [row(view) for view in page.items]
        self._took(page, "silence")


@dataclass
class Entry:
    """A silence on a day."""

    href: str
    hours: str
    words: str
    recurs: bool


@dataclass
class Day:
    """A day of the calendar, with its silences; `more` have no room."""

    date: str
    label: str
    is_today: bool
    is_outside: bool
    silences: list[Entry] = field(default_factory=list)
    more: int = 0


class CalendarState(rx.State):
    """When it is quiet: a month or a week, in the viewer's zone."""

    days: list[Day] = []
    title: str = ""
    zone: str = ""
    view: str = "month"
    query: str = ""
    loaded: bool = False
    _at: str = ""

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Show what the address says."""
        asked = self.router.url.query_parameters
        self.view = "week" if asked.get("view") == "week" else "month"
        self._at, self.loaded = asked.get("at") or "", False

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> None:
        """Read the silences of these days again."""
        actor = await actor_of(self)
        zone = ZoneInfo(actor.time_zone or "UTC")
        today = datetime.now(UTC).astimezone(zone).date()
        at = _date(self._at) or today
        days = _month(at) if self.view == "month" else _week(at)
        since = datetime.combine(days[0], time(), zone)
        until = datetime.combine(days[-1] + timedelta(days=1), time(), zone)
        found = await call(self, silences.calendar, since, until)
        most = _A_DAY if self.view == "month" else _A_WEEK
        outside = at.month if self.view == "month" else 0
        self.days = [_day(day, [each for each in found if _is_on(each, day, zone)], zone, most) for day in days]
        for shown, day in zip(self.days, days, strict=True):
            shown.is_today, shown.is_outside = day == today, bool(outside) and day.month != outside
        self.title = f"{at:%B %Y}" if self.view == "month" else f"{days[0]:%-d %B} to {days[-1]:%-d %B %Y}"
        self.zone, self._at, self.loaded = actor.time_zone or "UTC", at.isoformat(), True
        self.query = urlencode({"view": self.view, "at": self._at})

    @rx.event
    @requires(Permission.VIEW)
    async def look(self, view: str) -> Any:
        """Look at a month, or at a week."""
        self.view = "week" if view == "week" else "month"
        return CalendarState.refresh

    @rx.event
    @requires(Permission.VIEW)
    async def turn(self, by: int) -> Any:
        """Go to the one before (-1), the next one (1), or to today (0)."""
        at = _date(self._at)
        if by == 0 or at is None:
            self._at = ""
        elif self.view == "week":
            self._at = (at + timedelta(days=7 if by > 0 else -7)).isoformat()
        else:
            first = at.replace(day=1)
            self._at = ((first + timedelta(days=31)) if by > 0 else (first - timedelta(days=1))).replace(day=1).isoformat()
        return CalendarState.refresh


def row(view: SilenceView) -> SilenceRow:
    """A silence as a row."""
    now = view.current is not None
    state, kind = ("Over", "") if view.over else ("In force", "suggested") if now else ("To come", "info")
    at = view.ends_at if view.over else view.current.ends_at if view.current else view.next.starts_at if view.next else None
    return SilenceRow(
        id=str(view.id),
        href=f"/silences/{view.id}",
        comment=view.comment,
        matchers=said.matchers(view.spec["matchers"]),
        author=view.author,
        state=state,
        kind=kind,
        when="ended" if view.over else "ends" if now else "begins",
        at=words.iso(at),
        again=again(view.rule),
        is_once=not view.rule,
        is_over=view.over,
    )


def again(rule: str) -> str:
    """How a silence comes again, in words where that is short."""
    parts = {name: value for name, _, value in (part.partition("=") for part in rule.upper().split(";") if part)}
    often = {"DAILY": "every day", "WEEKLY": "every week", "MONTHLY": "every month", "YEARLY": "every year"}.get(parts.pop("FREQ", ""), "")
    days = parts.pop("BYDAY", "")
    return f"{often}{' on ' + days.replace(',', ', ').title() if days else ''}" if not parts else rule


def _date(said: str) -> date | None:
    """A day that a calendar can show; None for anything else."""
    try:
        found = date.fromisoformat(said)
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _month(at: date) -> list[date]:
    return list(_MONDAYS.itermonthdates(at.year, at.month))


def _week(at: date) -> list[date]:
    return [at + timedelta(days=n - at.weekday()) for n in range(7)]


def _is_on(each: Occurrence, day: date, zone: ZoneInfo) -> bool:
    begins, ends = (datetime.combine(day + timedelta(days=n), time(), zone) for n in (0, 1))
    return each.starts_at < ends and each.ends_at > begins


def _day(day: date, found: list[Occurrence], zone: ZoneInfo, most: int) -> Day:
    entries = [Entry(f"/silences/{each.silence_id}", _hours(each, day, zone), each.comment, each.recurs) for each in found[:most]]
    return Day(day.isoformat(), f"{day:%a %-d}", False, False, entries, max(0, len(found) - most))


def _hours(each: Occurrence, day: date, zone: ZoneInfo) -> str:
    """Its hours on a day; what goes on from the day before, or to the next, says so."""
    starts, ends = (at.astimezone(zone) for at in (each.starts_at, each.ends_at))
    since = f"{starts:%H:%M}" if starts.date() == day else "…"
    is_midnight = ends == datetime.combine(day + timedelta(days=1), time(), zone)
    until = "24:00" if is_midnight else f"{ends:%H:%M}" if ends.date() == day else "…"
    return "all day" if since == until == "…" else f"{since}–{until}"


watch("/silences", SilencesState.refresh, "silence")
watch("/silences/calendar", CalendarState.refresh, "silence")
