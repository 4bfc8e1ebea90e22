"""Publishing over the played forges, with the outbox in a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.forges import clock, dialect, played, repository_template, scene

from perilune.store.engine import Store, open_store

__all__ = ["clock", "dialect", "played", "repository_template", "scene", "store"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.sqlite3")
    yield opened
    opened.close()
