"""Insert a row or change the one that is there, on every database the store speaks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]


def insert_for(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of this connection's dialect, with its `on_conflict_…` clauses."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows of equal shape; a row whose primary key is already there is changed to what is written."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    statement = insert_for(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if changed:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), list(rows))
