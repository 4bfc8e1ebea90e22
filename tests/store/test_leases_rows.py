"""Lease rows on every database: places, dead holders, marks of those who wait."""

from perilune.store import leases
from perilune.store.engine import Store
from perilune.store.leases import Holder

ME = Holder(10, 1, "host")
OTHER = Holder(11, 1, "host")
AWAY = Holder(10, 1, "another host")


def _add(store: Store, place: int, holder: Holder = ME, expires_ms: int = 100, group: str = "g") -> None:
    with store.begin() as connection:
        leases.lock_group(connection, group)
        leases.add(connection, f"{group}{place}", group, place, holder, expires_ms)


def _occupied(store: Store, at_ms: int = 0, group: str = "g") -> set[int]:
    with store.read() as connection:
        return leases.occupied(connection, group, at_ms)


def test_live_rows_occupy_their_places(store: Store) -> None:
    _add(store, 0)
    _add(store, 3, OTHER, expires_ms=50)
    _add(store, 1, group="other")
    assert _occupied(store) == {0, 3}
    assert _occupied(store, at_ms=50) == {0}


def test_expired_rows_and_those_of_dead_processes_here_are_cleared(store: Store) -> None:
    _add(store, 0)
    _add(store, 1, OTHER)
    _add(store, 2, AWAY)
    _add(store, 3, expires_ms=5)
    with store.begin() as connection:
        leases.clear(connection, "g", 10, "host", lambda pid, started: pid != 11)
        assert leases.occupied(connection, "g", 0) == {0, 2}


def test_prolonging_tells_what_is_gone(store: Store) -> None:
    _add(store, 0)
    _add(store, 1)
    with store.begin() as connection:
        leases.remove(connection, ["g1"])
        assert leases.prolong(connection, ["g0", "g1"], 500) == {"g1"}
        assert leases.occupied(connection, "g", 499) == {0}


def test_a_place_is_taken_over_once_it_is_cleared(store: Store) -> None:
    _add(store, 0, expires_ms=5)
    with store.begin() as connection:
        leases.clear_place(connection, "g", 0)
        leases.add(connection, "new", "g", 0, OTHER, 100)
        assert leases.occupied(connection, "g", 0) == {0}


def test_marks_of_others_are_seen_until_they_expire_and_occupy_nothing(store: Store) -> None:
    with store.begin() as connection:
        for _ in range(2):
            leases.mark_waiting(connection, "mine", "g", ME, 100)
        assert not leases.others_wait(connection, "mine", "g", 0)
        leases.mark_waiting(connection, "yours", "g", OTHER, 100)
        assert leases.others_wait(connection, "mine", "g", 99)
        assert not leases.others_wait(connection, "mine", "g", 100)
        assert not leases.others_wait(connection, "mine", "another", 0)
        assert leases.occupied(connection, "g", 0) == set()


def test_the_time_of_the_database_counts_where_hosts_share_it(store: Store) -> None:
    with store.read() as connection:
        told = leases.now_ms(connection, 7)
    assert (told == 7) == (connection.dialect.name == "sqlite")
