"""The frame around every page: sidebar, top bar, toasts, and what is shown while the connection is lost."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from aiops_ui.components.browser import Attention, Drafts, Forgotten, Keys, Palette
from aiops_ui.components.parts import button, dialog, empty, icon, mark
from aiops_ui.components.platform import plain_form
from engine.model.vocabulary import Permission
from state.frame import FrameState
from state.live import LiveState
from state.session import SessionState
from state.toasts import ToastState

el = rx.el
PRODUCT = "Remediation Engine"


@dataclass(frozen=True)
class Trail:
    """Where the page is: the pages above it, and its own name when that is not its title."""

    above: tuple[tuple[str, str], ...] = ()
    here: Any = None


def frame(
    title: Any, *content: Any, about: Any = None, above: Any = None, actions: tuple[rx.Component, ...] = (), trail: Trail = Trail()
) -> rx.Component:
    """A page of somebody who is signed in. `above` stands over its title, `actions` at its right; on a phone, at the bottom."""
    from aiops_ui.routes import NAVIGATION

    words = el.div(above if above is not None else rx.fragment(), el.h1(title), el.p(about) if about is not None else rx.fragment())
    heading = el.div(words, el.div(*actions, class_name="actions"), class_name="head")
    main = el.main(heading, *content, id="content", tab_index=-1)
    page = el.div(_top_bar(title if trail.here is None else trail.here, trail.above), main, class_name="page")
    return el.div(_skip(), el.div(_sidebar(NAVIGATION), page, class_name="frame"), _toasts(), _keys(), *_browser(NAVIGATION))


def refused(title: str) -> rx.Component:
    """What stands in place of a page that the person's role does not show."""
    words = "Your role does not show this page. An owner of your organization can change that."
    return frame(title, el.section(empty(words, el.a("Go to the dashboard", href="/", class_name="button")), class_name="card"))


def front(title: str, *content: Any) -> rx.Component:
    """A page of somebody who is not signed in yet."""
    brand = el.div(icon("activity"), el.span(PRODUCT), class_name="brand")
    inside = el.section(el.div(brand, el.h1(title), *content, class_name="inside"), class_name="card")
    return el.main(inside, Forgotten.create(), class_name="door", id="content")


def offline() -> rx.Component:
    """What is shown on every page while the server cannot be reached; it goes by itself."""
    words = "The connection is lost. Trying again; what you typed is kept."
    return rx.cond(has_connection_errors, el.div(mark("warning"), words, class_name="offline", role="alert"))


def _skip() -> rx.Component:
    return el.a("Skip to the content", href="#content", class_name="skip")


def _sidebar(groups: Any) -> rx.Component:
    parts: list[rx.Component] = [el.a(icon("activity"), el.span(PRODUCT), href="/", class_name="brand")]
    for group, routes in groups:
        if group:
            parts.append(el.div(group, class_name="group"))
        parts += [_place(route) for route in routes]
    parts.append(el.div(_person(), class_name="end"))
    return el.nav(*parts, class_name="sidebar", id="navigation", aria_label="Main", custom_attrs={"popover": "auto"})


def _place(route: Any) -> rx.Component:
    path = rx.State.router.url.path
    here = path == route.path
    for above in (route.path, *route.family) if route.path != "/" else ():
        here = here | (path == above) | path.startswith(above + "/")
    more = {"data-go": route.key} if route.key else {}
    link = el.a(
        icon(route.icon),
        el.span(route.title),
        _count(route.path),
        href=route.path,
        class_name="place",
        aria_current=rx.cond(here, "page", "false"),
        custom_attrs=more,
    )
    # Before it is known who looks, what everybody may see stands where it will stand.
    known = SessionState.permissions.contains(str(route.permission))
    return rx.cond(known | (SessionState.name == "") if route.permission is Permission.VIEW else known, link)


def _count(path: str) -> rx.Component:
    """How many wait there."""
    counts = {
        "/incidents": (FrameState.open_incidents, rx.cond(FrameState.critical > 0, "count critical", "count")),
        "/alerts": (FrameState.firing_alerts, "count"),
        "/quarantine": (FrameState.quarantined, "count"),
    }
    if path not in counts:
        return rx.fragment()
    number, kind = counts[path]
    return rx.cond(number > 0, el.span(number, class_name=kind))


def _browser(groups: Any) -> tuple[rx.Component, ...]:
    """What the browser does on every page: the palette, and calling somebody who looks elsewhere."""
    places = [{"title": r.title, "path": r.path, "key": r.key, "permission": str(r.permission)} for _, routes in groups for r in routes]
    places += [{"title": title, "path": path, "key": "", "permission": permission} for title, path, permission in _ALSO]
    palette = Palette.create(
        places=places, allowed=SessionState.permissions, found=FrameState.found, on_words=FrameState.look_up, on_go=FrameState.go
    )
    urgent = Attention.create(count=FrameState.open_incidents, number=FrameState.urgent_number, title=FrameState.urgent_title)
    return palette, urgent, Keys.create(), Drafts.create(lost=has_connection_errors)


# Pages that the palette reaches though the sidebar does not show them.
_ALSO = (
    ("Add a source", "/sources/new", "configure"),
    ("New silence", "/silences/new", "respond"),
    ("Calendar of silences", "/silences/calendar", "view"),
    ("Inhibition", "/inhibitions", "view"),
    ("New rule", "/rules/new", "configure"),
    ("Enrichment", "/enrichment", "view"),
    ("Imports", "/imports", "configure"),
    ("Your profile", "/profile", "profile"),
)
_HINTS = (
    ("g then a letter", "go: d dashboard, i incidents, a alerts, s silences, o sources, u rules, q quarantine, , settings"),
    ("j · k", "down and up in a list"),
    ("Enter", "open the row"),
    ("x", "mark the row"),
    ("e", "acknowledge"),
    ("r", "resolve"),
    ("c", "comment; Ctrl+Enter sends it"),
    ("n", "new"),
    ("/", "search this list"),
    ("Ctrl+K or ⌘K", "go anywhere, do anything"),
    ("Esc", "leave"),
    ("?", "this help"),
)


def _keys() -> rx.Component:
    rows = el.dl(*(part for keys, words in _HINTS for part in (el.dt(el.kbd(keys)), el.dd(words))), class_name="facts")
    return dialog("keys", "Keys", rows)


def _person() -> rx.Component:
    leave = plain_form(
        el.input(type="hidden", name="csrf", value=SessionState.csrf, read_only=True),
        el.button(icon("log-out"), el.span("Sign out"), type="submit", class_name="place"),
        action="/auth/sign-out",
    )
    return el.div(
        el.div(el.span(SessionState.organization), class_name="group"),
        el.a(
            icon("circle-user"),
            el.span(rx.cond(SessionState.name != "", SessionState.name, "Your profile")),
            href="/profile",
            class_name="place",
            title=SessionState.email,
        ),
        leave,
    )


def _top_bar(title: Any, crumbs: tuple[tuple[str, str], ...]) -> rx.Component:
    trail = [part for words, path in crumbs for part in (el.a(words, href=path), " / ")]
    menu = button(icon("menu"), kind="plain menu-button", aria_label="Menu", custom_attrs={"popovertarget": "navigation"})
    return el.header(
        menu,
        el.nav(*trail, title, class_name="crumbs", aria_label="Where you are"),
        el.button(
            icon("search"),
            el.span("Search or jump to…"),
            el.kbd("⌘K"),
            type="button",
            class_name="jump",
            aria_label="Search or jump to",
            custom_attrs={"data-palette": ""},
        ),
        _live(),
        el.button(
            icon("sun-moon"), class_name="button plain small", type="button", aria_label="Light or dark", on_click=rx.toggle_color_mode
        ),
        class_name="topbar",
    )


def _live() -> rx.Component:
    lost = el.span(mark("critical"), "lost", class_name="live", role="status")
    late = el.span(mark("warning"), "late", class_name="live", role="status")
    live = el.span(mark("good"), "live", class_name="live", role="status")
    return rx.cond(has_connection_errors, lost, rx.cond(LiveState.hears, live, late))


def _toasts() -> rx.Component:
    def line(toast: Any) -> rx.Component:
        trace = rx.cond(toast.trace != "", el.div("Trace ", el.span(toast.trace, class_name="mono"), class_name="muted"))
        close = button(icon("x"), kind="plain small", aria_label="Dismiss", on_click=ToastState.dismiss(toast.id))
        return el.div(mark(toast.mark), el.div(el.div(toast.words), trace), close, class_name="toast " + toast.mark, key=toast.id)

    return el.div(rx.foreach(ToastState.toasts, line), class_name="toasts", aria_live="polite", role="status")
