"""One source: what to paste, what comes, how it is, and its settings."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import (
    banner,
    button,
    card,
    close_button,
    counted,
    dialog,
    dialog_button,
    empty,
    field,
    icon,
    tag,
    text_input,
)
from aiops_ui.components.platform import code, copyable, moment
from aiops_ui.components.schema_form import schema_form
from aiops_ui.layout import Trail, frame
from state.session import SessionState
from state.source import SourceState

el = rx.el
STATE = SourceState
ZONE = SessionState.time_zone


def page() -> rx.Component:
    """While nothing has come: what to paste. Then: what comes."""
    missing = el.section(
        empty("There is no such source, or it was deleted.", el.a("All sources", href="/sources", class_name="button")), class_name="card"
    )
    left = el.div(
        _waiting(), rx.cond(STATE.may_configure, _paste()), _deliveries(), rx.cond(STATE.may_configure, _settings()), class_name="stack"
    )
    content = el.div(left, el.div(_health(), _credentials(), class_name="stack"), class_name="columns")
    here = STATE.loaded & ~STATE.missing
    test = button(icon("send"), "Send a test", on_click=STATE.send_test)
    pause = button(rx.cond(STATE.paused, "Take alerts again", "Pause"), on_click=STATE.pause)
    acts = rx.fragment(
        rx.cond(STATE.may_respond, test),
        rx.cond(STATE.may_configure, rx.fragment(pause, dialog_button("delete", "Delete", kind="danger"))),
    )
    return frame(
        rx.cond(STATE.name != "", STATE.name, "Source"),
        rx.cond(STATE.missing, missing, rx.cond(STATE.loaded, content, el.div(class_name="skeleton"))),
        _rotate(),
        _delete(),
        above=rx.cond(
            here,
            el.div(tag(STATE.state, STATE.state_kind), el.span(STATE.kind, class_name="mono soft"), class_name="above"),
            el.div(class_name="above"),
        ),
        actions=(rx.cond(here, acts),),
        trail=Trail((("Sources", "/sources"),)),
    )


def _waiting() -> rx.Component:
    greeted = banner(
        "good",
        el.div("The first alert is here: ", el.b(STATE.greeting), ". ", el.a("Look at it", href=STATE.greeting_href), "."),
    )
    waits = banner("info waits", "Waiting for the first alert. This page shows it the moment it comes.")
    described = banner("info", "A file in AIOPS_PROVISION_DIR describes this source; change it there.")
    return rx.fragment(
        rx.cond(STATE.provisioned, described),
        rx.cond(STATE.greeting != "", greeted, rx.cond(STATE.is_new, waits)),
        rx.cond(STATE.failure != "", banner("warning", el.div(STATE.failure, " (", moment(STATE.failure_at, ZONE), ")"))),
    )


def _paste() -> rx.Component:
    secret = el.div(
        el.p("Its secret. It works from now on and is not shown again."),
        copyable(STATE.secret, "Secret"),
        el.div(button("I have kept it", kind="small", on_click=STATE.hide_secret)),
        class_name="stack",
    )
    lines = rx.foreach(STATE.pastes, lambda paste: el.div(el.h3(paste.where), code(paste.text), class_name="stack tight"))
    hidden = el.p(
        "Put the secret of this source where it says YOUR-SECRET. It was shown once; rotate it to have a new one.", class_name="soft"
    )
    shown = el.div(rx.cond(STATE.secret != "", secret, rx.cond(STATE.auth == "address", rx.fragment(), hidden)), lines, class_name="stack")
    is_open = STATE.is_new | (STATE.secret != "")
    return card("Paste this", el.details(el.summary("The lines for the sender"), shown, open=is_open), icon_name="clipboard-list")


def _deliveries() -> rx.Component:
    def row(each: Any) -> rx.Component:
        said = el.summary(
            moment(each.at, ZONE), " · ", counted(each.alerts, "alert"), rx.cond(each.waiting, el.span(" · waits", class_name="muted"))
        )
        return el.details(said, code(each.body), key=each.id)

    rows = el.div(rx.foreach(STATE.deliveries, row), class_name="stack", aria_live="polite")
    return card("Live deliveries", rx.cond(STATE.deliveries.length() > 0, rows, empty("Nothing was delivered yet.")), icon_name="inbox")


def _health() -> rx.Component:
    pairs = rx.foreach(STATE.counts, lambda pair: rx.fragment(el.dt(pair[0]), el.dd(pair[1], class_name="numbers")))
    seen = rx.fragment(el.dt("Last seen"), el.dd(moment(STATE.seen_at, ZONE)))
    address = rx.fragment(el.dt("Address"), el.dd(STATE.url, class_name="mono"))
    return card("How it is", el.dl(seen, pairs, address, class_name="facts"), icon_name="heart-pulse")


def _credentials() -> rx.Component:
    def row(each: Any) -> rx.Component:
        ends = rx.cond(each.expires_at != "", el.span("ends ", moment(each.expires_at, ZONE)), "valid")
        return el.li(el.span(each.hint, class_name="mono"), el.span(ends, class_name="soft"), class_name="pair")

    rows = el.ul(rx.foreach(STATE.credentials, row), class_name="stack tight")
    rotate = rx.cond(STATE.may_configure, dialog_button("rotate", icon("rotate-cw"), "Rotate", kind="small"))
    by_address = banner("warning", el.div("Known by its address alone: ", el.span(STATE.networks, class_name="mono")))
    return rx.cond(STATE.auth == "address", by_address, card("Credentials", rows, rotate, icon_name="key-round"))


def _settings() -> rx.Component:
    networks = field(
        "Networks, one a line",
        el.textarea(id="networks", name="networks", rows="2", default_value=STATE.networks, class_name="input"),
        "networks",
        fault=STATE.faults.get("networks", ""),
    )
    form = el.form(
        field("Name", text_input("name", default_value=STATE.name, required=True), "name", fault=STATE.faults.get("name", "")),
        rx.cond(STATE.auth == "address", networks),
        schema_form(STATE.fields, STATE.faults),
        el.footer(button("Keep the settings", kind="primary", type="submit")),
        on_submit=STATE.save,
        key=f"{STATE.id}-{STATE.round}",
        class_name="stack",
    )
    return card("Settings", form, icon_name="settings")


def _rotate() -> rx.Component:
    hours = field(
        "The secret before stays valid for, hours", text_input("hours", type="number", default_value="24", min=0, max=720), "hours"
    )
    form = el.form(
        hours,
        el.footer(close_button("rotate"), button("Make a new secret", kind="primary", type="submit")),
        on_submit=STATE.rotate,
        class_name="stack",
    )
    return dialog("rotate", "Rotate the secret", form, key=f"rotate-{STATE.round}")


def _delete() -> rx.Component:
    return dialog(
        "delete",
        "Delete this source",
        el.p("Nothing is taken from it any more. Its alerts and incidents stay."),
        el.footer(close_button("delete"), button("Delete", kind="danger", on_click=STATE.delete)),
        key=f"delete-{STATE.round}",
    )
