"""How is what operators define said in words? It is given as it is kept, in the words of docs/rules.md."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from engine.errors import Invalid
from engine.operations.words import parsed

Spec = Mapping[str, Any]

_PARTS = re.compile(r'(?:[^,"\n]|"(?:[^"\\]|\\.)*"|")+')  # a quote that never ends is kept, to be said

_OPS = {
    "=": "is",
    "!=": "is not",
    "=~": "matches",
    "!~": "does not match",
    "like": "is like",
    "not like": "is not like",
    "in": "is one of",
    "not in": "is none of",
    ">": "is more than",
    ">=": "is at least",
    "<": "is less than",
    "<=": "is at most",
    "exists": "is there",
    "missing": "is missing",
}


def condition(said: Spec, *, within: bool = False) -> str:
    """A condition as a sentence; `within` another one it has brackets where it needs them."""
    for name, between in (("all", " and "), ("any", " or ")):
        if name in said:
            words = between.join(condition(part, within=True) for part in said[name]) or "every alert"
            return f"({words})" if within and len(said[name]) > 1 else words
    if "not" in said:
        return f"not {condition(said['not'], within=True)}"
    if "times" in said:
        return " or ".join(_times(each) for each in said["times"])
    if "logic" in said:
        return "JSON Logic"
    return _compared(said)


def _compared(said: Spec) -> str:
    op, value = said.get("op", "="), said.get("value", "")
    shown = ", ".join(value) if isinstance(value, list) else value or "empty"
    field = str(said["field"]).removeprefix("labels.").removeprefix("annotations.")
    return f"{field} {_OPS[op]}" + ("" if op in ("exists", "missing") else f" {shown}")


def _times(said: Spec) -> str:
    days = " ".join(day.capitalize() for day in said.get("days", []))
    since, until = (str(said.get(name, "00:00"))[:5] for name in ("from", "to"))
    more = [(name.replace("_", " "), said.get(name)) for name in ("month_days", "months", "years")]
    parts = [
        days,
        "" if since == until else f"{since} to {until}",
        *(f"in {name} {', '.join(map(str, each))}" for name, each in more if each),
    ]
    return f"it is {' '.join(part for part in parts if part) or 'any time'} ({said.get('zone', 'UTC')})"


def actions(said: Spec) -> str:
    """What a rule does, in a line."""
    done = [f"{name} {said[name]}" for name in ("severity", "service", "environment", "team") if said.get(name)]
    done += [f"label {name}={value}" for name, value in said.get("labels", {}).items()]
    done += [f"group by {', '.join(said['group_by'])}"] if said.get("group_by") else []
    done += [f"hold for {said['hold_minutes']} min"] if said.get("hold_minutes") else []
    if gate := said.get("threshold"):
        done.append(f"open at {gate['count']} {gate.get('of', 'alerts')} in {gate['minutes']} min")
    flags = {"suppress": "suppress", "notify_only": "notify only", "analyse": "analyse"}
    done += [words for name, words in flags.items() if said.get(name)]
    return ", ".join([*done, *([f"run {said['runbook']}"] if said.get("runbook") else [])])


def matchers(said: Sequence[Spec]) -> str:
    """Matchers as Alertmanager's tools write them."""
    return ", ".join(f'{each["name"]}{each.get("op", "=")}"{_escaped(str(each.get("value", "")))}"' for each in said)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def matchers_of(text: str, field: str = "matchers") -> list[dict[str, str]]:
    """Matchers that were typed, with commas or lines between them, as they are kept. Raises Invalid of the field."""
    found: list[dict[str, str]] = []
    for part in _PARTS.findall(text.strip().removeprefix("{").removesuffix("}")):
        if not part.strip():
            continue
        try:
            match = parsed(part)
        except PydanticCustomError as error:
            raise Invalid.field(field, f"“{part.strip()[:80]}”: {error.message()}") from None
        found.append({"name": match.name, "op": match.operator, "value": match.value})
    return found
