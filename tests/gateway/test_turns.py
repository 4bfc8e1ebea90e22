"""Rates of an account through the gateway: what waits, what frees it, what a refusal teaches."""

import asyncio

import pytest

from .conftest import ACCOUNTS, Build, route

LONG = "word " * 800
_RATED = 'name = "ci"\nplan = "moonshot"\n'


def rated(*slots: str, **rates: int) -> str:
    lines = "".join(f"{name} = {value}\n" for name, value in rates.items())
    config = route(*slots)
    assert _RATED in ACCOUNTS
    return config.replace(_RATED, _RATED + lines)


@pytest.mark.case("gateway AD-16")
async def test_the_requested_output_counts_until_the_real_use_is_known(build: Build) -> None:
    house = build(rated("ci/kimi-k2.6", tpm=500_000))
    house.world.queue_fault(method="POST", hold="headers", count=2)
    asked = [asyncio.create_task(house.client.chat(LONG, max_tokens=240_000)) for _ in range(3)]
    await asyncio.to_thread(house.world.wait_for, lambda world: world.held == 2)
    assert len(house.seen(method="POST")) == 2
    assert not any(task.done() for task in asked)
    house.world.release(1)
    answers = await asyncio.gather(*(task for task in asked if task is not asked[0] and task is not asked[1]))
    assert [answer.status for answer in answers] == [200]
    house.world.release()
    assert [answer.status for answer in await asyncio.gather(*asked)] == [200] * 3
    assert house.in_flight() == 0


async def test_a_stream_frees_what_it_did_not_use(build: Build) -> None:
    house = build(rated("ci/kimi-k2.6", tpm=300_000))
    for _ in range(4):
        answer = await house.client.chat(LONG, stream=True, max_tokens=240_000)
        assert answer.status == 200
    assert house.readings.answers == ["ci"] * 4


async def test_a_full_rate_lets_the_next_slot_answer(build: Build) -> None:
    config = rated("ci/kimi-k2.6", "lab/kimi-k2.6", rpm=1).replace(
        "[gateway]\n", "[gateway]\nqueue_patience_s = 0.05\n"
    )
    house = build(config)
    first, second = await house.client.chat(), await house.client.chat()
    assert first.headers["x-perilune-account"] == "ci"
    assert second.headers["x-perilune-account"] == "lab"
    assert second.attempts == 1


async def test_a_refusal_that_names_a_rate_is_kept_to(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.6"))
    house.world.queue_fault(method="POST", refusal="dev-err-429-rpm")
    assert (await house.client.chat()).status == 200
    gate = house.gateway.core.services.rates.gate("ci")
    assert gate is not None
