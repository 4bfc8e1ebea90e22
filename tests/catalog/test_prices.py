"""Prices by day and currency, and exact costs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.catalog.load import Catalogue, Document, load
from perilune.catalog.prices import Price, Tokens, cost, find_price, overlapping
from perilune.core.errors import ConfigError
from perilune.core.money import Money

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.mark.parametrize(
    ("model", "currency", "hit", "miss", "output", "write_5m", "write_1h", "mark"),
    [
        ("kimi-k3.1-pro", "USD", "0.20", "2.00", "10.00", "2.00", "4.00", "T"),
        ("kimi-k3.1-pro-highspeed", "USD", "0.20", "4.00", "20.00", "4.00", "8.00", "T"),
        ("kimi-k3", "USD", "0.30", "3.00", "15.00", "3.00", "6.00", "D"),
        ("kimi-k3", "CNY", "2", "20", "100", None, None, "D"),
        ("kimi-k2.7-code", "USD", "0.19", "0.95", "4.00", None, None, "D"),
        ("kimi-k2.7-code", "CNY", "1.3", "6.5", "27", None, None, "D"),
        ("kimi-k2.7-code-highspeed", "USD", "0.38", "1.90", "8.00", None, None, "D"),
        ("kimi-k2.7-code-highspeed", "CNY", "2.6", "13", "54", None, None, "D"),
        ("kimi-k2.6", "USD", "0.16", "0.95", "4.00", None, None, "D"),
        ("kimi-k2.6", "CNY", "1.1", "6.5", "27", None, None, "D"),
        ("kimi-k2.5", "USD", "0.10", "0.60", "3.00", None, None, "T"),
    ],
)
def test_each_listed_price(
    catalogue: Catalogue, model: str, currency: str, hit: str, miss: str, output: str,
    write_5m: str | None, write_1h: str | None, mark: str,
) -> None:  # fmt: skip
    price = catalogue.price("moonshot", model, currency, NOW)
    assert price is not None
    assert (price.input_hit, price.input_miss, price.output) == (Decimal(hit), Decimal(miss), Decimal(output))
    assert (price.cache_write_5m, price.cache_write_1h) == tuple(w and Decimal(w) for w in (write_5m, write_1h))
    assert (price.mark, price.is_override) == (mark, False)


@pytest.mark.parametrize("model", ["kimi-k2", "kimi-k2-0905-preview", "kimi-k2-0711-preview"])
def test_a_retired_model_has_a_price_only_while_it_ran(catalogue: Catalogue, model: str) -> None:
    price = catalogue.price("moonshot", model, "USD", datetime(2026, 5, 24, 23, 59, tzinfo=UTC))
    assert price is not None
    assert (price.input_hit, price.input_miss, price.output) == (Decimal("0.15"), Decimal("0.60"), Decimal("2.50"))
    assert catalogue.price("moonshot", model, "USD", datetime(2026, 5, 25, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("plan", "model", "currency", "at"),
    [
        ("moonshot", "kimi-k3.1-pro", "CNY", NOW),
        ("moonshot", "kimi-k2.5", "CNY", NOW),
        ("moonshot", "moonshot-v1-8k", "USD", NOW),
        ("moonshot", "kimi-k3", "USD", datetime(2026, 7, 15, tzinfo=UTC)),
        ("moonshot", "unheard-of", "USD", NOW),
        ("openrouter", "moonshotai/kimi-k2.6", "USD", NOW),
        ("kimi-code", "k3", "CNY", NOW),
    ],
)
@pytest.mark.case("gateway LE-05")
def test_what_is_not_listed_has_no_price(
    catalogue: Catalogue, plan: str, model: str, currency: str, at: datetime
) -> None:
    assert catalogue.price(plan, model, currency, at) is None


@pytest.mark.parametrize(("model", "hit"), [("kimi-k2.6", "0.10"), ("kimi-k2.7-code", "0.114")])
def test_batch_has_prices_of_its_own(catalogue: Catalogue, model: str, hit: str) -> None:
    price = catalogue.price("moonshot", model, "USD", NOW, "batch")
    assert price is not None
    assert (price.input_hit, price.input_miss, price.output) == (Decimal(hit), Decimal("0.57"), Decimal("2.40"))
    assert catalogue.price("moonshot", "kimi-k3", "USD", NOW, "batch") is None


def test_the_higher_price_of_a_web_search_is_used(catalogue: Catalogue) -> None:
    call = catalogue.call_price("moonshot", "$web_search", "USD")
    assert call is not None
    assert call.each == Decimal("0.005")
    assert catalogue.call_price("moonshot", "$web_search", "CNY") is None


@pytest.mark.case("gateway LE-01")
def test_the_documented_request_costs_what_the_reference_says(catalogue: Catalogue) -> None:
    price = catalogue.price("moonshot", "kimi-k2.6", "USD", NOW)
    assert price is not None
    spent = cost(Tokens(input_total=412, cache_read=256, output_total=37), price)
    assert spent == Money(Decimal("0.00033716"), "USD")


def test_cache_writes_cost_by_how_long_they_are_kept(catalogue: Catalogue) -> None:
    price = catalogue.price("moonshot", "kimi-k3", "USD", NOW)
    assert price is not None
    tokens = Tokens(input_total=1000, cache_read=100, cache_write=300, cache_write_1h=200, output_total=0)
    assert cost(tokens, price).amount == Decimal("0.00333")  # 600 x 3 + 100 x 0.30 + 100 x 3 + 200 x 6


def test_counts_that_contradict_each_other_never_make_a_cost_negative() -> None:
    price = Price(model="m", currency="USD", input_miss=Decimal(1), output=Decimal(1))
    assert cost(Tokens(input_total=5, cache_read=9, output_total=0), price).amount == Decimal("0.000009")


@pytest.mark.case("gateway LE-03")
def test_a_price_change_leaves_the_days_before_it_alone() -> None:
    day = date(2026, 11, 1)
    before = Price(model="m", currency="USD", input_miss=Decimal(1), output=Decimal(2), ends=day)
    after = Price(model="m", currency="USD", input_miss=Decimal(3), output=Decimal(4), starts=day)
    midnight = datetime(2026, 11, 1, tzinfo=UTC)
    assert find_price([before, after], "p", "m", "USD", midnight - timedelta(milliseconds=1)) is before
    assert find_price([before, after], "p", "m", "USD", midnight) is after


def test_the_user_s_price_wins_and_is_marked() -> None:
    own = Document(
        "prices.toml",
        '[[price]]\nmodel = "kimi-k2*"\ncurrency = "USD"\ninput_miss = "0.5"\noutput = 1\nfrom = 2026-11-01\n',
    )
    catalogue = load(override=own)
    price = catalogue.price("moonshot", "kimi-k2.6", "USD", NOW)
    assert price is not None
    assert (price.input_miss, price.is_override) == (Decimal("0.5"), True)
    assert price.label() == "kimi-k2* USD from 2026-11-01 (own)"
    earlier = catalogue.price("moonshot", "kimi-k2.6", "USD", datetime(2026, 10, 31, tzinfo=UTC))
    assert earlier is not None
    assert not earlier.is_override


def test_two_prices_for_one_day_are_refused() -> None:
    row = '[[price]]\nmodel = "m"\ncurrency = "USD"\ninput_miss = 1\noutput = 1\n'
    with pytest.raises(ConfigError):
        load(override=Document("prices.toml", row + row))


def test_shipped_prices_never_overlap(catalogue: Catalogue) -> None:
    assert overlapping(catalogue.prices) == []


def test_every_priced_model_is_known(catalogue: Catalogue) -> None:
    assert [row.model for row in catalogue.prices if catalogue.model(row.plan, row.model) is None] == []


_DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(cuts=st.lists(_DAYS, unique=True, max_size=6).map(sorted), day=_DAYS)
def test_a_history_cut_by_days_has_exactly_one_price_a_day(cuts: list[date], day: date) -> None:
    edges = [None, *cuts, None]
    rows = [
        Price(model="m", currency="USD", input_miss=Decimal(n), output=Decimal(n), starts=start, ends=end)
        for n, (start, end) in enumerate(pairwise(edges))
    ]
    assert overlapping(rows) == []
    assert len([row for row in rows if row.is_valid_on(day)]) == 1
    found = find_price(rows, "any", "m", "USD", datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))
    assert found is not None
    assert found.is_valid_on(day)


_COUNT = st.integers(0, 10_000_000)


@given(miss=_COUNT, read=_COUNT, write=_COUNT, output=_COUNT)
def test_a_cost_is_the_sum_of_its_parts(miss: int, read: int, write: int, output: int) -> None:
    price = Price(
        model="m", currency="CNY", input_hit=Decimal("1.1"), input_miss=Decimal("6.5"),
        cache_write_5m=Decimal(7), output=Decimal(27),
    )  # fmt: skip
    tokens = Tokens(input_total=miss + read + write, cache_read=read, cache_write=write, output_total=output)
    exact = (miss * Decimal("6.5") + read * Decimal("1.1") + write * 7 + output * 27) / 1_000_000
    assert cost(tokens, price) == Money(exact, "CNY")
