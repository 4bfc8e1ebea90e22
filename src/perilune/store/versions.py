"""Versions of the tables: found cheaply, moved forward by migrations, never backward."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from perilune.core.errors import StoreError
from perilune.store import (  # noqa: F401 (their tables are created with the others)
    alert_tables,
    finding_tables,
    forge_tables,
    job_tables,
    schema,
    spend_tables,
    thought_tables,
)

if TYPE_CHECKING:
    from perilune.store.engine import Store

HEAD = "0008"
MIGRATIONS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x7065_7269  # any number, the same in every process

_version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def bring_up_to_date(store: "Store") -> None:
    """Create the tables of a new store, migrate an older one. Raises: StoreError PL-STORE-NEWER for a later one."""
    with store.read() as connection:
        if _current(connection) == HEAD:
            return
    with store.begin() as connection:
        _wait_for_others(connection)
        current = _current(connection)
        if current is None:
            _create(connection)
        elif current > HEAD:
            raise StoreError.of("PL-STORE-NEWER", found=current, known=HEAD)
        elif current < HEAD:
            migrate(connection)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Run the shipped migrations up to `revision` inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def _create(connection: Connection) -> None:
    schema.metadata.create_all(connection)
    _version.create(connection)
    connection.execute(_version.insert().values(version_num=HEAD))


def _wait_for_others(connection: Connection) -> None:
    """SQLite's immediate transaction already excludes others; a server needs to be asked."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
