"""What plans are made with beside the readings, the same from the open store and from the file alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert

from perilune.store import learned
from perilune.store.engine import Store
from perilune.store.lessons import Learned
from perilune.store.reservations import Reservations
from perilune.store.run_facts import BYTES, SECONDS, quick_run_facts, run_facts
from perilune.store.schema import requests, window_samples
from perilune.store.times import to_ms

NOW = datetime.now(UTC)
RESET = NOW + timedelta(hours=3)


def _sample(store: Store, minutes_ago: int, ratio: str, reset: datetime = RESET, window: str = "5h") -> None:
    row = {"account": "work", "window": window, "at": to_ms(NOW - timedelta(minutes=minutes_ago)), "used_ratio": ratio}
    row |= {"resets_at": to_ms(reset), "is_reliable": True, "has_conflict": False}
    with store.begin() as connection:
        connection.execute(insert(window_samples).values(row))


def _request(store: Store, minutes_ago: int, purpose: str = "review", model: str = "model-a") -> None:
    at = to_ms(NOW - timedelta(minutes=minutes_ago))
    row = {"id": f"{minutes_ago}{purpose}{model}", "received_at": at, "ended_at": at, "owner": "review"}
    row |= {"purpose": purpose, "surface": "chat", "is_stream": False, "account": "work", "model_served": model}
    row |= {"outcome": "ok", "attempts": 1, "is_estimated": False, "may_bill_more": False}
    with store.begin() as connection:
        connection.execute(insert(requests).values(row))


def test_what_a_request_took_is_the_rise_between_two_readings_shared_by_the_reviews_between(store: Store) -> None:
    _sample(store, 40, "0.10")
    _request(store, 35)
    _request(store, 32)
    _sample(store, 30, "0.14", RESET + timedelta(seconds=1))
    assert run_facts(store, "", NOW).shares == {("work", "5h", "model-a"): [Decimal("0.02")] * 2}


def test_others_use_another_cycle_and_a_fall_teach_nothing(store: Store) -> None:
    _sample(store, 60, "0.50")
    _request(store, 55)
    _sample(store, 50, "0.02", RESET + timedelta(hours=5))  # another cycle
    _request(store, 45)
    _request(store, 44, purpose="client")
    _sample(store, 40, "0.10", RESET + timedelta(hours=5))  # a client's request as well
    _request(store, 35)
    _sample(store, 30, "0.09", RESET + timedelta(hours=5))  # it fell
    _request(store, 25)
    _request(store, 24, model="model-b")
    _sample(store, 20, "0.12", RESET + timedelta(hours=5))  # two models
    assert run_facts(store, "", NOW).shares == {}


def test_what_other_runs_hold_is_told_and_what_this_one_holds_not(store: Store) -> None:
    held = Reservations(store)
    held.reserve("a", {("work", "5h"): Decimal(4)}, {}, timedelta(hours=1), NOW)
    held.reserve("b", {("work", "5h"): Decimal(2)}, {("work", "5h"): Decimal(4)}, timedelta(hours=1), NOW)
    assert run_facts(store, "a", NOW).reserved == {("work", "5h"): Decimal(2)}
    assert run_facts(store, "", NOW).reserved == {("work", "5h"): Decimal(6)}


def test_what_models_were_found_to_take_is_remembered_until_its_end(store: Store) -> None:
    def keep(name: str, value: str, until: datetime) -> None:
        with store.begin() as connection:
            learned.keep(connection, Learned(scope="model-a", name=name, value=value, at=NOW, until=until))

    keep(BYTES, "3.4", NOW + timedelta(days=1))
    keep(SECONDS, "41.5", NOW - timedelta(days=1))
    facts = run_facts(store, "", NOW)
    assert (facts.bytes_per_token, facts.seconds) == ({"model-a": Decimal("3.4")}, {})


def test_the_file_alone_tells_the_same(store: Store, tmp_path: Path) -> None:
    assert quick_run_facts(tmp_path / "nothing.sqlite3", NOW) == quick_run_facts(tmp_path, NOW)
    if store.path is None:
        return
    _sample(store, 40, "0.10")
    _request(store, 35)
    _sample(store, 30, "0.14")
    Reservations(store).reserve("a", {("work", "5h"): Decimal(4)}, {}, timedelta(hours=1), NOW)
    facts = quick_run_facts(store.path, NOW)
    assert facts.shares
    assert facts == run_facts(store, "", NOW)
