"""The fast lane: what goes on it, what it hands over, and that nobody can tell by the result."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.catalog.load import load
from perilune.catalog.plan import Plan, Region
from perilune.catalog.prices import Price, Tokens, cost
from perilune.dialects.content import usage_of_answer
from perilune.dialects.form import Dialect
from perilune.dialects.tail import tail_of_answer
from perilune.dialects.usage import Usage
from perilune.gateway.flow import RelayFlow
from perilune.gateway.lane.template import are_plain, parts_of
from perilune.gateway.ledger_rows import attempt_rows, plain_rows, request_row
from perilune.gateway.meter import Meter
from perilune.gateway.pricing import Pricing, Rate, amount_text
from perilune.gateway.record import Constant, PlainRecord, records_of
from perilune.net.upstream import Connection

from .conftest import Build, House, route

WHOLE = "stream_upstream = false"


def taken(house: House) -> int:
    lane = house.gateway.lane
    assert lane is not None
    return lane.taken


async def test_a_plain_request_goes_on_the_lane_and_looks_like_any_other(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", gateway=WHOLE))
    plain = await house.client.chat("ping")
    assert taken(house) == 1
    general = await house.client.chat("ping", user="somebody", tools=[])
    assert taken(house) == 1
    assert plain.status == general.status == 200
    assert set(plain.headers) == set(general.headers)
    first, second = house.rows.requests
    for name in ("owner", "route", "account", "plan", "region", "model_served", "outcome", "status", "surface"):
        assert getattr(first, name) == getattr(second, name), name
    assert first.usage is not None
    assert house.rows.attempts[0][0].model == house.rows.attempts[1][0].model == "kimi-k2.6"
    assert house.in_flight() == 0


async def test_a_stream_goes_on_the_lane(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    answer = await house.client.chat(stream=True, stream_options={"include_usage": True})
    assert (answer.status, taken(house)) == (200, 1)
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert house.rows.requests[0].is_stream
    assert house.rows.requests[0].first_content_ms is not None
    assert house.in_flight() == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"tools": [{"type": "function", "function": {"name": "run", "parameters": {}}}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"messages": [{"role": "user", "content": "hi", "extra": 1}]},
        {"previous_response_id": "r"},
    ],
)
async def test_what_is_not_plain_is_left_to_the_general_path(build: Build, changed: dict[str, Any]) -> None:
    house = build(route("ci/kimi-k2.6", gateway=WHOLE))
    await house.client.chat(**changed)
    assert taken(house) == 0


async def test_a_refusal_is_handed_over_with_the_attempt_as_it_is(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.6", gateway=WHOLE))
    house.world.queue_fault(method="POST", refusal="dev-err-429-balance-suspended")
    answer = await house.client.chat()
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 2, "lab")
    assert taken(house) == 1
    assert len(house.seen(method="POST")) == 2
    assert [one.outcome for one in house.rows.attempts[0]] == ["balance_empty", "ok"]
    assert house.gateway.core.services.counters.attempts == 2
    assert house.in_flight() == 0


async def test_after_a_refusal_the_next_slot_answers_and_the_lane_waits(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", "lab/kimi-k2.6", gateway=WHOLE))
    house.world.queue_fault(method="POST", refusal="dev-err-429-balance-suspended")
    await house.client.chat()
    again = await house.client.chat()
    assert (again.attempts, again.headers["x-perilune-account"]) == (1, "lab")
    assert taken(house) == 1


async def test_a_client_that_leaves_frees_everything_at_once(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", gateway=WHOLE))
    await house.client.open()
    house.world.queue_fault(method="POST", hold="headers")
    asked = asyncio.create_task(house.client.chat())
    await asyncio.to_thread(house.world.wait_for, lambda world: world.held == 1)
    assert (taken(house), house.in_flight()) == (1, 1)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    house.world.release()
    assert house.in_flight() == 0
    assert [row.outcome for row in house.rows.requests] == ["client_gone"]
    assert house.gateway.core.services.counters.in_flight == 0


async def test_a_changed_configuration_is_seen_by_heads_that_are_known(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", gateway=WHOLE))
    await house.client.chat()
    from .conftest import KEYS, Secret, settings_of

    secrets = {name: Secret(key) for name, key in KEYS.items()}
    house.gateway.reload(settings_of(route("lab/kimi-k2.6", gateway=WHOLE)), secrets)
    answer = await house.client.chat()
    assert answer.headers["x-perilune-account"] == "lab"


async def test_a_fault_of_ours_is_told_and_keeps_nothing(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build(route("ci/kimi-k2.6", gateway=WHOLE))
    await house.client.open()

    def broken(*_: object) -> tuple[str, None]:
        raise ValueError

    monkeypatch.setattr("perilune.gateway.lane.first.tail_of_answer", broken)
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"], taken(house)) == (500, "PL-BUG", 1)
    assert house.in_flight() == 0
    assert [row.code for row in house.rows.requests] == ["PL-BUG"]


@pytest.mark.parametrize("body", [{}, {"user": "somebody", "tools": []}])
async def test_a_fault_in_a_stream_ends_it_and_keeps_nothing(
    build: Build, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any]
) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.say(text="x" * 400, chunks=20, gap_ms=1)
    await house.client.open()
    fed = 0

    def broken(flow: Any, chunk: bytes) -> bytes:
        nonlocal fed
        fed += 1
        if fed > 3:
            raise ValueError
        return feed(flow, chunk)

    feed = RelayFlow.feed
    monkeypatch.setattr(RelayFlow, "feed", broken)
    answer = await house.client.chat(stream=True, **body)
    assert b"[DONE]" not in answer.body
    assert house.in_flight() == 0
    assert house.gateway.core.services.counters.in_flight == 0
    assert len(house.rows.requests) == 1


async def test_a_slow_client_holds_up_the_vendor_and_nobody_else(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.say(text="x" * 4000, chunks=200, gap_ms=1)
    asked = asyncio.create_task(house.client.chat(stream=True))
    lane = house.gateway.lane
    assert lane is not None
    while not house.gateway.core.services.streams:  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0.001)
    stream = next(iter(house.gateway.core.services.streams))
    vendor = stream.streaming.exchange.connection
    assert isinstance(vendor, Connection)
    pump = vendor._sink
    assert pump is not None
    pump.pause()
    assert vendor._is_paused
    pump.resume()
    assert not vendor._is_paused
    assert (await asked).body.endswith(b"data: [DONE]\n\n")


# -- bodies ------------------------------------------------------------------------------------------------------------

_texts = st.text(max_size=60)
_turns = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": _texts}), max_size=4
)


@given(_turns, st.booleans())
def test_plain_bodies_are_taken_apart_at_their_turns(turns: list[dict[str, str]], is_first: bool) -> None:
    document = {"messages": turns, "model": "m"} if is_first else {"model": "m", "messages": turns}
    body = json.dumps(document).encode()
    parts = parts_of(body)
    assert parts is not None
    before, middle, after = parts
    assert before + bytes(middle) + after == body
    assert json.loads(bytes(middle)) == turns
    assert are_plain(Dialect.CHAT, middle)


@pytest.mark.parametrize(
    "turns",
    [
        b'[{"role":"user","content":"x"}',
        b'[{"role":"user","content":null}]',
        b'[{"role":"tool","content":"x"}]',
        b'[{"role":"user","content":"x"}],"b":[1]',
        b'[{"role":"user","content":"' + b"x" * 5000 + b'","name":"n"}]',
        b'[{"role":"user","content":["' + b"x" * 5000 + b'"]}]',
        b'[{"role":"user","content":"\xff"}]',
    ],
)
def test_other_turns_are_not_plain(turns: bytes) -> None:
    assert not are_plain(Dialect.CHAT, memoryview(turns))


def test_system_turns_may_have_to_be_folded_for_messages() -> None:
    turns = memoryview(b'[{"role":"system","content":"x"}]')
    assert are_plain(Dialect.CHAT, turns)
    assert not are_plain(Dialect.MESSAGES, turns)


# -- what is counted ---------------------------------------------------------------------------------------------------

_counts = st.one_of(st.none(), st.integers(-3, 10**9), st.just("7"))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": _counts,
            "completion_tokens": _counts,
            "cached_tokens": _counts,
            "prompt_tokens_details": st.one_of(
                st.none(), st.just({}), st.fixed_dictionaries({"cached_tokens": _counts})
            ),
            "completion_tokens_details": st.one_of(st.none(), st.fixed_dictionaries({"reasoning_tokens": _counts})),
        },
    ),
    st.sampled_from(["kimi-k2.6", None]),
)
def test_the_tail_of_an_answer_is_read_as_ever(usage: dict[str, Any], model: str | None) -> None:
    body = json.dumps({"id": "1", "model": model, "choices": [{}], "usage": usage}).encode()
    assert tail_of_answer(Dialect.CHAT, body) == usage_of_answer(Dialect.CHAT, body)


_prices = st.decimals("0", "1000", places=4, allow_nan=False).map(Decimal)


@given(
    _prices,
    _prices,
    st.one_of(st.none(), _prices),
    st.one_of(st.none(), _prices),
    st.tuples(*[st.integers(0, 10**7)] * 4),
)
def test_costs_in_whole_numbers_are_the_exact_ones(
    miss: Decimal, output: Decimal, hit: Decimal | None, write: Decimal | None, counts: tuple[int, int, int, int]
) -> None:
    price = Price(model="m", currency="USD", input_miss=miss, output=output, input_hit=hit, cache_write_5m=write)
    total, read, written, out = counts
    tokens = Tokens(input_total=total, output_total=out, cache_read=read, cache_write=written)
    usage = Usage(input_total=total, cache_read=read, cache_write=written, output_total=out)
    assert Rate(price, "USD").amount_text(usage) == amount_text(cost(tokens, price).amount)


@pytest.mark.parametrize("usage", [None, Usage(input_total=412, cache_read=256, output_total=37), Usage(input_total=1)])
@pytest.mark.parametrize(("plan", "region"), [("moonshot", "intl"), ("kimi-code", "cn"), ("gone", None)])
@pytest.mark.parametrize("served", [None, "kimi-k2.6", "unheard-of", "x" * 300])
def test_plain_rows_are_those_of_their_records(
    usage: Usage | None, plan: str, region: str | None, served: str | None
) -> None:
    intl = Region(
        id="intl", label="", site="", hosts=(), currency="USD", bases={}, read_base="", console="", keys_page=""
    )  # fmt: skip
    plans = {
        "moonshot": Plan(id="moonshot", label="", regions=(intl,)),
        "kimi-code": Plan(id="kimi-code", label="", unit="quota"),
    }
    catalogue = load()
    pricing = Pricing(lambda: catalogue, plans.get, lambda account: plan)
    constant = Constant(
        owner="local", key_id=None, session="s", route="default", surface="chat", model_asked="asked", account="ci",
        plan=plan, region=region, model="kimi-k2.6", adjusted=("temperature",),
    )  # fmt: skip
    plain = PlainRecord(
        constant=constant, id="r1", received_at=datetime(2026, 11, 20, 12, 0, 0, 123_456, UTC), total_s=1.2345,
        attempt_s=1.2, served=served, usage=usage, bytes_in=10, bytes_out=20,
    )  # fmt: skip
    request, attempts = records_of(plain)
    charge = pricing.charge(request)
    expected = (request_row(request, attempts, charge), attempt_rows(request, attempts, charge, pricing))
    assert plain_rows(plain, pricing) == expected


@pytest.mark.parametrize("usage", [None, Usage(input_total=412, cache_read=256, output_total=37)])
def test_the_meter_counts_plain_records_as_it_counts_their_records(usage: Usage | None) -> None:
    catalogue = load()
    plans = {"openai-compatible": Plan(id="openai-compatible", label="")}
    pricing = Pricing(lambda: catalogue, plans.get, lambda account: "openai-compatible")
    constant = Constant(
        owner="local", key_id=None, session=None, route="default", surface="chat", model_asked="m", account="ci",
        plan="openai-compatible", region=None, model="kimi-k2.6", adjusted=(),
    )  # fmt: skip
    plain = PlainRecord(
        constant=constant, id="r1", received_at=datetime(2026, 11, 20, 12, tzinfo=UTC), total_s=1.2345, attempt_s=1.2,
        served=None, usage=usage, bytes_in=10, bytes_out=20,
    )  # fmt: skip
    quick, careful = Meter(pricing.charge, pricing.rate), Meter(pricing.charge)
    quick.note_plain(plain)
    careful.note(*records_of(plain))
    assert quick.sums() == careful.sums()
