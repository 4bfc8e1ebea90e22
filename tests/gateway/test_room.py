"""What is left for whom: floors per priority, windows that count requests, windows that are seen to move."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from perilune.gateway.admission import Priority
from perilune.gateway.floors import floors_of, requests_left, short_of, used_by_each
from perilune.quota.snapshot import Balance, Snapshot, Window

from .conftest import route

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FLOORS = {"interactive": "0%", "review": "5%", "batch": "20%"}
TWO = route("work/kimi-for-coding", "ci/kimi-k2.6")


def window(used: float | str, *, name: str = "5h", resets_in: float | None = 3600, **more: Any) -> Window:
    resets_at = None if resets_in is None else datetime.now(UTC) + timedelta(seconds=resets_in)
    return Window(id=name, label="5-hour", used_ratio=Decimal(str(used)), resets_at=resets_at, **more)


def counting(left: int) -> Window:
    """A window of 200 requests."""
    counts = {"limit": Decimal(200), "remaining": Decimal(left)}
    return window(str(1 - Decimal(left) / 200), unit="requests", **counts)


def snapshot(*windows: Window, age_s: float = 0, balance: Balance | None = None, account: str = "work") -> Snapshot:
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    of = {"account": account, "plan": "kimi-code", "region": "cn", "source": "api-key"}
    return Snapshot(**of, fetched_at=at, windows=windows, balance=balance)


def short(one: Snapshot, floors: dict[str, Any], priority: Priority) -> str | None:
    found = short_of(one, floors_of(floors, FLOORS), priority, datetime.now(UTC))
    return None if found is None else found.window


@pytest.mark.parametrize(
    ("used", "written", "closed_to"),
    [
        (0.96, {}, {"REVIEW", "BATCH"}), (0.85, {}, {"BATCH"}), (0.5, {}, set()), (1.0, {}, {"REVIEW", "BATCH"}),
        (0.85, {"batch": "10%"}, set()), (0.85, {"interactive": "20%"}, {"INTERACTIVE", "BATCH"}),
        (0.85, {"batch": {"7d": "50%"}}, set()), (0.85, {"batch": {"5h": "50%"}}, {"BATCH"}),
    ],
)  # fmt: skip
def test_each_priority_leaves_its_floor(used: float, written: dict[str, Any], closed_to: set[str]) -> None:
    one = snapshot(window(used))
    assert {priority.name for priority in Priority if short(one, written, priority)} == closed_to


def test_a_balance_has_floors_in_its_own_currency() -> None:
    one = snapshot(balance=Balance(currency="CNY", available=Decimal("29.90")))
    assert short(one, {"batch": "CNY30"}, Priority.BATCH) == "balance"
    assert short(one, {"batch": "USD30"}, Priority.BATCH) is None
    assert short(one, {"batch": "20%"}, Priority.BATCH) is None


@pytest.mark.parametrize(
    "one",
    [
        snapshot(window(0.99), age_s=601), snapshot(window(0.99, resets_in=-1)),
        snapshot(window(0.99, is_reliable=False)), snapshot(),
    ],
)  # fmt: skip
def test_what_is_old_unsure_or_over_keeps_nobody_away(one: Snapshot) -> None:
    assert short(one, {}, Priority.BATCH) is None
    assert requests_left(one, {"5h": Decimal("0.5")}, datetime.now(UTC)) is None


def test_what_each_request_took_is_seen_between_two_readings_of_one_cycle() -> None:
    resets_at = NOW + timedelta(hours=1)
    before = snapshot(Window(id="5h", label="", used_ratio=Decimal("0.5"), resets_at=resets_at))
    after = snapshot(Window(id="5h", label="", used_ratio=Decimal("0.6"), resets_at=resets_at))
    anew = snapshot(Window(id="5h", label="", used_ratio=Decimal("0.6"), resets_at=resets_at + timedelta(hours=5)))
    assert used_by_each(before, after, 10) == {"5h": Decimal("0.01")}
    assert used_by_each(before, anew, 10) == {}
    assert used_by_each(after, before, 10) == {}


@pytest.mark.case("gateway QU-04")
async def test_a_review_leaves_the_last_of_a_window_to_interactive_requests(build: Any) -> None:
    house = build(TWO)
    house.readings.snapshots["work"] = snapshot(window(0.96))
    review = await house.client.chat(headers={"x-perilune-priority": "review"})
    assert review.headers["x-perilune-account"] == "ci"
    assert (await house.client.chat()).headers["x-perilune-account"] == "work"


async def test_why_a_priority_is_kept_away_is_told_with_its_figures_and_the_time(build: Any) -> None:
    house = build(route("work/kimi-for-coding"))
    house.readings.snapshots["work"] = snapshot(window(0.96))
    refused = await house.client.chat(headers={"x-perilune-priority": "batch"})
    assert (refused.status, refused.error["code"]) == (402, "PL-QUOTA-5H")
    assert "4%" in refused.error["message"]
    assert "20%" in refused.error["message"]
    assert 3000 < int(refused.headers["retry-after"]) <= 3600


@pytest.mark.case("gateway QU-05")
async def test_no_more_requests_than_a_counting_window_still_takes(build: Any) -> None:
    house = build(TWO)
    house.readings.snapshots["work"] = snapshot(counting(10))
    answers = await asyncio.gather(*(house.client.chat(f"ping {number}") for number in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    accounts = [answer.headers["x-perilune-account"] for answer in answers]
    assert (accounts.count("work"), accounts.count("ci")) == (10, 10)
    assert house.readings.doubts[:1] == ["work"]
    house.readings.snapshots["work"] = snapshot(counting(200))
    assert (await house.client.chat()).headers["x-perilune-account"] == "work"


async def test_requests_that_the_vendor_did_not_take_do_not_count(build: Any) -> None:
    house = build(TWO)
    house.readings.snapshots["work"] = snapshot(counting(1))
    house.world.queue_fault(method="POST", host="api.kimi.com", status=500, count=1)
    assert [(await house.client.chat()).headers["x-perilune-account"] for _ in range(2)] == ["work", "ci"]


async def test_where_every_slot_is_under_its_floor_the_least_used_serves_who_waits_for_an_answer(build: Any) -> None:
    floors = 'min_left = { interactive = "20%" }'
    house = build(route(f"work/kimi-for-coding|{floors}", f"intl/kimi-for-coding|{floors}"))
    house.readings.snapshots["work"] = snapshot(window(0.95))
    house.readings.snapshots["intl"] = snapshot(window(0.90), account="intl")
    assert (await house.client.chat()).headers["x-perilune-account"] == "intl"
    refused = await house.client.chat(headers={"x-perilune-priority": "batch"})
    assert (refused.status, refused.error["code"]) == (402, "PL-GW-SPENT")


async def test_what_can_wait_goes_where_the_window_lasts_when_the_route_says_so(build: Any) -> None:
    config = route("work/kimi-for-coding", "ci/kimi-k2.6", extra='prefer = "last_longer"')
    house = build(config)
    house.readings.snapshots["work"] = snapshot(window(0.7, span_s=18_000, resets_in=16_000))
    batch = await house.client.chat(headers={"x-perilune-priority": "batch"})
    assert batch.headers["x-perilune-account"] == "ci"
    assert (await house.client.chat()).headers["x-perilune-account"] == "work"


async def test_an_account_that_turns_out_to_be_of_another_group_is_judged_anew(build: Any) -> None:
    house = build(TWO)
    house.readings.snapshots["work"] = snapshot(counting(3))
    services, routes = house.gateway.core.services, house.gateway.core.setup.routes
    slot = routes.all[0].slots[0]
    now = datetime.now(UTC)
    assert services.room.take(slot, Priority.INTERACTIVE, now)
    renamed = replace(slot, group="of the holder")
    assert services.room.reason(renamed, Priority.INTERACTIVE, now) is None
    assert services.room.take(renamed, Priority.INTERACTIVE, now)
