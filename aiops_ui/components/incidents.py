"""Parts that show incidents and alerts, the same wherever they stand."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import button, icon, mark, tag
from aiops_ui.components.platform import moment
from state.session import SessionState

el = rx.el
MAY_RESPOND = SessionState.permissions.contains("respond")
_ICONS = """
siren bell bell-ring bell-off activity move-right gauge circle-dot user-check user-plus message-square pencil check rotate-ccw merge split
""".split()


def severity(row: Any) -> rx.Component:
    """The mark of a severity with its word."""
    return el.span(mark(row.mark), el.span(row.severity), class_name="severity " + row.mark)


def status(row: Any) -> rx.Component:
    """The status of an incident; an act that waits for the server is shown here at once."""
    return el.span(tag(row.status, row.status_kind), class_name="status-of")


def incident_row(row: Any, *, marks: bool = False) -> rx.Component:
    """An incident in a list."""
    box = el.td(el.input(type="checkbox", aria_label=f"Mark #{row.number}", custom_attrs={"data-mark": ""}), class_name="box")
    age = rx.cond(row.is_over, moment(row.resolved_at, SessionState.time_zone), moment(row.opened_at, SessionState.time_zone))
    return el.tr(
        *((box,) if marks else ()),
        el.td(row.number, class_name="mono muted number-of"),
        el.td(severity(row), class_name="severity-of"),
        el.td(
            el.a(row.title, href=row.href, class_name="strong"),
            el.span(row.services, class_name="muted second"),
            class_name="wide title-of",
        ),
        el.td(status(row), class_name="state-of"),
        el.td(rx.cond(row.owner != "", row.owner, el.span("nobody yet", class_name="muted")), class_name="soft owner-of"),
        el.td(row.alerts, class_name="numbers soft end many-of"),
        el.td(age, class_name="soft end age-of"),
        key=row.id,
        class_name=rx.cond(row.fresh, "fresh", ""),
        custom_attrs={"data-row": row.id},
    )


def quiet_tag(row: Any) -> rx.Component:
    """That something keeps an alert quiet, and what."""
    return rx.cond(row.quiet != "", el.span(row.quiet, title=row.quiet_by, class_name="tag suggested"))


def alert_row(row: Any) -> rx.Component:
    """An alert in a list."""
    incident = rx.cond(row.incident != "", el.a(row.incident, href=row.incident_href, class_name="mono"), el.span("–", class_name="muted"))
    return el.tr(
        el.td(el.input(type="checkbox", aria_label="Mark " + row.title, custom_attrs={"data-mark": ""}), class_name="box"),
        el.td(severity(row), class_name="severity-of"),
        el.td(
            el.a(row.title, href=row.href, class_name="strong"),
            rx.cond(row.flapping, tag("flapping", "warning")),
            quiet_tag(row),
            rx.cond(row.acknowledged_by != "", el.span(" ", row.acknowledged_by, " looks after it", class_name="muted second")),
            class_name="wide title-of",
        ),
        el.td(row.resource, class_name="mono soft cut state-of resource-of"),
        el.td(row.service, class_name="soft cut owner-of"),
        el.td(row.source, class_name="soft cut source-of"),
        el.td(row.count, class_name="numbers soft end many-of"),
        el.td(incident, class_name="end status-of number-of"),
        el.td(moment(row.seen_at, SessionState.time_zone), class_name="soft end age-of"),
        key=row.id,
        class_name=rx.cond(row.fresh, "fresh", ""),
        custom_attrs={"data-row": row.id},
    )


def act(name: str, *inside: Any, key: str = "", kind: str = "", **more: Any) -> rx.Component:
    """A button that acts on what is marked, on the row under the cursor, or on the page's own thing (`data-id`)."""
    hint = (el.kbd(key),) if key else ()
    attributes = {"data-act": name} | ({"data-key": key} if key else {}) | more.pop("custom_attrs", {})
    return button(*inside, *hint, kind=kind, custom_attrs=attributes, **more)


def timeline_icon(line: Any) -> rx.Component:
    """What stands for a line of the timeline."""
    known = [(name, icon(name)) for name in _ICONS]
    return el.span(rx.match(line.icon, *known, icon("circle")), class_name="dot " + line.look, aria_hidden="true")
