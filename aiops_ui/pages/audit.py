"""Audit: who did what, and is the record whole?"""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import banner, button, empty, icon, mark, search_box, table
from aiops_ui.components.platform import exact_moment
from aiops_ui.layout import frame
from state.audit import AuditState
from state.session import SessionState

el = rx.el


def page() -> rx.Component:
    """The log, live, with its filters and its verification."""
    filters = el.header(
        search_box("Search person, act, target or address", AuditState.words, AuditState.search),
        el.select(
            el.option("All acts", value=""),
            rx.foreach(AuditState.operations, lambda name: el.option(name, value=name)),
            value=AuditState.operation,
            on_change=AuditState.only_operation,
            aria_label="Act",
            class_name="input",
        ),
        el.select(
            el.option("Done and refused", value=""),
            el.option("Done", value="done"),
            el.option("Refused", value="refused"),
            value=AuditState.outcome,
            on_change=AuditState.only_outcome,
            aria_label="Outcome",
            class_name="input",
        ),
        class_name="bar",
    )
    rows = table(["When", "Who", "Act", "On", "From", "#"], AuditState, _row, empty("Nothing fits these filters."))
    verify = button(icon("shield-check"), "Verify the chain", on_click=AuditState.verify, disabled=AuditState.verifying)
    return frame("Audit", _verification(), el.section(filters, rows, class_name="card"), actions=(verify,))


def _verification() -> rx.Component:
    bar = el.div(
        el.span(style={"width": f"{AuditState.progress}%"}), class_name="progress", role="progressbar", aria_valuenow=AuditState.progress
    )
    running = banner("info", el.div("Verifying the chain: ", AuditState.note), bar)
    verdict = banner(AuditState.verdict_mark, AuditState.verdict)
    return rx.cond(AuditState.verifying, running, rx.cond(AuditState.verdict != "", verdict))


def _row(entry: Any) -> rx.Component:
    refused = el.span(
        mark("warning"), " ", entry.operation, " refused", rx.cond(entry.times > 1, el.b(" ×", entry.times)), class_name="mono"
    )
    more = el.details(
        el.summary(rx.cond(entry.target != "", entry.target, "details")),
        el.pre(entry.detail, class_name="mono"),
        el.div("Trace ", el.span(entry.trace, class_name="mono"), class_name="muted"),
    )
    return el.tr(
        el.td(exact_moment(entry.at, SessionState.time_zone)),
        el.td(entry.actor, " ", rx.cond(entry.kind != "user", el.span(entry.kind, class_name="muted"))),
        el.td(rx.cond(entry.refused, refused, el.span(entry.operation, class_name="mono"))),
        el.td(more, class_name="wide"),
        el.td(entry.address, class_name="mono soft"),
        el.td(entry.seq, class_name="mono muted end"),
        key=entry.id,
    )
