"""The head of a body: what the gateway decides by."""

import json

import pytest

from perilune.core.errors import RequestError
from perilune.dialects.head import Body
from perilune.dialects.thinking import wanted_thinking


def body(**fields: object) -> Body:
    return Body(json.dumps(fields).encode())


def test_the_head_is_read_without_the_messages() -> None:
    read = body(
        model="kimi-k2.6",
        messages="not even a list",
        stream=True,
        max_tokens=5,
        stream_options={"include_usage": True},
        metadata={"user_id": "u1"},
    )
    assert (read.head.model, read.head.stream, read.head.max_output) == ("kimi-k2.6", True, 5)
    assert read.head.include_usage
    assert read.head.end_user == "u1"


def test_the_newest_name_of_the_limit_wins() -> None:
    assert body(max_tokens=1, max_completion_tokens=2).head.max_output == 2
    assert body(max_output_tokens=3).head.max_output == 3
    assert body().head.max_output is None


@pytest.mark.parametrize("fields", [{"model": 5}, {"stream": "yes"}, {"max_tokens": "many"}])
def test_a_head_of_another_type_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(RequestError) as caught:
        body(**fields)
    assert (caught.value.problem.code, caught.value.problem.variant) == ("PL-BODY-INVALID", "shape")


@pytest.mark.parametrize("raw", [b'{"model": "\xed\xa0\x80k"}', b'{"model": "k", "thinking": {"budget\xe5": 1}}'])
def test_a_head_that_is_not_utf8_is_refused_without_its_bytes(raw: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        Body(raw)
    problem = caught.value.problem
    assert (problem.code, problem.variant, problem.facts["detail"]) == (
        "PL-BODY-INVALID",
        "shape",
        "JSON is UTF-8, this is not",
    )


def test_tool_names_are_found_in_every_dialect() -> None:
    tools = [
        {"type": "function", "function": {"name": "ls"}},
        {"name": "Bash", "input_schema": {}},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "web_search"},
    ]
    assert body(tools=tools).tool_names() == ["ls", "Bash", "agents__spawn"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled"}}, "on"),
        ({"thinking": {"type": "adaptive"}}, "on"),
        ({"thinking": {"type": "disabled"}}, "off"),
        ({"thinking": {"type": "enabled", "budget_tokens": 8192}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 32768}}, "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 32769}}, "max"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "high"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1}, "output_config": {"effort": "max"}}, "max"),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}, "off"),
        ({"thinking": {"type": "enabled", "effort": "low"}}, "low"),
        ({"reasoning_effort": {"effort": "high"}}, "high"),
        ({"reasoning": {"effort": "none"}}, "off"),
        ({"reasoning": {"summary": "auto"}}, None),
        *[({"reasoning_effort": word}, "low") for word in ("minimal", "minimum", "light", "low")],
        ({"reasoning_effort": "medium"}, "medium"),
        *[({"reasoning_effort": word}, "max") for word in ("xhigh", "ultra", "max")],
        ({"reasoning_effort": "unheard-of"}, None),
    ],
)
def test_the_wish_for_thinking_becomes_one_word(fields: dict[str, object], word: str | None) -> None:
    assert wanted_thinking(body(**fields).head) == word
