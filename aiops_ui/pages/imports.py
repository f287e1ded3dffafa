"""Imports: what have people decided in other products, and what of it is taken over?"""

from typing import Any

import reflex as rx

from aiops_ui.components.builder import FileText
from aiops_ui.components.deciding import RULES_TABS, tabs
from aiops_ui.components.parts import banner, button, card, empty, field, tag
from aiops_ui.layout import Trail, frame
from state.imports import ImportsState

el = rx.el
STATE = ImportsState
_KINDS = (
    ("alertmanager", "Alertmanager: its configuration (alertmanager.yml)"),
    ("amtool-silences", "Alertmanager: silences (amtool silence query -o json)"),
    ("alerta-blackouts", "Alerta: blackouts (GET /blackouts)"),
    ("keep", "Keep: mapping, extraction and correlation rules"),
    ("rules", "What was exported here, or written in its words"),
)


def page() -> rx.Component:
    """The file, and the report of what would be taken, line by line."""
    return frame(
        "Imports",
        tabs(RULES_TABS, "/imports"),
        el.div(_form(), _report(), class_name="stack"),
        about="Look first: nothing is changed until you take it over. Taking the same file again changes nothing.",
        trail=Trail((("Rules", "/rules"),)),
    )


def _form() -> rx.Component:
    kinds = el.select(*(el.option(words, value=kind) for kind, words in _KINDS), id="kind", name="kind", class_name="input")
    text = el.textarea(id="text", name="text", rows="12", required=True, class_name="input mono", placeholder="YAML or JSON")
    acts = el.footer(button("See what would be taken", kind="primary", type="submit"), class_name="actions")
    form = el.form(
        field("What it is", kinds, "kind"),
        FileText.create(of="text", label="The file", accept=".yml,.yaml,.json"),
        field("Or its text", text, "text"),
        rx.cond(STATE.fault != "", banner("critical", STATE.fault)),
        acts,
        on_submit=STATE.look,
        id="import",
        class_name="stack",
    )
    return card("A file of another product", form, icon_name="import")


def _report() -> rx.Component:
    def row(each: Any) -> rx.Component:
        return el.tr(
            el.td(rx.cond(each.taken, tag("taken", "good"), tag("left out", "warning"))),
            el.td(each.place, class_name="mono soft"),
            el.td(each.said, class_name="words"),
        )

    head = el.thead(el.tr(el.th("Verdict"), el.th("Where in the file"), el.th("What becomes of it, or why not")))
    rows = el.div(el.table(head, el.tbody(rx.foreach(STATE.report, row)), class_name="cards"), class_name="table")
    said = el.p(rx.cond(STATE.was_taken, "Taken over: ", "Would be: "), el.b(STATE.verdict), role="status")
    more = rx.cond(STATE.more > 0, el.p("… and ", STATE.more, " lines more", class_name="soft"))
    takes = rx.cond(STATE.was_taken, rx.fragment(), button("Take it over", kind="primary", on_click=STATE.take))
    shown = card("The report", said, rows, more, icon_name="list-checks", actions=(takes,))
    return rx.cond(STATE.verdict != "", shown, el.section(empty("What would be taken stands here, line by line."), class_name="card"))
