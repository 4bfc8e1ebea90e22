"""SQLite: a private file in WAL mode, and what happens when that file is damaged."""

import os
import sqlite3
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from perilune.core.errors import StoreError
from perilune.core.numbers import plain

_COMPANIONS = ("", "-wal", "-shm")


def engine(path: Path, busy_timeout_s: float) -> Engine:
    """An engine on the file: WAL, foreign keys, waiting for others up to `busy_timeout_s`."""
    created = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": busy_timeout_s})
    event.listen(created, "connect", _set_up)
    event.listen(created, "begin", _begin)
    return created


def prepare_file(path: Path) -> None:
    """Create the folder (0700) and the file (0600), so that neither is ever readable by others."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError.of("PL-STORE-FULL", variant="UNWRITABLE", path=str(path), reason=reason) from error


def mark_suspect(path: Path) -> None:
    """Remember that damage was met, so that the next opening checks the whole file."""
    try:
        _suspicion(path).touch(mode=0o600)
    except OSError:
        return  # the error that led here is reported anyway


def set_aside_if_suspect(path: Path) -> None:
    """Check a file that was marked suspect. Raises: StoreError PL-STORE-CORRUPT when it is damaged."""
    if not _suspicion(path).exists():
        return
    if not _is_sound(path):
        raise set_aside(path)
    _suspicion(path).unlink(missing_ok=True)


def set_aside(path: Path) -> StoreError:
    """Rename a damaged store, never delete it; the error says where it is now. The next opening starts a new one."""
    number = 1
    while Path(f"{path}.corrupt-{number}").exists():
        number += 1
    target = Path(f"{path}.corrupt-{number}")
    for companion in _COMPANIONS:
        source = Path(f"{path}{companion}")
        if source.exists():
            source.rename(f"{target}{companion}")
    _suspicion(path).unlink(missing_ok=True)
    return StoreError.of("PL-STORE-CORRUPT", path=str(path), aside=str(target))


def _suspicion(path: Path) -> Path:
    return Path(f"{path}.suspect")


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path)
        try:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return False


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.create_aggregate("exact_sum", 1, _ExactSum)  # type: ignore[arg-type]


def _enter_wal(connection: sqlite3.Connection) -> None:
    """WAL is a property of the file. SQLite does not wait when two processes switch a new file at once, so we do."""
    for _ in range(100):
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
        time.sleep(0.02)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("perilune_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class _ExactSum:
    """Sum of decimal texts without rounding; NULL when there is none."""

    def __init__(self) -> None:
        self._sum: Decimal | None = None

    def step(self, value: Any) -> None:
        if value is not None:
            self._sum = (self._sum or Decimal(0)) + Decimal(value)

    def finalize(self) -> str | None:
        return None if self._sum is None else plain(self._sum)
