"""Budgets: held before a request is sent, settled by what it took, shared by all who use the store."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.amounts import Amount, parse_amount, parse_limit
from perilune.core.money import Money
from perilune.gateway.budgets import Budget, Cost, counted, period_of
from perilune.gateway.key_book import StoredKeyBook
from perilune.gateway.keys import KeySettings, digest_of, make_key
from perilune.gateway.ledger import LedgerWriter
from perilune.gateway.pricing import Pricing
from perilune.gateway.purse import Limits, StoredPurse
from perilune.providers.contract.registry import providers
from perilune.store import keys, spends
from perilune.store.engine import Store, open_store
from perilune.store.keys import StoredKey

from .conftest import CATALOGUE, route

BEIJING = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=BEIJING)
KEY = make_key(bytes(range(32)))
HEADERS = {"authorization": f"Bearer {KEY.reveal()}"}
PLANS = {name: provider.plan for name, provider in providers().items()}
OF_ACCOUNT = {"work": "kimi-code", "ci": "moonshot", "lab": "moonshot"}


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("CNY 10", Amount("CNY", 10_000_000_000)), ("10 usd", Amount("USD", 10_000_000_000)),
        ("USD0.5", Amount("USD", 500_000_000)), ("200k tokens", Amount("tokens", 200_000)),
        ("1.5M tokens", Amount("tokens", 1_500_000)), ("50 requests", Amount("requests", 50)),
        ("EUR 10", None), ("10", None), ("0 requests", None), ("1.5 requests", None), ("USD 1 tokens", None),
        ("", None),
    ],
)  # fmt: skip
def test_amounts_are_money_tokens_or_requests(text: str, amount: Amount | None) -> None:
    assert parse_amount(text) == amount


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    found = parse_amount(text)
    assert found is None or found.value > 0
    parse_limit(text, "CNY")


def test_a_limit_names_its_period_or_means_a_month() -> None:
    assert parse_limit("50/day", "CNY") == (Amount("CNY", 50_000_000_000), "day")
    assert parse_limit("USD 10") == (Amount("USD", 10_000_000_000), "month")
    assert parse_limit("50/fortnight", "CNY") is None


def test_periods_begin_on_the_clock_of_their_zone() -> None:
    assert period_of("day", NOW) == (NOW.replace(hour=0, minute=0), datetime(2026, 11, 21, tzinfo=BEIJING))
    assert period_of("week", NOW)[0] == datetime(2026, 11, 16, tzinfo=BEIJING)
    assert period_of("month", NOW) == (datetime(2026, 11, 1, tzinfo=BEIJING), datetime(2026, 12, 1, tzinfo=BEIJING))
    assert period_of("total", NOW) == (datetime(1970, 1, 1, tzinfo=UTC), None)


def test_costs_count_exactly_and_quota_is_no_money() -> None:
    budget = Budget(kind="key", name="ci", amount=Amount("USD", 10**9))
    assert counted(budget, Cost(money=Money(Decimal("0.00033716"), "USD"))) == 337_160
    assert counted(budget, Cost(is_quota=True, tokens=500)) == 0
    assert counted(budget, Cost(money=Money(Decimal(1), "CNY"))) is None
    assert counted(budget, Cost()) is None
    assert counted(Budget(kind="key", name="ci", amount=Amount("requests", 3)), Cost(is_quota=True)) == 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "perilune.sqlite3")) as opened:
        yield opened


class Kept:
    """A gateway whose ledger and budgets are in a store, with one key."""

    def __init__(self, store: Store, build: Any, config: str, settings: KeySettings | None, limits: Limits) -> None:
        self.crossed: list[str] = []
        self.store = store
        self._written = threading.Event()
        with store.begin() as connection:
            document = msgspec.json.encode(settings or KeySettings(owner="ci")).decode()
            key = StoredKey(
                id="id-ci", name="ci", digest=digest_of(KEY), tail="0000", created_at=NOW, document=document
            )
            keys.create(connection, key)
        self.purse = StoredPurse(
            store, lambda: CATALOGUE, lambda: NOW, limits, on_soft=lambda budget, at: self.crossed.append(budget.name)
        )
        pricing = Pricing(lambda: CATALOGUE, PLANS.get, OF_ACCOUNT.get)
        self.ledger = LedgerWriter(store, pricing, settle=self.purse.settle)
        self.house = build(config, keys=StoredKeyBook(store, lambda: NOW), purse=self.purse, ledger=self.ledger)

    async def chat(self, text: str = "ping", **more: Any) -> Any:
        return await self.house.client.chat(text, headers=HEADERS, **more)

    async def settled(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.ledger.written < count:  # noqa: ASYNC110 what is waited for has no event
                await asyncio.sleep(0.01)

    def used(self) -> dict[str, int]:
        with self.store.read() as connection:
            return {place.budget: used for place, used in spends.all_used(connection).items()}


@pytest.fixture
def keep(store: Store, build: Any) -> Iterator[Callable[..., Kept]]:
    made: list[Kept] = []

    def make(config: str, settings: KeySettings | None = None, limits: Limits | None = None) -> Kept:
        made.append(Kept(store, build, config, settings, limits or Limits()))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.mark.case("gateway KE-02")
async def test_a_request_that_would_break_a_hard_budget_is_refused_before_it_is_sent(keep: Any) -> None:
    kept = keep(route("lab/kimi-k2.6"), KeySettings(owner="ci", hard="CNY 1", per="day"))
    refused = await kept.chat(max_tokens=80_000)  # 80,000 at CNY 27 a million are more than 2
    assert (refused.status, refused.error["code"]) == (402, "PL-BUDGET")
    assert refused.headers["x-should-retry"] == "false"
    assert "CNY 1.00" in refused.error["message"]
    assert kept.house.seen() == []
    assert (await kept.chat(max_tokens=1000)).status == 200


async def test_what_was_really_used_counts_and_the_rest_comes_back(keep: Any) -> None:
    kept = keep(route("lab/kimi-k2.6"), KeySettings(owner="ci", hard="CNY 1", per="day"))
    for number in range(5):
        assert (await kept.chat(max_tokens=30_000)).status == 200  # holds CNY 0.81 each time
        await kept.settled(number + 1)
    assert 0 < kept.used()["key:id-ci"] < 100_000_000
    with kept.store.read() as connection:
        assert spends.used_of(connection, next(iter(spends.all_used(connection)))) == kept.used()["key:id-ci"]


@pytest.mark.case("gateway KE-03")
async def test_of_fifty_at_once_as_many_pass_as_the_budget_allows(keep: Any) -> None:
    kept = keep(route("work/kimi-for-coding"), KeySettings(owner="ci", hard="10 requests", per="day"))
    answers = await asyncio.gather(*(kept.chat(f"ping {number}") for number in range(50)))
    assert sorted(answer.status for answer in answers) == [200] * 10 + [402] * 40
    assert len(kept.house.seen()) == 10
    assert kept.house.in_flight() == 0


@pytest.mark.case("gateway KE-04")
async def test_a_soft_budget_is_told_once_and_answers_go_on(keep: Any) -> None:
    kept = keep(route("work/kimi-for-coding"), KeySettings(owner="ci", soft="2 requests", per="day"))
    flags = []
    for number in range(4):
        answer = await kept.chat()
        assert answer.status == 200
        flags.append(answer.headers.get("x-perilune-budget"))
        await kept.settled(number + 1)
    assert flags == [None, None, "soft", "soft"]
    assert kept.crossed == ["ci"]


@pytest.mark.case("gateway KE-06")
async def test_a_reached_spend_stop_skips_what_costs_money_and_leaves_quota(keep: Any) -> None:
    limits = Limits.of({"CNY": "0.000001/day"}, {}, ())
    kept = keep(route("lab/kimi-k2.6", "work/kimi-for-coding"), limits=limits)
    answer = await kept.chat()
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "work")
    alone = route("lab/kimi-k2.6")
    assert kept.house.seen() == kept.house.seen(path="/coding/*") or len(kept.house.seen()) == 1
    kept.house.gateway.reload(*_reloaded(alone, kept))
    refused = await kept.chat()
    assert (refused.status, refused.error["code"]) == (402, "PL-SPEND-STOP")


def _reloaded(config: str, kept: Kept) -> tuple[Any, Any]:
    from .conftest import settings_of

    return settings_of(config), kept.house.gateway._parts.secrets


async def test_a_stop_that_is_known_to_be_reached_costs_no_write(keep: Any) -> None:
    limits = Limits.of({"CNY": "0.001/day"}, {}, ())
    kept = keep(route("lab/kimi-k2.6", "work/kimi-for-coding"), limits=limits)
    with kept.store.begin() as connection:
        start = int(period_of("day", NOW)[0].timestamp() * 1000)
        spends.settle(connection, "earlier", {spends.Place("stop:CNY", start, "CNY"): 5_000_000})
    kept.purse.refresh()
    answer = await kept.chat()
    assert answer.headers["x-perilune-account"] == "work"
    await kept.settled(1)
    assert kept.used() == {"stop:CNY": 5_000_000}


async def test_what_an_owner_or_an_account_may_spend_is_kept_to_and_named(keep: Any) -> None:
    limits = Limits.of({}, {"ci": "1 requests/day"}, [("lab", "CNY 100/day")])
    kept = keep(route("lab/kimi-k2.6"), limits=limits)
    assert (await kept.chat()).status == 200
    refused = await kept.chat()
    assert (refused.status, refused.error["code"]) == (402, "PL-BUDGET")
    assert "owner ci" in refused.error["message"]
    await kept.settled(2)
    assert kept.used()["owner:ci"] == 1
    assert 0 < kept.used()["account:lab"] < 10**9


async def test_a_slot_whose_cost_cannot_be_counted_is_not_used_on_a_money_budget(keep: Any) -> None:
    kept = keep(route("ci/kimi-k2.6"), KeySettings(owner="ci", hard="CNY 100"))  # an account in dollars
    refused = await kept.chat()
    assert (refused.status, refused.error["code"]) == (402, "PL-BUDGET")
    assert kept.house.seen() == []


async def test_a_failed_attempt_takes_nothing_from_the_budget(keep: Any) -> None:
    kept = keep(route("lab/kimi-k2.6"), KeySettings(owner="ci", hard="CNY 1", per="day"))
    kept.house.world.queue_fault(method="POST", status=400, count=1, body={"error": {"type": "x", "message": "bad"}})
    assert (await kept.chat(max_tokens=30_000)).status == 400
    await kept.settled(1)
    assert kept.used() == {"key:id-ci": 0}
    assert (await kept.chat(max_tokens=30_000)).status == 200


def test_a_hold_survives_its_process_and_counts_elsewhere(store: Store, tmp_path: Path) -> None:
    place = spends.Place("key:a", 0, "requests")
    with store.begin() as connection:
        assert spends.hold(connection, "r1", [spends.Hold(place, 2, 3)], NOW) is None
    with closing(open_store(tmp_path / "perilune.sqlite3")) as other, other.begin() as connection:
        refused = spends.hold(connection, "r2", [spends.Hold(place, 2, 3)], NOW)
        assert refused is not None
        assert refused.used == 2
        spends.settle(connection, "r1", {place: 1})
        assert spends.hold(connection, "r2", [spends.Hold(place, 2, 3)], NOW) is None


async def test_a_key_has_its_own_rate_and_a_refusal_costs_nothing_of_it(keep: Any) -> None:
    kept = keep(route("work/kimi-for-coding", gateway="rate_wait_s = 0"), KeySettings(owner="ci", rpm=1))
    assert (await kept.chat()).status == 200
    refused = await kept.chat()
    assert (refused.status, refused.error["code"]) == (429, "PL-429-RATE")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert len(kept.house.seen()) == 1


async def test_a_key_has_its_own_cap_beside_the_account_s(keep: Any) -> None:
    kept = keep(
        route("work/kimi-for-coding", gateway="queue_timeout_s = 0.2"), KeySettings(owner="ci", max_concurrent=1)
    )
    kept.house.world.say(text="word " * 12, gap_ms=60)
    one = asyncio.create_task(kept.chat(stream=True))
    while not kept.house.seen():  # noqa: ASYNC110 what is waited for has no event
        await asyncio.sleep(0.01)
    refused = await kept.chat()
    assert (refused.status, refused.error["code"]) == (429, "PL-GW-QUEUE")
    assert (await one).status == 200
    assert (await kept.chat()).status == 200
    assert kept.house.in_flight() == 0


async def test_the_whole_gateway_may_have_a_cap(build: Any) -> None:
    house = build(route("work/kimi-for-coding", gateway="max_concurrent_requests = 1"))
    answers = await asyncio.gather(*(house.client.chat(stream=True) for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5
    assert house.in_flight() == 0
