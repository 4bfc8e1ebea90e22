"""Reasoning on its way out and back in (RS)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from perilune.dialects.form import Dialect, Reasoning, Text, ToolCall, Turn
from perilune.dialects.head import Body
from perilune.dialects.keys import History, turn_digest
from perilune.dialects.pass_through import pass_through
from perilune.dialects.seal import Seal, Sealed
from perilune.dialects.stream import StreamTranslator, answer_to_stream, collect
from perilune.dialects.target import Context, Frame, Hooks, Target, TurnKeys
from perilune.dialects.translate import parse_answer, parse_request, translate_answer
from perilune.dialects.way_back import answer_keys

Translate = Callable[..., Any]
MakeContext = Callable[..., Context]
SEAL = Seal(b"k" * 32)
HOOKS = Hooks(seal=SEAL)
THOUGHT = "Let me look at the files."
CHAT_ANSWER = json.dumps(
    {
        "id": "c1",
        "created": 1,
        "model": "kimi-k2.6",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "",
                    "reasoning_content": THOUGHT,
                    "tool_calls": [
                        {"id": "Bash:0", "type": "function", "function": {"name": "Bash", "arguments": '{"c": "ls"}'}}
                    ],
                },
            }
        ],
    }
).encode()


def next_messages_request(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "model": "kimi-k2.6",
        "max_tokens": 10,
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "a b"}]},
        ],
    }


@pytest.mark.case("gateway RS-05")
@pytest.mark.parametrize("streamed", [False, True])
def test_a_messages_client_echoes_our_token_and_chat_gets_the_text(
    streamed: bool, context: MakeContext, frame: Frame, translate: Translate
) -> None:
    whole = context("chat", "messages", family="moonshot/cn")
    if streamed:
        wire = answer_to_stream(whole, CHAT_ANSWER, frame)
        parts = collect(Dialect.MESSAGES, [wire]).answer().parts
        assert isinstance(parts[0], Reasoning)
        block = {"type": "thinking", "thinking": parts[0].text, "signature": parts[0].signature}
    else:
        block = json.loads(translate_answer(whole, CHAT_ANSWER, frame))["content"][0]
    assert block["thinking"] == THOUGHT
    assert block["signature"].startswith("plr1.")
    assert SEAL.verify(block["signature"], THOUGHT) == "moonshot/cn"
    use = {"type": "tool_use", "id": "Bash_0", "name": "Bash", "input": {"c": "ls"}}
    body, _ = translate("messages", "chat", next_messages_request([block, use]), HOOKS)
    assert body["messages"][1]["reasoning_content"] == THOUGHT
    assert "signature" not in json.dumps(body)


def codex_request(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "input": [
            {"role": "user", "content": "go"},
            item,
            {"type": "function_call", "call_id": "Bash:0", "name": "Bash", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "Bash:0", "output": "a b"},
        ],
        "include": ["reasoning.encrypted_content"],
    }


@pytest.mark.case("gateway RS-06")
@pytest.mark.parametrize("streamed", [False, True])
def test_an_envelope_carries_the_thought_to_the_next_turn(
    streamed: bool, context: MakeContext, frame: Frame, translate: Translate
) -> None:
    whole = context("chat", "responses", family="moonshot/cn", wants_envelope=True)
    if streamed:
        wire = answer_to_stream(whole, CHAT_ANSWER, frame)
        completed = json.loads(wire.rpartition(b"data: ")[2])
        item = completed["response"]["output"][0]
    else:
        item = json.loads(translate_answer(whole, CHAT_ANSWER, frame))["output"][0]
    assert item["type"] == "reasoning"
    assert SEAL.open(item["encrypted_content"]) == Sealed(THOUGHT, "moonshot/cn")
    hidden = item | {"summary": []}
    body, _ = translate("responses", "chat", codex_request(hidden), HOOKS)
    assert body["messages"][1]["reasoning_content"] == THOUGHT
    assert body["messages"][1]["tool_calls"][0]["id"] == "Bash:0"
    tampered = hidden | {"encrypted_content": item["encrypted_content"][:-4] + "AAAA"}
    body, _ = translate("responses", "chat", codex_request(tampered), HOOKS)
    assert "reasoning_content" not in body["messages"][1]
    assert body["messages"][1]["tool_calls"][0]["id"] == "Bash:0"


def test_no_envelope_is_made_for_a_client_that_did_not_ask(context: MakeContext, frame: Frame) -> None:
    item = json.loads(translate_answer(context("chat", "responses"), CHAT_ANSWER, frame))["output"][0]
    assert "encrypted_content" not in item


def test_an_envelope_brings_the_makers_signature_back_to_its_own_family(translate: Translate) -> None:
    envelope = SEAL.seal(Sealed(THOUGHT, "kimi", "c2ln"))
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": envelope}
    body, _ = translate("responses", "messages", codex_request(item), HOOKS, family="kimi")
    assert body["messages"][1]["content"][0] == {"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}
    body, _ = translate("responses", "messages", codex_request(item), HOOKS, family="other")
    assert body["messages"][1]["content"][0]["signature"] == ""


def test_a_messages_upstreams_signature_stays_for_messages_and_is_kept_for_the_rest(
    context: MakeContext, frame: Frame
) -> None:
    message = {
        "id": "m1",
        "type": "message",
        "model": "kimi-k3",
        "stop_reason": "end_turn",
        "content": [{"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}, {"type": "text", "text": "x"}],
    }
    body = json.dumps(message).encode()
    same = json.loads(translate_answer(context("messages", "messages"), body, frame))
    assert same["content"][0]["signature"] == "c2ln"
    chat = json.loads(translate_answer(context("messages", "chat"), body, frame))
    assert chat["choices"][0]["message"]["reasoning_content"] == THOUGHT
    whole = context("messages", "responses", wants_envelope=True, family="kimi")
    sealed = json.loads(translate_answer(whole, body, frame))["output"][0]["encrypted_content"]
    assert SEAL.open(sealed) == Sealed(THOUGHT, "kimi", "c2ln")
    wire = answer_to_stream(context("messages", "messages"), body, frame)
    translator = StreamTranslator(whole, frame)
    translator.feed(wire)
    assert translator.answer.answer().parts[0] == Reasoning(THOUGHT, "c2ln")


USE = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"c": "ls"}}


def passed(content: list[dict[str, Any]], hooks: Hooks = HOOKS, **target: Any) -> list[dict[str, Any]]:
    """The assistant's blocks as they leave for a Messages upstream of a Messages client."""
    body = Body(json.dumps(next_messages_request(content)).encode())
    done = pass_through(Dialect.MESSAGES, body, Target(dialect=Dialect.MESSAGES, **target), hooks)
    blocks: list[dict[str, Any]] = json.loads(done.body)["messages"][1]["content"]
    return blocks


@pytest.mark.case("gateway RS-09")
@pytest.mark.parametrize("stream", [False, True])
def test_an_unsigned_thought_gets_an_empty_signature(stream: bool) -> None:
    content = [{"type": "thinking", "thinking": THOUGHT}, USE]
    body = Body(json.dumps(next_messages_request(content) | {"stream": stream}).encode())
    done = pass_through(Dialect.MESSAGES, body, Target(dialect=Dialect.MESSAGES, family="kimi"), HOOKS)
    sent = json.loads(done.body)
    assert sent["messages"][1]["content"] == [{"type": "thinking", "thinking": THOUGHT, "signature": ""}, USE]
    assert sent["stream"] is stream


def test_our_own_token_never_reaches_an_upstream() -> None:
    ours = {"type": "thinking", "thinking": THOUGHT, "signature": SEAL.sign(THOUGHT, "moonshot/cn")}
    assert passed([ours, USE], family="kimi") == [ours | {"signature": ""}, USE]
    assert passed([ours, USE], checks_signatures=True) == [USE]


def test_a_signature_goes_to_its_maker_only() -> None:
    block = {"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}
    hooks = Hooks(family_of=lambda signature: "kimi" if signature in ("c2ln", "b3BhcXVl") else None)
    assert passed([block, USE], hooks, family="kimi") == [block, USE]
    assert passed([block, USE], hooks, family="moonshot") == [block | {"signature": ""}, USE]
    assert passed([block, USE], hooks, family="anthropic", checks_signatures=True) == [USE]
    unknown = block | {"signature": "someone"}
    assert passed([unknown, USE], hooks, family="kimi") == [unknown, USE]
    redacted = {"type": "redacted_thinking", "data": "b3BhcXVl"}
    assert passed([redacted, USE], hooks, family="kimi") == [redacted, USE]
    assert passed([redacted, USE], hooks, family="moonshot") == [USE]


def chat_request(**assistant: Any) -> dict[str, Any]:
    call = {"id": "Bash_0", "type": "function", "function": {"name": "Bash", "arguments": '{ "c": "ls" }'}}
    return {
        "model": "kimi-k2.6",
        "messages": [
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": None, "tool_calls": [call], "x": 1.0, **assistant},
            {"role": "tool", "tool_call_id": "Bash_0", "content": "a b"},
        ],
    }


def recorded(dialect: Dialect, body: dict[str, Any]) -> TurnKeys:
    """The keys under which the assistant's turn of this conversation is stored when it is answered."""
    history = History()
    turns = parse_request(dialect, json.dumps(body).encode()).turns
    history.add(turns[0])
    return history.keys(Turn("assistant", (Text(""), ToolCall("Bash:0", "Bash", '{"c":"ls"}'))))


def test_a_dropped_thought_is_found_by_content_alone() -> None:
    first = {"messages": [{"role": "user", "content": [{"type": "text", "text": "go"}]}]}
    store = {recorded(Dialect.CHAT, first): Reasoning(THOUGHT, "c2ln", origin="kimi")}
    hooks = Hooks(recall=store.get)
    body = Body(json.dumps(chat_request()).encode())
    done = pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT), hooks)
    turn = json.loads(done.body)["messages"][1]
    assert turn["reasoning_content"] == THOUGHT
    assert turn["x"] == 1.0
    assert json.dumps(chat_request()["messages"][1])[:-1].encode() in done.body
    assert passed([USE], hooks, family="kimi")[0] == {"type": "thinking", "thinking": THOUGHT, "signature": "c2ln"}
    assert passed([USE], hooks, family="other")[0]["signature"] == ""
    assert passed([{"type": "thinking", "thinking": THOUGHT}, USE], hooks, family="kimi")[0]["signature"] == "c2ln"


@pytest.mark.parametrize("client", ["chat", "messages", "responses"])
def test_an_answer_is_kept_under_the_names_its_client_will_send(
    client: str, context: MakeContext, translate: Translate
) -> None:
    answer = parse_answer(
        Dialect.CHAT, CHAT_ANSWER.replace(b'"Bash"', b'"own__ls_"').replace(b'"content": ""', b'"content": "a "')
    )
    whole = context("chat", client, names={"own__ls_": ("ls", "own")})
    turns = parse_request(Dialect.CHAT, b'{"messages":[{"role":"user","content":"go"}]}').turns
    call = {"c": "ls"}
    sent: dict[str, list[dict[str, Any]]] = {
        "chat": [{"role": "user", "content": "go"}, {"role": "assistant", "content": "a", "tool_calls": [
            {"id": "x", "type": "function", "function": {"name": "ls", "arguments": json.dumps(call)}}]}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "go"}]}, {"role": "assistant", "content": [
            {"type": "text", "text": "a"}, {"type": "tool_use", "id": "x", "name": "ls", "input": call}]}],
        "responses": [{"role": "user", "content": "go"}, {"role": "assistant", "content": "a"}, {
            "type": "function_call", "call_id": "x", "name": "ls", "namespace": "own", "arguments": json.dumps(call)}],
    }  # fmt: skip
    store = {answer_keys(whole, turns, answer): Reasoning(THOUGHT)}
    field = "input" if client == "responses" else "messages"
    body, _ = translate(client, "chat", {field: sent[client]}, Hooks(recall=store.get), model="m")
    assert body["messages"][1]["reasoning_content"] == THOUGHT


def test_another_conversation_or_another_call_does_not_find_it() -> None:
    keys = recorded(Dialect.CHAT, {"messages": [{"role": "user", "content": "go"}]})
    other = recorded(Dialect.CHAT, {"messages": [{"role": "user", "content": "gone"}]})
    assert keys.turn == other.turn
    assert keys.history != other.history
    assert turn_digest([ToolCall("x", "Bash", '{"c":"ls"}')]) == keys.turn
    assert turn_digest([ToolCall("x", "Bash", '{"c":"rm"}')]) != keys.turn
    assert turn_digest([ToolCall("x", "Bash", '{"c":"ls"}'), Text("y")]) != keys.turn


def test_a_lost_thought_is_replaced_by_a_placeholder_where_one_is_demanded() -> None:
    body = Body(json.dumps(chat_request()).encode())
    needed = pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT, needs_reasoning=True))
    assert json.loads(needed.body)["messages"][1]["reasoning_content"] == " "
    assert needed.adjusted == ("reasoning",)
    assert pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT)).body == body.bytes
    kept = Body(json.dumps(chat_request(reasoning_content="own")).encode())
    assert pass_through(Dialect.CHAT, kept, Target(dialect=Dialect.CHAT, needs_reasoning=True)).body == kept.bytes
    block = {"type": "thinking", "thinking": " ", "signature": ""}
    assert passed([USE], needs_reasoning=True) == [block, USE]


def test_a_turn_without_calls_goes_back_as_the_client_sent_it() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": ""}]
    for extra in ({}, {"reasoning_content": "own"}):
        body = Body(json.dumps({"messages": [turns[0], turns[1] | extra, *chat_request()["messages"]]}).encode())
        done = pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT, needs_reasoning=True))
        assert json.loads(done.body)["messages"][1] == turns[1] | extra
