"""Sign in."""

import reflex as rx

from aiops_ui.components.parts import banner, button, field, text_input
from aiops_ui.components.platform import plain_form
from aiops_ui.layout import front
from state.front import FrontState

el = rx.el


def page() -> rx.Component:
    """E-mail address and password, in a plain form that password managers know."""
    form = plain_form(
        rx.cond(FrontState.fault != "", banner("critical", FrontState.fault)),
        field(
            "E-mail address",
            text_input(
                "email", type="email", auto_complete="username", required=True, auto_focus=True, default_value=FrontState.typed["email"]
            ),
            "email",
        ),
        field("Password", text_input("password", type="password", auto_complete="current-password", required=True), "password"),
        el.input(type="hidden", name="next", value=FrontState.next_path, read_only=True),
        button("Sign in", kind="primary", type="submit"),
        action="/auth/sign-in",
    )
    fresh = banner("info", "There is no owner yet. The terminal that runs `make run` shows a one-time set-up link.")
    # Only when the state has come: a form that is drawn again loses what was typed into it.
    inside = rx.cond(FrontState.loaded, form, el.div(class_name="skeleton"))
    return front("Sign in", rx.cond(FrontState.is_set_up, rx.fragment(), fresh), inside)
