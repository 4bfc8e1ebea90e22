"""Requests and tokens a minute."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.admission.conftest import Clock

from perilune.gateway.admission.buckets import RateLine, RequestRate, TokenBucket
from perilune.gateway.admission.rates import Debit, RateGate


def test_requests_are_spread_after_a_tenth_of_a_minute_s_worth() -> None:
    rate = RequestRate(60)
    for _ in range(6):
        assert rate.wait_s(0) == 0
        rate.take(0)
    assert rate.wait_s(0) == pytest.approx(1)
    assert rate.wait_s(1) == pytest.approx(0)


def test_a_small_rate_lets_one_go_at_a_time() -> None:
    rate = RequestRate(3)
    rate.take(0)
    assert rate.wait_s(0) == pytest.approx(20)


@given(st.integers(1, 600), st.lists(st.floats(0, 5), max_size=200))
def test_a_minute_never_sees_more_than_the_rate_and_its_burst(per_minute: int, pauses: list[float]) -> None:
    rate, now_s, went = RequestRate(per_minute), 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        if rate.wait_s(now_s) <= 0:
            rate.take(now_s)
            went.append(now_s)
    most = per_minute + max(1, per_minute / 10)
    assert all(sum(start <= at < start + 60 for at in went) <= most + 1 for start in went)


@pytest.mark.case("gateway AD-16")
async def test_the_requested_cap_counts_until_the_real_use_is_known(clock: Clock) -> None:
    gate = RateGate(clock)
    gate.configure(rpm=None, tpm=500_000)
    first, second = [await gate.admit(1_000 + 240_000) for _ in range(2)]
    third = asyncio.create_task(gate.admit(1_000 + 240_000))
    await asyncio.sleep(0)
    assert gate.waiting == 1
    assert isinstance(first, Debit)
    assert isinstance(second, Debit)
    first.settle(3_000)
    assert isinstance(await third, Debit)


async def test_a_request_that_was_not_billed_gets_everything_back_once(clock: Clock) -> None:
    gate = RateGate(clock)
    gate.configure(rpm=None, tpm=100)
    debit = await gate.admit(100)
    assert isinstance(debit, Debit)
    debit.refund()
    debit.refund()
    assert isinstance(await gate.admit(100), Debit)
    left = await gate.admit(50, deadline_s=0.01)
    assert left == pytest.approx(30)


async def test_without_rates_nobody_waits(clock: Clock) -> None:
    gate = RateGate(clock)
    assert all([isinstance(await gate.admit(10**9), Debit) for _ in range(100)])


async def test_an_unchanged_rate_keeps_its_count_and_a_lifted_one_frees_those_who_wait(clock: Clock) -> None:
    gate = RateGate(clock)
    gate.configure(rpm=3, tpm=None)
    assert isinstance(await gate.admit(1), Debit)
    gate.configure(rpm=3, tpm=None)
    waiting = asyncio.create_task(gate.admit(1))
    await asyncio.sleep(0)
    assert gate.waiting == 1
    gate.configure(rpm=None, tpm=None)
    assert isinstance(await waiting, Debit)


async def test_one_that_is_cancelled_leaves_the_line(clock: Clock) -> None:
    gate = RateGate(clock)
    gate.configure(rpm=None, tpm=10)
    await gate.admit(10)
    waiting = asyncio.create_task(gate.admit(10))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert gate.waiting == 0


async def test_the_gate_opens_by_itself_when_time_has_passed() -> None:
    gate = RateGate()
    gate.configure(rpm=None, tpm=60_000)
    await gate.admit(60_000)
    assert isinstance(await gate.admit(10), Debit)


def _line(tpm: int) -> RateLine[str]:
    line: RateLine[str] = RateLine(tokens=TokenBucket(tpm))
    return line


def test_a_large_one_holds_up_a_smaller_one_for_a_second_at_most() -> None:
    line = _line(600)
    line.join("spender", 600, 0)
    assert line.next(0) == "spender"
    line.join("large", 600, 0)
    line.join("small", 5, 0)
    assert line.next(0.9) is None
    assert line.look_again_s(0.9) == pytest.approx(0.1)
    assert line.next(1.0) == "small"


def test_a_large_one_is_not_overtaken_after_five_seconds() -> None:
    line = _line(600)
    line.join("spender", 600, 0)
    line.next(0)
    line.join("large", 600, 0)
    line.join("small", 5, 0)
    assert line.next(5) is None
    assert line.next(59.9) is None
    assert [line.next(60.0), line.next(60.5)] == ["large", "small"]


def test_one_larger_than_the_bucket_goes_when_it_is_full() -> None:
    line = _line(600)
    line.join("huge", 10_000, 0)
    assert line.next(0) == "huge"
    line.join("next", 10, 0)
    assert line.look_again_s(0) == pytest.approx(1)
    assert line.next(900) is None
    assert line.next(950) == "next"


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 20)), max_size=60))
def test_the_bucket_never_gives_more_than_it_held_and_refilled(asked: list[tuple[int, float]]) -> None:
    bucket, now_s, given_out = TokenBucket(600), 0.0, 0
    for tokens, pause_s in asked:
        now_s += pause_s
        if tokens <= 600 and bucket.wait_s(tokens, now_s) <= 0:
            bucket.debit(tokens, now_s)
            given_out += tokens
        assert given_out <= 600 + now_s * 10 + 1e-6
