"""Insert a row or change the one that is there, on every database the store speaks."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]


def insert_for(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of this connection's dialect, with its `on_conflict_…` clauses."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


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
