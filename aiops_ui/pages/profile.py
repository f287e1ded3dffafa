"""Profile: my account, my password, where I am signed in."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import button, card, close_button, dialog, dialog_button, facts, field, tag, text_input
from aiops_ui.components.platform import moment, plain_form
from aiops_ui.layout import frame
from state.profile import ProfileState
from state.session import SessionState

el = rx.el


def page() -> rx.Component:
    """Account and sessions."""
    left = el.div(_account(), _sessions(), class_name="stack")
    right = el.div(_password(), rx.cond(ProfileState.organizations.length() > 1, _organizations()), class_name="stack")
    return frame("Profile", el.div(left, right, class_name="columns"), _everywhere())


def _account() -> rx.Component:
    form = el.form(
        field(
            "Name",
            text_input("name", required=True, max_length=100, default_value=ProfileState.name),
            "name",
            fault=ProfileState.faults["name"],
        ),
        field(
            "Time zone",
            text_input("time_zone", default_value=ProfileState.time_zone, placeholder="that of the browser"),
            "time_zone",
            hint="IANA name such as Europe/Berlin; empty for that of the browser.",
            fault=ProfileState.faults["time_zone"],
        ),
        el.div(button("Save", kind="primary", type="submit"), class_name="actions"),
        on_submit=ProfileState.change,
        class_name="stack",
        key=f"account-{ProfileState.version}",
    )
    known = facts(
        ("E-mail address", ProfileState.email),
        ("Role", el.span(tag(ProfileState.role), rx.cond(ProfileState.instance_admin, el.span(" ", tag("administers this installation"))))),
        ("Organization", SessionState.organization),
    )
    return card("Account", known, form, icon_name="circle-user")


def _password() -> rx.Component:
    form = el.form(
        field(
            "Current password",
            text_input("current", type="password", required=True, auto_complete="current-password"),
            "current",
            fault=ProfileState.faults["current"],
        ),
        field(
            "New password",
            text_input("password", type="password", required=True, min_length=12, auto_complete="new-password"),
            "password",
            hint="At least 12 characters. Your other sessions end.",
            fault=ProfileState.faults["password"],
        ),
        el.div(button("Change the password", type="submit"), class_name="actions"),
        on_submit=ProfileState.change_password,
        class_name="stack",
        key=f"password-{ProfileState.round}",
    )
    return card("Password", form, icon_name="lock")


def _sessions() -> rx.Component:
    def row(session: Any) -> rx.Component:
        end = button("End", kind="small plain danger", on_click=ProfileState.end_session(session.id))
        return el.tr(
            el.td(session.agent, class_name="strong"),
            el.td(session.address, class_name="mono soft"),
            el.td("used ", moment(session.seen_at, SessionState.time_zone)),
            el.td(rx.cond(session.is_this, tag("this one", "good"), end), class_name="end"),
            key=session.id,
        )

    rows = el.table(el.tbody(rx.foreach(ProfileState.sessions, row)), class_name="cards")
    return card(
        "Where I am signed in",
        rows,
        icon_name="monitor-smartphone",
        actions=(dialog_button("everywhere", "Sign out everywhere", kind="small"),),
        bare=True,
    )


def _organizations() -> rx.Component:
    def row(organization: Any) -> rx.Component:
        switch = plain_form(
            el.input(type="hidden", name="csrf", value=SessionState.csrf, read_only=True),
            el.input(type="hidden", name="organization_id", value=organization.id, read_only=True),
            button("Switch", kind="small", type="submit"),
            action="/auth/switch",
        )
        return el.tr(
            el.td(organization.name, class_name="strong"),
            el.td(tag(organization.role)),
            el.td(rx.cond(organization.is_this, tag("this one", "good"), switch), class_name="end"),
        )

    return card("My organizations", el.table(el.tbody(rx.foreach(ProfileState.organizations, row))), icon_name="building-2", bare=True)


def _everywhere() -> rx.Component:
    return dialog(
        "everywhere",
        "Sign out everywhere",
        el.p("All your sessions end, this one too, in every organization."),
        el.footer(close_button("everywhere"), button("Sign out everywhere", kind="danger", on_click=ProfileState.end_everywhere)),
    )
