"""Rules: what is decided about alerts, in which order?"""

from typing import Any

import reflex as rx

from aiops_ui.components.builder import Order
from aiops_ui.components.deciding import RULES_TABS, tabs
from aiops_ui.components.parts import button, empty, icon, table, tag
from aiops_ui.layout import frame
from state.rules import RulesState
from state.session import SessionState

el = rx.el
STATE = RulesState
CONFIGURES = SessionState.permissions.contains("configure")
_COLUMNS = ["Order", "Rule", "Holds when", "Does", "Held, 24 h", ""]


def page() -> rx.Component:
    """The rules in their order, with how often each held."""
    add = el.a(icon("plus"), "New rule", el.kbd("n"), href="/rules/new", class_name="button primary", custom_attrs={"data-key": "n"})
    export = button(icon("download"), "Export", on_click=STATE.export)
    none = empty(
        "There are no rules yet. A rule changes, groups, holds or quiets the alerts that it holds of.",
        rx.cond(
            CONFIGURES, el.div(add, el.a("Take over those of another product", href="/imports", class_name="button"), class_name="actions")
        ),
    )
    acts = (rx.cond(STATE.rows.length() > 0, export), rx.cond(CONFIGURES & (STATE.rows.length() > 0), add))
    return frame(
        "Rules",
        tabs(RULES_TABS, "/rules"),
        el.section(table(_COLUMNS, STATE, _row, none), class_name="card rules"),
        Order.create(on_move=STATE.move),
        about="Asked from the top, each about the alert as those before have left it. Drag one to ask it earlier or later.",
        actions=acts,
    )


def _row(row: Any) -> rx.Component:
    handle = el.span(
        icon("grip-vertical"), class_name="handle", draggable=True, title="Drag to change the order", custom_attrs={"data-handle": ""}
    )
    up = button(icon("arrow-up"), kind="small plain", aria_label="Ask " + row.name + " earlier", on_click=STATE.step(row.id, -1))
    down = button(icon("arrow-down"), kind="small plain", aria_label="Ask " + row.name + " later", on_click=STATE.step(row.id, 1))
    moves = STATE.may_configure & ~row.provisioned
    switch = button(
        rx.cond(row.enabled, "On", "Off"),
        kind="small",
        aria_pressed=row.enabled,
        aria_label=row.name + " is asked",
        on_click=STATE.switch(row.id, ~row.enabled),
    )
    marks = rx.fragment(
        rx.cond(~row.enabled, tag("off")),
        rx.cond(row.stop, tag("stops here")),
        rx.cond(row.team, tag("of a team")),
        rx.cond(row.provisioned, tag("from a file")),
        rx.cond(row.hint != "", el.span(icon("triangle-alert"), row.hint, class_name="warning-text second")),
    )
    return el.tr(
        el.td(el.div(rx.cond(moves, handle), el.span(row.place, class_name="mono muted"), class_name="pair"), class_name="place-of"),
        el.td(el.a(row.name, href="/rules/" + row.id, class_name="strong"), marks, class_name="wide title-of"),
        el.td(row.when, class_name="soft words", title=row.when),
        el.td(row.then, class_name="soft words", title=row.then),
        el.td(row.hits, class_name="numbers end", custom_attrs={"data-label": "held in 24 h"}),
        el.td(rx.cond(moves, el.div(up, down, switch, class_name="row")), class_name="end"),
        key=row.id,
        custom_attrs={"data-row": row.id},
    )
