"""Which alerts are kept quiet, and when? The words in which an operator says it, checked before they are kept."""

from datetime import datetime
from typing import Annotated, Literal, Self

import re2
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from engine.model.conditions import Strict, Text, Zone, on_the_wall, require_linear
from engine.model.rulings import Name

MatcherName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\"=!~{},]+$")]
Comment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Sign = Literal["=", "!=", "=~", "!~"]


class Matcher(Strict):
    """A label, or a field of the alert where no label has that name, compared as in Alertmanager: expressions match the whole value."""

    name: MatcherName
    op: Sign = "="
    value: Text = ""

    @model_validator(mode="after")
    def _is_linear(self) -> Self:
        if "~" in self.op:
            require_linear(self.value)
        return self

    def holds(self, value: str) -> bool:
        """Whether it holds for a value; what is missing is the empty text."""
        same = re2.fullmatch(self.value, value) is not None if "~" in self.op else value == self.value
        return same is not self.op.startswith("!")

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.name}{self.op}"{escaped}"'


Matchers = Annotated[list[Matcher], Field(min_length=1, max_length=20)]


def _names_something(matchers: list[Matcher]) -> list[Matcher]:
    if all(matcher.holds("") for matcher in matchers):
        raise PydanticCustomError("matchers", "These hold for every alert: at least one has to ask for something.")
    return matchers


class SilenceSpec(Strict):
    """A silence: `starts` and `ends` on the wall clock of `zone`, and by which rule (RRULE) it comes again; without one, once."""

    matchers: Matchers
    starts: Annotated[datetime, AfterValidator(on_the_wall)]
    ends: Annotated[datetime, AfterValidator(on_the_wall)]
    zone: Zone = "UTC"
    rule: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    comment: Comment
    created_by: Annotated[str, StringConstraints(max_length=200)] = Field(default="", description="who, where a tool says it for others")

    _something = field_validator("matchers")(_names_something)


class InhibitionSpec(Strict):
    """While an alert fires that `sources` match, those that `targets` match are quiet if they have the same values in `equal`.

    `expires`: from when on it counts no more; None: it counts for good.
    """

    name: Name
    enabled: bool = True
    sources: Matchers
    targets: Matchers
    equal: list[MatcherName] = Field(default_factory=list, max_length=20)
    reason: Text = ""
    expires: AwareDatetime | None = None

    _something = field_validator("sources", "targets")(_names_something)
