"""One alert: what it says, what happened to it, why it is what it is."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Hands
from aiops_ui.components.deciding import traced
from aiops_ui.components.incidents import MAY_RESPOND, act, severity
from aiops_ui.components.parts import banner, button, card, close_button, counted, dialog, dialog_button, empty, facts, icon, tag
from aiops_ui.components.platform import code, exact_moment
from aiops_ui.layout import Trail, frame
from state.alert import AlertState
from state.session import SessionState

el = rx.el
ALERT = AlertState.alert
ZONE = SessionState.time_zone


def page() -> rx.Component:
    """What fires, where, since when; its labels and its history; each decision with its reason."""
    missing = el.section(
        empty("There is no such alert, or you may not see it.", el.a("All alerts", href="/alerts", class_name="button")), class_name="card"
    )
    left = el.div(rx.cond(AlertState.quiet.length() > 0, _quiet()), _said(), _history(), _deliveries(), class_name="stack")
    right = el.div(_times(), _why(), class_name="stack")
    is_here = AlertState.loaded & ~AlertState.missing
    return frame(
        rx.cond(ALERT.title != "", ALERT.title, "Alert"),
        rx.cond(
            AlertState.missing,
            missing,
            rx.cond(AlertState.loaded, el.div(left, right, class_name="columns"), el.div(class_name="skeleton")),
        ),
        Hands.create(settled=AlertState.settled, on_act=AlertState.act),
        rx.cond(is_here, _delete()),
        above=rx.cond(is_here, _above(), el.div(class_name="above")),
        actions=(rx.cond(is_here, _acts()),),
        trail=Trail((("Alerts", "/alerts"),)),
    )


def _above() -> rx.Component:
    incident = rx.cond(ALERT.incident != "", el.a("Incident ", ALERT.incident, href=ALERT.incident_href))
    return el.div(
        severity(ALERT),
        el.span(rx.cond(ALERT.is_over, rx.fragment(), tag("Firing", "critical")), class_name="status-of"),
        rx.cond(ALERT.flapping, tag("Flapping", "warning")),
        rx.cond(ALERT.acknowledged_by != "", el.span(icon("user-check"), ALERT.acknowledged_by, class_name="tag")),
        incident,
        class_name="above",
        custom_attrs={"data-thing": ALERT.id},
    )


def _acts() -> rx.Component:
    own = {"data-id": ALERT.id}
    acknowledge = act("acknowledge", icon("user-check"), "Acknowledge", key="e", kind="primary", custom_attrs=own)
    going = rx.fragment(
        rx.cond(ALERT.acknowledged_by == "", acknowledge), act("resolve", icon("check"), "Close", key="r", custom_attrs=own)
    )
    write = el.a(icon("list-checks"), "Write a rule", href="/rules/new?alert=" + ALERT.id, class_name="button phone-hidden")
    remove = rx.cond(SessionState.permissions.contains("configure"), dialog_button("delete", icon("trash-2"), "Delete", kind="danger"))
    acts = rx.cond(MAY_RESPOND & ~ALERT.is_over, rx.fragment(going, _silence()))
    return el.div(acts, rx.cond(SessionState.permissions.contains("configure"), write), remove, class_name="actions")


def _silence() -> rx.Component:
    """Quiet in two clicks: for how long."""

    def option(words: str, hours: int) -> rx.Component:
        return el.button(words, type="button", class_name="option", on_click=AlertState.silence(hours))

    longer = el.a("Longer, or again and again …", href="/silences/new?alert=" + ALERT.id, class_name="option")
    lasts = (("For 1 hour", 1), ("For 2 hours", 2), ("For 8 hours", 8), ("For 1 day", 24))
    return el.details(
        el.summary(icon("bell-off"), "Silence", class_name="button"),
        el.div(*(option(*each) for each in lasts), longer, class_name="options right"),
        class_name="facet",
        key=f"silence-{AlertState.silenced}",
    )


def _quiet() -> rx.Component:
    """What keeps it quiet, and until when."""

    def line(each: Any) -> rx.Component:
        until = rx.cond(each.until != "", el.span(", until ", exact_moment(each.until, ZONE)))
        return banner("suggested", rx.cond(each.href != "", el.a(each.words, href=each.href), each.words), until)

    return el.div(rx.foreach(AlertState.quiet, line), class_name="stack tight")


def _pairs(rows: Any) -> rx.Component:
    return el.dl(rx.foreach(rows, lambda pair: rx.fragment(el.dt(pair.name), el.dd(pair.value))), class_name="facts")


def _said() -> rx.Component:
    description = rx.cond(AlertState.description != "", el.p(AlertState.description))

    def link(each: Any) -> rx.Component:
        more = {"target": "_blank", "rel": "noopener noreferrer", "class_name": "button small"}
        return el.a(icon("external-link"), each.name, href=each.value, **more)

    links = rx.cond(AlertState.links.length() > 0, el.div(rx.foreach(AlertState.links, link), class_name="actions"))
    labels = el.div(
        rx.foreach(
            AlertState.labels, lambda pair: el.span(el.span(pair.name, class_name="muted"), "=", pair.value, class_name="tag mono label")
        ),
        class_name="tags",
    )
    annotations = rx.cond(
        AlertState.annotations.length() > 0, el.div(el.h3("Annotations"), _pairs(AlertState.annotations), class_name="stack")
    )
    return card(
        "What its sender says", description, links, _pairs(AlertState.facts), el.h3("Labels"), labels, annotations, icon_name="bell"
    )


def _times() -> rx.Component:
    def time(name: str) -> rx.Component:
        return rx.cond(AlertState.times[name] != "", exact_moment(AlertState.times[name], ZONE), el.span("not stated", class_name="muted"))

    shown = (("Began", "starts_at"), ("Ended", "ends_at"), ("First seen", "first_seen_at"), ("Last seen", "last_seen_at"))
    return card("When", facts(*((words, time(name)) for words, name in shown)), icon_name="clock")


def _why() -> rx.Component:
    def reason(each: Any) -> rx.Component:
        score = rx.cond(each.score >= 0, el.span(each.score, " %", class_name="muted numbers"))
        return el.li(
            el.div(el.b(each.decision), " ", score),
            el.div(each.why, class_name="soft"),
            rx.cond(each.trace.length() > 0, el.details(el.summary("Why it held", class_name="soft"), traced(each.trace))),
            el.div(each.stage, class_name="muted"),
            class_name="reason",
        )

    return card("Why it is what it is", el.ul(rx.foreach(AlertState.reasons, reason), class_name="stack"), icon_name="circle-help")


def _history() -> rx.Component:
    def line(each: Any) -> rx.Component:
        return el.tr(
            el.td(exact_moment(each.at, ZONE)),
            el.td(tag(each.kind)),
            el.td(rx.cond(each.severity != "", severity(each))),
            el.td(each.said, class_name="wide soft", title=each.said),
            key=each.id,
        )

    head = el.thead(el.tr(el.th("When"), el.th("What"), el.th("Severity"), el.th("Because")))
    return card(
        "History", el.table(head, el.tbody(rx.foreach(AlertState.history, line)), class_name="cards"), icon_name="history", bare=True
    )


def _deliveries() -> rx.Component:
    def body(each: Any) -> rx.Component:
        said = el.summary(exact_moment(each.at, ZONE), " · ", each.kind, " · ", counted(each.alerts, "alert"))
        return el.details(said, code(each.body), key=each.id)

    shown = el.div(rx.foreach(AlertState.bodies, body), class_name="stack")
    ask = button("Show what was delivered", kind="small", on_click=AlertState.show_deliveries)
    return card("Deliveries, as they came", rx.cond(AlertState.bodies.length() > 0, shown, ask), icon_name="inbox")


def _delete() -> rx.Component:
    return dialog(
        "delete",
        "Delete this alert",
        el.p("It and its history are gone for good. The timeline of its incident stays."),
        el.footer(close_button("delete"), act("delete", icon("trash-2"), "Delete", kind="danger", custom_attrs={"data-id": ALERT.id})),
    )
