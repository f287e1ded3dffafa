"""How does a mapping made by a user turn an object into an alert?

For each field an expression: a JMESPath, or a template with JMESPath in double braces. Compiled once, and bounded, so that no
mapping can stall the worker.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import Field, field_validator

from engine.integrations.sources.contract import SourceSettings
from engine.integrations.sources.lenient import clean, link, moment, text, words
from engine.model.heard import Heard

FieldName = Literal[
    "title",
    "description",
    "severity",
    "status",
    "key",
    "service",
    "environment",
    "resource",
    "team",
    "starts_at",
    "ends_at",
    "url",
]
RESOLVED = "resolved resolve ok closed close recovered recovery up normal clear cleared healthy inactive".split()
_FIRING = (
    "firing alerting alert open opened new active triggered trigger raised problem fault down failed failure failing bad critical "
    "error warning warn create created update updated acknowledged acknowledge unhealthy pending started start true yes on 1"
).split()
_LONGEST = 500  # characters of an expression
_DEEPEST = 40  # steps of a path, and what is inside one another
_MOST_COPIES = 64  # of what is sent, by lists and objects of an expression inside one another
_PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_SCALARS = (str, int, float)  # many times faster to ask for than a union
_FAILS = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)

Expression = Annotated[str, Field(max_length=_LONGEST)]
Look = Callable[[Any], Any]


class MappedSettings(SourceSettings):
    """Settings of a kind whose fields the user can choose."""

    mapping: dict[FieldName, Expression] = Field(
        default_factory=dict,
        title="Fields",
        description="where each field is: a JMESPath such as alert.name, or a text such as {{alert.name}} on {{host}}",
    )
    labels: dict[Annotated[str, Field(min_length=1, max_length=100)], Expression] = Field(
        default_factory=dict, title="Labels", description="more labels, each with a path or text as above", max_length=50
    )
    defaults: dict[FieldName, Annotated[str, Field(max_length=300)]] = Field(
        default_factory=dict, title="Defaults", description="the text of a field that the sender leaves out"
    )
    resolved_words: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=lambda: list(RESOLVED),
        title="Words for resolved",
        description="a status that is one of these ends the alert, in capitals or not; any other is a firing one",
        max_length=50,
    )

    @field_validator("mapping", "labels")
    @classmethod
    def _compiles(cls, said: dict[str, str]) -> dict[str, str]:
        for name, expression in said.items():
            try:
                compiled(expression)
            except ValueError as error:
                raise ValueError(f"“{name}”: {error}") from None
        return said

    @field_validator("resolved_words")
    @classmethod
    def _lower(cls, said: list[str]) -> list[str]:
        return [word.strip().lower() for word in said]


def compose(said: Any, guessed: Mapping[str, Any], labels: dict[str, str], settings: MappedSettings) -> Heard:
    """An alert of an object: what the mapping finds, else what was guessed, else the default.

    A field with an expression is never guessed, but for a title that would be empty.
    """
    values = {name: told for name, value in guessed.items() if (told := _told(value))}
    notes: list[str] = []
    guessed_title = values.get("title")
    for name, expression in settings.mapping.items():
        values[name] = _found(expression, said, name, notes) or ""
    for name, expression in settings.labels.items():
        if found := _found(expression, said, name, notes):
            labels[name] = found
    for name, default in settings.defaults.items():
        values[name] = values.get(name) or clean(default)
    values["title"] = values.get("title") or guessed_title or "Alert without a title"
    return _heard(values, labels, notes, settings)


def _heard(values: dict[str, str], labels: dict[str, str], notes: list[str], settings: MappedSettings) -> Heard:
    status = values.get("status", "").strip()
    firing = status.lower() not in settings.resolved_words
    if firing and status and status.lower() not in _FIRING:
        notes.append(f"The status “{status[:60]}” is unknown; read as firing.")
    times = {name: moment(values[name]) for name in ("starts_at", "ends_at") if values.get(name)}
    notes += [f"The time “{values[name][:60]}” cannot be read." for name, time in times.items() if time is None]
    return Heard(
        title=values["title"],
        firing=firing,
        key=values.get("key") or None,
        description=values.get("description") or None,
        severity=values.get("severity") or None,
        service=values.get("service") or None,
        environment=values.get("environment") or None,
        resource=values.get("resource") or None,
        team=values.get("team") or None,
        labels=labels,
        starts_at=times.get("starts_at"),
        ends_at=None if firing else times.get("ends_at"),
        links=link("Source", values.get("url")),
        notes=tuple(notes),
    )


def looked_up(expression: str, said: Any) -> Any:
    """What is at a path; None when nothing is, or the path does not fit what was sent."""
    try:
        return compiled(expression)(said)
    except _FAILS:
        return None


@lru_cache(maxsize=2_000)
def compiled(expression: str) -> Look:
    """An expression, ready to look with. Raises ValueError, which says what is wrong and where."""
    if not expression.strip():
        raise ValueError("the expression is empty; leave the field out, or write a path such as alert.name.")
    if "{{" not in expression:
        return _path(expression.strip())
    *texts, last = _HOLE.split(expression)[::2]
    looks = [_path(inside.strip()) for inside in _HOLE.findall(expression)]
    if any("{{" in between or "}}" in between for between in (*texts, last)):
        raise ValueError(f"the braces of “{expression}” do not match; write {{{{path}}}}.")
    pairs = list(zip(texts, looks, strict=True))
    return lambda said: "".join(between + (_told(look(said)) or "") for between, look in pairs) + last


def _path(path: str) -> Look:
    if _PLAIN.fullmatch(path):
        return _walk(path.split("."))
    try:
        found = jmespath.compile(path)
        _check(found.parsed)
    except RecursionError:
        raise ValueError(f"“{path[:60]}…” is nested too deeply.") from None
    except JMESPathError as error:
        raise ValueError(f"“{path}” is no JMESPath: {_first_line(error)}") from None
    return found.search


def _walk(names: list[str]) -> Look:
    """A path of names alone, many times faster than the interpreter."""

    def look(said: Any) -> Any:
        for name in names:
            if not isinstance(said, dict):
                return None
            said = said.get(name)
        return said

    return look


def _check(tree: Any) -> None:
    """Raise ValueError for an expression that could take long, or calls what there is not."""
    waiting: list[tuple[Any, int]] = [(tree, 1)]
    copies = 1
    while waiting:
        node, depth = waiting.pop()
        copies *= max(1, len(node["children"])) if node["type"].startswith("multi_select") else 1
        if node["type"] == "function_expression" and node["value"] not in Functions.FUNCTION_TABLE:
            raise ValueError(f"there is no function {node['value']}().")
        if depth > _DEEPEST:
            raise ValueError(f"the expression has more than {_DEEPEST} steps.")
        if copies > _MOST_COPIES:
            raise ValueError(f"its lists and objects could hold more than {_MOST_COPIES} copies of what is sent.")
        waiting += [(child, depth + 1) for child in node["children"] if isinstance(child, dict)]


def _first_line(error: Exception) -> str:
    position = getattr(error, "lex_position", None)
    said = str(error)[:1000].partition("\n")[0].partition(", for expression")[0].removesuffix(":")
    return f"{said}, at character {position + 1}." if isinstance(position, int) else said


def _found(expression: str, said: Any, name: str, notes: list[str]) -> str | None:
    try:
        return _told(compiled(expression)(said))
    except _FAILS as error:
        notes.append(f"The expression of “{name}” does not fit what was sent: {clean(_first_line(error))[:200]}")
        return None


def _told(value: Any) -> str | None:
    """A value as text: a list of words with commas, what is nested as its JSON."""
    if value is None or isinstance(value, _SCALARS):
        return text(value)
    if isinstance(value, list) and all(isinstance(each, _SCALARS) for each in value):
        return ", ".join(filter(None, map(text, value))) or None
    return text(msgspec.json.encode(value, order="sorted").decode())


def labels_of(said: Any) -> dict[str, str]:
    """An object, or a list of `name:value`, as labels; whatever else it is, no labels."""
    try:
        if isinstance(said, list):
            pairs = [each.partition(":") for each in said if isinstance(each, str)]
            return words({name.strip(): value.strip() for name, _, value in pairs if name.strip() and value.strip()})
        return words(said)
    except (TypeError, RecursionError, ValueError):
        return {}
