"""What comes of reading what people have decided in another product?"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """One line of the report: where in the file, whether it was taken, and how, or why not."""

    place: str
    taken: bool
    said: str


@dataclass
class Imported:
    """What was understood, as it is written here, rules in their order; and the report."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    inhibitions: list[dict[str, Any]] = field(default_factory=list)
    silences: list[dict[str, Any]] = field(default_factory=list)
    report: list[Line] = field(default_factory=list)

    def take(self, place: str, said: str) -> None:
        """Note that something was taken."""
        self.report.append(Line(place, True, said))

    def leave(self, place: str, said: str) -> None:
        """Note that something was not."""
        self.report.append(Line(place, False, said))
