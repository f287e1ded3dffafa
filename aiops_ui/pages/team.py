"""One team: its name and its members."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import button, card, close_button, dialog, dialog_button, empty, field, role_select, tag, text_input
from aiops_ui.layout import Trail, frame
from state.teams import TeamState

el = rx.el


def page() -> rx.Component:
    """Members, and what may be done to the team."""
    members = el.table(
        el.thead(
            el.tr(el.th("Name"), el.th("E-mail address"), el.th("Role in the team"), el.th(el.span("Actions", class_name="hidden-text")))
        ),
        el.tbody(rx.foreach(TeamState.members, _row)),
        class_name="cards",
    )
    nobody = empty("Nobody is in this team yet.")
    listed = card(
        "Members", rx.cond(TeamState.members.length() > 0, members, rx.cond(TeamState.loaded, nobody)), icon_name="users", bare=True
    )
    missing = empty("There is no such team, or it was deleted.", el.a("All teams", href="/teams", class_name="button"))
    content = el.div(listed, rx.cond(TeamState.may_manage, _add()), class_name="stack")
    acts = (
        rx.cond(TeamState.may_manage, dialog_button("rename", "Rename")),
        rx.cond(TeamState.may_delete, dialog_button("delete", "Delete", kind="danger")),
    )
    title: Any = rx.cond(TeamState.name != "", TeamState.name, "Team")
    return frame(
        title, rx.cond(TeamState.missing, missing, content), _rename(), _delete(), actions=acts, trail=Trail((("Teams", "/teams"),))
    )


def _row(member: Any) -> rx.Component:
    choice = role_select(
        "role", member.role, label="Role of " + member.name, on_change=lambda role: TeamState.change_role(member.user_id, role)
    )
    remove = button("Remove", kind="small plain danger", on_click=TeamState.remove(member.user_id))
    return el.tr(
        el.td(member.name, class_name="strong"),
        el.td(member.email, class_name="soft"),
        el.td(rx.cond(TeamState.may_manage, choice, tag(member.role))),
        el.td(rx.cond(TeamState.may_manage, remove), class_name="end"),
        key=member.user_id,
    )


def _add() -> rx.Component:
    people = el.select(
        rx.foreach(TeamState.others, lambda person: el.option(person.name, " · ", person.email, value=person.user_id)),
        name="user_id",
        class_name="input",
        aria_label="Person",
    )
    form = el.form(
        people,
        role_select("role", "operator", label="Role in the team"),
        button("Add to the team", type="submit"),
        on_submit=TeamState.add,
        class_name="bar",
    )
    return rx.cond(TeamState.others.length() > 0, card("Add a person", form, icon_name="user-plus"))


def _rename() -> rx.Component:
    form = el.form(
        field("Name", text_input("name", required=True, max_length=100, default_value=TeamState.name), "name"),
        el.footer(close_button("rename"), button("Rename", kind="primary", type="submit")),
        on_submit=TeamState.rename,
        class_name="stack",
    )
    return dialog("rename", "Rename the team", form, key=f"rename-{TeamState.round}-{TeamState.version}")


def _delete() -> rx.Component:
    return dialog(
        "delete",
        "Delete the team",
        el.p(el.b(TeamState.name), " is deleted, and its tokens with it. Its people stay in the organization."),
        el.footer(close_button("delete"), button("Delete", kind="danger", on_click=TeamState.delete)),
        key=f"delete-{TeamState.round}",
    )
