"""How is an alert named beside what was decided about it?"""

from dataclasses import dataclass

from engine.model.alerts import AlertView
from state import words


@dataclass
class Named:
    """An alert: what it is called, how bad it is, and since when."""

    title: str
    href: str
    mark: str
    severity: str
    at: str


def named(view: AlertView) -> Named:
    """An alert as a line."""
    severity = words.severity(view.severity)
    return Named(view.title, f"/alerts/{view.id}", words.mark(view.severity), severity, words.iso(view.first_seen_at))
