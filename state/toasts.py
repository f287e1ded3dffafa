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

    def _tell(self, mark: str, words: str, trace: str = "") -> None:
        """Add a line; the oldest goes when there are too many. Underscored, so that no browser can call it by name."""
        self._count += 1
        self.toasts = [*self.toasts, Toast(self._count, mark, words, trace)][-_MOST:]

    @rx.event
    def say_failed(self, trace: str) -> None:
        """Say that a fault of ours was met; the log has it under the trace."""
        self._tell("critical", "Something failed here; nothing was changed. The trace finds it in the log.", trace[:64])

    @rx.event
    def dismiss(self, id: int) -> None:
        """Remove a line of this tab."""
        self.toasts = [toast for toast in self.toasts if toast.id != id]
