"""What is shown where no page is."""

import reflex as rx

from aiops_ui.layout import front


def page() -> rx.Component:
    """A sentence and a way on."""
    return front(
        "There is no such page",
        rx.el.p("The address may be mistyped, or the page was moved.", class_name="soft"),
        rx.el.a("Go to the dashboard", href="/", class_name="button primary"),
    )
