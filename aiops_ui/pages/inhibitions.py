"""Inhibition: while one alert fires, which others are quiet?"""

import reflex as rx

from aiops_ui.components.deciding import QUIET_TABS, defined, editor, line_input, lines_input, named, tabs
from aiops_ui.components.parts import card, empty, icon
from aiops_ui.layout import frame
from state.enrichment import InhibitionsState, InhibitionState
from state.session import SessionState

el = rx.el
CONFIGURES = SessionState.permissions.contains("configure")


def page() -> rx.Component:
    """The list."""
    new = {"href": "/inhibitions/new", "class_name": "button primary", "custom_attrs": {"data-key": "n"}}
    add = rx.cond(CONFIGURES, el.a(icon("plus"), "New inhibition", el.kbd("n"), **new))
    words = "There are none yet. While a source fires, its targets are quiet: a node that is down says enough for its services."
    none = empty(words, add)
    filled = rx.cond(InhibitionsState.rows.length() > 0, defined(InhibitionsState.rows), none)
    rows = el.section(rx.cond(InhibitionsState.loaded, filled, el.div(class_name="skeleton")), class_name="card")
    return frame("Inhibition", tabs(QUIET_TABS, "/inhibitions"), rows, actions=(rx.cond(InhibitionsState.rows.length() > 0, add),))


def inhibition() -> rx.Component:
    """One inhibition."""
    sources = 'Matchers: alertname="NodeDown", severity=~"critical|error"'
    form = named(
        InhibitionState,
        lines_input(InhibitionState, "sources", "While these fire", sources, required=True),
        lines_input(InhibitionState, "targets", "these are quiet", 'Matchers: severity="warning"', required=True),
        line_input(InhibitionState, "equal", "if they have the same", "Labels, with commas between them, such as node, cluster."),
        line_input(InhibitionState, "reason", "Why", "Stands beside each alert that it keeps quiet."),
        line_input(InhibitionState, "expires", "Until (UTC)", "Empty: for good.", type="datetime-local"),
        words="Keep the inhibition",
    )
    trail = (("Silences", "/silences"), ("Inhibition", "/inhibitions"))
    return editor(InhibitionState, "inhibition", card("The inhibition", form, icon_name="bell-off"), trail=trail)
