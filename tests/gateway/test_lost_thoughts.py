"""Thoughts that are lost, belong to somebody else, or outlive a restart."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from perilune.store import thoughts as rows
from perilune.store.engine import Store, open_store
from perilune.store.thought_tables import thoughts

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
    own = '[[accounts]]\nname = "own"\nplan = "anthropic-compatible"\nbase_url = "https://api.anthropic.com"\n[gateway]'
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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database that two gateways share."""
    opened = open_store(str(tmp_path / "perilune.sqlite3"))
    yield opened
    opened.close()


@pytest.mark.case("gateway RS-03")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_thought_outlives_the_process_that_heard_it(build: Build, store: Store, stream: bool) -> None:
    config = route("ci/kimi-k2.6", gateway='reasoning_store = "shared"')
    before = recording(build, config, store=store)
    before.world.say(sequence=[SAID])
    assert (await before.client.chat("run ls", tools=[TOOL], stream=stream)).status == 200

    after = recording(build, config, store=store)
    assert (await after.client.chat(messages=HISTORY, tools=[TOOL])).status == 200
    assert bodies(after)[-1]["messages"][1]["reasoning_content"] == "I must look around first."
    with store.read() as connection:
        kept = connection.execute(select(thoughts.c.sealed)).scalars().all()
    assert len(kept) == 1
    assert "look around" not in kept[0]


async def test_a_thought_is_found_by_its_session_where_its_place_has_changed(build: Build, store: Store) -> None:
    config = route("ci/kimi-k2.6", gateway='reasoning_store = "shared"')
    before = recording(build, config, store=store)
    before.world.say(sequence=[SAID])
    headers = {"x-session-id": "one"}
    await before.client.chat("run ls", tools=[TOOL], headers=headers)
    shortened = [{"role": "user", "content": "(earlier turns left out)"}, *HISTORY[1:]]
    after = recording(build, config, store=store)
    for session, thought in (("one", "I must look around first."), ("two", " ")):
        answer = await after.client.chat(messages=shortened, tools=[TOOL], headers={"x-session-id": session})
        assert answer.status == 200
        assert bodies(after)[-1]["messages"][1]["reasoning_content"] == thought


async def test_a_thought_is_kept_for_a_day(build: Build, store: Store) -> None:
    config = route("ci/kimi-k2.6", gateway='reasoning_store = "shared"')
    before = recording(build, config, store=store)
    before.world.say(sequence=[SAID])
    await before.client.chat("run ls", tools=[TOOL])
    after = recording(build, config, store=store)
    after.clock.advance(25 * 3600)
    await after.client.chat(messages=HISTORY, tools=[TOOL])
    assert bodies(after)[-1]["messages"][1]["reasoning_content"] == " "


async def test_what_memory_knows_is_not_looked_for(build: Build, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    house = recording(build, route("ci/kimi-k2.6", gateway='reasoning_store = "shared"'), store=store)
    house.world.say(sequence=[SAID])
    await house.client.chat("run ls", tools=[TOOL])
    asked: list[object] = []
    monkeypatch.setattr(rows, "find", lambda *given: asked.append(given) or [])
    await house.client.chat(messages=HISTORY, tools=[TOOL])
    assert asked == []
    unknown = [{"role": "user", "content": "something else"}, *HISTORY[1:]]
    for _ in range(2):
        await house.client.chat(messages=unknown, tools=[TOOL])
    assert len(asked) == 1
