"""People: who is in the organization, and as what."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import (
    button,
    card,
    close_button,
    dialog,
    dialog_button,
    empty,
    field,
    icon,
    role_select,
    search_box,
    table,
    tag,
    text_input,
)
from aiops_ui.components.platform import copyable, moment
from aiops_ui.layout import frame
from state.people import PeopleState
from state.session import SessionState

el = rx.el
MANAGES = SessionState.permissions.contains("manage_people")


def page() -> rx.Component:
    """The list, open invitations, and the dialogs."""
    rows = table(["Name", "E-mail address", "Role", "Teams", "Last seen", ""], PeopleState, _row, empty("Nobody fits these words."))
    listed = el.section(
        el.header(search_box("Search name or address", PeopleState.words, PeopleState.search), class_name="bar"), rows, class_name="card"
    )
    invite = rx.cond(MANAGES, dialog_button("invite", icon("user-plus"), "Invite", kind="primary"))
    return frame(
        "People",
        listed,
        rx.cond(MANAGES & (PeopleState.invitations.length() > 0), _invitations()),
        _invite(),
        _link(),
        _remove(),
        actions=(invite,),
    )


def _row(person: Any) -> rx.Component:
    choice = role_select(
        "role", person.role, label="Role of " + person.name, on_change=lambda role: PeopleState.change_role(person.id, role)
    )
    acts = el.div(
        dialog_button("link", "New password", kind="small plain", on_click=PeopleState.reset_password(person.id, person.name)),
        dialog_button("remove", "Remove", kind="small plain danger", on_click=PeopleState.choose(person.id, person.name)),
        class_name="actions",
    )
    return el.tr(
        el.td(person.name, class_name="strong"),
        el.td(person.email, class_name="soft"),
        el.td(rx.cond(MANAGES, choice, tag(person.role))),
        el.td(person.teams, class_name="soft"),
        el.td(moment(person.seen_at, SessionState.time_zone)),
        el.td(rx.cond(MANAGES, acts), class_name="end"),
        key=person.id,
    )


def _invitations() -> rx.Component:
    def row(invitation: Any) -> rx.Component:
        return el.tr(
            el.td(invitation.email),
            el.td(tag(invitation.role)),
            el.td("by ", invitation.by, class_name="soft"),
            el.td("ends ", moment(invitation.expires_at, SessionState.time_zone), class_name="soft"),
            el.td(button("Withdraw", kind="small plain danger", on_click=PeopleState.withdraw(invitation.id)), class_name="end"),
            key=invitation.id,
        )

    return card(
        "Open invitations", el.table(el.tbody(rx.foreach(PeopleState.invitations, row)), class_name="cards"), icon_name="mail", bare=True
    )


def _invite() -> rx.Component:
    teams = el.select(
        el.option("The whole organization", value=""),
        rx.foreach(PeopleState.team_choices, lambda team: el.option(team.name, value=team.id)),
        id="team",
        name="team",
        class_name="input",
    )
    form = el.form(
        field("E-mail address", text_input("email", type="email", required=True), "email"),
        field("Role", role_select("role", "operator"), "role"),
        field("In", teams, "team", hint="In a team, the role is that in the team; the person is a viewer elsewhere."),
        el.footer(close_button("invite"), button("Make the link", kind="primary", type="submit")),
        on_submit=PeopleState.invite,
        class_name="stack",
    )
    made = el.div(_shown_once(), el.footer(close_button("invite", "Done", on_click=PeopleState.forget_link)), class_name="stack")
    return dialog("invite", "Invite a person", rx.cond(PeopleState.link != "", made, form))


def _link() -> rx.Component:
    waiting = el.div(class_name="skeleton")
    inside = rx.cond(PeopleState.link != "", _shown_once(), waiting)
    return dialog("link", "New password", inside, el.footer(close_button("link", "Done", on_click=PeopleState.forget_link)))


def _shown_once() -> rx.Component:
    words = el.p("Send this link to ", el.b(PeopleState.link_for), ". It works once and is not shown again.")
    return el.div(words, copyable(PeopleState.link, "One-time link"), class_name="stack")


def _remove() -> rx.Component:
    return dialog(
        "remove",
        "Remove a person",
        el.p(
            el.b(PeopleState.chosen_name),
            " leaves the organization and its teams; their sessions here end at once. The account itself stays.",
        ),
        el.footer(close_button("remove"), button("Remove", kind="danger", on_click=PeopleState.remove)),
        key=f"remove-{PeopleState.round}",
    )
