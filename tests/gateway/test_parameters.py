"""What leaves: parameters, thinking and limits by the traits of the model, everything else untouched."""

import json
from typing import Any

import pytest

from .conftest import Build, House, route

CLAUDE = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}, "context_management": {"edits": []}}


def recording(build: Build, config: str) -> House:
    house = build(config)
    house.world.records_bodies = True
    return house


def sent(house: House) -> dict[str, Any]:
    return json.loads(house.seen()[-1].body)


@pytest.mark.case("gateway PA-01")
async def test_fixed_sampling_is_not_sent(build: Build) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    answer = await house.client.chat(temperature=0, top_p=0.5)
    assert (answer.status, answer.adjusted) == (200, {"temperature", "top_p"})
    assert not {"temperature", "top_p"} & set(sent(house))


@pytest.mark.case("gateway PA-02")
async def test_an_unknown_model_is_sent_what_the_client_said(build: Build) -> None:
    own = '[[accounts]]\nname = "own"\nplan = "openai-compatible"\nbase_url = "https://llm.example/v1"\n[gateway]'
    config = route("own/local-model").replace("[gateway]", own)
    house = recording(build, config)
    answer = await house.client.chat(temperature=0.3, stream=False)
    assert answer.status == 200, answer.body
    body = sent(house)
    assert body["temperature"] == 0.3
    assert answer.adjusted == set()
    assert set(body) == {"model", "messages", "stream", "temperature"}


CHAT = [
    ("kimi-k2.6", "off", {"thinking": {"type": "disabled"}}),
    ("kimi-k2.6", "on", {"thinking": {"type": "enabled"}}),
    ("kimi-k2.6", "low", {"thinking": {"type": "enabled"}}),
    ("kimi-k2.6", "medium", {"thinking": {"type": "enabled"}}),
    ("kimi-k2.6", "max", {"thinking": {"type": "enabled"}}),
    ("kimi-k2.7-code", "off", {}),
    ("kimi-k2.7-code", "on", {}),
    ("kimi-k2.7-code", "medium", {}),
    ("kimi-k3", "off", {"reasoning_effort": "low"}),
    ("kimi-k3", "on", {}),
    ("kimi-k3", "low", {"reasoning_effort": "low"}),
    ("kimi-k3", "medium", {"reasoning_effort": "high"}),
    ("kimi-k3", "high", {"reasoning_effort": "high"}),
    ("kimi-k3", "max", {"reasoning_effort": "max"}),
]


@pytest.mark.case("gateway PA-03")
@pytest.mark.case("gateway PA-04")
@pytest.mark.parametrize(("model", "setting", "fields"), CHAT)
async def test_the_slots_thinking_on_chat(build: Build, model: str, setting: str, fields: dict[str, Any]) -> None:
    house = recording(build, route(f'ci/{model}|thinking = "{setting}"'))
    assert (await house.client.chat(reasoning_effort="low")).status == 200
    body = sent(house)
    assert {name: body[name] for name in ("thinking", "reasoning_effort") if name in body} == fields


MESSAGES = [
    ("ci/kimi-k2.6", "off", {"thinking": {"type": "disabled"}}),
    ("ci/kimi-k2.6", "medium", {"thinking": {"type": "enabled"}}),
    ("ci/kimi-k3", "off", {"output_config": {"effort": "low"}}),
    ("ci/kimi-k3", "medium", {"output_config": {"effort": "high"}}),
    ("work/kimi-for-coding", "off", {"thinking": {"type": "disabled"}}),
    ("work/kimi-for-coding", "on", {"thinking": {"type": "enabled"}}),
    ("work/kimi-for-coding", "low", {"thinking": {"type": "enabled"}, "output_config": {"effort": "low"}}),
    ("work/kimi-for-coding", "medium", {"thinking": {"type": "enabled"}, "output_config": {"effort": "high"}}),
    ("work/kimi-for-coding-highspeed", "off", {"output_config": {"effort": "low"}}),
    ("work/kimi-for-coding-highspeed", "on", {}),
    ("work/kimi-for-coding-highspeed", "max", {"output_config": {"effort": "max"}}),
]


@pytest.mark.parametrize("dialect", ["messages", "chat"])
@pytest.mark.parametrize(("slot", "setting", "fields"), MESSAGES)
async def test_the_slots_thinking_on_messages(build: Build, dialect, slot, setting, fields) -> None:
    surface = ', surface = "messages"' if slot.startswith("ci") else ""
    house = recording(build, route(f'{slot}|thinking = "{setting}"{surface}'))
    await house.client.ask(dialect, stream=False)
    body = sent(house)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == fields


async def test_an_agents_chat_carries_the_effort_inside(build: Build) -> None:
    house = recording(build, route('work/kimi-for-coding|thinking = "medium"'))
    await house.client.chat(headers={"user-agent": "kimi-code-cli/2.1.0"}, thinking={"type": "enabled", "keep": "all"})
    assert sent(house)["thinking"]["type"] == "enabled"
    assert sent(house)["thinking"]["effort"] == "high"
    assert "reasoning_effort" not in sent(house)


@pytest.mark.case("gateway PA-05")
@pytest.mark.parametrize(("said", "left"), [({"effort": "high"}, "high"), ("xhigh", "max"), ("minimal", "low")])
async def test_an_effort_leaves_as_a_plain_known_word(build: Build, said: Any, left: str) -> None:
    house = recording(build, route("ci/kimi-k3"))
    assert (await house.client.chat(reasoning_effort=said)).status == 200
    assert sent(house)["reasoning_effort"] == left


async def test_thinking_and_effort_never_leave_together(build: Build) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    assert (await house.client.chat(reasoning_effort="high", thinking={"type": "enabled"})).status == 200
    assert "reasoning_effort" not in sent(house)


@pytest.mark.case("gateway PA-07")
async def test_an_adaptive_client_is_understood(build: Build) -> None:
    house = recording(build, route("work/kimi-for-coding"))
    answer = await house.client.messages(**CLAUDE)
    body = sent(house)
    assert answer.status == 200
    assert (body["thinking"], body["output_config"]) == ({"type": "enabled"}, {"effort": "high"})
    assert "context_management" not in body
    assert "context_management" in answer.adjusted


@pytest.mark.case("gateway PA-09")
async def test_the_output_limit_is_capped_by_slot_and_window(build: Build) -> None:
    capped = recording(build, route("ci/kimi-k2.6|max_output_tokens = 32768"))
    answer = await capped.client.chat(max_completion_tokens=262_144)
    assert (sent(capped)["max_completion_tokens"], answer.adjusted) == (32_768, {"max_tokens"})
    free = recording(build, route("ci/kimi-k2.6"))
    await free.client.chat("x" * 31_000, max_tokens=262_144)
    body = sent(free)
    assert "max_tokens" not in body
    assert 262_144 - 11_000 < body["max_completion_tokens"] < 262_144 - 9_900


@pytest.mark.case("gateway PA-10")
async def test_a_forced_tool_goes_with_thinking_off(build: Build) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    choice = {"type": "function", "function": {"name": "look"}}
    house = recording(build, route("ci/kimi-k2.6", "lab/kimi-k2.7-code"))
    answer = await house.client.chat(tools=[tool], tool_choice=choice)
    assert answer.status == 200
    assert sent(house)["thinking"] == {"type": "disabled"}
    assert "thinking=off" in answer.adjusted


@pytest.mark.case("gateway PA-08")
@pytest.mark.parametrize("stream", [False, True])
async def test_function_names_are_made_fit_and_put_back(build: Build, stream: bool) -> None:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
        for name in ("ls", "a.b")
    ]
    house = recording(build, route("ci/kimi-k2.6"))
    house.world.say(lines=[{"tool": "ls_", "arguments": {}}])
    answer = await house.client.chat(tools=tools, stream=stream)
    assert answer.status == 200, answer.body
    assert [tool["function"]["name"] for tool in sent(house)["tools"]] == ["ls_", "a_b"]
    assert b'"ls"' in answer.body
    assert b'"ls_"' not in answer.body


@pytest.mark.case("gateway PA-11")
async def test_too_much_text_is_not_sent_where_it_is_refused(build: Build) -> None:
    house = build(route("work/kimi-for-coding", "ci/kimi-k3"))
    answer = await house.client.chat("x" * 2_200_000)
    assert (answer.status, answer.headers["x-perilune-account"]) == (200, "ci")
    assert [seen.host for seen in house.seen()] == ["api.moonshot.ai"]


@pytest.mark.case("gateway PA-12")
async def test_a_parameter_found_wrong_is_put_right_and_remembered(build: Build) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    house.readings.traits = lambda account, plan, model: None
    answer = await house.client.chat(temperature=0.2)
    assert (answer.attempts, "temperature" in answer.adjusted) == (2, True)
    assert "temperature" not in sent(house)
    again = await house.client.chat(temperature=0.2)
    assert (again.attempts, "temperature" in sent(house)) == (1, False)


@pytest.mark.case("gateway RS-01")
@pytest.mark.case("gateway RS-02")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("renamed", [False, True])
async def test_dropped_reasoning_is_put_back(build: Build, stream: bool, renamed: bool) -> None:
    tools = [{"type": "function", "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}}}]
    house = recording(build, route("ci/kimi-k2.6"))
    house.world.say(
        sequence=[{"tool": "Bash", "arguments": {"command": "ls"}, "reasoning": "I must look around first."}]
    )
    first = await house.client.chat("run ls", tools=tools, stream=stream)
    call_id = "Bash:0"
    body = first.body.decode()
    assert "Bash" in body
    if not stream:
        call_id = first.json["choices"][0]["message"]["tool_calls"][0]["id"]
    kept = call_id.replace(":", "_") if renamed else call_id
    turn = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": kept, "type": "function", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}],
    }
    history = [{"role": "user", "content": "run ls"}, turn, {"role": "tool", "tool_call_id": kept, "content": "a.txt"}]
    second = await house.client.request(
        "POST", "/v1/chat/completions", {"model": "m", "messages": history, "tools": tools}
    )
    assert second.status == 200, second.body
    assert sent(house)["messages"][1]["reasoning_content"] == "I must look around first."


@pytest.mark.parametrize(
    ("override", "field", "left"),
    [
        ('{ thinking = { type = "disabled" } }', "thinking", {"type": "disabled"}),
        ('{ openaiCompatible = { thinking = { type = "disabled" } } }', "thinking", {"type": "disabled"}),
        ('{ safety_identifier = "team" }', "safety_identifier", "team"),
    ],
)
async def test_an_override_has_the_last_word(build: Build, override: str, field: str, left: Any) -> None:
    house = recording(build, route(f'ci/kimi-k2.6|thinking = "medium", override = {override}'))
    assert (await house.client.chat()).status == 200
    assert sent(house)[field] == left


@pytest.mark.parametrize("said", ["banana", 7, {"effort": "banana"}])
async def test_an_effort_that_nobody_knows_does_not_leave(build: Build, said: Any) -> None:
    house = recording(build, route("ci/kimi-k3"))
    assert (await house.client.chat(reasoning_effort=said)).status == 200
    assert "reasoning_effort" not in sent(house)
    answer = await house.client.responses(reasoning={"effort": said, "summary": "auto"})
    assert answer.status == 200
    assert sent(house)["reasoning"] == {"summary": "auto"}


async def test_a_budget_that_the_vendor_misses_is_given_once_and_remembered(build: Build) -> None:
    house = recording(build, route('work/kimi-for-coding|thinking = "on"'))
    house.world.behave(needs_budget_tokens=True)
    answer = await house.client.messages(max_tokens=2048)
    assert (answer.status, answer.attempts) == (200, 2)
    assert sent(house)["thinking"] == {"type": "enabled", "budget_tokens": 2047}
    again = await house.client.messages(max_tokens=32_000)
    assert (again.status, again.attempts) == (200, 1)
    assert sent(house)["thinking"]["budget_tokens"] == 15_000


async def test_what_these_vendors_do_not_have_stays_here(build: Build) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    answer = await house.client.chat(service_tier="auto", seed=7, logit_bias={"1": 2})
    assert (answer.status, answer.adjusted) == (200, {"service_tier", "seed", "logit_bias"})
    assert not {"service_tier", "seed", "logit_bias"} & sent(house).keys()
    answer = await house.client.responses(client_metadata={"installation": "x"}, include=[])
    assert answer.adjusted == {"client_metadata"}
    assert "client_metadata" not in sent(house)


async def test_a_session_known_by_a_header_is_named_to_the_vendors_cache_and_never_by_its_own_id(build: Build) -> None:
    house = recording(build, route("ci/kimi-k2.6|surface = 'chat'"))
    headers = {"x-claude-code-session-id": "11111111-2222-3333-4444-555555555555"}
    keys = []
    for given in (headers, headers, {"x-claude-code-session-id": "other"}, {}):
        assert (await house.client.messages(headers=given)).status == 200
        keys.append(sent(house).get("prompt_cache_key"))
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] is None
    assert "1111" not in keys[0]
