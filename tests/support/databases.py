"""Every database that can be had: SQLite always, PostgreSQL where its server and driver are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from perilune.store.engine import Store, open_store


def binaries() -> Path | None:
    """Where the server's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


HAS_POSTGRES = binaries() is not None and find_spec("psycopg") is not None
DATABASES = ["sqlite", *(["postgres"] if HAS_POSTGRES else [])]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a private server, for the whole session."""
    with postgres_running() as url:
        yield url


@contextmanager
def postgres_running() -> Iterator[str]:
    """The URL of a private server on a socket, stopped at the end."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    as_user = _drop_root(folder)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    try:
        _run([*as_user, str(programs / "initdb"), "-D", str(folder / "data"), "-U", "perilune", "-A", "trust"])
        _run([*as_user, str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "log"),
              "-o", options, "start"])  # fmt: skip
        yield f"postgresql://perilune@/postgres?host={folder}"
    finally:
        subprocess.run([*as_user, str(programs / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop"],
                       capture_output=True, check=False)  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=DATABASES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "perilune.sqlite3")
    url: str = request.getfixturevalue("postgres_server")
    engine = create_engine(url.replace("postgresql", "postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return url


@pytest.fixture
def any_store(target: str) -> Iterator[Store]:
    """An empty store on each database."""
    opened = open_store(target)
    yield opened
    opened.close()


def _drop_root(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "env", "-C", str(folder)]


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
