"""How is a form drawn from a schema, and read back?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import FieldError, Invalid

# What can be set for a source of any kind: drawn below what its own kind adds.
USUAL = frozenset(
    "default_severity severities fingerprint_fields identity_group refire_minutes flap_changes flap_minutes stale_minutes silent_minutes"
    " per_minute".split()
)


@dataclass
class FormField:
    """One control. `kind` is text, number, flag, choice, list (one a line) or map (`name = value` a line)."""

    name: str
    title: str
    hint: str
    kind: str
    value: str
    options: list[str] = field(default_factory=list)
    low: str = ""
    high: str = ""
    is_usual: bool = False


def drawn(schema: Mapping[str, Any], values: Mapping[str, Any], usual: frozenset[str] = frozenset()) -> list[FormField]:
    """The controls of a JSON Schema with these values. Those named `usual` are the same for every form of their family."""
    return [_field(name, part, schema, values.get(name, part.get("default")), name in usual) for name, part in schema["properties"].items()]


def _field(name: str, part: Mapping[str, Any], schema: Mapping[str, Any], value: Any, is_usual: bool) -> FormField:
    kind, options = _kind(part, schema)
    said = ", ".join(part.get("propertyNames", {}).get("enum", []))
    hint = part.get("description", "") + (f" (one a line: name = value; names: {said})" if said else "")
    low, high = str(part.get("minimum", "")), str(part.get("maximum", ""))
    return FormField(name, part.get("title", name), hint, kind, _text(kind, value), options, low, high, is_usual)


def _kind(part: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, list[str]]:
    for option in part.get("anyOf", [part]):
        if "$ref" in option:
            return "choice", schema["$defs"][option["$ref"].rpartition("/")[2]]["enum"]
        if "enum" in option:
            return "choice", option["enum"]
        if (kind := _KINDS.get(option.get("type", ""))) is not None:
            return kind, []
    return "text", []


_KINDS = {"integer": "number", "number": "number", "boolean": "flag", "array": "list", "object": "map", "string": "text"}


def _text(kind: str, value: Any) -> str:
    if kind == "list":
        return "\n".join(map(str, value or []))
    if kind == "map":
        return "\n".join(f"{name} = {told}" for name, told in (value or {}).items())
    if kind == "flag":
        return "on" if value else ""
    return "" if value is None else str(value)


def given(schema: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says, as the schema wants it. Raises Invalid with each fault, by field."""
    found: dict[str, Any] = {}
    faults: list[FieldError] = []
    for name, part in schema["properties"].items():
        said, kind = str(form.get(name) or "").strip(), _kind(part, schema)[0]
        try:
            if kind == "flag":
                found[name] = bool(said)
            elif kind in ("list", "map"):
                found[name] = _lines(said) if kind == "list" else _pairs(said)
            elif said:
                found[name] = int(said) if kind == "number" else said
        except ValueError as error:
            faults.append(FieldError(name, str(error) if kind == "map" else "Write a whole number."))
    if faults:
        raise Invalid("; ".join(f"{fault.field}: {fault.message}" for fault in faults), tuple(faults))
    return found


def number(form: Mapping[str, Any], name: str) -> int | None:
    """The whole number that a control says; None when it is empty. Raises Invalid of its field."""
    if not (said := str(form.get(name) or "").strip()):
        return None
    try:
        return int(said)
    except ValueError:
        raise Invalid.field(name, "Write a whole number.") from None


def pairs(said: str, name: str) -> dict[str, str]:
    """What `name = value` lines of a control say. Raises Invalid of its field."""
    try:
        return _pairs(said)
    except ValueError as error:
        raise Invalid.field(name, str(error)) from None


def _lines(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.strip()]


def _pairs(said: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _lines(said):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise ValueError(f"Write “name = value” in each line; this one is not: {line[:80]}")
        found[name.strip()] = value.strip()
    return found
