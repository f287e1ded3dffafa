"""The dashboard: how the installation is, and what happened lately."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import banner, card, facts, icon, mark, number
from aiops_ui.components.platform import moment
from aiops_ui.layout import frame
from state.session import SessionState
from state.system import SystemState

el = rx.el


def page() -> rx.Component:
    """Today."""
    faults = rx.foreach(SystemState.faults, lambda words: banner("critical", words))
    numbers = el.div(
        number("Installation", rx.cond(SystemState.well, "All is well", "Needs attention"), "Processes, database, disk and queue"),
        number("People", SystemState.people, "in this organization"),
        rx.cond(
            SessionState.permissions.contains("manage_tokens"), number("API tokens", SystemState.tokens, "for programs that call this API")
        ),
        class_name="numbers-row",
    )
    health = card(
        "Platform",
        facts(
            ("Database", SystemState.database),
            ("Disk", SystemState.disk),
            ("Worker's tick", SystemState.tick),
            ("Job queue", SystemState.queue),
        ),
        icon_name="heart-pulse",
        actions=(el.a("Details", href="/system"),),
    )
    is_young = SystemState.loaded & ((SystemState.people < 2) | (SystemState.tokens < 1))
    manages = SessionState.permissions.contains("manage_people")
    sees_audit = SessionState.permissions.contains("view_audit")
    left = el.div(rx.cond(sees_audit, _lately(), health), class_name="stack")
    right = el.div(rx.cond(sees_audit, health), rx.cond(manages & is_young, _first_steps()), class_name="stack")
    return frame("Today", faults, numbers, el.div(left, right, class_name="columns"))


def _lately() -> rx.Component:
    return card(
        "Lately",
        el.table(
            el.thead(el.tr(el.th("When"), el.th("Who"), el.th("What"), el.th("On"))),
            el.tbody(rx.foreach(SystemState.acts, _act)),
            class_name="cards",
        ),
        icon_name="scroll-text",
        actions=(el.a("Audit log", href="/audit"),),
        bare=True,
    )


def _first_steps() -> rx.Component:
    return card(
        "First steps",
        el.ul(
            _step("users", "/people", "Invite the people who are on call"),
            _step("network", "/teams", "Make teams for what each sees"),
            _step("key-round", "/tokens", "Make an API token for scripts"),
            class_name="stack",
        ),
        icon_name="list-checks",
    )


def _act(act: Any) -> rx.Component:
    what = rx.cond(act.refused, el.span(mark("warning"), " refused ", act.operation), act.operation)
    return el.tr(
        el.td(moment(act.at, SessionState.time_zone)),
        el.td(act.actor),
        el.td(what, class_name="mono"),
        el.td(act.target, class_name="wide soft"),
    )


def _step(icon_name: str, path: str, words: str) -> rx.Component:
    return el.li(el.a(icon(icon_name), el.span(words), href=path, class_name="place"))
