"""The frame around every page: sidebar, top bar, toasts, and what is shown while the connection is lost."""

from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from aiops_ui.components.parts import button, empty, icon, mark
from aiops_ui.components.platform import plain_form
from state.live import LiveState
from state.session import SessionState
from state.toasts import ToastState

el = rx.el
PRODUCT = "Remediation Engine"


def frame(
    title: Any, *content: Any, about: Any = None, actions: tuple[rx.Component, ...] = (), crumbs: tuple[tuple[str, str], ...] = ()
) -> rx.Component:
    """A page of somebody who is signed in."""
    from aiops_ui.routes import NAVIGATION

    heading = el.div(
        el.div(el.h1(title), el.p(about) if about is not None else rx.fragment()), el.div(*actions, class_name="actions"), class_name="head"
    )
    page = el.div(_top_bar(title, crumbs), el.main(heading, *content, id="content", tab_index=-1), class_name="page")
    return el.div(_skip(), el.div(_sidebar(NAVIGATION), page, class_name="frame"), _toasts())


def refused(title: str) -> rx.Component:
    """What stands in place of a page that the person's role does not show."""
    words = "Your role does not show this page. An owner of your organization can change that."
    return frame(title, el.section(empty(words, el.a("Go to the dashboard", href="/", class_name="button")), class_name="card"))


def front(title: str, *content: Any) -> rx.Component:
    """A page of somebody who is not signed in yet."""
    brand = el.div(icon("activity"), el.span(PRODUCT), class_name="brand")
    return el.main(
        el.section(el.div(brand, el.h1(title), *content, class_name="inside"), class_name="card"), class_name="door", id="content"
    )


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
    here = rx.State.router.url.path == route.path
    link = el.a(icon(route.icon), el.span(route.title), href=route.path, class_name="place", aria_current=rx.cond(here, "page", "false"))
    return rx.cond(SessionState.permissions.contains(str(route.permission)), link)


def _person() -> rx.Component:
    leave = plain_form(
        el.input(type="hidden", name="csrf", value=SessionState.csrf, read_only=True),
        el.button(icon("log-out"), el.span("Sign out"), type="submit", class_name="place"),
        action="/auth/sign-out",
    )
    return el.div(
        el.a(icon("circle-user"), el.span(SessionState.name), href="/profile", class_name="place", title=SessionState.email), leave
    )


def _top_bar(title: str, crumbs: tuple[tuple[str, str], ...]) -> rx.Component:
    trail = [part for words, path in crumbs for part in (el.a(words, href=path), " / ")]
    menu = button(icon("menu"), kind="plain menu-button", aria_label="Menu", custom_attrs={"popovertarget": "navigation"})
    return el.header(
        menu,
        el.nav(*trail, title, class_name="crumbs", aria_label="Where you are"),
        _live(),
        el.span(SessionState.organization, class_name="tag phone-hidden"),
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
        return el.div(mark(toast.mark), el.div(el.div(toast.words), trace), close, class_name="toast", key=toast.id)

    return el.div(rx.foreach(ToastState.toasts, line), class_name="toasts", aria_live="polite", role="status")
