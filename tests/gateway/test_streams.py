"""Streams: nothing before the first content, nobody else after it, and everything given back when a client leaves."""

import asyncio
import json

import pytest

from .conftest import Build, House, route

DIALECTS = ["chat", "responses", "messages"]
A, B = "api.moonshot.ai", "api.moonshot.cn"
TWO = ("ci/kimi-k2.6", "lab/kimi-k2.6")
ENDS = {"chat": b"[DONE]", "responses": b"response.completed", "messages": b"message_stop"}


def fault(house: House, **what) -> None:
    house.world.queue_fault(**({"host": A} | what))


def data_of(body: bytes) -> list[dict]:
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ") and line != b"data: [DONE]"]
    return [json.loads(line) for line in lines]


@pytest.mark.case("gateway ST-01")
@pytest.mark.parametrize("slot", ["ci/kimi-k2.6", "work/kimi-for-coding"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_hundred_chunks_come_in_order(build: Build, dialect: str, slot: str) -> None:
    house = build(route(slot))
    words = "".join(f"w{n:02} " for n in range(100))
    house.world.say(text=words, chunks=100)
    answer = await house.client.ask(dialect, stream=True)
    events = data_of(answer.body)
    match dialect:
        case "chat":
            pieces = [c["delta"].get("content") or "" for e in events for c in e["choices"]]
            assert events[0]["choices"][0]["delta"]["role"] == "assistant"
            assert [c["finish_reason"] for e in events for c in e["choices"]][-1] == "stop"
        case "messages":
            deltas = [e["delta"] for e in events if e["type"] == "content_block_delta"]
            pieces = [d.get("text", "") for d in deltas]
            starts = [e["index"] for e in events if e["type"] == "content_block_start"]
            assert starts == list(range(len(starts)))
            assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")
        case _:
            pieces = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
            assert [e["sequence_number"] for e in events] == list(range(len(events)))
            assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    assert "".join(pieces) == words
    assert len([piece for piece in pieces if piece]) == 100
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


@pytest.mark.case("gateway ST-03")
@pytest.mark.case("gateway ST-04")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_error_in_place_of_content_is_a_failover(build: Build, dialect: str) -> None:
    house = build(route(*TWO))
    fault(house, error_first="dev-err-429-balance-suspended")
    answer = await house.client.ask(dialect, stream=True)
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 2, "lab")
    assert b"error" not in answer.body.lower().replace(b'"error":null', b"")
    assert ENDS[dialect] in answer.body


@pytest.mark.case("gateway ST-05")
@pytest.mark.parametrize("slot", ["ci/kimi-k2.6", "work/kimi-for-coding"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_error_after_content_ends_the_stream(build: Build, dialect: str, slot: str) -> None:
    house = build(route(slot, "lab/kimi-k2.6"))
    fault(house, host="*", error_after=(2, "dev-err-500-server"), gap_s=0.01)
    answer = await house.client.ask(dialect, stream=True)
    assert answer.status == 200
    assert ENDS[dialect] not in answer.body
    assert b"PL-GW-STREAM" in answer.body
    assert len(house.seen()) == 1
    assert house.rows.requests[0].outcome == "stream_cut"
    assert house.rows.requests[0].is_estimated
    assert house.in_flight() == 0


@pytest.mark.case("gateway US-06")
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_cut_after_content_is_told_and_metered(build: Build, how: str) -> None:
    house = build(route(*TWO))
    fault(house, cut_at=900, cut_how=how)
    answer = await house.client.chat(stream=True)
    assert b"PL-GW-STREAM" in answer.body
    assert b"[DONE]" not in answer.body
    row = house.rows.requests[0]
    assert (row.outcome, row.is_estimated) == ("stream_cut", True)
    assert row.usage.output_total > 0


@pytest.mark.case("gateway ST-06")
async def test_a_malformed_line_is_relayed(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, malformed_after=2)
    answer = await house.client.chat(stream=True)
    assert (answer.status, answer.attempts) == (200, 1)
    assert b'data: {"broken' in answer.body
    assert b"[DONE]" in answer.body


@pytest.mark.case("gateway ST-07")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_silence_before_content_leads_on_and_cancels(build: Build, dialect: str) -> None:
    house = build(route("ci/kimi-k2.6|first_content_timeout_s = 0.1", "lab/kimi-k2.6"))
    fault(house, hold="content")
    answer = await house.client.ask(dialect, stream=True)
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "lab")
    assert house.rows.attempts[0][0].outcome == "timeout_first"
    await asyncio.to_thread(house.world.wait_for, lambda world: world.in_flight("moonshot-intl") == 0)


@pytest.mark.case("gateway ST-08")
async def test_silence_after_content_ends_the_stream(build: Build) -> None:
    house = build(route(*TWO, gateway="idle_timeout_s = 0.1"))
    fault(house, stall_after=2)
    answer = await house.client.chat(stream=True)
    assert b"PL-GW-TIMEOUT" in answer.body
    assert house.rows.requests[0].outcome == "timeout_idle"


@pytest.mark.case("gateway ST-09")
async def test_the_last_slot_keeps_its_time(build: Build) -> None:
    house = build(route("ci/kimi-k2.6|first_content_timeout_s = 0.05"))
    fault(house, delay_content_s=0.3)
    answer = await house.client.chat(stream=True)
    assert (answer.status, answer.attempts) == (200, 1)


@pytest.mark.case("gateway ST-11")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_client_that_leaves_frees_everything(build: Build, dialect: str) -> None:
    house = build(route(*TWO))
    fault(house, stall_after=20)
    house.world.say(text="x " * 200, chunks=100, gap_ms=1)
    body = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}[dialect]
    asked = {"model": "m", "stream": True, "max_tokens": 100, "messages": [{"role": "user", "content": "ping"}]}
    if dialect == "responses":
        asked = {"model": "m", "stream": True, "input": "ping"}
    async with asyncio.timeout(5):
        await house.client.request("POST", body, asked, leave_after=3)
    assert house.in_flight() == 0
    assert house.rows.requests[0].outcome == "client_gone"
    await asyncio.to_thread(house.world.wait_for, lambda world: world.in_flight("moonshot-intl") == 0)


@pytest.mark.case("gateway FO-14")
async def test_a_client_that_leaves_before_content_stops_everything(build: Build) -> None:
    house = build(route(*TWO))
    fault(house, hold="headers")
    task = asyncio.ensure_future(house.client.chat())
    await asyncio.to_thread(house.world.wait_for, lambda world: world.held == 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert house.in_flight() == 0
    assert [row.outcome for row in house.rows.requests] == ["client_gone"]
    assert len(house.seen()) == 1


@pytest.mark.case("gateway ST-12")
@pytest.mark.parametrize("slot", ["ci/kimi-k2.6", "work/kimi-for-coding"])
async def test_a_finish_without_an_end_mark_is_complete(build: Build, slot: str) -> None:
    house = build(route(slot))
    fault(house, host="*", sends_done=False)
    answer = await house.client.chat(stream=True)
    assert b"error" not in answer.body.replace(b'"error":null', b"")
    assert house.rows.requests[0].outcome == "ok"
    assert (b"[DONE]" in answer.body) == slot.startswith("work")


@pytest.mark.case("gateway ST-14")
async def test_a_responses_stream_is_numbered(build: Build) -> None:
    house = build(route("work/kimi-for-coding"))
    events = data_of((await house.client.responses(stream=True)).body)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")


@pytest.mark.case("gateway TR-17")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_other_kind_of_answer_is_turned_round(build: Build, dialect: str) -> None:
    house = build(route("router/moonshotai/kimi-k2.6"))
    house.world.queue_fault(as_stream=False)
    streamed = await house.client.ask(dialect, stream=True)
    assert ENDS[dialect] in streamed.body
    house.world.queue_fault(as_stream=True)
    whole = await house.client.ask(dialect, stream=False)
    assert b"PONG from sandbox" in whole.body
    assert [row.usage.output_total > 0 for row in house.rows.requests] == [True, True]


@pytest.mark.case("gateway US-05")
async def test_the_usage_chunk_reaches_only_who_asked(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    without = await house.client.chat("p " * 2000, stream=True)
    assert not [event for event in data_of(without.body) if event["choices"] == []]
    asked = await house.client.chat("p " * 2000, stream=True, stream_options={"include_usage": True})
    assert data_of(asked.body)[-1]["choices"] == []
    assert house.rows.requests[1].usage.cache_read > 0


async def test_a_200_with_an_error_in_it_is_a_refusal(build: Build) -> None:
    house = build(route("router/moonshotai/kimi-k2.6", "lab/kimi-k2.6"))
    house.world.queue_fault(inside_200="dev-err-429-balance-suspended")
    answer = await house.client.chat()
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "lab")


@pytest.mark.parametrize("page", ["html-502", "empty-200", "captive", "redirect"])
async def test_pages_that_are_no_answers_lead_on(build: Build, page: str) -> None:
    house = build(route(*TWO))
    fault(house, page=page, count=2)
    answer = await house.client.chat()
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "lab")
    assert {seen.host for seen in house.seen()} == {A, B}


async def test_a_lease_is_freed_whatever_happens(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    for what in (
        {"status": 400},
        {"page": "captive"},
        {"cut_at": 400},
        {"reset": "body"},
        {"error_first": "dev-err-500-server"},
    ):
        fault(house, **what, count=None)
        await house.client.chat(stream=True)
        house.world.clear_faults()
        house.gateway.core.cleared("ci", "ci")
        assert house.in_flight() == 0
    assert (await house.client.chat()).status == 200


@pytest.mark.case("gateway ST-10")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_waiting_lines_keep_a_connection_and_hide_a_failover(build: Build, dialect: str) -> None:
    house = build(
        route("ci/kimi-k2.6|first_content_timeout_s = 0.25", "lab/kimi-k2.6", gateway="keepalive_after_s = 0.05")
    )
    fault(house, hold="content")
    fault(house, host=B, delay_content_s=0.2)
    answer = await house.client.ask(dialect, stream=True)
    assert answer.status == 200
    assert answer.chunks[0] == b": waiting\n\n"
    assert ENDS[dialect] in answer.body
    assert not {"x-perilune-account", "x-perilune-attempts"} & set(answer.headers)
    assert [row.outcome for row in house.rows.attempts[0]] == ["timeout_first", "ok"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_failure_behind_waiting_lines_is_an_event(build: Build, dialect: str) -> None:
    house = build(route("ci/kimi-k2.6", gateway="keepalive_after_s = 0.05"))
    fault(
        house, delay_headers_s=0.2, status=429, body={"error": {"type": "exceeded_current_quota_error", "message": "x"}}
    )
    answer = await house.client.ask(dialect, stream=True)
    assert (answer.status, b"PL-BALANCE-EMPTY" in answer.body) == (200, True)
    assert ENDS[dialect] not in answer.body
    assert house.in_flight() == 0


async def test_a_shutdown_lets_answers_finish_and_then_says_so(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.say(text="x" * 40, chunks=10, gap_ms=5)
    quick = [asyncio.ensure_future(house.client.chat(stream=True)) for _ in range(9)]
    await asyncio.to_thread(house.world.wait_for, lambda world: world.in_flight("moonshot-intl") == 9)
    fault(house, stall_after=3)
    stuck = asyncio.ensure_future(house.client.chat(stream=True))
    await asyncio.to_thread(
        house.world.wait_for, lambda world: world.requests()[-1].fault != "" or len(house.seen()) == 10
    )
    await house.gateway.close(drain_s=1)
    answers = [await one for one in quick]
    assert all(b"[DONE]" in answer.body for answer in answers)
    assert b"PL-GW-SHUTDOWN" in (await stuck).body
    assert (await house.client.chat()).error["code"] == "PL-GW-SHUTDOWN"
    assert house.in_flight() == 0
    assert len(house.rows.requests) == 11


async def test_the_time_between_pieces_is_counted(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.say(text="x" * 200, chunks=20, gap_ms=5)
    assert (await house.client.chat(stream=True)).status == 200
    gaps = house.gateway.core.services.counters.chunk_gaps
    assert sum(gaps.counts) >= 3
    assert gaps.total > 0.01
