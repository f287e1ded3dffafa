"""Add a source: choose what sends, name it, and paste what the next page shows."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Address
from aiops_ui.components.parts import banner, button, card, empty, field, text_input
from aiops_ui.components.schema_form import schema_form
from aiops_ui.layout import Trail, frame
from state.sources import NewSourceState

el = rx.el
STATE = NewSourceState


def page() -> rx.Component:
    """The kinds, and the form of the chosen one."""
    chosen = el.div(_form(), _try(), class_name="columns")
    about = "Choose what sends alerts. The next page shows the lines to paste, and waits for the first alert."
    query = rx.cond(STATE.kind != "", "kind=" + STATE.kind, "")
    return frame(
        "Add a source",
        _kinds(),
        rx.cond(STATE.kind != "", chosen),
        Address.create(query=query),
        about=about,
        trail=Trail((("Sources", "/sources"),)),
    )


def _kinds() -> rx.Component:
    def kind(each: Any) -> rx.Component:
        on = STATE.kind == each.id
        return el.button(
            el.b(each.title),
            el.span(each.about, class_name="soft"),
            type="button",
            class_name=rx.cond(on, "kind on", "kind"),
            aria_pressed=on,
            on_click=STATE.choose(each.id),
            key=each.id,
        )

    return el.div(rx.foreach(STATE.kinds, kind), class_name="kinds", role="group", aria_label="Kinds of senders")


def _form() -> rx.Component:
    teams = el.select(
        el.option("The whole organization", value=""),
        rx.foreach(STATE.team_choices, lambda team: el.option(team.name, value=team.id)),
        id="team",
        name="team",
        class_name="input",
    )
    form = el.form(
        field("Name", text_input("name", required=True, placeholder=STATE.title), "name", fault=STATE.faults.get("name", "")),
        field("Its alerts belong to", teams, "team", hint="A team's alerts are seen by its members only."),
        *_proof(),
        schema_form(STATE.fields, STATE.faults),
        el.footer(button("Add the source", kind="primary", type="submit")),
        on_submit=STATE.create,
        id="new-source",
        key=STATE.kind,
        class_name="stack",
    )
    return card(STATE.title, form, icon_name="plug")


def _proof() -> tuple[rx.Component, ...]:
    """How the sender proves itself, and what that asks for."""
    proofs = el.select(
        el.option("A secret: bearer token, password or X-API-KEY", value="secret"),
        el.option("A signature of the body (HMAC)", value="signature"),
        el.option("Its network address alone", value="address"),
        id="auth",
        name="auth",
        value=STATE.auth,
        on_change=STATE.choose_auth,
        class_name="input",
    )
    risk = banner("warning", "Whoever can post from this network can raise and end alerts. Only for a closed network that is yours.")
    networks = el.textarea(id="networks", name="networks", rows="2", placeholder="10.1.2.0/24", class_name="input")
    asked = field("Networks, one a line", networks, "networks", fault=STATE.faults.get("networks", ""))
    header = text_input("signature_header", default_value="X-Signature")
    signed = field("Header of the signature", header, "signature_header", fault=STATE.faults.get("signature_header", ""))
    return (
        field("The sender proves itself by", proofs, "auth"),
        rx.cond(STATE.auth == "address", el.div(risk, asked, class_name="stack")),
        rx.cond(STATE.auth == "signature", signed),
    )


def _try() -> rx.Component:
    def row(each: Any) -> rx.Component:
        return el.li(
            el.span(
                el.span(class_name="mark " + each.mark, aria_hidden="true"), el.span(each.severity), class_name="severity " + each.mark
            ),
            el.div(el.b(each.title), el.div(each.said, class_name="soft")),
            class_name="tried",
        )

    sample = el.textarea(
        id="sample", name="sample", rows="8", default_value=STATE.sample, class_name="input mono", key=STATE.kind, form="new-source-try"
    )
    found = rx.cond(STATE.tried.length() > 0, el.ul(rx.foreach(STATE.tried, row), class_name="stack"), empty("Nothing has been tried yet."))
    form = el.form(
        field("A body as the sender posts it", sample, "sample"),
        rx.cond(STATE.tried_fault != "", banner("critical", STATE.tried_fault)),
        el.footer(button("Try it", type="submit")),
        found,
        on_submit=STATE.try_out,
        id="new-source-try",
        class_name="stack",
    )
    return card("Try a sample", form, icon_name="flask-conical")
