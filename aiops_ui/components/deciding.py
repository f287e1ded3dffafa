"""Parts of the pages on which operators decide about alerts."""

from typing import Any

import reflex as rx

from aiops_ui.components.incidents import severity
from aiops_ui.components.parts import banner, button, card, close_button, dialog, dialog_button, empty, field, icon, tag, text_input
from aiops_ui.components.platform import moment
from aiops_ui.layout import Trail, frame
from state.session import SessionState

el = rx.el
ZONE = SessionState.time_zone
RULES_TABS = (("Rules", "/rules"), ("Enrichment", "/enrichment"), ("Imports", "/imports"))
QUIET_TABS = (("Silences", "/silences"), ("Calendar", "/silences/calendar"), ("Inhibition", "/inhibitions"))


def tabs(pages: tuple[tuple[str, str], ...], here: str) -> rx.Component:
    """The pages of a family."""
    links = (el.a(words, href=path, aria_current="page" if path == here else "false") for words, path in pages)
    return el.nav(*links, class_name="tabs", aria_label="Pages of this kind")


def editor(state: Any, noun: str, form: rx.Component, *beside: rx.Component, trail: tuple[tuple[str, str], ...]) -> rx.Component:
    """The page of one definition: its form, what stands beside it, its versions, and what may be done to it."""
    missing = el.section(
        empty(f"There is no such {noun}, or it was deleted.", el.a("All of them", href=trail[-1][1], class_name="button")),
        class_name="card",
    )
    right = el.div(*beside, rx.cond(~state.is_new, _versions(state)), class_name="stack")
    shown = el.div(el.div(form, class_name="stack"), right, class_name="columns editor")
    is_here = state.loaded & ~state.missing & ~state.is_new
    return frame(
        rx.cond(state.name != "", state.name, f"New {noun}"),
        rx.cond(state.missing, missing, rx.cond(state.loaded, shown, el.div(class_name="skeleton"))),
        rx.cond(is_here, _delete(state, noun)),
        above=el.div(
            rx.cond(is_here, rx.cond(state.enabled, tag("On", "good"), tag("Off"))),
            rx.cond(is_here & state.provisioned, tag("described by a file")),
            class_name="above",
        ),
        actions=(rx.cond(is_here & state.may_configure, _acts(state)),),
        trail=Trail(trail),
    )


def _acts(state: Any) -> rx.Component:
    switch = button(rx.cond(state.enabled, "Switch off", "Switch on"), on_click=state.switch)
    return el.div(switch, dialog_button("delete", icon("trash-2"), "Delete", kind="danger"), class_name="actions")


def _delete(state: Any, noun: str) -> rx.Component:
    return dialog(
        "delete",
        f"Delete the {noun}",
        el.p(el.b(state.name), " counts no more. What it has done to alerts stays, and its versions are kept with it."),
        el.footer(close_button("delete"), button("Delete", kind="danger", on_click=state.delete)),
        key=f"delete-{state.round}",
    )


def about(state: Any) -> rx.Component:
    """Whose alerts something new is about, where there are teams."""
    teams = rx.foreach(state.team_choices, lambda team: el.option("Alerts of " + team.name, value=team.id))
    chosen = el.select(el.option("All alerts", value=""), teams, id="team", name="team", class_name="input")
    return rx.cond(state.is_new & (state.team_choices.length() > 0), field("It is about", chosen, "team"))


def named(state: Any, *more: rx.Component, words: str) -> rx.Component:
    """The form of a definition: its name, whose alerts it is about, what is its own, and the button that keeps it."""
    general = state.faults.get("general", "")
    again = button("Load it again", kind="small", on_click=state.load_again)
    stale = banner("warning", state.changed_by, " has changed this meanwhile. What you wrote is here still; keeping it is refused. ", again)
    return el.form(
        rx.cond(state.changed_by != "", stale),
        el.fieldset(
            field(
                "Name",
                text_input("name", required=True, max_length=100, default_value=state.form["name"]),
                "name",
                fault=state.faults.get("name", ""),
            ),
            about(state),
            *more,
            rx.cond(general != "", banner("critical", general)),
            disabled=~state.may_configure,
            class_name="stack",
        ),
        rx.cond(state.may_configure, el.footer(button(words, kind="primary", type="submit"), class_name="actions")),
        on_submit=state.save,
        id="definition",
        key=state.drawn,
        class_name="stack",
    )


def defined(rows: Any) -> rx.Component:
    """A list of what is defined: each with what it does, and who changed it when."""

    def row(each: Any) -> rx.Component:
        marks = rx.fragment(rx.cond(each.enabled, rx.fragment(), tag("off")), rx.cond(each.provisioned, tag("from a file")))
        return el.tr(
            el.td(el.a(each.name, href=each.href, class_name="strong"), " ", marks, class_name="title-of"),
            el.td(each.does, class_name="soft words", title=each.does),
            el.td(each.author, class_name="soft"),
            el.td(moment(each.changed_at, ZONE), class_name="soft end"),
            key=each.id,
            custom_attrs={"data-row": each.id},
        )

    columns = (("Name", ""), ("Does", ""), ("By", ""), ("Changed", "end"))
    head = el.thead(el.tr(*(el.th(name, scope="col", class_name=kind) for name, kind in columns)))
    return el.div(el.table(head, el.tbody(rx.foreach(rows, row)), class_name="cards"), class_name="table")


def line_input(state: Any, name: str, label: str, hint: str = "", **more: Any) -> rx.Component:
    """A line of text of the form."""
    control = text_input(name, default_value=state.form[name], **more)
    return field(label, control, name, hint=hint, fault=state.faults.get(name, ""))


def lines_input(state: Any, name: str, label: str, hint: str = "", *, rows: int = 2, **more: Any) -> rx.Component:
    """Some lines of text of the form."""
    control = el.textarea(id=name, name=name, default_value=state.form[name], rows=str(rows), class_name="input mono", **more)
    return field(label, control, name, hint=hint, fault=state.faults.get(name, ""))


def choice(state: Any, name: str, label: str, options: tuple[tuple[str, str], ...], hint: str = "") -> rx.Component:
    """One of a few values."""
    shown = (el.option(words, value=value) for value, words in options)
    control = el.select(*shown, id=name, name=name, default_value=state.form[name], class_name="input")
    return field(label, control, name, hint=hint, fault=state.faults.get(name, ""))


def flag(state: Any, name: str, label: str, hint: str = "") -> rx.Component:
    """Something that is so, or not."""
    box = el.input(type="checkbox", id=name, name=name, default_checked=state.form[name] == "on")
    return el.label(box, el.span(label, el.span(hint, class_name="hint")), class_name="switch", html_for=name)


def alert_lines(alerts: Any) -> rx.Component:
    """Some alerts, a line each."""

    def row(each: Any) -> rx.Component:
        return el.li(
            el.span(severity(each), el.a(each.title, href=each.href), class_name="cut"),
            el.span(moment(each.at, ZONE), class_name="soft"),
            class_name="pair",
        )

    return el.ul(rx.foreach(alerts, row), class_name="stack tight")


def answered(found: Any) -> rx.Component:
    """What a rule would have done: in words, then some alerts."""
    changes = rx.cond(found.changes != "", el.span("; ", found.changes))
    return el.div(el.p(el.b(found.words), changes, role="status"), alert_lines(found.alerts), class_name="stack")


def traced(lines: Any) -> rx.Component:
    """Each part of a condition, whether it holds, and what it has seen."""

    def line(each: Any) -> rx.Component:
        sign = el.span(rx.cond(each.holds, "holds", "does not hold"), class_name=rx.cond(each.holds, "good-text", "muted"))
        seen = rx.cond(each.seen != "", el.span(" (it is “", each.seen, "”)", class_name="muted"))
        return el.li(el.span(each.said, class_name="mono"), " ", sign, seen, style={"marginLeft": f"{each.depth * 14}px"})

    return el.ul(rx.foreach(lines, line), class_name="trace")


def _versions(state: Any) -> rx.Component:
    def line(each: Any) -> rx.Component:
        return el.div(each.text, class_name="diff " + each.kind)

    def version(each: Any) -> rx.Component:
        head = el.summary(
            el.b("Version ", each.version), " · ", each.said, " by ", each.author, " · ", el.span(moment(each.at, ZONE), class_name="muted")
        )
        back = button("Say this again", kind="small", on_click=state.roll_back(each.version))
        shown = el.div(rx.foreach(each.diff, line), class_name="mono diffs")
        return el.details(head, shown, rx.cond(state.may_configure & ~each.is_now, back), key=each.version.to_string())

    return card("Versions", el.div(rx.foreach(state.versions, version), class_name="stack tight"), icon_name="history")
