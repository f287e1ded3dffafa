"""A list with filters: what stands above it, its rows, and what is done with many."""

from typing import Any

import reflex as rx

from aiops_ui.components.browser import Address, Hands, Reading
from aiops_ui.components.parts import banner, button, icon, search_box, segments, skeleton_rows, text_input

el = rx.el
Column = tuple[str, str, str]  # its name, what it is sorted by (empty: not), its class


def filter_bar(state: Any, states: tuple[tuple[str, str], ...], usual: str) -> rx.Component:
    """State, words, facets, saved views; all of it in the address."""
    now = state.filters.get("state", usual)
    which = segments("Which", states, now, lambda value: state.narrow("state", "" if value == usual else value))
    narrowed = (state.filters.length() > 0) | (state.words != "")
    return el.header(
        which,
        search_box("Search", state.words, state.search),
        el.div(
            rx.foreach(state.facets, lambda facet: _facet(state, facet)),
            rx.cond(narrowed, button(icon("x"), "Clear", kind="small plain", on_click=state.clear)),
            _views(state),
            class_name="facets",
        ),
        class_name="bar",
    )


def _facet(state: Any, facet: Any) -> rx.Component:
    def option(value: Any) -> rx.Component:
        return el.button(
            el.span(value.label),
            el.span(value.count, class_name="muted numbers"),
            type="button",
            class_name=rx.cond(value.chosen, "option on", "option"),
            aria_pressed=value.chosen,
            on_click=state.narrow(facet.name, value.value),
        )

    other = el.form(
        el.input(type="text", name=facet.name, class_name="input", placeholder="Another value", aria_label="Another value"),
        on_submit=state.narrow_by,
    )
    chosen = rx.cond(facet.chosen != "", el.b(": ", facet.chosen))
    choices = el.div(rx.foreach(facet.options, option), rx.cond(facet.is_long, other), class_name="options")
    return el.details(
        el.summary(facet.title, chosen, icon("chevron-down"), class_name=rx.cond(facet.chosen != "", "button small on", "button small")),
        choices,
        class_name="facet",
        custom_attrs={"name": "facet"},
        key=facet.name,
    )


def _views(state: Any) -> rx.Component:
    def view(each: Any) -> rx.Component:
        forget = button(icon("x"), kind="small plain", aria_label="Forget this view", on_click=state.forget_view(each.id))
        return el.div(
            el.a(each.name, href="?" + each.query, class_name="option", custom_attrs={"data-view": each.name}), forget, class_name="view"
        )

    keep = el.form(
        text_input("name", placeholder="Name these filters", aria_label="Name of the view", required=True),
        button("Keep", kind="small", type="submit"),
        on_submit=state.save_view,
        reset_on_submit=True,
        class_name="row",
    )
    return el.details(
        el.summary(icon("bookmark"), "Views", class_name="button small"),
        el.div(rx.foreach(state.views, view), keep, class_name="options"),
        class_name="facet end",
        custom_attrs={"name": "facet"},
    )


def listing(state: Any, columns: tuple[Column, ...], row: Any, when_empty: rx.Component) -> rx.Component:
    """The rows, what waits above them, and where the list goes on."""
    head = el.thead(el.tr(*(_column(state, *column) for column in columns)))
    body = rx.cond(state.loaded, el.tbody(rx.foreach(state.rows, row)), skeleton_rows(len(columns), 8))
    foot = el.div(
        el.span(state.total, role="status", class_name="numbers"),
        rx.cond(state.has_before, button("Before", kind="small", on_click=state.rows_before)),
        rx.cond(state.has_more, button("Next", kind="small", on_click=state.next_rows)),
        class_name="foot",
    )
    pill = el.div(
        rx.cond(state.waiting > 0, button(icon("arrow-up"), state.waiting, " new", kind="small primary", on_click=state.show_waiting)),
        class_name="pill",
        aria_live="polite",
    )
    filled = el.div(pill, el.div(el.table(head, body, class_name="cards listing flow"), class_name="table"), foot)
    return el.div(
        rx.cond(state.fault != "", banner("warning", state.fault)), rx.cond(state.loaded & (state.rows.length() == 0), when_empty, filled)
    )


def _column(state: Any, name: str, by: str, kind: str) -> rx.Component:
    if name == "":
        box = el.input(type="checkbox", aria_label="Mark all", custom_attrs={"data-mark-all": ""})
        return el.th(box, class_name="box", scope="col")
    if not by:
        return el.th(name, scope="col", class_name=kind)
    up, down = state.sort == by, state.sort == f"-{by}"
    arrow = rx.cond(up, icon("arrow-up"), rx.cond(down, icon("arrow-down"), el.span()))
    sorted_by = rx.cond(up, "ascending", rx.cond(down, "descending", "none"))
    sorter = el.button(name, arrow, type="button", class_name="sorter", on_click=state.order(by))
    return el.th(sorter, scope="col", class_name=kind, aria_sort=sorted_by)


def many(*acts: rx.Component) -> rx.Component:
    """What may be done with the rows that are marked; the browser shows it when some are."""
    said = el.span(el.b("0", custom_attrs={"data-many": ""}), " marked", class_name="soft")
    return el.div(said, *acts, class_name="many", hidden=True, role="toolbar", aria_label="Marked rows", custom_attrs={"data-marked": "0"})


def hands(state: Any, *, reads: bool = True) -> rx.Component:
    """Keys, the address, and whether somebody reads: what the browser does for a list."""
    parts = [Hands.create(settled=state.settled, on_act=state.act)]
    if reads:
        parts += [Reading.create(on_reading=state.read_on), Address.create(query=state.query)]
    return rx.fragment(*parts)
