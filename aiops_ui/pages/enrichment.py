"""Enrichment: what is added to alerts before the rules are asked, by extraction and by tables."""

from typing import Any

import reflex as rx

from aiops_ui.components.builder import FileText, Watched
from aiops_ui.components.deciding import RULES_TABS, defined, editor, flag, line_input, lines_input, named, tabs
from aiops_ui.components.parts import banner, card, empty, icon
from aiops_ui.layout import frame
from state.enrichment import EnrichmentState, ExtractionState, MappingState
from state.session import SessionState

el = rx.el
CONFIGURES = SessionState.permissions.contains("configure")
_TRAIL = (("Rules", "/rules"), ("Enrichment", "/enrichment"))


def page() -> rx.Component:
    """Both lists."""
    tables = "A table adds what the alert does not say: whose service it is, how important."
    return frame(
        "Enrichment",
        tabs(RULES_TABS, "/enrichment"),
        _list("Extraction", "An extraction takes values out of a text of the alert.", EnrichmentState.extractions, "/extractions/new"),
        _list("Tables", tables, EnrichmentState.mappings, "/mappings/new"),
        about="Extractions first, then tables, each by name. What the alert says already stays, unless you say otherwise.",
    )


def _list(title: str, words: str, rows: Any, new: str) -> rx.Component:
    add = rx.cond(CONFIGURES, el.a(icon("plus"), "New", href=new, class_name="button small"))
    filled = rx.cond(rows.length() > 0, defined(rows), empty(words, add))
    shown = rx.cond(EnrichmentState.loaded, filled, el.div(class_name="skeleton"))
    return card(title, shown, icon_name="table-2", actions=(add,), bare=True)


def extraction() -> rx.Component:
    """One extraction."""
    groups = r"Found anywhere in the text; named groups are set: on (?P<host>\S+)"
    form = named(
        ExtractionState,
        line_input(ExtractionState, "field", "Text to read", "title, description, annotations.summary, labels.host …", required=True),
        line_input(ExtractionState, "pattern", "Regular expression (RE2)", groups),
        lines_input(ExtractionState, "paths", "Or paths into JSON that the text is", "One a line: service = app.name (JMESPath)."),
        flag(ExtractionState, "overwrite", "Replace what the alert says already"),
        words="Keep the extraction",
    )
    return editor(ExtractionState, "extraction", card("The extraction", form, icon_name="scan-text"), trail=_TRAIL)


def mapping() -> rx.Component:
    """One table."""
    first = "The first line names the columns; the others are set: service, team, labels as they are called."
    form = named(
        MappingState,
        line_input(MappingState, "match_on", "Columns to match", "Fields of the alert, such as service or labels.host.", required=True),
        FileText.create(of="rows", label="A CSV file", accept=".csv,.tsv,.txt,text/csv"),
        lines_input(MappingState, "rows", "The table as CSV", first, rows=12),
        flag(MappingState, "wildcards", "* and ? in the columns that are matched", "Platform-* holds of everything that begins so."),
        flag(MappingState, "overwrite", "Replace what the alert says already"),
        words="Keep the table",
    )
    watched = Watched.create(form="definition", round=MappingState.drawn, on_said=MappingState.said)
    written = el.div(card("The table", form, icon_name="table-2"), watched, class_name="stack")
    return editor(MappingState, "table", written, _shown(), trail=_TRAIL)


def _shown() -> rx.Component:
    head = el.thead(el.tr(rx.foreach(MappingState.columns, lambda name: el.th(name, scope="col"))))
    body = el.tbody(rx.foreach(MappingState.sample, lambda row: el.tr(rx.foreach(row, lambda value: el.td(value)))))
    rows = el.div(el.table(head, body), class_name="table", tab_index=0)
    filled = el.div(rows, el.p(MappingState.count, class_name="soft"), class_name="stack")
    return card("As it is read", rx.cond(MappingState.wrong != "", banner("info", MappingState.wrong), filled), icon_name="eye")
