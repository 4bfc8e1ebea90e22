"""Opening the store, and what is said when it cannot be used."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from tests.store.conftest import HAS_POSTGRES

from perilune.core.errors import ConfigError, StoreError
from perilune.core.messages import Voice
from perilune.store.engine import Store, open_store
from perilune.store.schema import events


def _write_event(store: Store, kind: str) -> None:
    with store.begin() as connection:
        connection.execute(insert(events).values(at=1, kind=kind, document="{}"))


def _kinds(store: Store) -> list[str]:
    with store.read() as connection:
        return [row.kind for row in connection.execute(select(events.c.kind).order_by(events.c.id))]


def test_a_new_store_is_usable_and_opens_again(target: str) -> None:
    store = open_store(target)
    _write_event(store, "one")
    store.close()
    again = open_store(target)
    assert _kinds(again) == ["one"]
    assert again.faults() == []
    again.close()


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(AttributeError), store.begin() as connection:
        connection.execute(insert(events).values(at=1, kind="lost", document="{}")).nothing()
    assert _kinds(store) == []


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    _write_event(store, "before")
    with store.begin() as connection:
        connection.execute(insert(events).values(at=2, kind="during", document="{}"))
        assert _kinds(store) == ["before"]
    assert _kinds(store) == ["before", "during"]


def test_the_file_is_private(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data" / "perilune.sqlite3")
    _write_event(store, "one")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "data").iterdir()}
    store.close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}


def test_sqlite_runs_in_wal_with_foreign_keys(tmp_path: Path) -> None:
    store = open_store(tmp_path / "perilune.sqlite3")
    with store.read() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    store.close()
    assert settings == ["wal", 1, 1, 5000]


def test_a_store_held_by_another_process_names_it(tmp_path: Path) -> None:
    path = tmp_path / "perilune.sqlite3"
    store = open_store(path, busy_timeout_s=0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError) as raised:
            _write_event(store, "never")
        words = Voice().explain(raised.value.problem)
    finally:
        holder.communicate("go\n", timeout=10)
        store.close()
    assert words.code == "PL-STORE-LOCKED"
    if sys.platform == "linux":
        assert words.what == f"The store is locked by process {holder.pid}."


_HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_file_that_is_no_database_is_set_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "perilune.sqlite3"
    path.write_bytes(b"no database at all, just text " * 100)
    with pytest.raises(StoreError) as raised:
        open_store(path)
    assert raised.value.problem.code == "PL-STORE-CORRUPT"
    aside = Path(str(raised.value.problem.facts["aside"]))
    assert aside.read_bytes().startswith(b"no database at all")
    open_store(path).close()


def test_damage_met_while_running_is_checked_at_the_next_opening(tmp_path: Path) -> None:
    path = tmp_path / "perilune.sqlite3"
    _fill(path)
    _damage_table_pages(path)
    store = open_store(path)
    with pytest.raises(StoreError) as running:
        _kinds(store)
    store.close()
    assert running.value.problem.code == "PL-STORE-CORRUPT"
    with pytest.raises(StoreError) as opening:
        open_store(path)
    assert Path(str(opening.value.problem.facts["aside"])).exists()
    fresh = open_store(path)
    assert _kinds(fresh) == []
    fresh.close()


def test_a_sound_store_under_suspicion_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "perilune.sqlite3"
    _fill(path)
    Path(f"{path}.suspect").touch()
    store = open_store(path)
    assert len(_kinds(store)) == 500
    store.close()
    assert not Path(f"{path}.suspect").exists()


def _fill(path: Path) -> None:
    store = open_store(path)
    with store.begin() as connection:
        connection.execute(insert(events), [{"at": at, "kind": "filler", "document": "x" * 200} for at in range(500)])
    with store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _damage_table_pages(path: Path) -> None:
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def test_a_full_disk_is_said_and_what_was_stored_stays(tmp_path: Path) -> None:
    store = open_store(tmp_path / "perilune.sqlite3")
    _write_event(store, "before")
    with pytest.raises(StoreError) as raised:
        _write_more_than_fits(store)
    assert raised.value.problem.code == "PL-STORE-FULL"
    assert _kinds(store) == ["before"]
    store.close()


def _write_more_than_fits(store: Store) -> None:
    with store.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.execute(insert(events).values(at=2, kind="big", document="x" * 1_000_000))


@pytest.mark.skipif(os.name == "nt", reason="folders have no modes there")
def test_a_folder_that_cannot_be_written_is_said() -> None:
    with tempfile.TemporaryDirectory() as name, _as_nobody(Path(name)) as folder:
        (folder / "closed").mkdir(mode=0o500)
        with pytest.raises(StoreError) as raised:
            open_store(folder / "closed" / "perilune.sqlite3")
    assert raised.value.problem.code == "PL-STORE-FULL"


@contextlib.contextmanager
def _as_nobody(folder: Path) -> Iterator[Path]:
    """A process of root, which may write everywhere, gives that up for a while; any other stays as it is."""
    if os.geteuid() != 0:
        yield folder
        return
    nobody = 65534
    os.chown(folder, nobody, -1)
    os.seteuid(nobody)
    try:
        yield folder
    finally:
        os.seteuid(0)


def test_a_path_that_is_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        open_store(tmp_path)
    assert "cannot be written" in Voice().explain(raised.value.problem).what


def test_a_store_of_a_later_version_is_left_alone(target: str) -> None:
    store = open_store(target)
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreError) as raised:
        open_store(target)
    assert raised.value.problem.code == "PL-STORE-NEWER"
    assert "9999" in Voice().explain(raised.value.problem).what


def test_another_kind_of_url_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        open_store("mysql://user@example.org/db")
    assert "mysql" in Voice().explain(raised.value.problem).what


@pytest.mark.skipif(not HAS_POSTGRES, reason="no PostgreSQL server and driver here: the suite runs on SQLite alone")
def test_a_server_that_does_not_answer_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        open_store(f"postgresql://perilune@/postgres?host={tmp_path}")
    assert raised.value.problem.code == "PL-STORE-LOCKED"
    assert "does not answer" in Voice().explain(raised.value.problem).what


def test_many_open_a_new_store_at_once(target: str) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(target))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    for number, store in enumerate(opened):
        _write_event(store, str(number))
    assert sorted(_kinds(opened[0])) == list("012345")
    for store in opened:
        store.close()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("code", ["PL-STORE-LOCKED", "PL-STORE-FULL", "PL-STORE-CORRUPT", "PL-STORE-NEWER"])
def test_each_store_error_has_words(language: str, code: str) -> None:
    facts = {"pid": "4121", "path": "p", "folder": "f", "aside": "a", "found": "2", "known": "1"}
    words = Voice(language=language).explain(StoreError.of(code, **facts).problem)  # type: ignore[arg-type]
    assert words.what != code
    assert words.fix
