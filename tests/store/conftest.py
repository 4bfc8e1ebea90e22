"""Every database that can be had: SQLite always, PostgreSQL where its server and driver are installed."""

from collections.abc import Iterator

import pytest
from tests.support.databases import DATABASES, HAS_POSTGRES, postgres_server, target

from perilune.store.engine import Store, open_store

__all__ = ["DATABASES", "HAS_POSTGRES", "postgres_server", "store", "target"]


@pytest.fixture
def store(target: str) -> Iterator[Store]:
    opened = open_store(target)
    yield opened
    opened.close()
