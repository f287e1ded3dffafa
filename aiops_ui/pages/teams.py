"""Teams: who works together, and sees the same things."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import button, close_button, dialog, dialog_button, empty, field, icon, table, text_input
from aiops_ui.components.platform import moment
from aiops_ui.layout import frame
from state.session import SessionState
from state.teams import TeamsState

el = rx.el


def page() -> rx.Component:
    """The list of teams."""
    manages = SessionState.permissions.contains("manage_people")
    create = rx.cond(manages, dialog_button("create", icon("plus"), "New team", kind="primary"))
    none = empty("There are no teams yet. Members of a team see what belongs to it; admins see everything.", create)
    rows = el.section(table(["Team", "Members", "Since"], TeamsState, _row, none), class_name="card")
    form = el.form(
        field("Name", text_input("name", required=True, max_length=100), "name"),
        el.footer(close_button("create"), button("Create", kind="primary", type="submit")),
        on_submit=TeamsState.create,
        class_name="stack",
    )
    return frame("Teams", rows, dialog("create", "New team", form, key=f"create-{TeamsState.round}"), actions=(create,))


def _row(team: Any) -> rx.Component:
    return el.tr(
        el.td(el.a(team.name, href=f"/teams/{team.id}"), class_name="strong wide"),
        el.td(team.members, class_name="numbers", custom_attrs={"data-label": "members"}),
        el.td(moment(team.created_at, SessionState.time_zone), custom_attrs={"data-label": "since"}),
        key=team.id,
    )
