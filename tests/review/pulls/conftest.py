"""Pull requests on the played forges, worked on as durable jobs over a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.review.pulls.desk import Desk
from tests.support.forges import Scene, clock, dialect, played, repository_template, scene

from perilune.store.engine import Store, open_store

__all__ = ["clock", "desk", "dialect", "played", "repository_template", "scene", "store"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "perilune.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def desk(scene: Scene, store: Store) -> Desk:
    """The scene's pull request and somebody who reviews it."""
    return Desk(scene, store)
