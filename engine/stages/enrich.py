"""What does an alert say between its lines, and what do people know of it?

Extractions and tables are applied in the order of their names, each to the alert as those before have left it. What the alert
says already stays, unless it is said otherwise. A table of exact values is one look; one with wildcards is an automaton for
each column, and the first of its rows that fits counts.
"""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import jmespath
import msgspec
import re2
from jmespath.exceptions import JMESPathError

from engine.matching.conditions import Patterns, Subject, wildcard
from engine.model.enrichments import SETTABLE, Extraction, Mapping
from engine.model.ruled import Enriched
from engine.model.vocabulary import Severity

_LONGEST = 1000
_LONGEST_JSON = 64 * 1024
_LONGEST_TEXT = 8_192  # what is further behind is not searched: captures cost more than matching


class Enrichments:
    """The extractions and tables of an organization, compiled."""

    def __init__(self, extractions: Sequence[Extraction], tables: Sequence[Mapping]) -> None:
        self._extractions = [_Extractor(each) for each in sorted(extractions, key=lambda each: each.name)]
        self._tables = [_Table(each) for each in sorted(tables, key=lambda each: each.name)]

    def apply(self, subject: Subject) -> list[Enriched]:
        """Add to an alert, in place, what is to be added."""
        found: list[Enriched] = []
        for each in (*self._extractions, *self._tables):
            if (values := each.read(subject)) and (did := _take(subject, values, overwrite=each.overwrite)):
                subject.changed()
                found.append(Enriched(each.name, did))
        return found


class _Extractor:
    def __init__(self, said: Extraction) -> None:
        self.name, self.overwrite, self._field = said.name, said.overwrite, said.field
        self._pattern = re2.compile(said.pattern) if said.pattern else None
        self._groups = sorted(self._pattern.groupindex, key=self._pattern.groupindex.__getitem__) if self._pattern is not None else []
        self._paths = {name: jmespath.compile(path) for name, path in said.paths.items()}

    def read(self, subject: Subject) -> Values[str, str | None]:
        text = subject.value(self._field)
        if not text:
            return {}
        if self._pattern is not None:
            found = self._pattern.search(text[:_LONGEST_TEXT])
            said: Values[str, str | None] = found.groupdict() if found is not None else {}
            return {name: said[name] for name in self._groups} if said else {}
        return self._by_path(text)

    def _by_path(self, text: str) -> Values[str, str | None]:
        try:
            document = msgspec.json.decode(text[:_LONGEST_JSON])
        except (msgspec.DecodeError, RecursionError):
            return {}
        return {name: _found(path, document) for name, path in self._paths.items()}


def _found(path: Any, document: Any) -> str | None:
    try:
        value = path.search(document)
    except JMESPathError:
        return None
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Table:
    def __init__(self, said: Mapping) -> None:
        self.name, self.overwrite, self._on = said.name, said.overwrite, said.match_on
        places = [said.columns.index(name) for name in said.match_on]
        rest = [(place, name) for place, name in enumerate(said.columns) if place not in places]
        self._rows = [{name: row[place] for place, name in rest} for row in said.rows]
        self._patterns = Patterns() if said.wildcards else None
        self._by_key: dict[tuple[object, ...], int] = {}
        for number, row in enumerate(said.rows):
            self._by_key.setdefault(self._key(tuple(row[place] for place in places)), number)
        if self._patterns is not None:
            self._patterns.ready()

    def _key(self, values: tuple[str, ...]) -> tuple[object, ...]:
        """By what a row is found: its values, or the numbers of their expressions."""
        if self._patterns is None:
            return values
        return tuple(self._patterns.add(name, wildcard(value)) for name, value in zip(self._on, values, strict=True))

    def read(self, subject: Subject) -> Values[str, str | None]:
        """What the first row that fits says."""
        if self._patterns is None:
            number = self._by_key.get(tuple(map(subject.value, self._on)))
        else:
            number = self._first([subject.hits(name, self._patterns) for name in self._on])
        return self._rows[number] if number is not None else {}

    def _first(self, hits: Sequence[frozenset[int]]) -> int | None:
        """The first row whose expressions all match."""
        if prod(map(len, hits)) <= len(self._by_key):
            found = (self._by_key.get(key) for key in product(*hits))
            return min((number for number in found if number is not None), default=None)
        fits = (number for key, number in self._by_key.items() if all(each in hit for each, hit in zip(key, hits, strict=True)))
        return min(fits, default=None)


def _take(subject: Subject, values: Values[str, str | None], *, overwrite: bool) -> tuple[str, ...]:
    """Set values on an alert: fields by their own names, everything else as labels. Returns what was set, in words."""
    did: list[str] = []
    for name, value in values.items():
        if not value or (name == "severity" and value not in list(Severity)):
            continue
        held: dict[str, Any] = subject.fields if name in SETTABLE else subject.labels
        name = name.removeprefix("labels.")
        if held.get(name) == value or (held.get(name) and not overwrite):
            continue
        held[name] = value[:_LONGEST]
        did.append(f"{name} {value[:_LONGEST]}" if held is subject.fields else f"label {name}={value[:_LONGEST]}")
    return tuple(did)
