"""How are many rows written at once?

With COPY into temporary tables of the connection, and one statement from there: COPY itself is refused on a table with
row-level security. The temporary tables live as long as the connection and are empty after every transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from engine.storage.work import Work


def connection(work: Work) -> psycopg.Connection[Any]:
    """The driver's connection of an open transaction."""
    found = work.session.connection().connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def prepare(work: Work, tables: str) -> None:
    """Make the temporary tables that `tables` creates, unless this connection has them. The first word after TABLE is looked for."""
    db = connection(work)
    first = tables.split("TABLE ", 1)[1].split(" ", 1)[0]
    row = db.execute("SELECT to_regclass(%s)", (f"pg_temp.{first}",)).fetchone()
    if row is None or row[0] is None:
        db.execute(tables)  # pyright: ignore[reportArgumentType]


def copy(work: Work, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows into a temporary table."""
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), named)
    with connection(work).cursor().copy(statement) as out:
        for row in rows:
            out.write_row(row)


def run(work: Work, statement: str, values: Mapping[str, Any] | None = None) -> int:
    """Run one statement with named values. Returns the number of rows it concerned."""
    return connection(work).execute(statement, values).rowcount  # pyright: ignore[reportArgumentType]


def fetch(work: Work, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of one statement with named values, in the binary format, which is quicker to read."""
    return connection(work).cursor(binary=True).execute(statement, values).fetchall()  # pyright: ignore[reportArgumentType]


def times(moments: Iterable[datetime]) -> str:
    """Moments as PostgreSQL reads an array; its own adapter is many times slower."""
    return "{" + ",".join([moment.isoformat() for moment in moments]) + "}"


def texts(said: Iterable[str]) -> str:
    """Texts as PostgreSQL reads an array."""
    return "{" + ",".join(['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in said]) + "}"
