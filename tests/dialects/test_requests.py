"""Requests from one dialect to another."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from perilune.core.errors import RequestError
from perilune.dialects.splice import REMOVE

Translate = Callable[..., Any]
TOOLS = [{"type": "function", "function": {"name": "Bash", "parameters": {"type": "object"}}}]
PNG = "iVBORw0KGgoAAAANSUhEUg=="


def call(call_id: str, name: str = "Bash", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversation(*calls: dict[str, Any]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "go"}]
    return [*turns, {"role": "assistant", "content": "on it", "tool_calls": list(calls)}] if calls else turns


@pytest.mark.case("gateway TR-01")
def test_results_of_one_round_become_one_user_turn(translate: Translate) -> None:
    results = [
        {"role": "tool", "tool_call_id": "Bash:0", "content": "first"},
        {"role": "tool", "tool_call_id": "Bash:1", "content": ""},
    ]
    body, _ = translate("chat", "messages", {"messages": conversation(call("Bash:0"), call("Bash:1")) + results})
    assert body["system"] == "Be brief."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [block["id"] for block in body["messages"][1]["content"][1:]] == ["Bash_0", "Bash_1"]
    assert body["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "Bash_0", "content": "first"},
        {"type": "tool_result", "tool_use_id": "Bash_1", "content": ""},
    ]


@pytest.mark.case("gateway TR-02")
def test_a_result_stands_before_the_text_of_its_turn(translate: Translate) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}
    turns = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [use]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "and now?"},
                {"type": "tool_result", "tool_use_id": "t1", "content": "done", "is_error": True},
            ],
        },
    ]
    body, _ = translate("messages", "chat", {"messages": turns})
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "t1", "content": "done"},
        {"role": "user", "content": "and now?"},
    ]


@pytest.mark.case("gateway TR-04")
def test_ids_are_made_fit_for_messages_and_renumbered_on_the_way_back(translate: Translate) -> None:
    results = [{"role": "tool", "tool_call_id": f"Bash:{n}", "content": str(n)} for n in (0, 1)]
    there, _ = translate("chat", "messages", {"messages": conversation(call("Bash:0"), call("Bash:1")) + results})
    back, _ = translate("messages", "chat", there, renumbers_calls=True)
    assert [one["id"] for one in back["messages"][2]["tool_calls"]] == ["Bash:0", "Bash:1"]
    assert [turn["tool_call_id"] for turn in back["messages"][3:]] == ["Bash:0", "Bash:1"]


@pytest.mark.case("gateway TR-05")
@pytest.mark.parametrize("source", ["chat", "messages", "responses"])
@pytest.mark.parametrize("target", ["chat", "messages", "responses"])
def test_an_image_keeps_its_bytes_and_its_media_type(translate: Translate, source: str, target: str) -> None:
    url = f"data:image/png;base64,{PNG}"
    asked = {
        "chat": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]},
        "messages": {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
                    ],
                }
            ]
        },
        "responses": {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]},
    }
    body, _ = translate(source, target, asked[source])
    part = (body.get("messages") or body["input"])[0]["content"][0]
    if target == "messages":
        assert part["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}
    elif target == "chat":
        assert part["image_url"]["url"] == url
    else:
        assert part["image_url"] == url


def test_an_image_inside_a_result_reaches_every_dialect(translate: Translate) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    turns = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Shot", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "here"}, image]}
            ],
        },
    ]
    chat, _ = translate("messages", "chat", {"messages": turns})
    assert chat["messages"][2] == {"role": "tool", "tool_call_id": "t1", "content": [{"type": "text", "text": "here"}]}
    label, picture = chat["messages"][3]["content"]
    assert "t1" in label["text"]
    assert picture["image_url"]["url"].endswith(PNG)
    responses, _ = translate("messages", "responses", {"messages": turns})
    assert [part["type"] for part in responses["input"][2]["output"]] == ["input_text", "input_image"]


@pytest.mark.parametrize("source", ["chat", "messages", "responses"])
@pytest.mark.parametrize("target", ["chat", "messages", "responses"])
def test_an_image_by_address_is_refused_where_nobody_fetches_it(translate: Translate, source: str, target: str) -> None:
    url = "https://example.com/a.png"
    picture = {"type": "image", "source": {"type": "url", "url": url}}
    asked = {
        "chat": {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": url}}]}]},
        "messages": {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": [picture]}]},
        "responses": {"input": [{"role": "user", "content": "a"}, {"role": "user", "content": [
            {"type": "input_image", "image_url": url}]}]},
    }  # fmt: skip
    with pytest.raises(RequestError) as caught:
        translate(source, target, asked[source], takes_image_urls=False)
    problem = caught.value.problem
    assert (problem.code, problem.variant, problem.facts["index"]) == ("PL-UNSUPPORTED", "image_url", 1)
    body, _ = translate(source, target, asked[source])
    assert url in json.dumps(body)


CODEX = {
    "model": "kimi-k3",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
        {"type": "message", "role": "developer", "content": [
            {"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "ping"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c1", "name": "spawn", "namespace": "agents", "arguments": "{\"n\": 1}"},
        {"type": "function_call_output", "call_id": "c1", "output": "ok"},
    ],
    "tools": [
        {"type": "function", "name": "exec_command", "parameters": {"type": "object"}},
        {"type": "namespace", "name": "agents", "description": "d", "tools": [
            {"type": "function", "name": "spawn", "parameters": {"type": "object"}}]},
        {"type": "web_search"},
    ],
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "s1",
    "client_metadata": {"x": "y"},
    "stream": True,
    "store": False,
}  # fmt: skip


def test_tools_of_a_namespace_are_flattened_and_hosted_ones_dropped(translate: Translate) -> None:
    body, translated = translate("responses", "chat", CODEX)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["exec_command", "agents__spawn"]
    assert translated.adjusted == ("web_search",)
    assert translated.context.names == {"agents__spawn": ("spawn", "agents")}
    assert translated.context.wants_envelope
    turn = body["messages"][3]
    assert turn["tool_calls"][0]["function"] == {"name": "agents__spawn", "arguments": '{"n": 1}'}
    assert turn["reasoning_content"] == "hm"
    assert body["messages"][4] == {"role": "tool", "tool_call_id": "c1", "content": "ok"}
    assert body["prompt_cache_key"] == "s1"
    assert not {"client_metadata", "include", "store", "reasoning"} & body.keys()


@pytest.mark.case("gateway TR-08")
def test_developer_items_become_system_blocks_in_order(translate: Translate) -> None:
    body, _ = translate("responses", "messages", CODEX | {"instructions": "first"})
    assert [block["text"] for block in body["system"]] == ["first", "rules", "a", "b"]
    assert body["messages"][0]["role"] == "user"


def test_later_system_texts_stay_developer_items(translate: Translate) -> None:
    turns = [
        {"role": "system", "content": "one"},
        {"role": "system", "content": "two"},
        {"role": "user", "content": "x"},
    ]
    body, _ = translate("chat", "responses", {"messages": turns})
    assert body["instructions"] == "one"
    assert [(item["role"], item["content"]) for item in body["input"]] == [("developer", "two"), ("user", "x")]


def test_several_system_blocks_join_where_there_is_one_place(translate: Translate) -> None:
    system = [{"type": "text", "text": "one", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "two"}]
    asked = {"system": system, "messages": [{"role": "user", "content": "x"}]}
    body, _ = translate("messages", "chat", asked)
    assert body["messages"][0] == {"role": "system", "content": "one\n\ntwo"}
    kept, _ = translate("messages", "messages", asked)
    assert kept["system"] == system


@pytest.mark.case("gateway TR-09")
def test_arguments_keep_their_text_and_their_key_order(translate: Translate) -> None:
    arguments = '{"b": 1.10, "a": 1e3, "z": {"y": "\\u00e9\\n", "x": 0.30000000000000004}, "n": 12345678901234567890}'
    asked = {"messages": conversation(call("Bash:0", arguments=arguments))}
    same, _ = translate("chat", "chat", asked)
    assert same["messages"][2]["tool_calls"][0]["function"]["arguments"] == arguments
    _, there = translate("chat", "messages", asked)
    assert f'"input":{arguments}'.encode() in there.body
    back, _ = translate("messages", "chat", json.loads(there.body))
    assert list(json.loads(back["messages"][2]["tool_calls"][0]["function"]["arguments"])) == ["b", "a", "z", "n"]


def test_a_call_of_any_dialect_keeps_its_exact_arguments_through_messages() -> None:
    from perilune.dialects.form import Dialect
    from perilune.dialects.target import Target
    from perilune.dialects.translate import translate_request

    arguments = '{"b": 1.10, "a": "\\u00e9"}'
    body = json.dumps({"messages": conversation(call("Bash:0", arguments=arguments))}).encode()
    there = translate_request(Dialect.CHAT, Target(dialect=Dialect.MESSAGES), body).body
    back = translate_request(Dialect.MESSAGES, Target(dialect=Dialect.CHAT), there).body
    assert json.loads(back)["messages"][2]["tool_calls"][0]["function"]["arguments"] == arguments


@pytest.mark.parametrize(
    ("arguments", "sent"), [("", {}), ("[1]", {"arguments": "[1]"}), ('{"a":', {"arguments": '{"a":'})]
)
def test_arguments_that_are_no_object_still_leave(translate: Translate, arguments: str, sent: object) -> None:
    body, _ = translate("chat", "messages", {"messages": conversation(call("Bash:0", arguments=arguments))})
    assert body["messages"][1]["content"][1]["input"] == sent


@pytest.mark.case("gateway TR-12")
def test_a_missing_limit_becomes_the_models_own(translate: Translate) -> None:
    body, _ = translate("chat", "messages", {"messages": conversation()}, max_output_default=32768)
    assert body["max_tokens"] == 32768
    body, _ = translate("chat", "messages", {"messages": conversation(), "max_tokens": 0})
    assert body["max_tokens"] == 1
    body, _ = translate("messages", "chat", {"messages": [], "max_tokens": 77})
    assert body["max_completion_tokens"] == 77


def test_a_result_without_its_call_becomes_text_that_names_it(translate: Translate) -> None:
    asked = {
        "messages": [{"role": "user", "content": "a"}, {"role": "tool", "tool_call_id": "Gone:7", "content": "out"}]
    }
    for target in ("messages", "responses"):
        body, _ = translate("chat", target, asked)
        text = json.dumps(body)
        assert "Gone:7" in text
        assert "out" in text
        assert "tool_result" not in text
        assert "function_call_output" not in text


@pytest.mark.case("gateway TR-18")
def test_one_call_at_a_time_is_said_the_messages_way(translate: Translate) -> None:
    asked = {"messages": conversation(), "tools": TOOLS, "parallel_tool_calls": False}
    body, _ = translate("chat", "messages", asked)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    back, _ = translate("messages", "chat", body)
    assert back["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("chat", "messages", "responses"),
    [
        ("auto", {"type": "auto"}, "auto"),
        ("none", {"type": "none"}, "none"),
        ("required", {"type": "any"}, "required"),
        (
            {"type": "function", "function": {"name": "Bash"}},
            {"type": "tool", "name": "Bash"},
            {"type": "function", "name": "Bash"},
        ),
    ],
)
def test_tool_choice_in_all_dialects(translate: Translate, chat: Any, messages: Any, responses: Any) -> None:
    asked = {"messages": conversation(), "tools": TOOLS, "tool_choice": chat}
    there, _ = translate("chat", "messages", asked)
    assert there["tool_choice"] == messages
    across, _ = translate("messages", "responses", there)
    assert across["tool_choice"] == responses
    back, _ = translate("responses", "chat", across)
    assert back["tool_choice"] == chat


def test_consecutive_turns_alternate_in_messages(translate: Translate) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": ""}]
    body, translated = translate("chat", "messages", {"messages": [*turns, {"role": "user", "content": "c"}]})
    assert [turn["role"] for turn in body["messages"]] == ["user"]
    assert [block["text"] for block in body["messages"][0]["content"]] == ["a", "b", "c"]
    assert translated.adjusted == ("messages[2]",)


@pytest.mark.parametrize(("source", "target"), [("chat", "messages"), ("chat", "responses")])
def test_several_answers_at_once_are_refused(translate: Translate, source: str, target: str) -> None:
    body, _ = translate(source, target, {"messages": conversation(), "n": 1})
    assert "n" not in body
    with pytest.raises(RequestError) as caught:
        translate(source, target, {"messages": conversation(), "n": 2})
    assert caught.value.problem.variant == "many"


def test_what_the_other_side_cannot_be_told_is_dropped_and_reported(translate: Translate) -> None:
    asked = {
        "messages": conversation(),
        "logprobs": True,
        "seed": 1,
        "service_tier": "auto",
        "temperature": 0.5,
        "presence_penalty": 1,
        "stop": "END",
        "store": True,
        "user": "u1",
    }
    body, translated = translate("chat", "messages", asked)
    assert set(translated.adjusted) == {"logprobs", "seed", "service_tier", "presence_penalty"}
    assert body["temperature"] == 0.5
    assert body["stop_sequences"] == ["END"]
    assert body["metadata"] == {"user_id": "u1"}
    assert not {"logprobs", "seed", "store", "user", "presence_penalty"} & body.keys()
    _, translated = translate("chat", "responses", asked)
    assert "stop" in translated.adjusted


def test_the_end_user_is_told_in_every_dialect(translate: Translate) -> None:
    asked = {"messages": [{"role": "user", "content": "x"}], "metadata": {"user_id": "u1"}}
    assert translate("messages", "chat", asked)[0]["safety_identifier"] == "u1"
    assert translate("messages", "responses", asked)[0]["safety_identifier"] == "u1"
    both = {"messages": conversation(), "user": "old", "safety_identifier": "new"}
    assert translate("chat", "messages", both)[0]["metadata"] == {"user_id": "new"}


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("chat", {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AA"}}),
        ("chat", {"type": "file", "file": {"file_id": "f"}}),
        ("messages", {"type": "document", "source": {"type": "text", "data": "x"}}),
        ("responses", {"type": "input_file", "file_id": "f"}),
    ],
)
def test_files_and_videos_are_refused_in_translation_and_kept_otherwise(
    translate: Translate, source: str, part: dict[str, Any]
) -> None:
    field = "input" if source == "responses" else "messages"
    asked = {field: [{"role": "user", "content": "a"}, {"role": "user", "content": [part]}]}
    for target in {"chat", "messages", "responses"} - {source}:
        with pytest.raises(RequestError) as caught:
            translate(source, target, asked)
        problem = caught.value.problem
        assert (problem.code, problem.facts["kind"], problem.facts["index"]) == ("PL-UNSUPPORTED", part["type"], 1)
    assert translate(source, source, asked)[0][field][1]["content"] == [part]


def test_the_beginning_of_an_answer_is_continued_or_refused(translate: Translate) -> None:
    asked = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "{"}]}
    assert translate("messages", "chat", asked, takes_partial=True)[0]["messages"][-1]["partial"] is True
    assert "partial" not in translate("messages", "chat", asked)[0]["messages"][-1]
    with pytest.raises(RequestError) as caught:
        translate("messages", "responses", asked)
    assert caught.value.problem.variant == "prefill"


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_a_stored_response_cannot_be_continued(translate: Translate, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        translate("responses", "messages", {"input": "x", field: "resp_1"})
    assert (caught.value.problem.code, caught.value.problem.variant) == ("PL-UNSUPPORTED", "stored")
    translate("responses", "messages", {"input": "x", field: None})


def test_more_tools_than_the_upstream_takes_are_refused(translate: Translate) -> None:
    tools = [{"type": "function", "function": {"name": f"tool_{n}"}} for n in range(129)]
    with pytest.raises(RequestError) as caught:
        translate("chat", "messages", {"messages": conversation(), "tools": tools}, max_tools=128)
    assert caught.value.problem.facts == {"count": 129, "limit": 128}


def test_the_usage_chunk_is_always_asked_for_upstream(translate: Translate) -> None:
    body, translated = translate("messages", "chat", {"messages": [], "stream": True})
    assert body["stream_options"] == {"include_usage": True}
    assert translated.context.include_usage is False
    assert "stream_options" not in translate("messages", "chat", {"messages": []})[0]


def test_the_slots_own_fields_are_set_last(translate: Translate) -> None:
    asked = {"model": "kimi-for-coding", "messages": conversation(), "reasoning_effort": "high"}
    fields = {"thinking": {"type": "enabled"}, "output_config": {"effort": "high"}}
    body, _ = translate("chat", "messages", asked, model="k3", fields=fields)
    assert body["model"] == "k3"
    assert body["thinking"] == {"type": "enabled"}
    assert body["output_config"] == {"effort": "high"}
    assert "reasoning_effort" not in body


@pytest.mark.parametrize(
    "body",
    [b'{"messages":[{"role":"user","content":5}]}', b'{"messages":{}}', b'{"messages":[{"content":"x"}]}', b"[]"],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    from perilune.dialects.form import Dialect
    from perilune.dialects.translate import parse_request

    with pytest.raises(RequestError) as caught:
        parse_request(Dialect.CHAT, body)
    assert caught.value.problem.code == "PL-BODY-INVALID"


def test_marks_for_a_cache_are_for_messages_alone(translate: Translate) -> None:
    marked = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    tool = {"name": "Bash", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}
    asked = {"system": [marked], "messages": [{"role": "user", "content": [marked]}], "tools": [tool]}
    for target in ("chat", "responses"):
        assert "cache_control" not in json.dumps(translate("messages", target, asked)[0])
    assert json.dumps(translate("messages", "messages", asked)[0]).count("cache_control") == 3
    assert translate("messages", "chat", asked)[0]["messages"][1] == {"role": "user", "content": "a"}


def test_a_field_of_the_slot_can_also_be_taken_out(translate: Translate) -> None:
    fields = {"temperature": REMOVE, "reasoning_effort": "high", "unheard_of": REMOVE}
    asked = {"messages": [{"role": "user", "content": "x"}], "temperature": 0.5, "thinking": {"type": "enabled"}}
    body, _ = translate("messages", "chat", asked, fields=fields)
    assert "temperature" not in body
    assert body["reasoning_effort"] == "high"


def test_several_calls_at_once_are_the_default_of_messages(translate: Translate) -> None:
    asked = {"messages": conversation(), "tools": TOOLS, "parallel_tool_calls": True}
    assert "tool_choice" not in translate("chat", "messages", asked)[0]
