"""The first minutes: the first owner and organization."""

import reflex as rx

from aiops_ui.components.parts import banner, button, field, text_input
from aiops_ui.components.platform import plain_form
from aiops_ui.layout import front
from state.front import FrontState

el = rx.el


def page() -> rx.Component:
    """The one-time set-up form."""
    typed, faults = FrontState.typed, FrontState.faults
    form = plain_form(
        rx.cond((FrontState.fault != "") & (faults.length() == 0), banner("critical", FrontState.fault)),
        field(
            "Organization",
            text_input("organization", required=True, max_length=100, auto_focus=True, default_value=typed["organization"]),
            "organization",
            fault=faults["organization"],
        ),
        field(
            "Your name",
            text_input("name", required=True, max_length=100, auto_complete="name", default_value=typed["name"]),
            "name",
            fault=faults["name"],
        ),
        field(
            "E-mail address",
            text_input("email", type="email", required=True, auto_complete="username", default_value=typed["email"]),
            "email",
            fault=faults["email"],
        ),
        field(
            "Password",
            text_input("password", type="password", required=True, min_length=12, auto_complete="new-password"),
            "password",
            hint="At least 12 characters; a few words in a row are easy to remember.",
            fault=faults["password"],
        ),
        el.input(type="hidden", name="link", value=FrontState.link, read_only=True),
        button("Create the organization", kind="primary", type="submit"),
        action="/auth/set-up",
    )
    done = el.div(
        banner("info", "This installation has an owner."), el.a("Sign in", href="/sign-in", class_name="button primary"), class_name="stack"
    )
    no_link = banner("warning", "Open the set-up link that the terminal with `make run` shows; it holds a one-time secret.")
    about = el.p("You become the owner of the first organization, and administrator of this installation.", class_name="soft")
    inside = rx.cond(FrontState.is_set_up, done, rx.cond(FrontState.link == "", no_link, el.div(about, form, class_name="stack")))
    return front("Set up", rx.cond(FrontState.loaded, inside, el.div(class_name="skeleton")))
