"""Finished model answers of reviews, by the hash of what was asked: none is bought twice."""

from datetime import datetime

from sqlalchemy import select

from perilune.store.engine import Store
from perilune.store.schema import review_answers
from perilune.store.times import to_ms
from perilune.store.upsert import insert_for


class Answers:
    """The table of answers. Calls are synchronous; on an event loop they belong into a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, key: str) -> bytes | None:
        """The answer kept under a key."""
        asked = select(review_answers.c.document).where(review_answers.c.hash == key)
        with self._store.read() as connection:
            found: bytes | None = connection.execute(asked).scalar()
        return found

    def put(self, key: str, run: str, document: bytes, at: datetime) -> None:
        """Keep an answer; one that is there stays."""
        row = {"hash": key, "at": to_ms(at), "run": run, "document": document}
        with self._store.begin() as connection:
            connection.execute(insert_for(connection, review_answers).values(row).on_conflict_do_nothing())
