"""How is one part of a list read?"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Text, cast, func, select, tuple_
from sqlmodel import Session

from engine.errors import Invalid
from engine.model.views import CAP, Facet, Facets, FacetValue, Page, Paging


@dataclass(frozen=True)
class Order:
    """The columns a list is sorted by, the last of them unique; all in one direction."""

    columns: tuple[ColumnElement[Any], ...]
    descending: bool = False


def read(session: Session, query: Select[Any], order: Order, paging: Paging) -> tuple[list[Any], Page[Any]]:
    """The rows of one part, and the page without its items. Raises Invalid for a cursor that is not ours."""
    after, total = _decoded(paging.cursor, order) if paging.cursor and not paging.page else ([], None)
    ordered = query.order_by(*(column.desc() if order.descending else column.asc() for column in order.columns))
    if paging.page:
        ordered = ordered.offset((paging.page - 1) * paging.page_size)
    elif after:
        ordered = ordered.where(_after(order, after))
    keys = [column.label(f"_key{place}") for place, column in enumerate(order.columns)]
    # Counted for the first part, by the same statement; a cursor brings it along.
    counting = select(func.count()).select_from(query.order_by(None).limit(CAP + 1).subquery())
    counts = [] if total is not None else [counting.scalar_subquery().label("_total")]
    found = session.execute(ordered.add_columns(*counts, *keys).limit(paging.size + 1)).all()
    if total is None:
        total = found[0][-len(keys) - 1] if found else session.execute(counting).scalar_one() if paging.page else 0
    rows, more = found[: paging.size], len(found) > paging.size
    cursor = _encoded(rows[-1][-len(keys) :], total) if more else None
    return list(rows), Page(items=(), next_cursor=cursor, total=min(total, CAP), total_is_capped=total > CAP)


def _after(order: Order, values: list[Any]) -> ColumnElement[bool]:
    left, right = tuple_(*order.columns), tuple_(*values)
    return left < right if order.descending else left > right


def _encoded(values: Sequence[Any], total: int) -> str:
    said = [*(_said(value) for value in values), total]
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    return {"u": str(value)} if isinstance(value, UUID) else value


def _decoded(cursor: str, order: Order) -> tuple[list[Any], int]:
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        *values, total = [_value(part) for part in said]
    except (ValueError, TypeError, KeyError, AttributeError):
        values, total = [], None
    fits = len(values) == len(order.columns) and all(
        isinstance(value, _kind(column)) for value, column in zip(values, order.columns, strict=True)
    )
    if not fits or not isinstance(total, int) or not 0 <= total <= CAP + 1:
        raise Invalid.field("cursor", "This cursor is not one of ours; take next_cursor from the answer before, unchanged.")
    return values, total


def _kind(column: ColumnElement[Any]) -> type:
    """What a value of that column is; SQLModel's own text type, and functions of it, say only `object`."""
    kind = column.type.python_type
    return str if kind is object else kind


def _value(part: Any) -> Any:
    if isinstance(part, dict):
        return datetime.fromisoformat(part["t"]) if "t" in part else UUID(part["u"])
    if not isinstance(part, str | int):
        raise TypeError
    if b"\0" in str(part).encode():  # which refuses half a character
        raise ValueError
    return part


MOST_FACETS = 20


def counted(session: Session, newest: Select[Any], names: Sequence[str], labels: Mapping[str, str] | None = None) -> Facets:
    """The commonest values of columns of the newest rows of a query, which is ordered; a column may be an array.

    `labels` names, for a column, the one that says how people call its values.
    """
    some = newest.limit(CAP + 1).cte("some").prefix_with("MATERIALIZED")
    rows = session.execute(select(func.count()).select_from(some)).scalar_one()
    shown = {name: some.c[(labels or {}).get(name, name)] for name in names}
    found = tuple(Facet(name, _values(session, some.c[name], shown[name])) for name in names)
    return Facets(found, min(rows, CAP), rows > CAP)


def _values(session: Session, column: ColumnElement[Any], label: ColumnElement[Any]) -> tuple[FacetValue, ...]:
    is_list = isinstance(column.type, ARRAY)
    each = func.unnest(column) if is_list else column
    inner = select(each.label("value"), (each if is_list else label).label("label")).subquery()
    count, said = func.count().label("count"), func.min(cast(inner.c.label, Text)).label("label")
    query = select(inner.c.value, said, count).group_by(inner.c.value).order_by(count.desc(), inner.c.value).limit(MOST_FACETS)
    return tuple(FacetValue(_word(value), _word(label), count) for value, label, count in session.execute(query))


def _word(value: Any) -> str:
    """A value as it is named in an address; `none` where there is none."""
    return "none" if value is None else str(value)
