"""Incidents: which problems are there?"""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Remembered
from aiops_ui.components.incidents import MAY_RESPOND, act, incident_row
from aiops_ui.components.lists import filter_bar, hands, listing, many
from aiops_ui.components.parts import dialog, dialog_button, empty, icon
from aiops_ui.layout import frame
from state.incidents import IncidentsState

el = rx.el
_STATES = (("open", "Open"), ("resolved", "Resolved"), ("all", "All"))
_COLUMNS = (
    ("", "", "box"),
    ("#", "number", "w-number"),
    ("Severity", "severity", "w-severity"),
    ("Incident", "", ""),
    ("Status", "", "w-state"),
    ("Owner", "", "w-name"),
    ("Alerts", "", "w-many end"),
    ("Age", "opened_at", "w-age end"),
)


def page() -> rx.Component:
    """The list, live, with its filters and what is done with many."""
    narrowed = (IncidentsState.filters.length() > 0) | (IncidentsState.words != "")
    nothing = rx.cond(narrowed, empty("No incident fits these filters."), empty("Nothing is open. All is quiet.", _sources()))
    rows = listing(IncidentsState, _COLUMNS, lambda row: incident_row(row, marks=True), nothing)
    return frame(
        "Incidents",
        el.section(filter_bar(IncidentsState, _STATES, "open"), rows, rx.cond(MAY_RESPOND, _many()), class_name="card"),
        hands(IncidentsState),
        Remembered.create(incidents=IncidentsState.seen),
        rx.cond(MAY_RESPOND, _assign()),
        rx.cond(MAY_RESPOND, _merge()),
    )


def _sources() -> rx.Component:
    return el.a("Where alerts come from", href="/sources", class_name="button")


def _many() -> rx.Component:
    return many(
        act("acknowledge", icon("user-check"), "Acknowledge", key="e", kind="small primary"),
        act("resolve", icon("check"), "Resolve", key="r", kind="small"),
        dialog_button("assign", icon("user-plus"), "Assign", kind="small", on_click=IncidentsState.choose_people),
        dialog_button("merge", icon("merge"), "Merge", kind="small"),
    )


def _assign() -> rx.Component:
    def person(each: Any) -> rx.Component:
        return el.button(each.name, type="button", class_name="option", custom_attrs={"data-act": "assign:" + each.id})

    nobody = el.button("Nobody", type="button", class_name="option", custom_attrs={"data-act": "assign"})
    me = el.button("Me", type="button", class_name="option", custom_attrs={"data-act": "assign:me"})
    return dialog(
        "assign", "Assign the marked incidents to", el.div(me, rx.foreach(IncidentsState.choices, person), nobody, class_name="options")
    )


def _merge() -> rx.Component:
    return dialog(
        "merge",
        "Merge the marked incidents",
        el.p("All their alerts go into the one with the lowest number; the others are resolved as merged. Alerts can be split off again."),
        el.footer(act("merge", icon("merge"), "Merge", kind="primary")),
    )
