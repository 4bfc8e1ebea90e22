"""What a database's refusal means: locked, full, damaged."""

from pathlib import Path
from sqlite3 import Error as SqliteError

from sqlalchemy.exc import DBAPIError

from perilune.core.errors import StoreError
from perilune.store.holder import lock_holder
from perilune.store.sqlite import mark_suspect

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_UNWRITABLE = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")
_FULL_STATE = "53100"
_LOCKED_STATES = ("55P03", "40P01", "57014")


def as_store_error(error: DBAPIError, path: Path | None) -> StoreError | None:
    """The store's own error for a database error; None when the fault is ours (a wrong statement, a broken rule)."""
    if path is not None and isinstance(error.orig, SqliteError):
        return _of_sqlite(getattr(error.orig, "sqlite_errorname", ""), path)
    return _of_server(error)


def _of_sqlite(name: str, path: Path) -> StoreError | None:
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _locked(path)
    if name.startswith("SQLITE_FULL"):
        return StoreError.of("PL-STORE-FULL", path=str(path), folder=str(path.parent))
    if name.startswith(_DAMAGED):
        mark_suspect(path)
        return StoreError.of("PL-STORE-CORRUPT", variant="RUNNING", path=str(path))
    if name.startswith(_UNWRITABLE):
        return StoreError.of("PL-STORE-FULL", variant="UNWRITABLE", path=str(path), reason=name)
    return None


def _locked(path: Path) -> StoreError:
    pid = lock_holder(path)
    if pid is None:
        return StoreError.of("PL-STORE-LOCKED", variant="UNKNOWN", path=str(path))
    return StoreError.of("PL-STORE-LOCKED", path=str(path), pid=str(pid))


def _of_server(error: DBAPIError) -> StoreError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state == _FULL_STATE:
        return StoreError.of("PL-STORE-FULL", variant="SERVER")
    if state in _LOCKED_STATES:
        return StoreError.of("PL-STORE-LOCKED", variant="UNKNOWN", path="the database")
    if error.connection_invalidated or (state is None and type(error.orig).__name__ == "OperationalError"):
        return StoreError.of("PL-STORE-LOCKED", variant="UNREACHED")
    return None
