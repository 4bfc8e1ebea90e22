"""Usage in all forms, and on relayed streams (US)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.dialects.collect import Collector
from perilune.dialects.content import Relay, UsageMeter, next_sequence_number, usage_of_answer
from perilune.dialects.form import Dialect, Reasoning, Text
from perilune.dialects.signals import Signal, signal_of
from perilune.dialects.sse import SseEvent, SseParser
from perilune.dialects.stream import collect, stream_to_answer
from perilune.dialects.target import Context, Frame
from perilune.dialects.usage import (
    Usage,
    chat_usage,
    messages_usage,
    read_chat_usage,
    read_messages_usage,
    read_responses_usage,
    responses_usage,
)

COUNT = st.none() | st.integers(0, 10**9)


def metered(dialect: str, wire: bytes) -> UsageMeter:
    meter = UsageMeter(Dialect(dialect))
    parser = SseParser()
    for event in (*parser.feed(wire), *parser.end()):
        meter.see(event)
    return meter


@pytest.mark.case("gateway US-01")
def test_of_two_usages_the_last_counts(stream_of: Callable[[str], bytes]) -> None:
    meter = metered("chat", stream_of("dev-chat-stream-ok"))
    assert meter.usage == Usage(412, 256, None, 37, None)
    assert not meter.is_estimated
    assert meter.deltas == 4


@pytest.mark.case("gateway US-02")
def test_the_usage_of_the_finish_chunk_alone_is_metered(stream_of: Callable[[str], bytes]) -> None:
    meter = metered("chat", stream_of("dev-chat-stream-toolcall"))
    assert meter.usage == Usage(90, None, None, 21, None)
    assert not meter.is_estimated


@pytest.mark.case("gateway US-03")
@pytest.mark.parametrize(
    ("fields", "cached"),
    [
        ({"cached_tokens": 256}, 256),
        ({"prompt_tokens_details": {"cached_tokens": 256}}, 256),
        ({"cached_tokens": 128, "prompt_tokens_details": {"cached_tokens": 256}}, 256),
        ({"cached_tokens": 300, "prompt_tokens_details": {"cached_tokens": 256}}, 300),
        ({}, None),
        ({"cached_tokens": 0}, 0),
        ({"cached_tokens": None, "prompt_tokens_details": None}, None),
    ],
)
def test_cached_tokens_are_read_from_either_place(fields: dict[str, Any], cached: int | None) -> None:
    read = read_chat_usage({"prompt_tokens": 412, "completion_tokens": 37} | fields)
    assert read is not None
    assert read.cache_read == cached


@pytest.mark.case("gateway US-04")
def test_cache_reads_are_inside_the_chat_count_and_outside_the_messages_count() -> None:
    wire = {"input_tokens": 156, "cache_read_input_tokens": 256, "cache_creation_input_tokens": 0, "output_tokens": 37}
    usage = read_messages_usage(wire)
    assert usage is not None
    chat = chat_usage(usage)
    assert (chat["prompt_tokens"], chat["cached_tokens"]) == (412, 256)
    again = read_chat_usage(chat)
    assert again is not None
    assert messages_usage(again) == wire


@given(COUNT, COUNT, COUNT, COUNT, COUNT)
def test_usage_survives_every_form(fresh: Any, read: Any, write: Any, out: Any, thought: Any) -> None:
    total = None if fresh is None else fresh + (read or 0) + (write or 0)
    usage = Usage(total, read, write, out, thought)
    numbers = Usage(total or 0, read or 0, write or 0, out or 0, thought or 0)
    assert read_responses_usage(responses_usage(usage)) == numbers
    chat = read_chat_usage(chat_usage(usage))
    assert chat == Usage(total or 0, read, write, out or 0, thought)
    back = read_messages_usage(messages_usage(usage))
    assert back is not None
    assert back.input_total == max(total or 0, (read or 0) + (write or 0))
    assert (back.cache_read, back.cache_write, back.output_total, back.reasoning) == (read, write, out or 0, thought)


@pytest.mark.parametrize("raw", [None, 5, [], "x"])
def test_what_is_no_object_is_no_usage(raw: object) -> None:
    assert read_chat_usage(raw) is read_messages_usage(raw) is read_responses_usage(raw) is None


def test_odd_counts_are_unknown() -> None:
    assert read_chat_usage({"prompt_tokens": -1, "completion_tokens": "7", "cached_tokens": True}) == Usage()


def test_the_later_messages_usage_wins_field_by_field() -> None:
    start = {"input_tokens": 156, "cache_read_input_tokens": 256, "output_tokens": 1}
    end = {"output_tokens": 37, "input_tokens": 160, "cache_read_input_tokens": None}
    wire = "".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        for event in (
            {"type": "message_start", "message": {"id": "m", "model": "k", "usage": start}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
        )
    ).encode()
    meter = metered("messages", wire)
    assert meter.usage == Usage(416, 256, None, 37, None)
    assert meter.started is not None
    assert meter.started.model == "k"


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_the_usage_chunk_does_not_reach_a_client_that_did_not_ask(size: int, stream_of: Callable[[str], bytes]) -> None:
    wire = stream_of("dev-chat-stream-ok")
    chunks = [wire[start : start + size] for start in range(0, len(wire), size)]
    relay = Relay(Dialect.CHAT, drops_usage=True)
    out = b"".join(map(relay.feed, chunks)) + relay.end()
    last = wire.index(b'"choices": []')
    block = wire[wire.rindex(b"data: ", 0, last) : wire.index(b"\n\n", last) + 2]
    assert out == wire.replace(block, b"")
    assert relay.meter.usage == Usage(412, 256, None, 37, None)
    untouched = Relay(Dialect.CHAT)
    assert b"".join(map(untouched.feed, chunks)) + untouched.end() == wire
    assert untouched.meter.usage == Usage(412, 256, None, 37, None)


@pytest.mark.case("gateway US-06")
@pytest.mark.parametrize(
    ("name", "dialect", "mark"),
    [
        ("dev-chat-stream-ok", "chat", b'"finish_reason": "stop"'),
        ("client-anthropic-sse-minimal", "messages", b"event: message_delta"),
        ("client-responses-sse-minimal", "responses", b"event: response.completed"),
    ],
)
def test_a_cut_stream_is_estimated_and_flagged(
    name: str, dialect: str, mark: bytes, stream_of: Callable[[str], bytes]
) -> None:
    wire = stream_of(name)
    cut = wire[: wire.rindex(b"\n\n", 0, wire.index(mark)) + 2]
    meter = metered(dialect, cut)
    assert meter.is_estimated
    usage = meter.metered(prompt_tokens=400)
    assert usage.input_total == (9 if dialect == "messages" else 400)
    assert usage.output_total == meter.deltas > 0
    whole = metered(dialect, wire)
    assert not whole.is_estimated
    assert whole.metered(prompt_tokens=400) == whole.usage


@pytest.mark.case("gateway ST-06")
@pytest.mark.parametrize("drops", [False, True])
def test_a_malformed_line_is_relayed_and_the_stream_goes_on(drops: bool, stream_of: Callable[[str], bytes]) -> None:
    wire = stream_of("dev-chat-stream-ok")
    middle = wire.index(b'data: {"id"', 700)
    broken = wire[:middle] + b'data: {"choices": [oops\n\n: note\n\nrubbish\n\n' + wire[middle:]
    relay = Relay(Dialect.CHAT, drops_usage=drops)
    out = b"".join(relay.feed(broken[n : n + 50]) for n in range(0, len(broken), 50)) + relay.end()
    assert b'data: {"choices": [oops\n\n: note\n\nrubbish\n\n' in out
    assert out.endswith(b"data: [DONE]\n\n")
    assert relay.meter.finished is not None
    assert relay.meter.usage == Usage(412, 256, None, 37, None)


def signals(dialect: str, wire: bytes) -> list[str]:
    parser = SseParser()
    return [signal_of(Dialect(dialect), event).value for event in parser.feed(wire)]


def test_content_of_each_dialect_is_recognised(stream_of: Callable[[str], bytes]) -> None:
    assert signals("chat", stream_of("dev-chat-stream-ok")) == ["hold", *["content"] * 4, "finish", "hold", "finish"]
    assert signals("messages", stream_of("client-anthropic-sse-minimal")) == [
        "hold",
        "content",
        "content",
        "hold",
        "finish",
        "finish",
    ]
    assert signals("responses", stream_of("client-responses-sse-minimal")) == ["hold", "content", "finish"]


@pytest.mark.parametrize(
    ("dialect", "data", "signal"),
    [
        ("chat", {"choices": [{"delta": {"content": ""}}]}, Signal.HOLD),
        ("chat", {"choices": [{"delta": {"reasoning_content": "x"}}]}, Signal.CONTENT),
        ("chat", {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]}, Signal.CONTENT),
        ("chat", {"choices": [{"delta": {}, "finish_reason": "length"}]}, Signal.FINISH),
        ("chat", {"choices": [], "usage": {}}, Signal.HOLD),
        ("chat", {"error": {"message": "busy", "code": 429}}, Signal.ERROR),
        ("chat", {"error": "busy"}, Signal.ERROR),
        ("chat", {"error": None, "choices": [{"delta": {"content": "x"}}]}, Signal.CONTENT),
        ("messages", {"type": "ping"}, Signal.HOLD),
        ("messages", {"type": "message_start", "message": {}}, Signal.HOLD),
        ("messages", {"type": "error", "error": {}}, Signal.ERROR),
        ("messages", {"error": {"message": "x"}}, Signal.ERROR),
        ("messages", {"type": "message_delta"}, Signal.FINISH),
        ("responses", {"type": "response.created"}, Signal.HOLD),
        ("responses", {"type": "response.in_progress"}, Signal.HOLD),
        ("responses", {"type": "response.output_item.added"}, Signal.CONTENT),
        ("responses", {"type": "response.output_text.delta"}, Signal.CONTENT),
        ("responses", {"type": "response.failed"}, Signal.ERROR),
        ("responses", {"type": "response.incomplete"}, Signal.FINISH),
    ],
)
def test_what_an_event_means_for_the_commit_point(dialect: str, data: object, signal: Signal) -> None:
    assert signal_of(Dialect(dialect), SseEvent(b"", json.dumps(data).encode())) is signal


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"5", b"\xff", b'{"choices":5}'])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_cannot_be_read_is_held(dialect: Dialect, data: bytes) -> None:
    assert signal_of(dialect, SseEvent(b"", data)) is Signal.HOLD


def test_the_gate_opens_with_the_first_content_and_stays_open(stream_of: Callable[[str], bytes]) -> None:
    relay = Relay(Dialect.CHAT)
    first, *rest = stream_of("dev-chat-stream-ok").split(b"\n\n")
    relay.feed(first + b"\n\n")
    assert (relay.is_committed, relay.signals) == (False, [Signal.HOLD])
    relay.feed(rest[0] + b"\n\n")
    assert (relay.is_committed, relay.signals) == (True, [Signal.CONTENT])
    relay.feed(rest[1] + b"\n\n")
    assert (relay.is_committed, relay.signals) == (True, [])


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("dev-chat-nonstream-ok", "chat"),
        ("dev-messages-nonstream-ok", "messages"),
        ("dev-responses-nonstream-ok", "responses"),
    ],
)
def test_model_and_usage_of_a_relayed_answer(name: str, dialect: str, sample: Callable[[str], dict[str, Any]]) -> None:
    body = sample(name)["response"]["body"]
    model, usage = usage_of_answer(Dialect(dialect), json.dumps(body).encode())
    assert model == body["model"]
    assert usage is not None
    assert (usage.input_total, usage.cache_read, usage.output_total) == (412, 256, 37)
    assert usage_of_answer(Dialect(dialect), b"<html>") == ("", None)


def test_a_relay_can_gather_the_answer_beside_it(stream_of: Callable[[str], bytes]) -> None:
    wire = stream_of("dev-chat-stream-ok")
    relay = Relay(Dialect.CHAT, answer=Collector())
    assert relay.feed(wire) == wire
    assert relay.meter.answer is not None
    assert relay.meter.answer.answer().parts == (Reasoning("The user pings."), Text("pong"))
    assert relay.meter.deltas == 4


def test_the_next_number_of_a_relayed_responses_stream(context: Callable[..., Context], frame: Frame) -> None:
    assert next_sequence_number(SseEvent(b"", b'{"type":"x","sequence_number":41}')) == 42
    assert next_sequence_number(None) == next_sequence_number(SseEvent(b"", b"oops")) == 0
    wire = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    assert b'"usage"' not in stream_to_answer(context("chat", "chat"), collect(Dialect.CHAT, [wire]), frame)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_half_an_event_never_leaves(size: int, newline: bytes, stream_of: Callable[[str], bytes]) -> None:
    """Wherever a stream is cut, what went out ends behind a whole event, so that an error event can follow."""
    wire = stream_of("dev-chat-stream-ok").replace(b"\n", newline)
    relay, out = Relay(Dialect.CHAT), b""
    for start in range(0, len(wire), size):
        out += relay.feed(wire[start : start + size])
        assert wire.startswith(out)
        assert out == b"" or out.endswith(newline * 2) or newline == b"\r\n"
        assert out.rstrip(b"\r\n").endswith((b"}", b"[DONE]")) or out == b""
    assert (out + relay.end()).rstrip(b"\r\n") == wire.rstrip(b"\r\n")


def test_an_event_that_lacks_only_its_end_leaves_and_half_of_one_does_not() -> None:
    for rest, expected in (
        (b"data: [DONE]", b"data: [DONE]\n\n"),
        (b'data: {"id": 5}\n', b'data: {"id": 5}\n\n'),
        (b'event: error\ndata: {"error": {"message": "x"}}', b'event: error\ndata: {"error": {"message": "x"}}\n\n'),
        (b'data: {"id": "\xe6\x9c', b""),
        (b"data: [DO", b""),
        (b": pi", b""),
    ):
        relay = Relay(Dialect.CHAT)
        assert relay.feed(b": hello\n\n" + rest) == b": hello\n\n"
        assert relay.end() == expected
