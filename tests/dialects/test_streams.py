"""Streams from one dialect to another: order, cuts, side-by-side calls, ends."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perilune.dialects.form import Dialect, Reasoning, StopReason, Text, ToolCall
from perilune.dialects.sse import SseParser
from perilune.dialects.stream import StreamTranslator, answer_to_stream, collect, stream_to_answer
from perilune.dialects.target import Context, Frame
from perilune.dialects.translate import parse_answer

DIALECTS = ["chat", "messages", "responses"]
PAIRS = [(upstream, client) for upstream in DIALECTS for client in DIALECTS]
MakeContext = Callable[..., Context]


def chat_stream(*deltas: dict[str, Any], finish: str | None = "stop", usage: object = None, done: bool = True) -> bytes:
    """A Chat stream of these deltas."""
    chunks: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": ""}}, *({"delta": d} for d in deltas)]
    if finish is not None:
        chunks.append({"delta": {}, "finish_reason": finish} | ({} if usage is None else {"usage": usage}))
    frames = [
        {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 7,
            "model": "kimi-k2.6",
            "choices": [{"index": 0} | c],
        }
        for c in chunks
    ]
    wire = b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + b"\n\n" for one in frames)
    return wire + (b"data: [DONE]\n\n" if done else b"")


def fragment(index: int, text: str | None = None, **start: str) -> dict[str, Any]:
    call: dict[str, Any] = {"index": index}
    if start:
        call |= {"id": start["id"], "type": "function", "function": {"name": start["name"], "arguments": ""}}
    if text is not None:
        call |= {"function": {"arguments": text}}
    return {"tool_calls": [call]}


USAGE = {"prompt_tokens": 412, "completion_tokens": 137, "cached_tokens": 256}
LONG = chat_stream(
    *({"reasoning_content": f"t{n} "} for n in range(30)),
    *({"content": f"wörd{n} "} for n in range(60)),
    fragment(0, id="Bash:0", name="Bash"),
    *(fragment(0, piece) for piece in ('{"comm', 'and": "echo', ' 月"}')),
    fragment(1, id="ls:1", name="ls"),
    *(fragment(1, piece) for piece in ('{"p', '": [1, 2', "]}")),
    finish="tool_calls",
    usage=USAGE,
)


def translated(context: Context, frame: Frame, chunks: list[bytes]) -> tuple[bytes, StreamTranslator]:
    translator = StreamTranslator(context, frame)
    out = b"".join([translator.feed(chunk) for chunk in chunks])
    return out + translator.end(), translator


def events(wire: bytes) -> list[dict[str, Any]]:
    parser = SseParser()
    return [json.loads(event.data) for event in parser.feed(wire) if event.data != b"[DONE]"]


def long_stream(dialect: str, context: MakeContext, frame: Frame) -> bytes:
    return translated(context("chat", dialect, include_usage=True), frame, [LONG])[0]


@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_every_pair_carries_everything(upstream: str, client: str, context: MakeContext, frame: Frame) -> None:
    wire = long_stream(upstream, context, frame)
    out, translator = translated(context(upstream, client, include_usage=True), frame, [wire])
    answer = collect(Dialect(client), [out]).answer()
    thought, text, first, second = answer.parts
    assert isinstance(thought, Reasoning)
    assert thought.text == "".join(f"t{n} " for n in range(30))
    assert text == Text("".join(f"wörd{n} " for n in range(60)))
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.name, first.arguments) == ("Bash", '{"command": "echo 月"}')
    assert (second.name, second.arguments) == ("ls", '{"p": [1, 2]}')
    assert answer.stop is StopReason.TOOLS
    assert answer.usage is not None
    assert (answer.usage.input_total, answer.usage.cache_read, answer.usage.output_total) == (412, 256, 137)
    assert translator.answer.finished is not None


@pytest.mark.case("gateway ST-01")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_every_pair_keeps_its_clients_order(upstream: str, client: str, context: MakeContext, frame: Frame) -> None:
    wire = long_stream(upstream, context, frame)
    out, _ = translated(context(upstream, client, include_usage=True), frame, [wire])
    seen = events(out)
    deltas = {"chat": chat_order, "messages": messages_order, "responses": responses_order}[client](seen)
    assert deltas == 30 + 60 + 3 + 3
    assert out.endswith(b"data: [DONE]\n\n") == (client == "chat")


def chat_order(seen: list[dict[str, Any]]) -> int:
    assert seen[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert seen[-1]["choices"] == []
    assert seen[-1]["usage"]["prompt_tokens"] == 412
    assert seen[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert seen[-2]["choices"][0]["usage"]["cached_tokens"] == 256
    kinds = [next(iter(chunk["choices"][0]["delta"])) for chunk in seen[1:-2]]
    assert kinds == ["reasoning_content"] * 30 + ["content"] * 60 + ["tool_calls"] * 8
    calls = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in seen[91:-2]]
    assert [call["index"] for call in calls] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [call.get("id") is not None for call in calls] == [True, False, False, False] * 2
    return len(kinds) - 2


def messages_order(seen: list[dict[str, Any]]) -> int:
    kinds = [event["type"] for event in seen]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    is_open, index, deltas = False, -1, 0
    for event in seen[1:-2]:
        if event["type"] == "content_block_start":
            assert not is_open
            is_open, index = True, index + 1
        assert is_open
        assert event["index"] == index
        if event["type"] == "content_block_stop":
            is_open = False
        deltas += event["type"] == "content_block_delta" and event["delta"]["type"] != "signature_delta"
    assert not is_open
    assert index == 3
    assert seen[-2]["delta"]["stop_reason"] == "tool_use"
    assert seen[-2]["usage"]["input_tokens"] == 156
    return deltas


def responses_order(seen: list[dict[str, Any]]) -> int:
    kinds = [event["type"] for event in seen]
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert (kinds[:2], kinds[-1]) == (["response.created", "response.in_progress"], "response.completed")
    added = [event["output_index"] for event in seen if event["type"] == "response.output_item.added"]
    done = [event for event in seen if event["type"] == "response.output_item.done"]
    assert added == [0, 1, 2, 3]
    assert [event["output_index"] for event in done] == added
    assert seen[-1]["response"]["output"] == [event["item"] for event in done]
    assert [event["item"]["type"] for event in done] == ["reasoning", "message", "function_call", "function_call"]
    return sum(kind.endswith(".delta") for kind in kinds)


@pytest.mark.case("gateway ST-02")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_any_cut_gives_identical_output(
    upstream: str, client: str, end: bytes, context: MakeContext, frame: Frame
) -> None:
    short = chat_stream(
        {"reasoning_content": "hm"}, {"content": "pöng 月"}, fragment(0, id="Bash:0", name="B"), usage=USAGE
    )
    wire = translated(context("chat", upstream), frame, [short])[0].replace(b"\n", end)
    whole = context(upstream, client)
    expected = translated(whole, frame, [wire])[0]
    for cut in range(1, len(wire)):
        assert translated(whole, frame, [wire[:cut], wire[cut:]])[0] == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_any_rechunking_gives_identical_output(context: MakeContext, frame: Frame, data: st.DataObject) -> None:
    upstream, client = data.draw(st.sampled_from(PAIRS))
    wire = long_stream(upstream, context, frame)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=30)))
    chunks = [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    whole = context(upstream, client, include_usage=True)
    assert translated(whole, frame, chunks)[0] == translated(whole, frame, [wire])[0]


@pytest.mark.case("gateway TR-11")
def test_side_by_side_calls_become_blocks_that_do_not_overlap(context: MakeContext, frame: Frame) -> None:
    wire = chat_stream(
        fragment(0, id="a:0", name="a"),
        fragment(1, id="b:1", name="b"),
        fragment(0, '{"x"'),
        fragment(1, '{"y":'),
        fragment(0, ": 1}"),
        fragment(1, " 2}"),
        finish="tool_calls",
    )
    out, _ = translated(context("chat", "messages"), frame, [wire])
    seen = [event for event in events(out) if event["type"].startswith("content_block")]
    assert [event["index"] for event in seen] == sorted(event["index"] for event in seen)
    calls = collect(Dialect.MESSAGES, [out]).answer().parts
    assert [(part.name, part.arguments) for part in calls if isinstance(part, ToolCall)] == [
        ("a", '{"x": 1}'),
        ("b", '{"y": 2}'),
    ]
    # The second call goes on live as soon as the first is whole.
    before_finish = wire.index(b'"finish_reason"')
    translator = StreamTranslator(context("chat", "messages"), frame)
    assert b" 2}" in translator.feed(wire[:before_finish])


def test_a_second_call_is_streamed_at_once_when_the_first_is_whole(context: MakeContext, frame: Frame) -> None:
    translator = StreamTranslator(context("chat", "messages"), frame)
    first = chat_stream(fragment(0, id="a:0", name="a"), fragment(0, "{}"), finish=None, done=False)
    translator.feed(first)
    start = b"data: " + json.dumps({"choices": [{"index": 0, "delta": fragment(1, id="b:1", name="b")}]}).encode()
    assert b'"content_block_start"' in translator.feed(start + b"\n\n")


@pytest.mark.case("gateway TR-10")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_a_call_without_arguments_has_an_empty_object(
    upstream: str, client: str, context: MakeContext, frame: Frame
) -> None:
    bare = chat_stream(fragment(0, id="Bash:0", name="Bash"), finish="tool_calls")
    wire = bare if upstream == "chat" else translated(context("chat", upstream), frame, [bare])[0]
    out, translator = translated(context(upstream, client), frame, [wire])
    body = json.loads(stream_to_answer(context(upstream, client), translator.answer, frame))
    if client == "chat":
        assert body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
        assert b'"arguments":"{}"' in out
    elif client == "messages":
        assert body["content"][0]["input"] == {}
        assert b'"input":{}' in out
    else:
        assert body["output"][0]["arguments"] == "{}"
        assert b'"arguments":"{}"' in out


STOPS = {
    "chat": {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"},
    "messages": {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"},
    "responses": {
        "stop": ("completed", None),
        "length": ("incomplete", "max_output_tokens"),
        "tool_calls": ("completed", None),
        "content_filter": ("incomplete", "content_filter"),
    },
}


def stop_said(client: str, body: dict[str, Any]) -> Any:
    if client == "chat":
        return body["choices"][0]["finish_reason"]
    if client == "messages":
        return body["stop_reason"]
    details = body["incomplete_details"]
    return body["status"], None if details is None else details["reason"]


@pytest.mark.case("gateway TR-13")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
@pytest.mark.parametrize("stop", ["stop", "length", "tool_calls", "content_filter"])
def test_each_stop_reason_in_every_direction(
    upstream: str, client: str, stop: str, context: MakeContext, frame: Frame
) -> None:
    deltas = [fragment(0, id="Bash:0", name="Bash")] if stop == "tool_calls" else [{"content": "x"}]
    wire = translated(context("chat", upstream), frame, [chat_stream(*deltas, finish=stop)])[0]
    whole = context(upstream, client)
    out, translator = translated(whole, frame, [wire])
    body = json.loads(stream_to_answer(whole, translator.answer, frame))
    assert stop_said(client, body) == STOPS[client][stop]
    assert stop_said(client, streamed_stop(client, out)) == STOPS[client][stop]


def streamed_stop(client: str, out: bytes) -> dict[str, Any]:
    seen = events(out)
    if client == "chat":
        return next(chunk for chunk in seen if chunk["choices"] and chunk["choices"][0]["finish_reason"])
    if client == "messages":
        delta: dict[str, Any] = next(event for event in seen if event["type"] == "message_delta")["delta"]
        return delta
    response: dict[str, Any] = seen[-1]["response"]
    return response


def test_stop_words_that_only_one_side_knows(context: MakeContext, frame: Frame) -> None:
    def said(upstream: str, client: str, body: dict[str, Any]) -> Any:
        wire = answer_to_stream(context(upstream, client), json.dumps(body).encode(), frame)
        return stop_said(client, streamed_stop(client, wire))

    message = {"id": "m", "type": "message", "model": "k", "content": [{"type": "text", "text": "x"}]}
    assert said("messages", "chat", message | {"stop_reason": "pause_turn"}) == "stop"
    assert (
        said("messages", "messages", message | {"stop_reason": "stop_sequence", "stop_sequence": "E"})
        == "stop_sequence"
    )
    assert said("messages", "messages", message | {"stop_reason": "stop_sequence"}) == "end_turn"
    choice = {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "eos"}
    assert said("chat", "chat", {"id": "c", "choices": [choice]}) == "eos"
    assert said("chat", "messages", {"id": "c", "choices": [choice]}) == "end_turn"


def test_calls_without_a_finish_reason_end_as_calls(context: MakeContext, frame: Frame) -> None:
    wire = chat_stream(fragment(0, id="Bash:0", name="Bash"), finish=None)
    out, translator = translated(context("chat", "messages"), frame, [wire])
    assert translator.answer.finished is not None
    assert events(out)[-2]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.case("gateway ST-12")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_a_stream_with_a_finish_and_no_end_mark_is_complete(
    upstream: str, client: str, context: MakeContext, frame: Frame
) -> None:
    wire = translated(context("chat", upstream), frame, [chat_stream({"content": "x"}, usage=USAGE)])[0]
    cut = {
        "chat": wire.removesuffix(b"data: [DONE]\n\n"),
        "messages": wire.partition(b"event: message_stop")[0],
        "responses": wire.rstrip(b"\n"),
    }[upstream]
    assert cut != wire
    whole = context(upstream, client)
    assert translated(whole, frame, [cut])[0] == translated(whole, frame, [wire])[0]


@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_a_stream_that_breaks_off_gets_no_end_mark(
    upstream: str, client: str, context: MakeContext, frame: Frame
) -> None:
    wire = translated(context("chat", upstream), frame, [chat_stream({"content": "x"}, usage=USAGE)])[0]
    marks = {
        "chat": b'"finish_reason":"',
        "messages": b"event: message_delta",
        "responses": b"event: response.completed",
    }
    cut = wire[: wire.rindex(b"\n\n", 0, wire.index(marks[upstream])) + 2]
    out, translator = translated(context(upstream, client), frame, [cut])
    assert translator.answer.finished is None
    assert marks[client] not in out
    assert b"[DONE]" not in out
    assert b"message_stop" not in out


@pytest.mark.case("gateway ST-14")
@pytest.mark.parametrize("upstream", DIALECTS)
def test_a_responses_stream_is_numbered_from_created_to_completed(
    upstream: str, context: MakeContext, frame: Frame
) -> None:
    out, _ = translated(context(upstream, "responses"), frame, [long_stream(upstream, context, frame)])
    seen = events(out)
    assert [event["sequence_number"] for event in seen] == list(range(len(seen)))
    assert seen[0]["type"] == "response.created"
    assert seen[-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("upstream", "wire"),
    [
        ("chat", b'data: {"error":{"message":"busy","type":"engine_overloaded_error"}}\n\n'),
        ("messages", b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'),
        ("responses", b'data: {"type":"response.failed","response":{"id":"r","error":{"message":"busy"}}}\n\n'),
        ("responses", b'event: error\ndata: {"type":"error","message":"busy","code":"x"}\n\n'),
    ],
)
def test_an_error_in_a_stream_is_handed_over_and_nothing_is_printed(
    upstream: str, wire: bytes, context: MakeContext, frame: Frame
) -> None:
    for client in DIALECTS:
        out, translator = translated(context(upstream, client), frame, [wire, chat_stream({"content": "late"})])
        assert out == b""
        assert translator.answer.failed is not None
        assert json.loads(translator.answer.failed.json)["message"] == "busy"


def test_a_line_that_is_no_json_is_passed_over(context: MakeContext, frame: Frame) -> None:
    wire = chat_stream({"content": "a"}, {"content": "b"})
    middle = wire.index(b'data: {"id"', wire.index(b'"a"'))
    broken = wire[:middle] + b"data: {oops\n\ndata: [1]\n\nnonsense\n\n" + wire[middle:]
    whole = context("chat", "messages")
    assert translated(whole, frame, [broken])[0] == translated(whole, frame, [wire])[0]


@pytest.mark.case("gateway TR-17")
@pytest.mark.parametrize(("upstream", "client"), PAIRS)
def test_a_whole_answer_and_a_stream_say_the_same(
    upstream: str, client: str, context: MakeContext, frame: Frame
) -> None:
    wire = long_stream(upstream, context, frame)
    plain = context(upstream, upstream, include_usage=True)
    body = stream_to_answer(plain, collect(Dialect(upstream), [wire]), frame)
    whole = context(upstream, client, include_usage=True)
    streamed = collect(Dialect(client), [answer_to_stream(whole, body, frame)]).answer()
    direct = parse_answer(Dialect(client), stream_to_answer(whole, collect(Dialect(upstream), [wire]), frame))
    assert [part for part in streamed.parts if not isinstance(part, Reasoning)] == [
        part for part in direct.parts if not isinstance(part, Reasoning)
    ]
    assert [part.text for part in streamed.parts if isinstance(part, Reasoning)] == [
        part.text for part in direct.parts if isinstance(part, Reasoning)
    ]
    assert streamed.stop == direct.stop
    assert streamed.usage == direct.usage
    assert streamed.usage is not None
    assert streamed.usage.cache_read == 256


@pytest.mark.parametrize(
    ("name", "upstream"),
    [
        ("dev-chat-stream-ok", "chat"),
        ("dev-chat-stream-toolcall", "chat"),
        ("client-anthropic-sse-minimal", "messages"),
        ("client-responses-sse-minimal", "responses"),
    ],
)
def test_every_contract_stream_is_understood(name: str, upstream: str, stream_of: Callable[[str], bytes]) -> None:
    answer = collect(Dialect(upstream), [stream_of(name)])
    assert answer.finished is not None
    assert answer.usage is not None
    said = answer.answer()
    if name == "dev-chat-stream-toolcall":
        assert said.parts == (Reasoning("need a tool"), ToolCall("Bash:0", "Bash", '{"command": "echo hi"}'))
    else:
        assert said.parts[-1] == Text("pong")


@pytest.mark.parametrize(
    ("name", "dialect"),
    [
        ("dev-chat-nonstream-ok", "chat"),
        ("dev-chat-websearch-toolcall", "chat"),
        ("dev-messages-nonstream-ok", "messages"),
        ("dev-responses-nonstream-ok", "responses"),
    ],
)
def test_every_contract_answer_is_understood(name: str, dialect: str, sample: Callable[[str], dict[str, Any]]) -> None:
    answer = parse_answer(Dialect(dialect), json.dumps(sample(name)["response"]["body"]).encode())
    assert answer.parts
    assert answer.usage is not None


def test_a_finish_that_says_error_is_a_failure(context: MakeContext, frame: Frame) -> None:
    translator = StreamTranslator(context("chat", "messages"), frame)
    translator.feed(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
    assert translator.feed(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n') == b""
    assert translator.answer.failed is not None
    assert translator.end() == b""
