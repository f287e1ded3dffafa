"""What do the mapping, extraction and correlation rules of Keep mean in our tables, extractions and rules?

Read is what its REST API answers to `GET /mapping`, `/extraction` and `/rules`. A correlation rule becomes a rule that sets the
label `keep_rule` and groups by it and by what Keep groups by, so that alerts of two rules are never one incident. What would
decide otherwise than in Keep is left out; what is only different is said. Source: https://docs.keephq.dev/overview
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import ValidationError

from engine.errors import Invalid
from engine.integrations.imports import cel
from engine.integrations.imports.cel import Unreadable, field_of
from engine.integrations.imports.contract import Imported
from engine.integrations.sources.lenient import clean, text
from engine.model import enrichments

RULE = "keep_rule"
Said = Mapping[str, Any]
Spec = dict[str, Any]
_PARTS = {"mapping": "mappings", "mappings": "mappings", "extraction": "extractions", "extractions": "extractions"} | dict.fromkeys(
    ("rules", "correlation", "correlations"), "rules"
)
_CALLED = {"mappings": "mapping", "extractions": "extraction", "rules": "rules"}
# By which of its fields an item of a bare list is known.
_MARKS = {"extractions": {"regex"}, "rules": {"definition_cel", "grouping_criteria", "timeframe"}, "mappings": {"matchers", "rows"}}
_EVERYWHERE = ("", "*", "true")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_GROUP = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
_COLUMN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_./-]{0,199}")
_SIGNS = set("^$*+?{}[]|()\\")
_PATTERN = re.compile(r"\.\*|\.\+|\\[^A-Za-z0-9*?]|[^\\^$*+?{}\[\]|()]", re.DOTALL)
_AS_WILDCARD = {".*": "*", ".+": "?*", ".": "?"}
# What an alert of Keep says of itself under these names; set by enrichment here, they are labels.
_OF_THE_ALERT = ("name", "description", "status", "source")
_UNTAKEN = ("incident_name_template", "incident_prefix", "group_description", "item_description", "assignee")
_TIMEFRAME = 600  # seconds, where Keep says none
_LONGEST_NAME, _LONGEST_MINUTES, _MOST_GROUPS = 90, 1440, 20


@dataclass
class _Names:
    """Names that are given already, whatever their case: Keep allows one twice, and what is imported is known by its name."""

    _next: dict[str, int] = field(default_factory=dict)

    def free(self, said: Any) -> str:
        name = " ".join(_CONTROL.sub(" ", text(said) or "").split())[:_LONGEST_NAME].strip()
        if not name:
            raise Unreadable("it has no name")
        given, number = name, self._next.get(name.lower(), 2)
        while given.lower() in self._next:
            given, number = f"{name} {number}", number + 1
        self._next[name.lower()] = number
        self._next.setdefault(given.lower(), 2)
        return given


Made = tuple[list[Spec], list[str]]  # what an item becomes, and what is said of it


def translate(document: Any) -> Imported:
    """Read rules of Keep. Raises Invalid when there are none."""
    found = Imported()
    names = {part: _Names() for part in _READ}
    for place, part, said in _items(document, found):
        if not isinstance(said, Mapping):
            found.leave(place, "it is no rule as Keep writes it")
            continue
        try:
            specs, words = _READ[part](cast(Said, said), names[part])
        except Unreadable as reason:
            found.leave(place, str(reason))
        except (ArithmeticError, TypeError, ValueError):
            found.leave(place, "it is no rule as Keep writes it")
        else:
            getattr(found, part).extend(specs)
            found.take(place, "; ".join(words), specs[0])
    return found


def _items(document: Any, found: Imported) -> Iterator[tuple[str, str, Any]]:
    """Everything that is listed: its place, what it is one of, and what it says."""
    if isinstance(document, list):
        yield from _recognised(cast(list[Any], document), found)
        return
    if not isinstance(document, Mapping) or not any(name in _PARTS for name in document):
        raise Invalid.field("text", "This has none of mapping, extraction and rules, as Keep answers them.")
    for name, listed in cast(Mapping[Any, Any], document).items():
        if name not in _PARTS:
            found.leave(text(name, 100) or "–", "there is no such part; there are mapping, extraction and rules")
        elif listed is not None:
            for number, said in enumerate(cast(list[Any], listed) if isinstance(listed, list) else [listed]):
                yield f"{name}[{number}]", _PARTS[name], said


def _recognised(listed: list[Any], found: Imported) -> Iterator[tuple[str, str, Any]]:
    parts = [next((part for part, marks in _MARKS.items() if isinstance(each, Mapping) and marks & each.keys()), "") for each in listed]
    if listed and not any(parts):
        raise Invalid.field("text", "This is no list of mapping, extraction or correlation rules of Keep.")
    for number, (part, said) in enumerate(zip(parts, listed, strict=True)):
        if part:
            yield f"{_CALLED[part]}[{number}]", part, said
        else:
            found.leave(f"[{number}]", "it is neither a mapping, nor an extraction, nor a correlation rule of Keep")


def _extraction(said: Said, names: _Names) -> Made:
    _require_everywhere(said)
    if said.get("pre"):
        raise Unreadable("it reads what the sender has posted, before Keep understands it (“pre”); an extraction here reads the alert")
    pattern = said.get("regex")
    if not isinstance(pattern, str) or not pattern:
        raise Unreadable("it has no regex")
    attribute = (text(said.get("attribute")) or "").removeprefix("{{").removesuffix("}}").strip()
    if "{{" in attribute:
        raise Unreadable("it reads several attributes at once; an extraction here reads one")
    name = field_of(attribute.split("."))
    spec = {"name": names.free(said.get("name")), "enabled": not said.get("disabled"), "field": name}
    groups = list(dict.fromkeys(_GROUP.findall(pattern)))
    words = [f"an extraction from {name}", *_different(said, groups)]
    if "severity" in groups:
        words.append("a severity is only set where it is critical, error, warning or info")
    return [spec | {"pattern": clean(pattern), "overwrite": True}], words


def _require_everywhere(said: Said) -> None:
    condition = text(said.get("condition"), 100) or ""
    if condition not in _EVERYWHERE or isinstance(said.get("condition"), list | dict):
        raise Unreadable(f"it only holds where “{condition or 'something'}”; enrichment here has no condition")


def _different(said: Said, set_here: Sequence[str]) -> list[str]:
    """What is different here of enrichment that sets these."""
    words = [f"“{name}” becomes a label" for name in set_here if name in _OF_THE_ALERT]
    if said.get("priority"):
        words.append("its priority is not taken: here the order is that of the names")
    if said.get("disabled"):
        words.append("switched off, as in Keep")
    return words


def _mapping(said: Said, names: _Names) -> Made:
    _require_table(said)
    _require_everywhere(said)
    groups, rows = _groups(said.get("matchers")), _rows(said.get("rows"))
    tables = [table for group in groups if (table := _table(group, groups, rows))]
    if not tables:
        raise Unreadable("no row has a value in the columns that are matched")
    common = {"enabled": not said.get("disabled"), "overwrite": said.get("override") is not False}
    specs: list[Spec] = [{"name": names.free(said.get("name"))} | common | table for table in tables]
    if len(specs) > 1:
        _require_all_fit(specs)
    matched = {name for group in groups for name in group}
    words = [", ".join(f"a table by {' and '.join(each['match_on'])}" for each in specs)]
    words += ["an alert that several of them fit gets the values of each"] if len(specs) > 1 else []
    words += ["by pattern"] if any(spec["wildcards"] for spec in specs) else []
    if empty := sum(not any(all(row.get(name) for name in group) for group in groups) for row in rows):
        words.append(f"rows without a value to match are left out: {empty}")
    return specs, words + _different(said, [name for name in _keys(rows) if name not in matched])


def _require_table(said: Said) -> None:
    kind = said.get("type") or "csv"
    if kind == "topology":
        raise Unreadable("it asks Keep's topology; enrichment here has only tables")
    if kind != "csv":
        raise Unreadable(f"its type “{text(kind, 60) or 'nothing'}” is not known here")
    if said.get("is_multi_level"):
        raise Unreadable("it is multi-level: it looks up every value of a list; a table here looks up one value")


def _require_all_fit(specs: Sequence[Spec]) -> None:
    """Refuse all tables of one item when one of them cannot be kept: half of a mapping decides otherwise than the whole."""
    for spec in specs:
        try:
            enrichments.Mapping.model_validate(spec)
        except ValidationError as error:
            raise Unreadable(error.errors(include_input=False, include_url=False)[0]["msg"]) from None


def _groups(said: Any) -> list[list[str]]:
    """The attributes that are matched: any of the groups, of each all. Before it had groups, Keep wrote `a && b`."""
    listed = cast(list[Any], said) if isinstance(said, list) else []
    if len(listed) > _MOST_GROUPS:
        raise Unreadable(f"it has more than {_MOST_GROUPS} groups of matchers")
    groups: list[list[str]] = []
    for each in listed:
        names = each.split("&&") if isinstance(each, str) else each
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
            raise Unreadable("its matchers are no lists of attributes")
        groups.append(list(dict.fromkeys(clean(name).strip() for name in cast(list[str], names))))
    if not any(groups):
        raise Unreadable("it has no matchers")
    return [group for number, group in enumerate(groups) if group and group not in groups[:number]]


def _rows(said: Any) -> list[dict[str, str]]:
    if not isinstance(said, list) or not said:
        raise Unreadable("its rows are not in the file; write them under “rows”, a list of objects")
    rows: list[dict[str, str]] = []
    for number, row in enumerate(cast(list[Any], said), 1):
        if not isinstance(row, Mapping):
            raise Unreadable(f"row {number} is no object")
        if nested := [name for name, value in row.items() if isinstance(value, list | dict)]:
            raise Unreadable(f"row {number}: “{text(nested[0], 60)}” is no text")
        rows.append({text(name) or "": text(value) or "" for name, value in row.items()})
    return rows


def _keys(rows: Sequence[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _table(group: Sequence[str], groups: Sequence[Sequence[str]], rows: Sequence[Mapping[str, str]]) -> Spec:
    """The table of one group of matchers; nothing where no row has a value for it."""
    matched = {name for each in groups for name in each}
    fields = {name: field_of(name.split(".")) for name in group}
    rest = [name for name in _keys(rows) if name not in matched]
    if not rest:
        raise Unreadable("every column is matched: none is left to be set")
    for name in (*fields.values(), *rest):
        if not _COLUMN.fullmatch(name):
            raise Unreadable(f"the column “{name[:60]}” is no name of a label here: letters, digits and _ . / - make one")
    kept = [(number, row) for number, row in enumerate(rows, 1) if all(row.get(name) for name in group)]
    patterns = any(_SIGNS & set(row[name]) for _, row in kept for name in group)
    values = [
        [_matched(row[name], number) if patterns else _worded(fields[name], row[name]) for name in group]
        + [_worded(name, row.get(name, "")) for name in rest]
        for number, row in kept
    ]
    if not values:
        return {}
    return {"match_on": [*fields.values()], "columns": [*fields.values(), *rest], "rows": values, "wildcards": patterns}


def _worded(name: str, value: str) -> str:
    return cel.SEVERITIES.get(value.lower(), value) if name == "severity" else value


def _matched(value: str, number: int) -> str:
    """What a row asks for as `*` and `?` say it: `*` alone, a text, or a regular expression that is found somewhere."""
    if value == "*" or not _SIGNS & set(value):
        return value
    begins, ends = value.startswith("^"), value.endswith("$") and not value.endswith("\\$")
    body, found, at = value[begins : len(value) - ends], list[str](), 0
    while at < len(body):
        match = _PATTERN.match(body, at)
        if match is None:
            raise Unreadable(f"row {number}: “{value[:60]}” is a pattern that `*` and `?` cannot say")
        found.append(_AS_WILDCARD.get(match[0], match[0][-1]))
        at = match.end()
    return re.sub(r"\*+", "*", ("" if begins else "*") + "".join(found) + ("" if ends else "*"))


def _correlation(said: Said, names: _Names) -> Made:
    expression = said.get("definition_cel")
    if not isinstance(expression, str) or not expression.strip():
        raise Unreadable("it has no CEL (“definition_cel”); its SQL is not read")
    if said.get("multi_level"):
        raise Unreadable("it is multi-level: it groups by every value of a list; a rule here groups by one value")
    read = cel.read(clean(expression))
    listed = said.get("grouping_criteria") or []
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in cast(list[Any], listed)):
        raise Unreadable("what it groups by is no list of attributes")
    grouped = list(dict.fromkeys(field_of(clean(each).split(".")) for each in cast(list[str], listed)))
    words = [f"a rule, grouped by {', '.join(grouped) or 'nothing: all of its alerts together'}"]
    seconds = said.get("timeframe")
    minutes = math.ceil((seconds or _TIMEFRAME) / 60)
    then: Spec = {"labels": {RULE: (name := names.free(said.get("name")))}, "group_by": [f"labels.{RULE}", *grouped]}
    if (count := int(said.get("threshold") or 1)) > 1:
        then["threshold"] = {"count": count, "of": "fingerprints", "minutes": min(max(minutes, 1), _LONGEST_MINUTES)}
        words += [f"its timeframe is cut to a day ({_LONGEST_MINUTES} minutes)"] if minutes > _LONGEST_MINUTES else []
    elif seconds:
        words.append(f"its timeframe of {minutes} minutes is not taken: the platform's own grouping window counts")
    return [{"name": name, "when": read.when, "then": then}], words + _untaken(said, read)


def _untaken(said: Said, read: cel.Read) -> list[str]:
    """What of a correlation rule is different here."""
    words = list(read.notes)
    if said.get("create_on") == "all" and "any" in read.when:
        words.append("it opens with an alert of any of its kinds; Keep waits for all of them")
    if said.get("require_approve"):
        words.append("it opens at once; Keep waits until somebody approves")
    if said.get("resolve_on", "all") not in ("all", "all_resolved"):
        words.append("it ends when all of its alerts have ended")
    if given := [name for name in _UNTAKEN if said.get(name)]:
        words.append(f"not taken: {', '.join(given)}")
    return words


_READ: dict[str, Callable[[Said, _Names], Made]] = {"mappings": _mapping, "extractions": _extraction, "rules": _correlation}
