"""Sources: who sends alerts here, and how is each of them?"""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import banner, button, close_button, dialog, dialog_button, empty, icon, table, tag
from aiops_ui.components.platform import moment
from aiops_ui.layout import frame
from state.session import SessionState
from state.sources import SourcesState

el = rx.el
CONFIGURES = SessionState.permissions.contains("configure")


def page() -> rx.Component:
    """The list, live, and the demonstration."""
    add = el.a(icon("plus"), "Add a source", el.kbd("n"), href="/sources/new", class_name="button primary", custom_attrs={"data-key": "n"})
    offer = rx.cond(SourcesState.demo_offered, button(icon("play"), "Watch the demonstration", on_click=SourcesState.start_demo))
    nothing = empty(
        "Nothing sends alerts here yet. Add the first source: it takes a minute, and the page shows the lines to paste.",
        rx.cond(CONFIGURES, el.div(add, offer, class_name="actions")),
    )
    columns = ["Name", "Kind", "State", "Last seen", "Alerts", "Rejected", "Quarantined"]
    rows = table(columns, SourcesState, _row, nothing)
    acts = rx.cond(CONFIGURES & (SourcesState.rows.length() > 0), add)
    return frame("Sources", _demo(), el.section(rows, class_name="card"), _remove(), actions=(acts,))


def _demo() -> rx.Component:
    words = rx.cond(SourcesState.demo_running, "The demonstration is playing. ", "The demonstration is here. ")
    remove = rx.cond(CONFIGURES, dialog_button("remove-demo", "Remove it", kind="small"))
    return rx.cond(SourcesState.demo_here, banner("suggested", el.div(words, "Its sources, alerts and incidents are not real. ", remove)))


def _remove() -> rx.Component:
    return dialog(
        "remove-demo",
        "Remove the demonstration",
        el.p("Its sources, alerts and incidents go for good. What is yours stays."),
        el.footer(
            close_button("remove-demo"),
            button(
                "Remove", kind="danger", on_click=SourcesState.remove_demo, custom_attrs={"command": "close", "commandfor": "remove-demo"}
            ),
        ),
    )


def _row(source: Any) -> rx.Component:
    waits = rx.cond(source.quarantined > 0, el.a(source.quarantined, href="/quarantine"), "0")
    return el.tr(
        el.td(el.a(source.name, href=source.href, class_name="strong"), class_name="wide title-of"),
        el.td(source.kind, class_name="mono soft"),
        el.td(tag(source.state, source.state_kind), title=source.failure),
        el.td(moment(source.seen_at, SessionState.time_zone)),
        el.td(source.alerts, class_name="numbers soft end", custom_attrs={"data-label": "Alerts"}),
        el.td(source.rejected, class_name="numbers soft end", custom_attrs={"data-label": "Rejected"}),
        el.td(waits, class_name="numbers soft end", custom_attrs={"data-label": "Quarantined"}),
        key=source.id,
        custom_attrs={"data-row": source.id},
    )
