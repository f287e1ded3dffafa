"""Settings: of this browser, of the person, of the organization."""

import reflex as rx

from aiops_ui.components.browser import Callers
from aiops_ui.components.parts import button, card, icon
from aiops_ui.layout import frame
from state.session import SessionState

el = rx.el
_PLACES = (
    ("users", "People", "/people", "view", "who is here, and as what"),
    ("network", "Teams", "/teams", "view", "who sees what"),
    ("key-round", "API tokens", "/tokens", "manage_tokens", "for scripts and programs"),
    ("scroll-text", "Audit", "/audit", "view_audit", "who did what"),
    ("plug", "Sources", "/sources", "view", "who sends alerts"),
    ("heart-pulse", "System", "/system", "view", "how the installation is"),
)


def page() -> rx.Component:
    """Places to go, and the switches of this browser."""
    places = el.ul(*(_place(*place) for place in _PLACES), class_name="places")
    theme = el.div(
        el.div(el.b("Light or dark"), el.div("This browser only; it begins with what the system says.", class_name="hint")),
        button(icon("sun-moon"), "Change", on_click=rx.toggle_color_mode),
        class_name="pair",
    )
    profile = el.p(
        el.a("Your profile", href="/profile"),
        ": name, password, time zone (",
        rx.cond(SessionState.time_zone != "", SessionState.time_zone, "that of the browser"),
        "), open sessions.",
        class_name="soft",
    )
    return frame(
        "Settings",
        el.div(
            card("Organization", places, icon_name="building-2"),
            el.div(
                card("This browser", theme, Callers.create(), icon_name="monitor"),
                card("You", profile, icon_name="circle-user"),
                class_name="stack",
            ),
            class_name="columns",
        ),
    )


def _place(icon_name: str, words: str, path: str, permission: str, about: str) -> rx.Component:
    shown = el.li(el.a(icon(icon_name), el.span(el.b(words), el.span(about, class_name="hint")), href=path, class_name="option"))
    return rx.cond(SessionState.permissions.contains(permission), shown)
