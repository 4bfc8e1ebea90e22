"""The rules that the vendors enforce on a request, with their exact sentences."""

from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask

from perilune.sandbox import SandboxThread, keys

# Together with its neighbours this file shows every behaviour of the played vendors, each with a plain client.
pytestmark = pytest.mark.case("gateway SB-02")

PING = [{"role": "user", "content": "ping"}]
BASH = {"type": "function", "function": {"name": "Bash", "parameters": {"type": "object", "properties": {}}}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def chat(ask: Ask, **body: Any) -> Answer:
    asked = {"model": "kimi-k2.6", "messages": PING} | body
    return ask("/api.moonshot.ai/v1/chat/completions", key=keys.MOONSHOT_INTL, body=asked)


def code(ask: Ask, **body: Any) -> Answer:
    asked = {"model": "kimi-for-coding", "max_tokens": 99, "messages": PING} | body
    return ask("/api.kimi.com/coding/v1/messages", key=keys.KIMI_CN, body=asked)


OFF = {"thinking": {"type": "disabled"}}
SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({"temperature": 0}, "invalid temperature: only 1 is allowed for this model"),
    ({"temperature": 1, **OFF}, "invalid temperature: only 0.6 is allowed for this model"),
    ({"top_p": 0.5}, "invalid top_p: only 0.95 is allowed for this model"),
    ({"presence_penalty": 1}, "invalid presence_penalty: only 0 is allowed for this model"),
    ({"n": 2}, "invalid n: only 1 is allowed for this model"),
    (
        {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
        "cannot specify both 'thinking' and 'reasoning_effort'",
    ),
    ({"model": "kimi-k3", "reasoning_effort": {"effort": "high"}}, "reasoning_effort must be a string"),
    ({"model": "kimi-k2.7-code", **OFF}, "invalid thinking: only type=enabled is allowed for this model"),
    ({"model": "kimi-k3", **OFF}, "invalid thinking: only type=enabled is allowed for this model"),
    (
        {"tools": [BASH], "tool_choice": "required"},
        "tool_choice 'required' is incompatible with thinking enabled",
    ),
    (
        {"tools": [BASH], "tool_choice": {"type": "function", "function": {"name": "Bash"}}},
        "tool_choice 'specified' is incompatible with thinking enabled",
    ),
    ({"tools": [named("ls")]}, "function name is invalid"),
    ({"tools": [named("a.bc")]}, "function name is invalid"),
    ({"tools": [named(f"tool_{n}") for n in range(129)]}, "tools exceeds the limit of 128"),
    (
        {"response_format": {"type": "json_object"}},
        "'messages' must contain the word 'json' in some form",
    ),
    ({"messages": []}, "Invalid request: messages is required"),
    ({"messages": [{"role": "user", "content": "x" * 1_100_000}]}, "exceeded model token limit : 262144"),
]


@pytest.mark.parametrize(("body", "sentence"), SENTENCES)
def test_a_bad_request_is_refused_in_the_vendors_words(ask: Ask, body: dict[str, Any], sentence: str) -> None:
    refused = chat(ask, **body)
    assert refused.status == 400
    assert sentence in refused.error["message"]
    assert refused.error["type"] == "invalid_request_error"


ALLOWED: list[dict[str, Any]] = [
    {"temperature": 1, "top_p": 0.95, "n": 1, "presence_penalty": 0},
    {"temperature": 0.6, **OFF},
    {"tools": [BASH], "tool_choice": "required", **OFF},
    {"model": "kimi-k3", "tools": [BASH], "tool_choice": "required"},
    {"model": "kimi-k3", "reasoning_effort": "nonsense"},
    {"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "as JSON, please"}]},
    {"max_completion_tokens": 262_144},
]


@pytest.mark.parametrize("body", ALLOWED)
def test_what_the_vendor_allows_passes(ask: Ask, body: dict[str, Any]) -> None:
    assert chat(ask, **body).status == 200


def tool_turn(**assistant: Any) -> list[Any]:
    call = {"id": "anything", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    return [
        {"role": "system", "content": "s"},
        *PING,
        {"role": "assistant", "content": "", "tool_calls": [call], **assistant},
        {"role": "tool", "tool_call_id": "anything", "content": "hi"},
    ]


def test_reasoning_lost_on_a_tool_turn_is_refused_with_its_index(ask: Ask) -> None:
    refused = chat(ask, messages=tool_turn())
    assert refused.error["message"] == (
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2"
    )
    assert chat(ask, messages=tool_turn(reasoning_content=" ")).status == 200
    assert chat(ask, messages=tool_turn(), **OFF).status == 200


def test_reasoning_lost_is_refused_on_messages_too(ask: Ask) -> None:
    use = {"type": "tool_use", "id": "t", "name": "Bash", "input": {}}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "hi"}]}
    lost = [*PING, {"role": "assistant", "content": [use]}, result]
    thought = {"type": "thinking", "thinking": "hm", "signature": ""}
    kept = [*PING, {"role": "assistant", "content": [thought, use]}, result]
    on = {"thinking": {"type": "adaptive"}, "system": "s"}
    refused = code(ask, messages=lost, **on)
    assert refused.status == 400
    assert refused.error["message"].endswith("at index 1")
    assert code(ask, messages=kept, **on).status == 200
    assert code(ask, messages=lost).status == 200


def test_a_tools_result_needs_its_call(ask: Ask) -> None:
    messages = [*PING, {"role": "tool", "tool_call_id": "gone", "content": "x"}]
    assert "tool_call_id gone is not found" in chat(ask, messages=messages).error["message"]


def test_on_messages_the_limit_is_required_and_efforts_are_checked(ask: Ask) -> None:
    assert "max_tokens" in code(ask, max_tokens=None).error["message"]
    assert code(ask, output_config={"effort": "medium"}).status == 200
    assert code(ask, output_config={"effort": "gigantic"}).status == 400
    forced = {"tools": [{"name": "Bash", "input_schema": {}}], "tool_choice": {"type": "any"}}
    assert code(ask, **forced).status == 200
    refused = code(ask, **forced, thinking={"type": "enabled", "budget_tokens": 1_024})
    assert refused.error["message"] == "tool_choice 'required' is incompatible with thinking enabled"


def test_a_prompt_can_be_filtered(ask: Ask) -> None:
    refused = chat(ask, messages=[{"role": "user", "content": "TRIGGER-CONTENT-FILTER"}])
    assert (refused.status, refused.error["type"]) == (400, "content_filter")


def test_a_body_that_is_no_json_object_is_refused(ask: Ask) -> None:
    for body in ("{", "[]", b"\xff"):
        answer = ask("/api.moonshot.ai/v1/chat/completions", key=keys.MOONSHOT_INTL, body=body)
        assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ({"fixed_sampling": False}, {"temperature": 0}),
        ({"thinking_or_effort": False}, {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        ({"forced_tool_needs_thinking_off": False}, {"tools": [BASH], "tool_choice": "required"}),
        ({"needs_reasoning_content": False}, {"messages": tool_turn()}),
        ({"function_names": False}, {"tools": [named("ls")]}),
        ({"word_json": False}, {"response_format": {"type": "json_object"}}),
        ({"filter_words": []}, {"messages": [{"role": "user", "content": "TRIGGER-CONTENT-FILTER"}]}),
        (
            {"checks_tool_ids": False},
            {"messages": [*PING, {"role": "tool", "tool_call_id": "gone", "content": "x"}]},
        ),
    ],
)
def test_each_rule_can_be_switched_off(
    sandbox: SandboxThread, ask: Ask, switch: dict[str, Any], body: dict[str, Any]
) -> None:
    assert chat(ask, **body).status == 400
    sandbox.world.behave(**switch)
    assert chat(ask, **body).status == 200


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ({"strict_window": True}, {"max_completion_tokens": 262_144}),
        ({"takes_blank_reasoning": False}, {"messages": tool_turn(reasoning_content=" ")}),
        ({"no_json_schema": ["kimi-k2.6"]}, {"response_format": {"type": "json_schema", "json_schema": {}}}),
    ],
)
def test_a_rule_can_be_switched_on(
    sandbox: SandboxThread, ask: Ask, switch: dict[str, Any], body: dict[str, Any]
) -> None:
    assert chat(ask, **body).status == 200
    sandbox.world.behave(**switch)
    assert chat(ask, **body).status == 400


def test_messages_may_demand_a_thinking_budget(sandbox: SandboxThread, ask: Ask) -> None:
    sandbox.world.behave(needs_budget_tokens=True)
    assert "budget_tokens" in code(ask, thinking={"type": "enabled"}).error["message"]
    assert code(ask, thinking={"type": "enabled", "budget_tokens": 98}).status == 200
