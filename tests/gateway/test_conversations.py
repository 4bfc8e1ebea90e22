"""Longer stories: agents in the middle of their work, two conversations side by side, many clients that leave."""

import asyncio
import json
from typing import Any

import pytest

from .conftest import Build, route

A = "api.moonshot.ai"
TOOL = {"type": "function", "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}}}


def turns(steps: int, *, reasoning: str | None = "think") -> list[dict[str, Any]]:
    """A conversation of an agent after so many tool steps."""
    history: list[dict[str, Any]] = [{"role": "user", "content": "do it"}]
    for step in range(steps):
        call = {
            "id": f"Bash:{step}",
            "type": "function",
            "function": {"name": "Bash", "arguments": json.dumps({"n": step})},
        }
        turn: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
        history.append(turn | ({"reasoning_content": reasoning} if reasoning else {}))
        history.append({"role": "tool", "tool_call_id": f"Bash:{step}", "content": f"result {step}"})
    return history


@pytest.mark.case("gateway FO-22")
@pytest.mark.parametrize("stream", [False, True])
async def test_an_agent_at_step_twelve_goes_on_elsewhere(build: Build, stream: bool) -> None:
    house = build(route("ci/kimi-k2.6", "work/kimi-for-coding"))
    house.world.queue_fault(host=A, refusal="dev-err-429-balance-suspended")
    answer = await house.client.chat(messages=turns(12), tools=[TOOL], stream=stream)
    assert (answer.status, answer.attempts, answer.headers["x-perilune-account"]) == (200, 2, "work")


@pytest.mark.case("gateway RS-08")
async def test_two_conversations_with_equal_ids_are_never_mixed(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.records_bodies = True
    thoughts = {"first question": "thought one", "second question": "thought two"}
    for question, thought in thoughts.items():
        house.world.say(sequence=[{"tool": "Bash", "arguments": {"n": 0}, "reasoning": thought}])
        assert (await house.client.chat(question, tools=[TOOL])).status == 200
    for question, thought in thoughts.items():
        history = turns(1, reasoning=None)
        history[0]["content"] = question
        assert (await house.client.chat(messages=history, tools=[TOOL])).status == 200
        assert json.loads(house.seen()[-1].body)["messages"][1]["reasoning_content"] == thought


@pytest.mark.parametrize("stream", [False, True])
async def test_a_thought_is_found_again_under_the_clients_own_name_of_a_tool(build: Build, stream: bool) -> None:
    house = build(route("work/kimi-for-coding"))
    house.world.records_bodies = True
    name = "mcp__" + "long" * 30
    function = {"name": name, "parameters": {"type": "object", "properties": {}}}
    asked: dict[str, Any] = {"tools": [{"type": "function", "function": function}], "reasoning_effort": "high"}
    await house.client.chat("which name is sent?", **asked)
    sent = json.loads(house.seen()[-1].body)["tools"][0]["name"]
    assert sent != name
    house.world.say(sequence=[{"tool": sent, "arguments": {"n": 0}, "reasoning": "a thought"}])
    assert (await house.client.chat("do it", stream=stream, **asked)).status == 200
    history = turns(1, reasoning=None)
    history[1]["tool_calls"][0]["function"]["name"] = name
    assert (await house.client.chat(messages=history, **asked)).status == 200
    parts = json.loads(house.seen()[-1].body)["messages"][1]["content"]
    assert [part["thinking"] for part in parts if part["type"] == "thinking"] == ["a thought"]


@pytest.mark.case("gateway GU-06")
async def test_a_redirect_is_not_followed(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.queue_fault(page="redirect", location="https://elsewhere.example/v1", count=None)
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"]) == (503, "PL-NET-REDIRECT")
    assert {seen.host for seen in house.seen()} == {A}


@pytest.mark.case("gateway CL-06")
@pytest.mark.parametrize(("in_flight", "learned"), [(2, False), (9, True)])
async def test_the_cap_shrinks_only_when_we_are_near_it(build: Build, in_flight: int, learned: bool) -> None:
    config = route("work/kimi-for-coding", "lab/kimi-k2.6")
    config = config.replace('name = "work"', 'name = "work"\nmax_concurrent_requests = 10', 1)
    house = build(config)
    house.world.queue_fault(host="api.kimi.com", hold="headers", count=in_flight)
    held = [asyncio.ensure_future(house.client.chat()) for _ in range(in_flight)]
    await asyncio.to_thread(house.world.wait_for, lambda world: world.held == in_flight)
    house.world.queue_fault(host="api.kimi.com", refusal="code-err-429-concurrency")
    refused = asyncio.ensure_future(house.client.chat())
    await asyncio.to_thread(house.world.wait_for, lambda world: len(world.requests(host="api.kimi.com")) > in_flight)
    async with asyncio.timeout(5):
        while house.admission.state("work").cap == 10 and learned:  # noqa: ASYNC110 - told by no event
            await asyncio.sleep(0.01)
    house.world.release()
    answers = [await one for one in (*held, refused)]
    assert {answer.status for answer in answers} == {200}
    assert (house.admission.state("work").cap < 10) is learned


@pytest.mark.case("gateway AD-04")
async def test_timeouts_in_every_lease_leave_none_behind(build: Build) -> None:
    house = build(route("ci/kimi-k2.6", gateway="total_timeout_s = 0.3"))
    house.world.queue_fault(host=A, hold="headers", count=30)
    answers = await asyncio.gather(*(house.client.chat() for _ in range(30)))
    assert {answer.status for answer in answers} == {504}
    assert house.in_flight() == 0
    assert (await house.client.chat()).status == 200


async def test_clients_that_leave_at_any_moment_leave_nothing_behind(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    house.world.say(text="x" * 400, chunks=100, gap_ms=1)
    await house.client.open()

    async def visit(number: int) -> None:
        task = asyncio.ensure_future(house.client.chat(stream=True))
        await asyncio.sleep(number % 7 * 0.004)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(visit(number) for number in range(120)))
    assert house.in_flight() == 0
    assert house.gateway.core.services.counters.in_flight == 0
    assert not house.gateway.core.services.streams
    assert len(house.rows.requests) == 120


@pytest.mark.case("gateway OV-04")
async def test_null_in_an_override_takes_a_key_out(build: Build) -> None:
    house = build(route("ci/kimi-k2.6"))
    from perilune.config.schema import SlotConfig

    slot = SlotConfig(account="router", model="some/model", override={"temperature": None})
    parts = house.gateway._parts.config
    from msgspec.structs import replace

    config = replace(parts, gateway=replace(parts.gateway, routes=(replace(parts.gateway.routes[0], slots=(slot,)),)))
    house.gateway.reload(config, house.gateway._parts.secrets)
    house.world.records_bodies = True
    await house.client.chat(temperature=0.5)
    assert "temperature" not in json.loads(house.seen()[-1].body)
