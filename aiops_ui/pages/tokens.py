"""API tokens: which programs may come in."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import button, close_button, dialog, dialog_button, empty, field, icon, role_select, table, tag, text_input
from aiops_ui.components.platform import copyable, moment
from aiops_ui.layout import frame
from state.session import SessionState
from state.tokens import TokensState

el = rx.el


def page() -> rx.Component:
    """The list of tokens."""
    create = dialog_button("create", icon("plus"), "New token", kind="primary")
    none = empty("There are no tokens yet. A script sends one as `Authorization: Bearer aio_…`.", create)
    rows = table(["Name", "Token", "Role", "Made by", "Last used", "Ends", ""], TokensState, _row, none)
    about = el.span("How to use them: ", el.a("the API", href="/api/docs", target="_blank"), ".")
    return frame("API tokens", el.section(rows, class_name="card"), _create(), _revoke(), about=about, actions=(create,))


def _row(token: Any) -> rx.Component:
    revoke = dialog_button("revoke", "Revoke", kind="small plain danger", on_click=TokensState.choose(token.id, token.name))
    return el.tr(
        el.td(token.name, class_name="strong"),
        el.td(token.hint, class_name="mono soft"),
        el.td(tag(token.role), " ", el.span(token.scopes, class_name="muted")),
        el.td(token.by, class_name="soft"),
        el.td(moment(token.used_at, SessionState.time_zone)),
        el.td(moment(token.expires_at, SessionState.time_zone)),
        el.td(revoke, class_name="end"),
        key=token.id,
    )


def _create() -> rx.Component:
    ends = el.select(
        el.option("In 90 days", value="90"),
        el.option("In a year", value="365"),
        el.option("Never", value=""),
        id="days",
        name="days",
        class_name="input",
    )
    form = el.form(
        field("What is it for?", text_input("name", required=True, max_length=100, placeholder="deploy script"), "name"),
        field("Role", role_select("role", "viewer"), "role", hint="As little as it needs."),
        field("It ends", ends, "days"),
        el.footer(close_button("create"), button("Make the token", kind="primary", type="submit")),
        on_submit=TokensState.create,
        class_name="stack",
    )
    made = el.div(
        el.p("The token ", el.b(TokensState.secret_name), " is made. It is not shown again."),
        copyable(TokensState.secret, "API token"),
        el.footer(close_button("create", "Done", on_click=TokensState.forget_secret)),
        class_name="stack",
    )
    return dialog("create", "New token", rx.cond(TokensState.secret != "", made, form))


def _revoke() -> rx.Component:
    return dialog(
        "revoke",
        "Revoke a token",
        el.p("Programs that use ", el.b(TokensState.chosen_name), " are refused from their next request on."),
        el.footer(close_button("revoke"), button("Revoke", kind="danger", on_click=TokensState.revoke)),
        key=f"revoke-{TokensState.round}",
    )
