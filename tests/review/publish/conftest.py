"""Publishing over the played forges, with the outbox in a real store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.forges import clock, dialect, played, repository_template, scene

from perilune.store.engine import Store, open_store

__all__ = ["clock", "dialect", "played", "repository_template", "scene", "store"]


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without rows, made once and copied."""
    file = tmp_path_factory.mktemp("store") / "empty.sqlite3"
    open_store(file).close()
    return file


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Iterator[Store]:
    file = tmp_path / "perilune.sqlite3"
    shutil.copy(empty_store, file)
    opened = open_store(file)
    yield opened
    opened.close()
