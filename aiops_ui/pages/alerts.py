"""Alerts: which conditions fire?"""

import reflex as rx

from aiops_ui.components.incidents import MAY_RESPOND, act, alert_row
from aiops_ui.components.lists import filter_bar, hands, listing, many
from aiops_ui.components.parts import dialog, dialog_button, empty, icon, text_input
from aiops_ui.layout import frame
from state.alerts import AlertsState
from state.session import SessionState

el = rx.el
_STATES = (("firing", "Firing"), ("resolved", "Resolved"), ("all", "All"))
_COLUMNS = (
    ("", "", "box"),
    ("Severity", "severity", "w-severity"),
    ("Alert", "", ""),
    ("Resource", "", "w-name resource-of"),
    ("Service", "", "w-state"),
    ("Source", "", "w-name source-of"),
    ("Fired", "", "w-many end"),
    ("Incident", "", "w-many end"),
    ("First seen", "first_seen_at", "w-age end"),
)


def page() -> rx.Component:
    """The list, live, with its filters and what is done with many."""
    narrowed = (AlertsState.filters.length() > 0) | (AlertsState.words != "")
    quiet = empty("Nothing fires.", el.a("Where alerts come from", href="/sources", class_name="button"))
    rows = listing(AlertsState, _COLUMNS, alert_row, rx.cond(narrowed, empty("No alert fits these filters."), quiet))
    return frame(
        "Alerts",
        el.section(filter_bar(AlertsState, _STATES, "firing"), _matchers(), rows, rx.cond(MAY_RESPOND, _many()), class_name="card"),
        hands(AlertsState),
        _delete(),
    )


def _matchers() -> rx.Component:
    now = AlertsState.filters.get("match", "")
    box = text_input(
        "match", placeholder='Labels: job="node", instance=~"db.*"', aria_label="Label matchers", default_value=now, key="match-" + now
    )
    return el.form(icon("filter"), box, on_submit=AlertsState.narrow_by, class_name="row under-bar")


def _many() -> rx.Component:
    deletes = SessionState.permissions.contains("configure")
    return many(
        act("acknowledge", icon("user-check"), "Acknowledge", key="e", kind="small primary"),
        act("resolve", icon("check"), "Close", key="r", kind="small"),
        rx.cond(deletes, dialog_button("delete", icon("trash-2"), "Delete", kind="small danger")),
    )


def _delete() -> rx.Component:
    return dialog(
        "delete",
        "Delete the marked alerts",
        el.p("They and their histories are gone for good. The timelines of their incidents stay."),
        el.footer(act("delete", icon("trash-2"), "Delete", kind="danger")),
    )
