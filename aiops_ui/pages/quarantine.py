"""Quarantine: what could not be understood, why, and what to do about it."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Hands
from aiops_ui.components.incidents import MAY_RESPOND, act
from aiops_ui.components.lists import many
from aiops_ui.components.parts import button, dialog, dialog_button, empty, icon, segments, table
from aiops_ui.components.platform import code, moment
from aiops_ui.layout import frame
from state.quarantine import QuarantinePageState
from state.session import SessionState

el = rx.el
STATE = QuarantinePageState
_STATES = (("waiting", "Waiting"), ("replayed", "Replayed"), ("discarded", "Discarded"))


def page() -> rx.Component:
    """The list, and the body of the one that is looked at."""
    head = el.header(segments("Which", _STATES, STATE.state, STATE.show_state), class_name="bar")
    nothing = empty(rx.cond(STATE.state == "waiting", "Everything that came was understood.", "Nothing is here."))
    rows = table(["", "Came", "Source", "Which part", "Why it was not understood", ""], STATE, _row, nothing)
    waits = STATE.state == "waiting"
    bulk = many(
        act("replay", icon("rotate-cw"), "Replay", kind="small primary"),
        rx.cond(waits, act("discard", icon("trash-2"), "Discard", kind="small danger")),
    )
    again = button(icon("rotate-cw"), "Replay all", on_click=STATE.replay_all)
    return frame(
        "Quarantine",
        el.section(head, rows, rx.cond(MAY_RESPOND & (STATE.state != "replayed"), bulk), class_name="card"),
        Hands.create(settled=STATE.settled, on_act=STATE.act),
        _look(),
        actions=(rx.cond(MAY_RESPOND & waits & (STATE.rows.length() > 0), again),),
        about="Nothing of it is lost. Mend the settings of its source, and replay it; what was discarded too.",
    )


def _row(entry: Any) -> rx.Component:
    look = dialog_button("look", "Look", kind="small plain", on_click=STATE.look(entry.id))
    return el.tr(
        el.td(el.input(type="checkbox", aria_label="Mark this entry", custom_attrs={"data-mark": ""}), class_name="box"),
        el.td(moment(entry.at, SessionState.time_zone)),
        el.td(el.a(entry.source, href=entry.source_href), el.span(" ", entry.kind, class_name="mono muted")),
        el.td(entry.part, class_name="soft"),
        el.td(entry.reason, " ", el.span(entry.handled, class_name="muted"), class_name="wide", title=entry.reason),
        el.td(look, class_name="end"),
        key=entry.id,
        custom_attrs={"data-row": entry.id},
    )


def _look() -> rx.Component:
    own = {"data-id": STATE.body_id}
    shown = el.div(
        el.p(STATE.body_reason, class_name="strong"),
        code(STATE.body),
        el.footer(
            el.a("Mend the source's settings", href=STATE.body_source, class_name="button"),
            rx.cond(MAY_RESPOND & (STATE.state == "waiting"), act("discard", "Discard", kind="danger", custom_attrs=own)),
            rx.cond(MAY_RESPOND & (STATE.state != "replayed"), act("replay", "Replay", kind="primary", custom_attrs=own)),
        ),
        class_name="stack",
    )
    return dialog("look", "What came", rx.cond(STATE.body != "", shown, el.div(class_name="skeleton")), class_name="broad")
