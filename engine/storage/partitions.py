"""How do tables that grow stay flat?

They are partitioned by week on their UUIDv7 id. Weeks are made ahead, old ones dropped whole, and a query that names a
time reads only the weeks it needs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, text
from sqlalchemy.orm import InstrumentedAttribute

from engine.model.ids import floor_id, time_of

WEEK = timedelta(weeks=1)
AHEAD = 4
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_LOCK = 0x7765656B73  # "weeks": the start of an installation and its worker keep up one after the other


@dataclass(frozen=True)
class Upkeep:
    """What one round did. `strays` are rows that had to wait in the DEFAULT partition: a week was not made in time."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]
    strays: int


def since(id_column: InstrumentedAttribute[UUID] | ColumnElement[UUID], time: datetime) -> ColumnElement[bool]:
    """The condition `not older than that time`, in the form that lets whole weeks be skipped."""
    return id_column >= floor_id(time)


def before(id_column: InstrumentedAttribute[UUID] | ColumnElement[UUID], time: datetime) -> ColumnElement[bool]:
    """The condition `older than that time`, in the form that lets whole weeks be skipped."""
    return id_column < floor_id(time)


def keep_up(engine: Engine, retention: Mapping[str, timedelta], now: datetime) -> Upkeep:
    """As the tables' owner: make this week and the four after it, and drop weeks wholly older than the retention."""
    made, dropped, strays = [], [], 0
    for table, keep in retention.items():
        for week in range(AHEAD + 1):
            with _alone(engine) as db:
                start = _week_of(now) + week * WEEK
                if not _exists(db, name := _name(table, start)):
                    strays += _make(db, table, name, start)
                    made.append(name)
        with _alone(engine) as db:
            for name, end in _weeks(db, table):
                if end <= now - keep:
                    _drop(db, table, name)
                    dropped.append(name)
    return Upkeep(tuple(made), tuple(dropped), strays)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as db:
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        # A long reader, such as a back-up, is not waited for: every write would queue behind us. The duty comes again.
        db.execute(text("SET LOCAL lock_timeout = '2s'"))
        yield db


def _week_of(time: datetime) -> datetime:
    return _MONDAY + (time - _MONDAY) // WEEK * WEEK


def _name(table: str, start: datetime) -> str:
    return f"{table}_{start:%Gw%V}"


def _exists(db: Connection, name: str) -> bool:
    return db.execute(text("SELECT to_regclass(:name)"), {"name": f"public.{name}"}).scalar_one() is not None


def _make(db: Connection, table: str, name: str, start: datetime) -> int:
    """Make one week. Rows of it that the DEFAULT partition caught are moved in. Returns how many there were."""
    low, high = floor_id(start), floor_id(start + WEEK)
    db.execute(text(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE"))
    within = f"id >= '{low}' AND id < '{high}'"
    db.execute(text(f"ALTER TABLE {table}_default NO FORCE ROW LEVEL SECURITY"))
    strays = db.execute(text(f"SELECT count(*) FROM {table}_default WHERE {within}")).scalar_one()  # noqa: S608
    if strays:
        db.execute(text(f"ALTER TABLE {table} DETACH PARTITION {table}_default"))
    db.execute(text(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"))
    if strays:
        db.execute(text(f"INSERT INTO {name} SELECT * FROM {table}_default WHERE {within}"))  # noqa: S608
        db.execute(text(f"DELETE FROM {table}_default WHERE {within}"))  # noqa: S608
        db.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {table}_default DEFAULT"))
    for partition in (name, f"{table}_default"):
        db.execute(text(f"ALTER TABLE {partition} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"))
    return strays


def _weeks(db: Connection, table: str) -> list[tuple[str, datetime]]:
    """The week partitions of a table and when each ends."""
    rows = db.execute(text(_PARTITIONS), {"table": table})
    return [(row.name, time_of(UUID(row.high))) for row in rows]


_PARTITIONS = """
SELECT c.relname AS name, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([0-9a-f-]{36})''\\)'))[1] AS high
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = CAST(:table AS regclass) AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY c.relname
"""


def _drop(db: Connection, table: str, name: str) -> None:
    if table == "audit":
        # The chain goes on from the last entry that is dropped.
        db.execute(text(_ANCHOR.format(name=name)))
    db.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
    db.execute(text(f"DROP TABLE {name}"))


_ANCHOR = """
ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_anchor (org_id, seq, hash, at)
SELECT DISTINCT ON (org_id) org_id, seq, hash, at FROM {name} ORDER BY org_id, seq DESC
ON CONFLICT DO NOTHING
"""
