"""Thoughts that are lost, belong to somebody else, or outlive a restart."""

import json
from typing import Any

import pytest

from .conftest import Build, House, route

TOOL = {"type": "function", "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "Bash:0", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}
HISTORY: list[dict[str, Any]] = [
    {"role": "user", "content": "run ls"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "Bash:0", "content": "a.txt"},
]
ITEMS: list[dict[str, Any]] = [
    {"role": "user", "content": "run ls"},
    {"type": "function_call", "call_id": "Bash:0", "name": "Bash", "arguments": '{"command":"ls"}'},
    {"type": "function_call_output", "call_id": "Bash:0", "output": "a.txt"},
]
SAID = {"tool": "Bash", "arguments": {"command": "ls"}, "reasoning": "I must look around first."}


def recording(build: Build, config: str, **parts: Any) -> House:
    house = build(config, **parts)
    house.world.records_bodies = True
    return house


def bodies(house: House) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in house.seen()]


@pytest.mark.case("gateway RS-04")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_lost_thought_is_a_blank_then_no_thinking_then_said_to_be_lost(build: Build, stream: bool) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    first = await house.client.chat(messages=HISTORY, tools=[TOOL], stream=stream)
    assert (first.status, first.attempts) == (200, 1)
    assert bodies(house)[-1]["messages"][1]["reasoning_content"] == " "

    house.world.behave(takes_blank_reasoning=False)
    second = await house.client.chat(messages=HISTORY, tools=[TOOL], stream=stream)
    assert (second.status, second.attempts) == (200, 2)
    assert "thinking=off" in second.adjusted
    assert bodies(house)[-1]["thinking"] == {"type": "disabled"}

    house = recording(build, route("ci/kimi-k3"))
    third = await house.client.chat(messages=HISTORY, tools=[TOOL], stream=stream, model="kimi-k3")
    assert (third.status, third.error["code"]) == (400, "PL-REASONING-LOST")
    assert third.error["fix"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_responses_history_gets_its_thought_back_too(build: Build, stream: bool) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    tools = [{"type": "function", "name": "Bash", "parameters": {"type": "object", "properties": {}}}]
    house.world.say(sequence=[SAID])
    assert (await house.client.responses("run ls", tools=tools, stream=stream)).status == 200
    assert (await house.client.responses(input=ITEMS, tools=tools, stream=stream)).status == 200
    items = bodies(house)[-1]["input"]
    assert [item.get("type", "message") for item in items] == [
        "message", "reasoning", "function_call", "function_call_output",
    ]  # fmt: skip
    assert items[2] == ITEMS[1]

    house.world.behave(takes_blank_reasoning=False)
    other = [{"role": "user", "content": "run ls elsewhere"}, *ITEMS[1:]]
    answer = await house.client.responses(input=other, tools=tools, stream=stream)
    assert (answer.status, answer.attempts) == (200, 2)
    assert bodies(house)[-1]["reasoning"] == {"effort": "none"}


@pytest.mark.case("gateway RS-07")
async def test_kimis_thought_is_not_shown_to_the_maker_of_another_model(build: Build) -> None:
    own = (
        '[[accounts]]\nname = "own"\nplan = "anthropic-compatible"\nbase_url = "https://api.anthropic.com"\n[gateway]'
    )
    config = route("work/kimi-for-coding", "own/local-model").replace("[gateway]", own)
    house = recording(build, config)
    house.world.set("own", host="api.anthropic.com")
    thinking = {"type": "enabled", "budget_tokens": 2048}
    tools = [{"name": "Bash", "input_schema": {"type": "object", "properties": {}}}]
    house.world.say(sequence=[SAID])
    first = await house.client.messages("run ls", thinking=thinking, tools=tools)
    content = first.json["content"]
    assert [block["type"] for block in content] == ["thinking", "tool_use"]

    house.world.set("kimi-cn", windows={"5h": {"used": 200}})
    result = {"type": "tool_result", "tool_use_id": content[1]["id"], "content": "a.txt"}
    history = [
        {"role": "user", "content": "run ls"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result]},
    ]
    second = await house.client.messages(messages=history, thinking=thinking, tools=tools)
    assert second.status == 200, second.body
    assert second.headers["x-perilune-account"] == "own"
    assert house.seen()[-1].host == "api.anthropic.com"
    assert [block["type"] for block in bodies(house)[-1]["messages"][1]["content"]] == ["tool_use"]
    assert bodies(house)[-1]["messages"][1]["content"] == content[1:]
