"""A form that is drawn from a schema."""

from typing import Any

import reflex as rx

from aiops_ui.components.parts import icon

el = rx.el


def schema_form(fields: Any, faults: Any) -> rx.Component:
    """What a kind adds stands first; what every kind has is behind a click. Names are `settings.` and the field's."""
    own = rx.foreach(fields, lambda field: rx.cond(field.is_usual, rx.fragment(), _field(field, faults)))
    usual = rx.foreach(fields, lambda field: rx.cond(field.is_usual, _field(field, faults)))
    more = el.details(
        el.summary(icon("sliders-horizontal"), "Severity, identity, times and limits", class_name="button small"),
        el.div(usual, class_name="stack drawn"),
    )
    return el.div(own, more, class_name="stack")


def _field(field: Any, faults: Any) -> rx.Component:
    name = "settings." + field.name
    known = {"id": name, "name": name, "class_name": "input"}
    options = rx.foreach(field.options, lambda option: el.option(option, value=option))
    control = rx.match(
        field.kind,
        ("number", el.input(type="number", default_value=field.value, min=field.low, max=field.high, **known)),
        ("flag", el.input(type="checkbox", default_checked=field.value == "on", id=name, name=name)),
        ("choice", el.select(el.option("not stated", value=""), options, default_value=field.value, **known)),
        ("list", el.textarea(default_value=field.value, rows="2", placeholder="one a line", **known)),
        ("map", el.textarea(default_value=field.value, rows="3", placeholder="name = value", **known)),
        el.input(default_value=field.value, **known),
    )
    fault = rx.cond(faults.contains(field.name), el.span(faults[field.name], class_name="fault", role="alert"))
    return el.div(
        el.label(field.title, html_for=name), control, el.span(field.hint, class_name="hint"), fault, class_name="field", key=field.name
    )
