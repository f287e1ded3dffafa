"""Of which alerts does something hold? The words in which an operator says it, checked before they are kept.

A condition is a comparison, `all`, `any` or `not` of conditions, JSON Logic, or times of the week; it travels as JSON and YAML:

    all:
      - {field: service, op: like, value: "payment-*"}
      - {field: severity, op: ">=", value: error}
      - not: {field: labels.env, op: in, value: [dev, test]}
      - times: [{days: [sat, sun], zone: Europe/Berlin}]
"""

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import available_timezones

import re2
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError

from engine.model.vocabulary import Severity

_QUIETLY = re2.Options()
_QUIETLY.log_errors = False
_MOST_PARTS, _DEEPEST = 200, 10
_LONGEST_MONTH = 31
_FIELDS = "title|description|severity|service|environment|resource|team|source|kind|status"

FieldName = Annotated[str, StringConstraints(pattern=rf"^(?:(?:{_FIELDS})|(?:labels|annotations)\..{{1,200}})$")]
Text = Annotated[str, StringConstraints(max_length=1000)]


Clock = TypeVar("Clock", time, datetime)


def _known_zone(zone: str) -> str:
    if zone not in available_timezones():
        raise PydanticCustomError("zone", "“{zone}” is no time zone; write one such as Europe/Berlin.", {"zone": zone})
    return zone


def on_the_wall(at: Clock) -> Clock:
    """A time as a clock on the wall shows it. Raises PydanticCustomError when it names a zone."""
    if at.tzinfo is not None:
        raise PydanticCustomError("time", "Write the time on the wall clock, without a zone; `zone` says which clock.")
    return at


# The name of a zone of the IANA time zone database.
Zone = Annotated[str, AfterValidator(_known_zone)]


class Op(StrEnum):
    """How a field is compared. A field that is missing is the empty text, as in Prometheus."""

    IS = "="
    IS_NOT = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"
    LIKE = "like"
    NOT_LIKE = "not like"
    IN = "in"
    NOT_IN = "not in"
    GREATER = ">"
    AT_LEAST = ">="
    LESS = "<"
    AT_MOST = "<="
    EXISTS = "exists"
    MISSING = "missing"


ORDERED = (Op.GREATER, Op.AT_LEAST, Op.LESS, Op.AT_MOST)
LISTED = (Op.IN, Op.NOT_IN)


class Weekday(StrEnum):
    """A day of the week, Monday first as in ISO 8601."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _month_day(day: int) -> int:
    if not day or abs(day) > _LONGEST_MONTH:
        raise PydanticCustomError("month_day", "A day of the month is 1 to 31, or -1 for the last to -31.")
    return day


MonthDay = Annotated[int, AfterValidator(_month_day)]


class Strict(BaseModel):
    """Something that is said exactly: what is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Comparison(Strict):
    """A field compared with a value. Regular expressions match the whole value, in linear time; `like` knows `*` and `?`."""

    field: FieldName
    op: Op = Op.IS
    value: Text | list[Text] = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.value, list) != (self.op in LISTED):
            raise PydanticCustomError("value", "`in` and `not in` take a list of values, everything else takes one.")
        if isinstance(self.value, list):
            if not 1 <= len(self.value) <= _MOST_PARTS:
                raise PydanticCustomError("value", "A list has 1 to {most} values.", {"most": _MOST_PARTS})
        elif self.op in (Op.MATCHES, Op.MATCHES_NOT):
            require_linear(self.value)
        elif self.op in ORDERED:
            _require_order(self.field, self.value)
        return self


class TimeRange(Strict):
    """Hours of days on the clock of a zone. `until` at or before `since` is on the next day; none: the whole day.

    Days of the month count from its end when they are negative: -1 is the last. What is empty does not restrict.
    """

    days: list[Weekday] = Field(default_factory=lambda: list(Weekday), min_length=1, max_length=7)
    month_days: list[MonthDay] = Field(default_factory=list, max_length=62)
    months: list[Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=list, max_length=12)
    years: list[Annotated[int, Field(ge=1970, le=9999)]] = Field(default_factory=list, max_length=100)
    since: Annotated[time, AfterValidator(on_the_wall)] = Field(default=time(0), alias="from")
    until: Annotated[time, AfterValidator(on_the_wall)] = Field(default=time(0), alias="to")
    zone: Zone = "UTC"


class All(Strict):
    """Every one of these holds."""

    all: list["Condition"] = Field(max_length=_MOST_PARTS)


class AnyOf(Strict):
    """At least one of these holds."""

    any: list["Condition"] = Field(min_length=1, max_length=_MOST_PARTS)


class Not(Strict):
    """This does not hold."""

    not_: "Condition" = Field(alias="not")


class Logic(Strict):
    """JSON Logic (jsonlogic.com) on the alert's fields: `{"==": [{"var": "labels.job"}, "node"]}`."""

    logic: dict[str, Any] | bool


class Times(Strict):
    """It is one of these times."""

    times: list[TimeRange] = Field(min_length=1, max_length=20)


_KINDS = ("all", "any", "not", "logic", "times")


def _kind_of(said: Any) -> str:
    """Which kind of condition this is meant to be, so that what is wrong with it is said in its own terms."""
    if isinstance(said, BaseModel):
        return {All: "all", AnyOf: "any", Not: "not", Logic: "logic", Times: "times"}.get(type(said), "comparison")
    return next((kind for kind in _KINDS if isinstance(said, dict) and kind in said), "comparison")


Condition = Annotated[
    Annotated[Comparison, Tag("comparison")]
    | Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Logic, Tag("logic")]
    | Annotated[Times, Tag("times")],
    Discriminator(_kind_of),
]
for _model in (All, AnyOf, Not):
    _model.model_rebuild()


def require_small(condition: Condition) -> Condition:
    """Refuse a condition of too many parts, or too deep. Raises PydanticCustomError."""
    parts = 0
    level: list[Condition] = [condition]
    for _ in range(_DEEPEST):
        parts += len(level)
        level = [part for each in level for part in parts_of(each)]
    if level or parts > _MOST_PARTS:
        said = {"most": _MOST_PARTS, "deep": _DEEPEST}
        raise PydanticCustomError("condition", "A condition has at most {most} parts, and at most {deep} one within the other.", said)
    return condition


def parts_of(condition: Condition) -> list[Condition]:
    """The conditions directly within one."""
    if isinstance(condition, All):
        return condition.all
    if isinstance(condition, AnyOf):
        return condition.any
    return [condition.not_] if isinstance(condition, Not) else []


def times_of(condition: Condition) -> list[TimeRange]:
    """All times that a condition asks for."""
    own = condition.times if isinstance(condition, Times) else []
    return [*own, *(range for part in parts_of(condition) for range in times_of(part))]


def require_linear(pattern: str) -> None:
    """Refuse what is no regular expression of RE2 (https://github.com/google/re2/wiki/Syntax). Raises PydanticCustomError."""
    try:
        re2.compile(pattern, _QUIETLY)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise PydanticCustomError("pattern", "This is no regular expression: {why}", {"why": said}) from None


def _require_order(field: str, value: str) -> None:
    if field == "severity":
        if value not in list(Severity):
            raise PydanticCustomError("value", "A severity is critical, error, warning or info.")
        return
    try:
        float(value)
    except ValueError:
        raise PydanticCustomError("value", "More and less compare numbers; “{value}” is none.", {"value": value[:60]}) from None
