"""What was said to the person lately? Kept as state: nothing is evaluated in the browser."""

from dataclasses import dataclass

import reflex as rx

_MOST = 4


@dataclass
class Toast:
    """A line in the corner. `trace` finds it in the log."""

    id: int
    mark: str
    words: str
    trace: str


class ToastState(rx.State):
    """The lines in the corner of this tab."""

    toasts: list[Toast] = []
    _count: int = 0

    def tell(self, mark: str, words: str, trace: str = "") -> None:
        """Add a line; the oldest goes when there are too many."""
        self._count += 1
        self.toasts = [*self.toasts, Toast(self._count, mark, words, trace)][-_MOST:]

    @rx.event
    def dismiss(self, id: int) -> None:
        """Remove a line of this tab."""
        self.toasts = [toast for toast in self.toasts if toast.id != id]
