"""Parts that need the browser: times in the viewer's zone, and what is copied."""

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.base import BaseHTML

_SOURCE = rx.asset("platform.jsx", shared=True).importable_path


class Moment(rx.Component):
    """A time (ISO 8601): relative and counting, the exact one on hover."""

    library = _SOURCE
    tag = "Moment"

    at: rx.Var[str]
    zone: rx.Var[str]
    is_exact: rx.Var[bool]
    missing: rx.Var[str]


class Copyable(rx.Component):
    """A text to copy."""

    library = _SOURCE
    tag = "Copyable"

    text: rx.Var[str]
    label: rx.Var[str]


class _PlainForm(BaseHTML):
    """The framework's own form never submits by itself."""

    tag = "form"

    action: rx.Var[str]
    method: rx.Var[str]


def plain_form(*inside: rx.Component, action: str, **more: Any) -> rx.Component:
    """A form that the browser posts, for what sets cookies; password managers know it."""
    return _PlainForm.create(*inside, action=action, method="post", **more)


def moment(at: Any, zone: Any = "", missing: str = "never") -> rx.Component:
    """A time as people say it: `2 min ago`."""
    return Moment.create(at=at, zone=zone, missing=missing)


def exact_moment(at: Any, zone: Any) -> rx.Component:
    """A time to the second, in the viewer's zone."""
    return Moment.create(at=at, zone=zone, is_exact=True)


def copyable(text: Any, label: str) -> rx.Component:
    """A text with a button that copies it."""
    return Copyable.create(text=text, label=label)


class Clock(rx.Component):
    """The time of day (ISO 8601 in), the date only when it is another day; relative on hover."""

    library = _SOURCE
    tag = "Clock"

    at: rx.Var[str]
    zone: rx.Var[str]


class Copier(rx.Component):
    """An entry of a menu that copies a text; `@origin` in it is the address of this installation."""

    library = _SOURCE
    tag = "Copier"

    text: rx.Var[str]
    label: rx.Var[str]


class Code(rx.Component):
    """A text as it came, with a button that copies it and one that wraps it."""

    library = _SOURCE
    tag = "Code"

    text: rx.Var[str]


def clock(at: Any, zone: Any = "") -> rx.Component:
    """The time of day to the second."""
    return Clock.create(at=at, zone=zone)


def copier(text: Any, label: str) -> rx.Component:
    """An entry of a menu that copies a text."""
    return Copier.create(text=text, label=label)


def code(text: Any) -> rx.Component:
    """A text as it came."""
    return Code.create(text=text)
