"""What the ledger's tables answer, on every database."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from perilune.store import ledger
from perilune.store.engine import Store

DAY = datetime(2026, 11, 20, tzinfo=UTC)


def _request(number: int, **facts: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}", "received_at": int(DAY.timestamp() * 1000) + number * 1000, "owner": "local",
        "purpose": "client", "surface": "chat", "is_stream": True, "outcome": "ok", "attempts": 1,
        "is_estimated": False, "may_bill_more": False, "account": None, "currency": None, "unit_of_cost": None,
        "cost": None, "first_content_ms": None, "slot": None, "model_served": None, "model_asked": None,
        "input_tokens": None, "cache_read_tokens": None, "output_tokens": None, "route": None, "key_id": None, **facts,
    }  # fmt: skip


def _attempt(request: int, number: int, account: str, **facts: Any) -> dict[str, Any]:
    return {
        "request_id": f"r{request}", "number": number, "started_at": 0, "account": account, "model": "m",
        "outcome": "ok", "was_sent": True, "cost": None, **facts,
    }  # fmt: skip


def _insert(store: Store, requests: list[dict[str, Any]], attempts: list[dict[str, Any]] | None = None) -> None:
    with store.begin() as connection:
        ledger.insert_rows(connection, requests, attempts or [])


def test_a_batch_is_written_once_however_often(store: Store) -> None:
    rows, attempts = [_request(1), _request(2)], [_attempt(1, 1, "a")]
    _insert(store, rows, attempts)
    _insert(store, [*rows, _request(3)], attempts)
    with store.read() as connection:
        assert [request.id for request in ledger.recent(connection, 10)] == ["r3", "r2", "r1"]
        assert len(ledger.attempts_of(connection, "r1")) == 1


def test_a_request_comes_back_as_it_was_written(store: Store) -> None:
    _insert(
        store,
        [_request(1, cost="0.00033716", currency="USD", unit_of_cost="money", account="ci", model_asked="x")],
        [_attempt(1, 2, "ci", cost="0.00033716"), _attempt(1, 1, "work", outcome="quota_spent", cost="0", words="No")],
    )
    with store.read() as connection:
        (request,) = ledger.recent(connection, 1)
        attempts = ledger.attempts_of(connection, "r1")
    assert (request.cost, request.currency, request.model) == (Decimal("0.00033716"), "USD", "x")
    assert request.received_at == DAY + timedelta(seconds=1)
    assert [(one.account, one.outcome, one.cost) for one in attempts] == [
        ("work", "quota_spent", Decimal(0)), ("ci", "ok", Decimal("0.00033716")),
    ]  # fmt: skip


def test_recent_may_be_one_account_s(store: Store) -> None:
    _insert(store, [_request(n, account="ab"[n % 2]) for n in range(6)])
    with store.read() as connection:
        assert [request.id for request in ledger.recent(connection, 2, account="a")] == ["r4", "r2"]


@pytest.mark.case("gateway LE-07")
def test_currencies_are_never_added_together(store: Store) -> None:
    money = {"unit_of_cost": "money"}
    _insert(
        store,
        [
            _request(1, account="ci", currency="USD", cost="0.1", input_tokens=5, **money),
            _request(2, account="ci", currency="USD", cost="0.2", input_tokens=7, outcome="busy", **money),
            _request(3, account="cn", currency="CNY", cost="1.30", **money),
            _request(4, account="cn", currency="CNY", **money),
            _request(5, account="work", unit_of_cost="quota"),
        ],
    )
    with store.read() as connection:
        sums = ledger.totals(connection, DAY, DAY + timedelta(days=1))
        by_account = ledger.totals(connection, DAY, DAY + timedelta(days=1), "account")
    by_currency = {total.currency: total for total in sums}
    assert by_currency["USD"].cost == Decimal("0.3")
    assert by_currency["CNY"].cost == Decimal("1.3")
    assert by_currency[None].cost is None
    assert (by_currency["CNY"].unpriced, by_currency["USD"].unpriced, by_currency[None].unpriced) == (1, 0, 0)
    assert (by_currency["USD"].requests, by_currency["USD"].failed, by_currency["USD"].input_tokens) == (2, 1, 12)
    assert {(total.label, total.currency) for total in by_account} == {("ci", "USD"), ("cn", "CNY"), ("work", None)}


def test_sums_are_exact(store: Store) -> None:
    cost = "0.000000123456789"
    _insert(store, [_request(n, currency="USD", unit_of_cost="money", cost=cost) for n in range(1000)])
    with store.read() as connection:
        (total,) = ledger.totals(connection, DAY, DAY + timedelta(days=1))
    assert total.cost == 1000 * Decimal(cost)


def test_a_span_begins_with_its_start_and_ends_before_its_end(store: Store) -> None:
    _insert(store, [_request(n) for n in range(4)])
    with store.read() as connection:
        assert ledger.count_requests(connection, DAY + timedelta(seconds=1), DAY + timedelta(seconds=3)) == 2
        assert ledger.totals(connection, DAY + timedelta(days=1), DAY + timedelta(days=2)) == []


def test_sums_of_days_are_those_of_the_caller_s_clock(store: Store) -> None:
    _insert(store, [_request(n) for n in (0, 1, 5)])
    day = DAY.toordinal() - 719_163
    with store.read() as connection:
        for hours, numbers in ((0, {day: 3}), (-1, {day - 1: 3}), (24, {day + 1: 3})):
            found = ledger.totals_by_number(
                connection, DAY, DAY + timedelta(seconds=9), timedelta(days=1), timedelta(hours=hours)
            )
            assert {number: total.requests for number, total in found} == numbers


def test_the_percentile_of_first_content(store: Store) -> None:
    _insert(store, [_request(n, first_content_ms=n, slot="a/m" if n <= 10 else "b/m") for n in range(1, 101)])
    until = DAY + timedelta(days=1)
    with store.read() as connection:
        assert ledger.first_content_percentile(connection, DAY, until) == 95
        assert ledger.first_content_percentile(connection, DAY, until, slot="a/m") == 10
        assert ledger.first_content_percentile(connection, DAY, until, 0.5) == 50
        assert ledger.first_content_percentile(connection, DAY, until, slot="none") is None


def test_whether_an_account_served_anything(store: Store) -> None:
    _insert(store, [_request(5, account="a")])
    with store.read() as connection:
        assert ledger.had_requests(connection, "a", DAY, DAY + timedelta(seconds=6))
        assert not ledger.had_requests(connection, "a", DAY, DAY + timedelta(seconds=5))
        assert not ledger.had_requests(connection, "b", DAY, DAY + timedelta(seconds=6))
