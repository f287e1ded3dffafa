"""What does a list with filters remember? All of it is in the page's address, so that it can be kept and sent to others."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import reflex as rx

from engine.errors import Invalid
from engine.model.views import Facet, Facets, Page, Paging
from engine.model.vocabulary import ListPage, Permission
from engine.operations import saved_views
from state.call import answering, call, requires
from state.sharing import drawn, following
from state.table import TableState

_FACETS_EVERY = 3.0  # seconds; what the list can be narrowed to need not be as fresh as its rows
_LONGEST = 300
_MOST_OPTIONS = 20


@dataclass
class Option:
    """A value that the list can be narrowed to."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass
class FacetRow:
    """A field by which the list can be narrowed; `chosen` says to what it is now."""

    name: str
    title: str
    chosen: str
    options: list[Option] = field(default_factory=list)
    is_long: bool = False


@dataclass
class ViewRow:
    """A saved view."""

    id: str
    name: str
    query: str


class ListState(TableState, rx.State, mixin=True):
    """Filters, order, saved views, and rows that wait while somebody reads.

    A list names its `FACETS` (field and title), its other `FILTERS`, its `ORDERS`, and reads by `_page`, `_some` and `_counts`.
    """

    LIST: ClassVar[ListPage]
    FACETS: ClassVar[dict[str, str]] = {}
    FILTERS: ClassVar[tuple[str, ...]] = ()
    ORDERS: ClassVar[tuple[str, ...]] = ()

    filters: dict[str, str] = {}
    sort: str = ""
    query: str = ""
    facets: list[FacetRow] = []
    views: list[ViewRow] = []
    waiting: int = 0
    settled: int = 0
    fault: str = ""
    _reading: bool = False
    _facets_at: float = 0.0
    _shown: dict[str, int] = {}  # the rows on the page by their ids, each with a mark of what it says
    _shown_for: str = ""
    _glows: bool = False

    @rx.event
    @requires(Permission.VIEW)
    async def arrive(self) -> None:
        """Set the filters that the address says."""
        said = dict(parse_qsl(self.router.url.query, keep_blank_values=False)) if self.router.url.query else {}
        self.filters = {name: value[:_LONGEST] for name, value in said.items() if name in (*self.FACETS, *self.FILTERS)}
        self.words, self.sort = said.get("q", "")[:200], said.get("sort", "") if said.get("sort") in self.ORDERS else ""
        self._cursors = [said["after"]] if said.get("after") else []
        self._facets_at, self._reading, self.loaded = 0.0, False, False
        self.views = [ViewRow(str(v.id), v.name, v.query) for v in await call(self, saved_views.all, self.LIST)]
        self._say()

    @rx.event
    @requires(Permission.VIEW)
    async def refresh(self) -> Any:
        """Read again what is shown. While somebody reads, new rows wait; those on the page are brought up to date."""
        with following():
            if self._reading and self.loaded and self._shown:
                await self._freshen()
            else:
                await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def count(self) -> None:
        """Count what the list can be narrowed to."""
        self._facets_at = time.monotonic()
        with following():
            counted = {facet.name: facet for facet in (await self._counts(self.filters)).facets}
            self.facets = [await self._facet(name, counted) for name in self.FACETS]

    @rx.event
    @requires(Permission.VIEW)
    async def show_waiting(self) -> Any:
        """Show the rows that waited."""
        self._reading = False
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def read_on(self, reading: bool) -> Any:
        """Note whether somebody reads; who stops gets what waited."""
        self._reading = reading
        if reading or not self.waiting:
            return None
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def search(self, words: str) -> Any:
        """Look for words."""
        self.words = words[:200]
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def narrow(self, name: str, value: str) -> Any:
        """Narrow the list to a value of a field; the same again, or an empty one, widens it."""
        self._filter(name, value if self.filters.get(name) != value else "")
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def narrow_by(self, form: dict[str, Any]) -> Any:
        """Narrow the list to what was typed; the field's name is the control's."""
        for name, value in form.items():
            self._filter(name, str(value).strip())
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def order(self, by: str) -> Any:
        """Sort by a column; again, the other way round."""
        if by not in self.ORDERS:
            return None
        self.sort = by if self.sort != by else by.removeprefix("-") if by.startswith("-") else f"-{by}"
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.VIEW)
    async def clear(self) -> Any:
        """Take all filters off."""
        self.filters, self.words = {}, ""
        self._anew()
        await self._read()
        return self._counting()

    @rx.event
    @requires(Permission.PROFILE)
    async def save_view(self, form: dict[str, Any]) -> None:
        """Keep these filters under a name."""
        await call(self, saved_views.save, self.LIST, form.get("name", ""), urlencode(self._asked()))
        self.views = [ViewRow(str(v.id), v.name, v.query) for v in await call(self, saved_views.all, self.LIST)]

    @rx.event
    @requires(Permission.PROFILE)
    async def forget_view(self, view_id: str) -> None:
        """Forget a saved view."""
        await call(self, saved_views.delete, view_id)
        self.views = [view for view in self.views if view.id != view_id]

    @rx.event
    @requires(Permission.VIEW)
    async def act(self, name: str, ids: list[str]) -> None:
        """Do something to rows. What is refused is put back, with the reason."""
        async with answering(self):
            await self._act(name, ids[:200])
        await self._freshen()

    def _filter(self, name: str, value: str) -> None:
        """Set a filter that this list knows, or take it off."""
        if name in (*self.FACETS, *self.FILTERS):
            rest = {known: told for known, told in self.filters.items() if known != name}
            self.filters = rest | ({name: value[:_LONGEST]} if value else {})

    async def _read(self) -> None:
        """Read this part of the list. A filter that is not understood is said, and the rows stay."""
        try:
            page = await self._page(self._paging())
        except Invalid as error:
            self.fault, self.loaded = str(error), True
            return
        self.fault, self.waiting = "", 0
        self._say()
        self._put(page.items)
        self._took(page, self.LIST.value.removesuffix("s"))

    async def _freshen(self) -> None:
        """Bring the rows that are shown up to date, and count those that wait above them."""
        if not self._shown:
            await self._read()
            return
        self._put(await self._some(list(self._shown)))
        if self._cursors or self.sort or self.fault:
            return
        newest = await self._page(Paging(limit=50))
        known = dict(self._shown)
        self.waiting = sum(str(item.id) not in known for item in newest.items[: self._above(newest.items)])
        self.total = self._counted(newest, self.LIST.value.removesuffix("s"))

    def _above(self, items: Sequence[Any]) -> int:
        """How many of the newest rows stand above the first one that is shown."""
        shown = dict(self._shown)
        return next((place for place, item in enumerate(items) if str(item.id) in shown), len(items))

    def _put(self, items: Sequence[Any]) -> None:
        """Show rows; what is new or has changed since glows for a moment. Another part of the list, or another list, does not."""
        before, made = dict(self._shown), drawn(self._row, items)
        if self._shown_for == self.query and [*before.items()] == [*made.marks.items()] and not self._glows:
            return
        glows = bool(before) and self.loaded and self._shown_for == self.query
        fresh = {id for id, mark in made.marks.items() if glows and before.get(id) != mark}
        self.rows = [replace(row, fresh=True) if row.id in fresh else row for row in made.rows]
        self._shown, self._shown_for, self._glows = made.marks, self.query, bool(fresh)

    def _counting(self) -> Any:
        """What counts anew, once the rows are shown; nothing when that was done a moment ago."""
        is_due = not self.fault and time.monotonic() - self._facets_at >= _FACETS_EVERY
        return type(self).count if is_due else None

    async def _facet(self, name: str, counted: dict[str, Facet]) -> FacetRow:
        """A field; of one that is narrowed, the other values too."""
        now = self.filters.get(name, "")
        if now:
            rest = {known: told for known, told in self.filters.items() if known != name}
            counted = {facet.name: facet for facet in (await self._counts(rest)).facets}
        values = counted[name].values if name in counted else ()
        # Only of severities `not stated` can be asked for.
        known = [v for v in values if v.value != "none" or name == "severity"]
        options = [Option(v.value, self._label(name, v.value, v.label), v.count, v.value == now) for v in known]
        chosen = next((option.label for option in options if option.chosen), now)
        return FacetRow(name, self.FACETS[name], chosen, options, len(options) >= _MOST_OPTIONS)

    def _label(self, name: str, value: str, label: str) -> str:
        """How people say a value."""
        said = "not stated" if value == "none" else label.replace("_", " ")
        return said.capitalize() if name in ("severity", "status") else said

    async def _page(self, part: Paging) -> Page[Any]:
        raise NotImplementedError

    async def _some(self, ids: list[str]) -> Sequence[Any]:
        raise NotImplementedError

    async def _counts(self, filters: dict[str, str]) -> Facets:
        raise NotImplementedError

    def _row(self, item: Any) -> Any:
        raise NotImplementedError

    async def _act(self, name: str, ids: list[str]) -> None:
        raise NotImplementedError

    def _anew(self) -> None:
        """From the beginning, as something else is asked for."""
        self._cursors, self._facets_at, self.waiting = [], 0.0, 0
        self._say()

    def _say(self) -> None:
        after = {"after": self._cursors[-1]} if self._cursors else {}
        self.query = urlencode(self._asked() | after)

    def _asked(self) -> dict[str, str]:
        """Filters, words and order, without the part of the list."""
        return self.filters | ({"q": self.words} if self.words else {}) | ({"sort": self.sort} if self.sort else {})
