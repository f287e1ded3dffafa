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
    extractions: list[dict[str, Any]] = field(default_factory=list)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    silences: list[dict[str, Any]] = field(default_factory=list)
    report: list[Line] = field(default_factory=list)
    _places: dict[int, str] = field(default_factory=dict)

    def take(self, place: str, said: str, spec: dict[str, Any] | None = None) -> None:
        """Note that something was taken, and what it became."""
        self.report.append(Line(place, True, said))
        if spec is not None:
            self._places[id(spec)] = place

    def fail(self, spec: dict[str, Any], why: str) -> None:
        """Note that what something became cannot be kept here."""
        place = self._places.get(id(spec), str(spec.get("name") or ""))
        self.report = [line for line in self.report if line.place != place or not line.taken]
        self.leave(place, why)

    def leave(self, place: str, said: str) -> None:
        """Note that something was not."""
        self.report.append(Line(place, False, said))
