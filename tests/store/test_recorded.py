"""What charts and tables of history ask of the store, on every database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from perilune.quota.logged import LoggedUse
from perilune.quota.snapshot import Balance, Snapshot, Window
from perilune.store import ledger, local_use, recorded
from perilune.store.engine import Store
from perilune.store.snapshots import Snapshots
from perilune.store.times import to_ms

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
START = NOW - timedelta(days=3)
DAY, HOUR, NONE = timedelta(days=1), timedelta(hours=1), timedelta(0)
SHANGHAI = timedelta(hours=8)
TODAY = NOW.toordinal() - datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day alone


def read(store: Store, at: datetime, used: str, money: str | None = None) -> None:
    window = Window(id="5h", label="5-hour", span_s=18_000, used_ratio=Decimal(used), resets_at=at + timedelta(hours=2))
    snapshot = Snapshot(
        account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=at, windows=(window,),
        balance=Balance(currency="CNY", available=Decimal(money)) if money else None,
    )  # fmt: skip
    Snapshots(store).save(snapshot, at)


def logged(number: int, at: datetime, tokens: int, model: str | None = "k3") -> LoggedUse:
    return LoggedUse(
        id=f"log{number}", at=at, model=model, input_tokens=tokens, cache_read_tokens=1, cache_write_tokens=0,
        output_tokens=tokens // 10,
    )  # fmt: skip


def request(number: int, at: datetime, **facts: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}", "received_at": to_ms(at), "owner": "me", "surface": "chat", "is_stream": False,
        "outcome": "ok", "attempts": 1, "purpose": "client", "is_estimated": False, "may_bill_more": False,
        "total_ms": 1500, **facts,
    }  # fmt: skip


def test_peaks_are_those_of_each_day_hour_or_of_all(store: Store) -> None:
    for hours, used in ((50, "0.2"), (30, "0.9"), (29, "0.4"), (1, "0.09")):
        read(store, NOW - timedelta(hours=hours), used)
    with store.read() as connection:
        by_day = recorded.peaks(connection, START, NOW, DAY, NONE)
        shifted = recorded.peaks(connection, START, NOW, DAY, SHANGHAI)
        by_hour = recorded.peaks(connection, START, NOW, HOUR, NONE)
        (whole,) = recorded.peaks(connection, START, NOW, None, NONE)
    assert {one.number: one.used_ratio for one in by_day} == {TODAY - 2: 0.2, TODAY - 1: 0.9, TODAY: 0.09}
    assert {one.number: one.used_ratio for one in shifted} == {TODAY - 2: 0.2, TODAY - 1: 0.9, TODAY: 0.09}
    assert [one.used_ratio for one in sorted(by_hour, key=lambda one: one.number or 0)] == [0.2, 0.9, 0.4, 0.09]
    assert (whole.number, whole.account, whole.window, whole.used_ratio) == (None, "work", "5h", 0.9)


def test_days_that_were_read_are_known_by_windows_and_by_balances(store: Store) -> None:
    read(store, NOW - timedelta(days=2), "0.2")
    read(store, NOW - timedelta(minutes=5), "0.3", "12.00")
    with store.read() as connection:
        assert recorded.numbers_read(connection, START, NOW, DAY, NONE) == {TODAY - 2, TODAY}
        assert recorded.recorded_since(connection) == NOW - timedelta(days=2)
        ((key, balances),) = recorded.balance_pasts(connection, START, NOW).items()
    assert key == ("work", "CNY")
    assert [one.available for one in balances] == [Decimal(12)]


def test_top_ups_are_kept_with_their_amount(store: Store) -> None:
    for minutes, money in ((30, "5.00"), (20, "4.50"), (10, "54.50")):
        read(store, NOW - timedelta(minutes=minutes), "0.2", money)
    with store.read() as connection:
        (found,) = recorded.top_ups(connection, START, NOW)
    assert (found.account, found.amount, found.currency) == ("work", "50.00", "CNY")


def test_an_empty_store_has_recorded_nothing(store: Store) -> None:
    with store.read() as connection:
        assert recorded.recorded_since(connection) is None
        assert not recorded.has_readings(connection)
        assert recorded.window_pasts(connection, START, NOW) == {}


def test_logged_use_is_summed_by_day_and_model_without_what_the_ledger_has(store: Store) -> None:
    at = NOW - timedelta(hours=1)
    found = [logged(1, at, 100), logged(2, at, 200, None), logged(3, at - DAY, 300), logged(3, at - DAY, 300)]
    with store.begin() as connection:
        local_use.keep(connection, "kimi-log", "file", 7, found, NOW)
        ledger.insert_rows(connection, [request(1, at - timedelta(seconds=9), input_tokens=100, output_tokens=10)], [])
    with store.read() as connection:
        by_day = local_use.totals_by_number(connection, START, NOW, DAY, NONE)
        by_model = local_use.totals(connection, START, NOW, by_model=True)
        (whole,) = local_use.totals(connection, START, NOW)
        assert local_use.positions(connection, "kimi-log") == {"file": 7}
        assert local_use.first_at(connection) == at - DAY
    assert [(one.label, one.requests, one.input_tokens) for one in by_day] == [(TODAY - 1, 1, 300), (TODAY, 1, 200)]
    assert {(one.label, one.output_tokens) for one in by_model} == {("k3", 30), (None, 20)}
    assert (whole.requests, whole.input_tokens, whole.origin) == (2, 500, "kimi-log")
