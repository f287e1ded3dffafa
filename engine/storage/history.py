"""What do the alerts of the past say, as far as a question needs it?

Live alerts and those that are over are read together, in parts of some ten thousand, by id and so by the time when they were
first seen. Alerts of a part that say the same are one line.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from engine.matching.conditions import Subject
from engine.model.ids import floor_id, time_of
from engine.storage import rows
from engine.storage.work import Work

_PART = 50_000
_SOURCE = "(SELECT name FROM source s WHERE s.org_id = a.org_id AND s.id = a.source_id)"
_TABLES = ("alert", "alert_history")
_TEXTS = ("labels", "annotations")


class Reads(Struct, frozen=True):
    """Which fields are read (`service`, `labels.job`, or all `labels`), and whether the minute counts."""

    fields: tuple[str, ...]
    is_timed: bool


class Line(Struct):
    """Alerts that say the same: as conditions see them, how many, about when, and the newest of them."""

    subject: Subject
    count: int
    at: datetime
    newest: UUID


class Part(Struct, frozen=True):
    """A part of a table: after one id, and up to another."""

    table: str
    after: UUID
    to: UUID


def parts(work: Work, since: datetime, until: datetime) -> list[Part]:
    """The parts of the history of a time, the oldest first in each table. What is read after this is found by index."""
    rows.run(work, "SET LOCAL enable_seqscan = off")  # a part is a small part of its week
    found: list[Part] = []
    for table in _TABLES:
        after, end = floor_id(since), floor_id(until)
        while True:
            values = {"org": work.org_id, "after": after, "end": end, "most": _PART - 1}
            row = rows.fetch(work, _BOUND.format(table), values)
            found.append(Part(table, after, row[0][0] if row else end))
            if not row:
                break
            after = row[0][0]
    return found


_BOUND = "SELECT id FROM {} WHERE org_id = %(org)s AND id > %(after)s AND id < %(end)s ORDER BY id OFFSET %(most)s LIMIT 1"


def counted(work: Work, reads: Reads, part: Part, width: timedelta) -> Iterator[Line]:
    """The lines of a part; those of one line began to be heard of within `width`."""
    width = timedelta(minutes=1) if reads.is_timed else width
    named, columns = _columns(reads)
    statement = f"""
        SELECT {"".join(f"{column} AS c{n}, " for n, column in enumerate(columns))} date_bin(%(width)s, first_seen_at, 'epoch') AS at,
            count(*), max(id::text)::uuid
        FROM {part.table} a WHERE org_id = %(org)s AND id > %(after)s AND id <= %(to)s
        GROUP BY {"".join(f"c{n}, " for n in range(len(columns)))} at
    """  # noqa: S608 the columns are ours, the names of labels are values
    values = {"org": work.org_id, "after": part.after, "to": part.to, "width": width} | named
    made = _maker(reads)
    for line in rows.fetch(work, statement, values):
        yield Line(made(line, line[-3]), line[-2], line[-3], line[-1])


def newest(work: Work, reads: Reads, most: int) -> Iterator[Line]:
    """The newest alerts, a line each."""
    named, columns = _columns(reads)
    said = "".join(f"{column}, " for column in columns)
    half = "(SELECT {} first_seen_at, id FROM {} a WHERE org_id = %(org)s ORDER BY id DESC LIMIT %(most)s)"
    statement = " UNION ALL ".join(half.format(said, table) for table in _TABLES) + " ORDER BY id DESC LIMIT %(most)s"
    made = _maker(reads)
    for line in rows.fetch(work, statement, {"org": work.org_id, "most": most} | named):
        yield Line(made(line, line[-2]), 1, time_of(line[-1]), line[-1])


def _columns(reads: Reads) -> tuple[dict[str, str], list[str]]:
    """The columns of the fields, and the names of labels in them as values."""
    named: dict[str, str] = {}
    columns: list[str] = []
    for number, field in enumerate(dict.fromkeys(reads.fields)):
        kind, _, name = field.partition(".")
        if name:
            named[f"n{number}"] = name
            columns.append(f"{kind} ->> %(n{number})s")
        elif field == "source":
            columns.append(_SOURCE)
        else:
            columns.append("NULL::text" if field == "kind" else field)
    return named, columns


def _maker(reads: Reads) -> Callable[[Sequence[Any], datetime], Subject]:
    """What makes of the values of a line an alert as conditions see it."""
    names = list(dict.fromkeys(reads.fields))
    fields = [(place, name) for place, name in enumerate(names) if "." not in name and name not in _TEXTS]
    texts = {kind: [(n, name.partition(".")[2]) for n, name in enumerate(names) if name.startswith(f"{kind}.")] for kind in _TEXTS}
    whole = {kind: names.index(kind) if kind in names else None for kind in _TEXTS}

    def said(kind: str, values: Sequence[Any]) -> dict[str, str]:
        place = whole[kind]
        found = {name: value for n, name in texts[kind] if (value := values[n]) is not None}
        return found if place is None else {**(values[place] or {}), **found}

    return lambda values, at: Subject(at, {name: values[n] for n, name in fields}, said("labels", values), said("annotations", values))
