"""The parts that every page uses."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx

el = rx.el
Handler = Any


def mark(kind: Any) -> rx.Component:
    """The shape and colour of a severity or state; a word always stands beside it."""
    return el.span(class_name=f"mark {kind}", aria_hidden="true")


def tag(words: Any, kind: Any = "") -> rx.Component:
    """A small word in a pill."""
    return el.span(words, class_name=f"tag {kind}")


def button(*inside: Any, kind: str = "", **more: Any) -> rx.Component:
    """A button; `kind` is primary, danger, plain or small."""
    return el.button(*inside, class_name=f"button {kind}", type=more.pop("type", "button"), **more)


def icon(name: str) -> rx.Component:
    """A Lucide icon, which says nothing by itself."""
    return rx.icon(name, size=15, aria_hidden="true")


def field(label: str, control: rx.Component, name: str, hint: Any = "", fault: Any = None) -> rx.Component:
    """A control with its label above and what is wrong with it below."""
    parts = [el.label(label, html_for=name), control]
    if hint != "":
        parts.append(el.span(hint, class_name="hint", id=f"{name}-hint"))
    if fault is not None:
        parts.append(rx.cond(fault, el.span(fault, class_name="fault", role="alert", id=f"{name}-fault")))
    return el.div(*parts, class_name="field")


def text_input(name: str, **more: Any) -> rx.Component:
    """A line of text."""
    return el.input(id=name, name=name, class_name="input", **more)


def role_select(name: str, value: Any, *, label: Any = None, **more: Any) -> rx.Component:
    """A choice of role."""
    roles = ("viewer", "operator", "admin", "owner")
    options = [el.option(role.title(), value=role) for role in roles]
    named = {"id": name} if label is None else {"aria_label": label}
    chosen = {"value": value} if "on_change" in more else {"default_value": value}
    return el.select(*options, name=name, class_name="input", **named, **chosen, **more)


def card(title: str, *inside: Any, icon_name: str = "", actions: tuple[rx.Component, ...] = (), bare: bool = False) -> rx.Component:
    """One thing on a ground of its own; `bare` leaves the margin to what is inside, such as a table."""
    marks = (icon(icon_name),) if icon_name else ()
    body = el.div(*inside, class_name="table" if bare else "inside")
    return el.section(el.header(*marks, el.h2(title), *actions), body, class_name="card")


def number(label: str, value: Any, below: Any = "") -> rx.Component:
    """A number that matters, with what it is and what belongs to it."""
    return el.div(
        el.div(label, class_name="soft"), el.div(value, class_name="value"), el.div(below, class_name="muted"), class_name="card number"
    )


def facts(*pairs: tuple[str, Any]) -> rx.Component:
    """Names and values, a line each."""
    return el.dl(*(part for name, value in pairs for part in (el.dt(name), el.dd(value))), class_name="facts")


def banner(kind: Any, *inside: Any, **more: Any) -> rx.Component:
    """A line that concerns the whole page."""
    return el.div(mark(kind), el.div(*inside), class_name=f"banner {kind}", role="status", **more)


def counted(number: Any, noun: str) -> rx.Component:
    """How many of something: `1 alert`, `2 alerts`."""
    return el.span(number, f" {noun}", rx.cond(number == 1, "", "s"), class_name="numbers")


def empty(words: str, *actions: rx.Component) -> rx.Component:
    """What stands where nothing is yet: one sentence, one action."""
    return el.div(el.p(words), *actions, class_name="empty")


def skeleton_rows(columns: int, rows: int = 4) -> rx.Component:
    """What stands where rows will be in a moment."""
    cells = [el.td(el.div(class_name="skeleton")) for _ in range(columns)]
    return el.tbody(*(el.tr(*cells) for _ in range(rows)), aria_hidden="true")


def table(columns: list[str], state: Any, row: Any, when_empty: rx.Component) -> rx.Component:
    """A list: its columns, a row each, and where it goes on. `state` has a table's vars and handlers."""
    head = el.thead(el.tr(*(el.th(name, scope="col") if name else el.th(el.span("Actions", class_name="hidden-text")) for name in columns)))
    body = rx.cond(state.loaded, el.tbody(rx.foreach(state.rows, row)), skeleton_rows(len(columns)))
    foot = el.div(
        el.span(state.total, role="status", class_name="numbers"),
        rx.cond(state.has_before, button("Before", kind="small", on_click=state.rows_before)),
        rx.cond(state.has_more, button("Next", kind="small", on_click=state.next_rows)),
        class_name="foot",
    )
    filled = el.div(el.div(el.table(head, body, class_name="cards"), class_name="table"), foot)
    return rx.cond(state.loaded & (state.rows.length() == 0), when_empty, filled)


def segments(label: str, options: Sequence[tuple[str, str]], chosen: Any, on_choose: Callable[[str], Any]) -> rx.Component:
    """One of a few, each a value and its words; `on_choose` makes the handler of a value."""

    def choice(value: str, words: str) -> rx.Component:
        on = chosen == value
        kind = rx.cond(on, "segment on", "segment")
        return el.button(words, type="button", class_name=kind, aria_pressed=on, on_click=on_choose(value))

    return el.div(*(choice(*option) for option in options), class_name="segments", role="group", aria_label=label)


def search_box(label: str, value: Any, on_change: Handler) -> rx.Component:
    """Words to look for; asked when the person pauses."""
    return el.div(
        icon("search"),
        el.input(
            type="search", class_name="input", placeholder=label, aria_label=label, default_value=value, on_change=on_change.debounce(250)
        ),
        class_name="search",
        role="search",
    )


def dialog(name: str, title: str, *inside: Any, key: Any = "", **more: Any) -> rx.Component:
    """A dialog of the platform; a `dialog_button` opens it, and a new `key` closes it."""
    close = button(icon("x"), kind="plain small", aria_label="Close", custom_attrs={"command": "close", "commandfor": name})
    head = el.header(el.h2(title, id=f"{name}-title"), close)
    return el.dialog(head, el.div(*inside, class_name="inside"), id=name, aria_labelledby=f"{name}-title", key=key, **more)


def dialog_button(name: str, *inside: Any, kind: str = "", **more: Any) -> rx.Component:
    """A button that opens a dialog."""
    return button(*inside, kind=kind, custom_attrs={"command": "show-modal", "commandfor": name}, **more)


def close_button(name: str, words: str = "Cancel", **more: Any) -> rx.Component:
    """A button that closes a dialog."""
    return button(words, custom_attrs={"command": "close", "commandfor": name}, **more)
