"""What is added to an alert before the rules are asked? Extraction from its texts, and tables that people keep."""

from typing import Annotated, Self

import jmespath
import re2
from jmespath.exceptions import JMESPathError
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from engine.model.conditions import FieldName, Strict, Text, require_linear
from engine.model.rulings import Name

MOST_ROWS, MOST_COLUMNS = 10_000, 20
# What can be set by its own name; every other name is that of a label.
SETTABLE = ("service", "environment", "resource", "team", "severity")
Column = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_./-]{0,199}$")]


class Extraction(Strict):
    """Values taken out of a text: by the named groups of a regular expression, or by paths into JSON that the text is."""

    name: Name
    enabled: bool = True
    field: FieldName = Field(description="the text to read, such as title or annotations.description")
    pattern: Text = Field(default="", description="RE2, found anywhere in the text: host (?P<host>\\S+) in (?P<environment>\\w+)")
    paths: dict[Column, Text] = Field(default_factory=dict, max_length=20, description="what to set, and its JMESPath in the text")
    overwrite: bool = Field(default=False, description="what the alert says already is replaced")

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if bool(self.pattern) == bool(self.paths):
            raise PydanticCustomError("extraction", "Give either a pattern or paths.")
        for path in self.paths.values():
            try:
                jmespath.compile(path)
            except JMESPathError as error:
                raise PydanticCustomError("path", "This is no JMESPath: {why}", {"why": str(error)}) from None
        if self.pattern:
            require_linear(self.pattern)
            if not re2.compile(self.pattern).groupindex:
                raise PydanticCustomError("pattern", "Name what is taken out: (?P<service>\\w+).")
        return self


class Mapping(Strict):
    """A table: where an alert has the values of a row in the fields `match_on`, it gets what the other columns of the row say."""

    name: Name
    enabled: bool = True
    match_on: list[FieldName] = Field(min_length=1, max_length=5)
    wildcards: bool = Field(default=False, description="`*` and `?` in the columns that are matched")
    overwrite: bool = Field(default=False, description="what the alert says already is replaced")
    columns: list[Column] = Field(min_length=2, max_length=MOST_COLUMNS)
    rows: list[list[Text]] = Field(max_length=MOST_ROWS)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        missing = [name for name in self.match_on if name not in self.columns]
        if missing:
            raise PydanticCustomError(
                "columns", "The table has no column {missing}, by which it is matched.", {"missing": ", ".join(missing)}
            )
        if len(set(self.columns)) < len(self.columns):
            raise PydanticCustomError("columns", "Two columns have the same name.")
        if len(self.columns) == len(self.match_on):
            raise PydanticCustomError("columns", "Every column is matched: none is left to be set.")
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                said = {"number": number, "has": len(row), "wants": len(self.columns)}
                raise PydanticCustomError("rows", "Row {number} has {has} values; the table has {wants} columns.", said)
        return self
