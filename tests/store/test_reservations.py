"""Reservations on every database: never the same rest twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from perilune.store.engine import Store
from perilune.store.reservations import Reservations

SPAN = timedelta(minutes=60)
FIVE = ("work", "5h")


def _now() -> datetime:
    return datetime.now(UTC)


def test_a_second_run_sees_what_the_first_holds(store: Store) -> None:
    held = Reservations(store)
    assert held.reserve("a", {FIVE: Decimal(4)}, {}, SPAN, _now())
    assert held.held(_now()) == {FIVE: Decimal(4)}
    assert held.held(_now(), without="a") == {}


def test_a_plan_made_before_anothers_reservation_is_refused(store: Store) -> None:
    held = Reservations(store)
    assert held.reserve("a", {FIVE: Decimal(4)}, {}, SPAN, _now())
    assert not held.reserve("b", {FIVE: Decimal(4)}, {}, SPAN, _now())
    assert held.held(_now()) == {FIVE: Decimal(4)}
    assert held.reserve("b", {FIVE: Decimal(2)}, {FIVE: Decimal(4)}, SPAN, _now())
    assert held.held(_now()) == {FIVE: Decimal(6)}


def test_what_is_settled_is_held_no_longer(store: Store) -> None:
    held = Reservations(store)
    held.reserve("a", {FIVE: Decimal(4), ("work", "7d"): Decimal("0.004")}, {}, SPAN, _now())
    held.settle("a", {FIVE: Decimal(1)}, SPAN, _now())
    assert held.held(_now()) == {FIVE: Decimal(1)}
    held.settle("a", {}, SPAN, _now())
    assert held.held(_now()) == {}


def test_what_a_dead_run_held_comes_back_by_itself(store: Store) -> None:
    held = Reservations(store)
    held.reserve("a", {FIVE: Decimal(4)}, {}, timedelta(0), _now())
    assert held.held(_now()) == {}
    assert held.reserve("b", {FIVE: Decimal(4)}, {}, SPAN, _now())
