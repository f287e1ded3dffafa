"""System: how the installation is."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import banner, card, facts
from aiops_ui.components.platform import moment
from aiops_ui.layout import frame
from state.session import SessionState
from state.system import SystemState

el = rx.el


def page() -> rx.Component:
    """Faults first, then the parts."""
    well = banner("good", "All is well: processes, database, disk and queue.")
    faults = rx.foreach(SystemState.faults, lambda words: banner("critical", words))
    head = rx.cond(SystemState.loaded, rx.cond(SystemState.well, well, el.div(faults, class_name="stack")), el.div(class_name="skeleton"))
    rows = el.table(
        el.thead(el.tr(el.th("Kind"), el.th("Process"), el.th("Version"), el.th("Started"), el.th("Heard"))),
        el.tbody(rx.foreach(SystemState.processes, _row)),
        class_name="cards",
    )
    measures = facts(
        ("Database", SystemState.database),
        ("Schema", SystemState.revision),
        ("Disk", SystemState.disk),
        ("Worker's tick", SystemState.tick),
        ("Job queue", SystemState.queue),
    )
    links = el.p(
        el.a("Health as JSON", href="/health", target="_blank"), " · ", el.a("API", href="/api/docs", target="_blank"), class_name="soft"
    )
    return frame(
        "System",
        head,
        el.div(
            el.div(card("Processes", rows, icon_name="cpu", bare=True), _tables(), class_name="stack"),
            card("Measures", measures, links, icon_name="gauge"),
            class_name="columns",
        ),
    )


def _tables() -> rx.Component:
    rows = el.table(
        el.thead(
            el.tr(
                el.th("Table"), el.th("Rows, about", class_name="end"), el.th("On disk", class_name="end"), el.th("A row", class_name="end")
            )
        ),
        el.tbody(rx.foreach(SystemState.tables, _table)),
        class_name="cards",
    )
    return rx.cond(SystemState.tables.length() > 0, card("What is kept", rows, icon_name="database", bare=True))


def _table(each: Any) -> rx.Component:
    shown = {"rows": each.rows, "on disk": each.size, "a row": each.per_row}
    numbers = (el.td(value, class_name="end numbers", custom_attrs={"data-label": name}) for name, value in shown.items())
    return el.tr(el.td(each.name, class_name="mono"), *numbers, key=each.name)


def _row(process: Any) -> rx.Component:
    return el.tr(
        el.td(process.kind, class_name="strong"),
        el.td(process.name, class_name="mono soft wide"),
        el.td(process.version, class_name="mono"),
        el.td(moment(process.started_at, SessionState.time_zone), custom_attrs={"data-label": "started"}),
        el.td(moment(process.seen_at, SessionState.time_zone), custom_attrs={"data-label": "heard"}),
        key=process.name,
    )
