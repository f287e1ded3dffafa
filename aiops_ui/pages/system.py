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
            card("Processes", rows, icon_name="cpu", bare=True), card("Measures", measures, links, icon_name="gauge"), class_name="columns"
        ),
    )


def _row(process: Any) -> rx.Component:
    return el.tr(
        el.td(process.kind, class_name="strong"),
        el.td(process.name, class_name="mono soft wide"),
        el.td(process.version, class_name="mono"),
        el.td(moment(process.started_at, SessionState.time_zone)),
        el.td(moment(process.seen_at, SessionState.time_zone)),
        key=process.name,
    )
