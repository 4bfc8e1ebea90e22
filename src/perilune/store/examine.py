"""A look at a SQLite store without changing it: size, soundness, version, how far back it reaches."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from perilune.store.times import from_ms

_SAMPLES = ("window_samples", "balance_samples")


class Examined(Struct, frozen=True, kw_only=True):
    """What was seen. `schema` None is a store without tables; `oldest` is its first reading. Units: bytes."""

    size: int
    free: int
    faults: tuple[str, ...] = ()
    schema: str | None = None
    oldest: datetime | None = None

    def days(self, now: datetime) -> int:
        """How many days of readings there are."""
        return 0 if self.oldest is None else max((now - self.oldest).days, 0)


def examine(file: Path) -> Examined:
    """Look at a store file. What cannot be read as a database is a fault, not an error. Raises: OSError."""
    size = sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*") if one.is_file())
    free = shutil.disk_usage(file.parent).free
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            faults = () if found == ["ok"] else tuple(found)
            return Examined(size=size, free=free, faults=faults, schema=_schema(connection), oldest=_oldest(connection))
    except sqlite3.DatabaseError as error:
        return Examined(size=size, free=free, faults=(str(error),))


def _schema(connection: sqlite3.Connection) -> str | None:
    if not _has(connection, "alembic_version"):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _oldest(connection: sqlite3.Connection) -> datetime | None:
    asked = (f"SELECT min(at) FROM {table}" for table in _SAMPLES if _has(connection, table))  # noqa: S608 - our names
    found = [row[0] for row in (connection.execute(text).fetchone() for text in asked) if row[0] is not None]
    return from_ms(int(min(found))) if found else None


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None
