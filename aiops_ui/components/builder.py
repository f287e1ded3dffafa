"""Parts in which an operator writes: a condition, a form that is answered while it is typed, a file, an order."""

import reflex as rx
from reflex.event import passthrough_event_spec

_SOURCE = rx.asset("builder.jsx", shared=True).importable_path


class Builder(rx.Component):
    """A condition as rows, and as JSON under `name` in the form around it."""

    library = _SOURCE
    tag = "Builder"

    value: rx.Var[str]
    fields: rx.Var[list[str]]
    zones: rx.Var[list[str]]
    name: rx.Var[str]
    locked: rx.Var[bool]
    fault: rx.Var[str]


class Watched(rx.Component):
    """Tells what the form with this id says, whenever typing pauses; `round` changes when it is drawn anew."""

    library = _SOURCE
    tag = "Watched"

    form: rx.Var[str]
    round: rx.Var[str]
    on_said: rx.EventHandler[passthrough_event_spec(dict[str, str])]


class FileText(rx.Component):
    """Puts the text of a chosen file into the control with this id."""

    library = _SOURCE
    tag = "FileText"

    of: rx.Var[str]
    label: rx.Var[str]
    accept: rx.Var[str]


class Order(rx.Component):
    """Rows change places, dragged by what is marked `data-handle`: `on_move(id, before)`; an empty `before` is the end."""

    library = _SOURCE
    tag = "Order"

    on_move: rx.EventHandler[passthrough_event_spec(str, str)]
