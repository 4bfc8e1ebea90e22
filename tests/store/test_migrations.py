"""Migrations and the tables in the code say the same."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from perilune.store import sqlite, versions
from perilune.store.engine import Store, open_store
from perilune.store.schema import metadata
from perilune.store.versions import HEAD, MIGRATIONS, migrate


def test_migrations_lead_to_the_tables_in_the_code(target: str) -> None:
    if "://" not in target:
        Path(target).parent.mkdir()
        engine = sqlite.engine(Path(target), 5)
    else:
        engine = create_engine(target.replace("postgresql", "postgresql+psycopg"))
    with engine.begin() as connection:
        migrate(connection)
        difference = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert difference == []


def test_a_new_store_has_the_tables_that_migrations_make(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]


def test_the_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_an_older_store_is_migrated_when_opened(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(target)
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    store.close()
    migrated: list[Connection] = []
    monkeypatch.setattr(versions, "migrate", migrated.append)
    open_store(target).close()
    assert len(migrated) == 1


def test_opening_a_current_store_does_not_load_the_migration_tool(tmp_path: Path) -> None:
    path = tmp_path / "perilune.sqlite3"
    open_store(path).close()
    program = (
        "import sys; from perilune.store.engine import open_store; open_store(sys.argv[1]).close();"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": "src"},
    )  # fmt: skip
    assert done.stdout == "False\n"
