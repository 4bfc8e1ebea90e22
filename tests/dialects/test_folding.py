"""System messages in the middle of a Messages conversation (TR-03)."""

import json
from typing import Any

import pytest

from perilune.dialects.form import Dialect, Text, Turn
from perilune.dialects.head import Body
from perilune.dialects.pass_through import pass_through
from perilune.dialects.target import Target
from perilune.dialects.turns import system_mark

REMINDER = "You are in plan mode."
MARKED = system_mark(Turn("system", (Text(REMINDER),)))
LENIENT = Target(dialect=Dialect.MESSAGES, takes_system_turns=False)
CACHED = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
FIRST: list[dict[str, Any]] = [
    {"role": "user", "content": [CACHED, {"type": "text", "text": "b"}]},
    {"role": "system", "content": REMINDER},
]
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"x": 1.0}}]}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}


def folded(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    body = Body(json.dumps({"model": "kimi-for-coding", "messages": messages}).encode())
    turns: list[dict[str, Any]] = json.loads(pass_through(Dialect.MESSAGES, body, LENIENT).body)["messages"]
    return turns


@pytest.mark.case("gateway TR-03")
def test_a_system_message_joins_the_user_turn_before_it() -> None:
    turns = folded(FIRST)
    assert [turn["role"] for turn in turns] == ["user"]
    assert turns[0]["content"] == [*FIRST[0]["content"], {"type": "text", "text": MARKED}]
    assert MARKED.startswith("<system>")
    assert MARKED.endswith("</system>")
    body = Body(json.dumps({"messages": [*FIRST, USE, {"role": "user", "content": [RESULT]}]}).encode())
    longer = pass_through(Dialect.MESSAGES, body, LENIENT).body
    shorter = pass_through(Dialect.MESSAGES, Body(json.dumps({"messages": FIRST}).encode()), LENIENT).body
    assert longer.startswith(shorter.removesuffix(b"]}"))


def test_a_system_message_in_front_goes_behind_the_results_of_the_next_user_turn() -> None:
    turns = folded([FIRST[0], USE, {"role": "system", "content": REMINDER}, {"role": "user", "content": [RESULT]}])
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[2]["content"] == [RESULT, {"type": "text", "text": MARKED}]


def test_a_system_message_between_answers_becomes_a_user_turn_of_its_own() -> None:
    turns = folded([FIRST[0], USE, {"role": "system", "content": REMINDER}])
    assert turns[2] == {"role": "user", "content": [{"type": "text", "text": MARKED}]}
    turns = folded([USE, {"role": "system", "content": REMINDER}, USE])
    assert [turn["role"] for turn in turns] == ["assistant", "user", "assistant"]


def test_turns_that_need_no_change_keep_their_bytes() -> None:
    raw = b'{"messages":[{"role":"user","content":[{"type":"document", "x":1.0}]}, {"role":"system","content":"s"}]}'
    done = pass_through(Dialect.MESSAGES, Body(raw), LENIENT).body
    assert b'{"type":"document", "x":1.0}' in done
    host = Target(dialect=Dialect.MESSAGES)
    assert pass_through(Dialect.MESSAGES, Body(raw), host).body == raw


def test_other_upstreams_get_the_system_message_in_its_place() -> None:
    from perilune.dialects.translate import translate_request

    body = json.dumps({"messages": [*FIRST, USE]}).encode()
    chat = json.loads(translate_request(Dialect.MESSAGES, Target(dialect=Dialect.CHAT), body).body)
    assert chat["messages"][1] == {"role": "system", "content": REMINDER}
    responses = json.loads(translate_request(Dialect.MESSAGES, Target(dialect=Dialect.RESPONSES), body).body)
    assert responses["input"][1]["role"] == "developer"
