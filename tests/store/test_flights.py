"""The right to read an account: one process has it at a time, on every database."""

from datetime import UTC, datetime, timedelta

from perilune.store.engine import Store
from perilune.store.snapshots import Snapshots

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LASTS = timedelta(seconds=15)


def test_a_flight_is_taken_by_one_until_it_lands_or_expires(store: Store) -> None:
    snapshots = Snapshots(store)
    assert snapshots.take_flight("work", "one", NOW, LASTS)
    assert not snapshots.take_flight("work", "two", NOW, LASTS)
    assert snapshots.is_flying("work", NOW)
    snapshots.land("work", "one")
    assert snapshots.take_flight("work", "two", NOW, LASTS)
    assert snapshots.take_flight("work", "three", NOW + LASTS, LASTS)
