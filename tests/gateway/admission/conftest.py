"""Every backend that can be had here, and a clock that is moved by hand."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perilune.gateway.admission.memory import MemoryPlaces
from perilune.gateway.admission.port import Places
from perilune.gateway.admission.rows import RowPlaces
from perilune.store.engine import open_store

BACKENDS = ["memory", "rows", *(["locks"] if sys.platform == "linux" else [])]
SHARED = [name for name in BACKENDS if name != "memory"]


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_places(tmp_path: Path) -> Iterator[Callable[[str], Places]]:
    """Backends by name; each call is another holder of the same places, as another process would be."""
    made: list[Places] = []
    stores = []

    def make(name: str) -> Places:
        if name == "memory":
            places: Places = MemoryPlaces()
        elif name == "locks":
            from perilune.gateway.admission.locks import LockedPlaces

            places = LockedPlaces(tmp_path / "run")
        else:
            stores.append(open_store(tmp_path / "perilune.sqlite3", busy_timeout_s=2))
            places = RowPlaces(stores[-1])
        made.append(places)
        return places

    yield make
    for places in made:
        places.close()
    for store in stores:
        store.close()
