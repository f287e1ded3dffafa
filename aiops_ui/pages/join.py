"""What a one-time link opens: joining an organization, or a new password."""

import reflex as rx

from aiops_ui.components.parts import banner, button, field, text_input
from aiops_ui.components.platform import plain_form
from aiops_ui.layout import front
from state.front import FrontState

el = rx.el


def page() -> rx.Component:
    """The form that fits the link."""
    is_new = ~FrontState.has_account & (FrontState.purpose == "invitation")
    sets_password = is_new | (FrontState.purpose == "password")
    about = rx.cond(
        FrontState.purpose == "password",
        el.p("Set a new password for ", el.b(FrontState.email), ". All sessions of this account end.", class_name="soft"),
        el.p(el.b(FrontState.email), " is invited to ", el.b(FrontState.organization), ".", class_name="soft"),
    )
    password = rx.cond(
        sets_password,
        field(
            "New password",
            text_input("password", type="password", required=True, min_length=12, auto_complete="new-password"),
            "password",
            hint="At least 12 characters; a few words in a row are easy to remember.",
            fault=FrontState.faults["password"],
        ),
        field(
            "Password",
            text_input("password", type="password", required=True, auto_complete="current-password"),
            "password",
            hint="You have an account here: prove it with its password.",
        ),
    )
    form = plain_form(
        rx.cond((FrontState.fault != "") & (FrontState.faults.length() == 0), banner("critical", FrontState.fault)),
        el.input(type="hidden", name="email", value=FrontState.email, auto_complete="username", read_only=True),
        rx.cond(
            is_new, field("Your name", text_input("name", required=True, max_length=100, default_value=FrontState.typed["name"]), "name")
        ),
        password,
        el.input(type="hidden", name="link", value=FrontState.link, read_only=True),
        button(rx.cond(FrontState.purpose == "password", "Set the password", "Join"), kind="primary", type="submit"),
        action="/auth/join",
    )
    useless = el.div(banner("warning", FrontState.link_fault), el.a("Sign in", href="/sign-in", class_name="button"), class_name="stack")
    inside = rx.cond(FrontState.link_fault != "", useless, el.div(about, form, class_name="stack"))
    return front("Welcome", rx.cond(FrontState.loaded, inside, el.div(class_name="skeleton")))
