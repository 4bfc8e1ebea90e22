"""What the played models say."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import Asked, Line, SandboxThread, keys
from perilune.sandbox.speech.script import pieces


def chat(ask: Ask, text: str = "ping", **body: Any) -> Answer:
    asked = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": text}], **body}
    return ask("/v1/chat/completions", key=keys.MOONSHOT_INTL, body=asked)


def text_of(answer: Answer) -> str:
    said: str = answer.json["choices"][0]["message"]["content"]
    return said


def test_lines_are_chosen_by_substring_pattern_and_model(sandbox: SandboxThread, ask: Ask) -> None:
    lines = [
        {"when": "weather", "say": "sunny"},
        {"match": r"^\d+ \+ \d+$", "say": "a sum", "model": "kimi-k2.6"},
        {"when": "once", "say": "only once", "times": 1},
    ]
    sandbox.world.say(lines=lines, text="else")
    asked = ["the weather?", "1 + 2", "once", "once", "x"]
    assert [text_of(chat(ask, text)) for text in asked] == ["sunny", "a sum", "only once", "else", "else"]


def test_a_sequence_is_said_in_order_and_then_used_up(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(sequence=[{"say": "one"}, {"refusal": "dev-err-500-server"}, {"echo": True}])
    assert text_of(chat(ask)) == "one"
    assert chat(ask).status == 500
    assert [text_of(chat(ask, "hello")) for _ in range(2)] == ["hello", "PONG from sandbox"]


def test_json_is_said_as_text(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(lines=[{"json": {"findings": []}}])
    assert json.loads(text_of(chat(ask))) == {"findings": []}


def test_a_callable_answers_first(sandbox: SandboxThread, ask: Ask) -> None:
    def answer(asked: Asked) -> Line | str | None:
        if "json" in asked.text:
            return Line(json={"model": asked.model, "turns": len(asked.turns)})
        return "short" if asked.cap == 5 else None

    sandbox.world.answer_with(answer)
    assert json.loads(text_of(chat(ask, "json"))) == {"model": "kimi-k2.6", "turns": 1}
    assert text_of(chat(ask, max_tokens=5)) == "shor"
    assert text_of(chat(ask)) == "PONG from sandbox"


def test_the_asked_limit_cuts_the_answer(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(tokens=1_000)
    whole, cut = chat(ask).json, chat(ask, max_completion_tokens=50).json
    assert (whole["choices"][0]["finish_reason"], cut["choices"][0]["finish_reason"]) == ("stop", "length")
    assert whole["usage"]["completion_tokens"] == 1_004
    assert cut["usage"]["completion_tokens"] == 50
    responses = {"model": "kimi-k3", "input": "x", "max_output_tokens": 50}
    told = ask("/v1/responses", key=keys.MOONSHOT_INTL, body=responses).json
    assert (told["status"], told["incomplete_details"]["reason"]) == ("incomplete", "max_output_tokens")


def test_a_stream_has_as_many_pieces_as_asked(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.say(text="x" * 1_000, reasoning="", chunks=100, gap_ms=0.1)
    events = chat(ask, stream=True).data
    assert sum(bool(event["choices"][0]["delta"].get("content")) for event in events[:-1]) == 100


def test_thinking_off_says_no_reasoning(ask: Ask) -> None:
    message = chat(ask, thinking={"type": "disabled"}).json["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "PONG from sandbox"}


def test_a_responses_tool_loop_with_sealed_reasoning(ask: Ask) -> None:
    shell = {
        "type": "function",
        "name": "shell",
        "parameters": {
            "type": "object",
            "properties": {"command": {"type": "array", "items": {"type": "string"}}},
            "required": ["command"],
        },
    }
    items: list[Any] = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "run ls"}]}]
    asked = {"model": "kimi-k3", "tools": [shell], "include": ["reasoning.encrypted_content"], "stream": True}
    first = ask("/v1/responses", key=keys.MOONSHOT_INTL, body=asked | {"input": items}).events
    output = first[-1][1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning", "function_call"]
    assert json.loads(output[1]["arguments"]) == {"command": ["bash", "-lc", "ls"]}
    items += [*output, {"type": "function_call_output", "call_id": output[1]["call_id"], "output": "a b"}]
    last = ask("/v1/responses", key=keys.MOONSHOT_INTL, body=asked | {"input": items, "stream": False}).json
    assert last["output"][-1]["content"][0]["text"] == "PONG from sandbox"
    items = [item for item in items if item["type"] != "reasoning"]
    refused = ask("/v1/responses", key=keys.MOONSHOT_INTL, body=asked | {"input": items})
    assert "reasoning_content is missing" in refused.error["message"]


@given(text=st.text(max_size=300), chunks=st.none() | st.integers(1, 50))
def test_pieces_make_up_the_text(text: str, chunks: int | None) -> None:
    assert "".join(pieces(text, chunks)) == text


def test_calls_are_numbered_over_the_whole_conversation(ask: Ask) -> None:
    bash = {"type": "function", "function": {"name": "Bash", "parameters": {"properties": {"command": {}}}}}
    call = {"id": "Bash:0", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "run a"},
        {"role": "assistant", "content": "", "reasoning_content": "r", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "Bash:0", "content": "done"},
        {"role": "user", "content": "run b"},
    ]
    body = {"model": "kimi-k2.6", "messages": messages, "tools": [bash]}
    message = ask("/v1/chat/completions", key=keys.MOONSHOT_INTL, body=body).json["choices"][0]["message"]
    assert message["tool_calls"][0]["id"] == "Bash:1"


def test_the_same_seed_and_clock_give_the_same_answers(sandbox: SandboxThread, ask: Ask) -> None:
    def story() -> list[bytes]:
        sandbox.world.load({"extends": "demo", "starts_at": "2026-11-20T12:00:00Z", "is_frozen": True})
        sandbox.world.say(gap_ms=0, first_content_s=0)
        return [chat(ask).raw, chat(ask, stream=True).raw]

    assert story() == story()
