"""The store: one database, SQLite by default, PostgreSQL by URL. Opening brings its tables up to date.

Calls are synchronous and meant for a writer thread or `asyncio.to_thread`, never for the event loop itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from perilune.core.errors import PeriluneError, StoreError
from perilune.store import postgres, sqlite
from perilune.store.faults import as_store_error
from perilune.store.versions import bring_up_to_date

_BUSY_TIMEOUT_S = 5.0


class Store:
    """An open database. `path` is None where it is a server's."""

    def __init__(self, engine: Engine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        self._writing = engine.execution_options(perilune_writes=True)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write; committed at the end, rolled back on an error.

        Raises: StoreError with PL-STORE-LOCKED, -FULL or -CORRUPT.
        """
        with self._explained(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store and does not wait for writers. Raises as `begin`."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    def faults(self) -> list[str]:
        """What the database's own integrity check finds; empty when it is sound."""
        if self.path is None:
            return []
        with self.read() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Close every connection. A closed store opens again when used."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            explained = as_store_error(error, self.path)
            if explained is None:
                raise
            raise explained from error


def open_store(target: str | Path, *, busy_timeout_s: float = _BUSY_TIMEOUT_S) -> Store:
    """The store at a path or database URL, with every table of this version.

    Raises: StoreError with PL-STORE-LOCKED, -FULL, -CORRUPT (the file has then been set aside) or -NEWER;
    ConfigError with PL-CONFIG-VALUE for a URL that cannot be used.
    """
    if "://" in str(target) and not str(target).startswith("sqlite:"):
        return _brought_up(Store(postgres.engine(str(target)), None))
    path = Path(make_url(str(target)).database or "") if "://" in str(target) else Path(target)
    sqlite.prepare_file(path)
    sqlite.set_aside_if_suspect(path)
    store = Store(sqlite.engine(path, busy_timeout_s), path)
    try:
        return _brought_up(store)
    except StoreError as error:
        if error.problem.code == "PL-STORE-CORRUPT":
            raise sqlite.set_aside(path) from error
        raise


def _brought_up(store: Store) -> Store:
    try:
        bring_up_to_date(store)
    except PeriluneError:
        store.close()
        raise
    return store
