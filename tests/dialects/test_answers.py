"""Whole answers and what of a request's names has to come back in them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from perilune.core.errors import AnswerError, RequestError
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.dialects.pass_through import pass_through
from perilune.dialects.stream import StreamTranslator, answer_to_stream, collect
from perilune.dialects.target import Context, Frame, Target
from perilune.dialects.translate import parse_answer, translate_answer

Translate = Callable[..., Any]
MakeContext = Callable[..., Context]
PATTERN = "^[a-zA-Z_][a-zA-Z0-9-_]{2,63}$"


def chat_answer(*calls: tuple[str, str, str], text: str = "", finish: str = "tool_calls") -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return json.dumps({"id": "c1", "created": 5, "model": "kimi-k2.6", "choices": [choice]}).encode()


@pytest.mark.case("gateway TR-07")
@pytest.mark.parametrize("streamed", [False, True])
def test_a_flattened_tool_comes_back_in_its_namespace(streamed: bool, translate: Translate, frame: Frame) -> None:
    tools = [
        {"type": "function", "name": "exec_command", "parameters": {"type": "object"}},
        {"type": "namespace", "name": "agents", "description": "", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "web_search"},
    ]
    body, translated = translate("responses", "chat", {"input": "go", "tools": tools})
    assert [tool["function"]["name"] for tool in body["tools"]] == ["exec_command", "agents__spawn"]
    assert "web_search" in translated.adjusted
    answer = chat_answer(("spawn:0", "agents__spawn", '{"n": 1}'), ("exec_command:1", "exec_command", "{}"))
    if streamed:
        wire = answer_to_stream(translated.context, answer, frame)
        items = json.loads(wire.rpartition(b"data: ")[2])["response"]["output"]
    else:
        items = json.loads(translate_answer(translated.context, answer, frame))["output"]
    assert [(item["name"], item.get("namespace"), item["call_id"]) for item in items] == [
        ("spawn", "agents", "spawn:0"),
        ("exec_command", None, "exec_command:1"),
    ]
    assert items[0]["arguments"] == '{"n": 1}'


@pytest.mark.parametrize("client", ["chat", "messages", "responses"])
@pytest.mark.parametrize("upstream", ["chat", "messages", "responses"])
def test_renamed_functions_come_back_under_the_clients_names(
    client: str, upstream: str, translate: Translate, frame: Frame
) -> None:
    names = ("ls", "a.b", "Bash")
    tools = {
        "chat": [{"type": "function", "function": {"name": name}} for name in names],
        "messages": [{"name": name, "input_schema": {"type": "object"}} for name in names],
        "responses": [{"type": "function", "name": name} for name in names],
    }
    asked = {
        "input" if client == "responses" else "messages": [{"role": "user", "content": "go"}],
        "tools": tools[client],
    }
    body, translated = translate(client, upstream, asked, function_name=PATTERN)
    sent = [tool.get("name") or tool["function"]["name"] for tool in body["tools"]]
    assert sent == ["ls_", "a_b", "Bash"]
    assert "tool_names" in translated.adjusted
    whole = Context(client=Dialect.CHAT, upstream=Dialect.CHAT)
    wire = chat_answer(*((f"x:{n}", name, "{}") for n, name in enumerate(sent)))
    if upstream != "chat":
        wire = translate_answer(Context(client=Dialect(upstream), upstream=Dialect.CHAT), wire, frame)
    answer = parse_answer(Dialect(client), translate_answer(translated.context, wire, frame))
    assert [getattr(part, "name", None) for part in answer.parts] == list(names)
    stream = answer_to_stream(Context(client=Dialect(upstream), upstream=whole.upstream), chat_answer(
        *((f"x:{n}", name, "{}") for n, name in enumerate(sent))), frame)  # fmt: skip
    translator = StreamTranslator(translated.context, frame)
    out = translator.feed(stream) + translator.end()
    assert [getattr(part, "name", None) for part in collect(Dialect(client), [out]).answer().parts] == list(names)


def test_names_that_do_not_fit_make_a_passed_body_be_rewritten() -> None:
    asked = {
        "model": "kimi-k2.6",
        "messages": [{"role": "user", "content": "go"}],
        "tools": [{"type": "function", "function": {"name": "ls"}}],
        "tool_choice": {"type": "function", "function": {"name": "ls"}},
        "own_field": {"kept": 1.0},
    }
    target = Target(dialect=Dialect.CHAT, function_name=PATTERN)
    done = pass_through(Dialect.CHAT, Body(json.dumps(asked).encode()), target)
    sent = json.loads(done.body)
    assert sent["tools"][0]["function"]["name"] == sent["tool_choice"]["function"]["name"] == "ls_"
    assert sent["own_field"] == {"kept": 1.0}
    assert done.context is not None
    fine = json.dumps(asked | {"tools": [], "tool_choice": "auto"}).encode()
    assert pass_through(Dialect.CHAT, Body(fine), target).body == fine


def test_a_passed_body_is_refused_for_what_its_upstream_never_takes() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    body = Body(json.dumps({"messages": [{"role": "user", "content": [image]}]}).encode())
    with pytest.raises(RequestError) as caught:
        pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT, takes_image_urls=False))
    assert caught.value.problem.facts == {"index": 0}
    assert pass_through(Dialect.CHAT, body, Target(dialect=Dialect.CHAT)).body is body.bytes


def test_a_passed_responses_body_is_stateless() -> None:
    target = Target(dialect=Dialect.RESPONSES)
    assert pass_through(Dialect.RESPONSES, Body(b'{"input":"x"}'), target).body == b'{"input":"x","store":false}'
    assert pass_through(Dialect.RESPONSES, Body(b'{"store":true}'), target).body == b'{"store":false}'
    assert pass_through(Dialect.RESPONSES, Body(b'{ "store":false}'), target).body == b'{ "store":false}'
    for field in ("previous_response_id", "conversation"):
        with pytest.raises(RequestError) as caught:
            pass_through(Dialect.RESPONSES, Body(json.dumps({"input": "x", field: "resp_1"}).encode()), target)
        assert caught.value.problem.facts == {"field": field}


def test_the_slots_fields_are_spliced_into_a_passed_body() -> None:
    body = Body(b'{ "model":"kimi-for-coding", "messages":[ ] , "temperature":0}')
    target = Target(dialect=Dialect.CHAT, model="k3", fields={"reasoning_effort": "high"})
    done = pass_through(Dialect.CHAT, body, target)
    assert done.body == b'{ "model":"k3", "messages":[ ] , "temperature":0,"reasoning_effort":"high"}'


def test_an_id_that_the_conversation_has_used_gets_a_number(translate: Translate, frame: Frame) -> None:
    use = {"type": "tool_use", "id": "Bash_0", "name": "Bash", "input": {}}
    turns = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "Bash_0", "content": "x"}]},
    ]
    _, translated = translate("messages", "chat", {"messages": turns})
    answer = chat_answer(("Bash:0", "Bash", "{}"), ("Bash:1", "Bash", "{}"))
    content = json.loads(translate_answer(translated.context, answer, frame))["content"]
    assert [block["id"] for block in content] == ["Bash_0_2", "Bash_1"]


SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_schema_becomes_a_forced_tool_whose_input_is_the_answer(
    streamed: bool, translate: Translate, frame: Frame
) -> None:
    asked = {"messages": [{"role": "user", "content": "go"}], "response_format": FORMAT}
    body, translated = translate("chat", "messages", asked, structured="tool")
    assert body["tools"][0]["input_schema"] == SCHEMA
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}
    assert translated.adjusted == ("response_format",)
    use = {"type": "tool_use", "id": "t1", "name": body["tools"][0]["name"], "input": {"a": 1.0}}
    answer = json.dumps({"id": "m", "model": "k", "content": [use], "stop_reason": "tool_use"}).encode()
    if streamed:
        wire = answer_to_stream(translated.context, answer, frame)
        said = json.loads(translate_answer(Context(client=Dialect.CHAT, upstream=Dialect.CHAT), chat_answer(), frame))
        collected = collect(Dialect.CHAT, [wire]).answer()
        text, stop = "".join(getattr(part, "text", "?") for part in collected.parts), collected.stop_text
        assert said["choices"]
    else:
        choice = json.loads(translate_answer(translated.context, answer, frame))["choices"][0]
        text, stop = choice["message"]["content"], choice["finish_reason"]
    assert json.loads(text) == {"a": 1.0}
    assert stop == "stop"


def test_a_schema_beside_tools_or_thinking_becomes_a_system_text(translate: Translate, frame: Frame) -> None:
    asked = {
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "go"}],
        "response_format": FORMAT,
        "tools": [{"type": "function", "function": {"name": "Bash"}}],
    }
    body, translated = translate("chat", "messages", asked, structured="tool")
    last = body["system"][-1]["text"]
    assert "json" in last
    assert json.dumps(SCHEMA) in last
    answer = {"id": "m", "content": [{"type": "text", "text": '```json\n{"a": 1}\n```'}], "stop_reason": "end_turn"}
    done = json.loads(translate_answer(translated.context, json.dumps(answer).encode(), frame))
    assert done["choices"][0]["message"]["content"] == '{"a": 1}'


def test_the_ladder_of_a_chat_upstream(translate: Translate) -> None:
    asked = {
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "go"}],
        "response_format": FORMAT,
    }
    assert translate("chat", "chat", asked)[0]["response_format"] == FORMAT
    body, _ = translate("chat", "chat", asked, structured="json_object")
    assert body["response_format"] == {"type": "json_object"}
    assert "json" in body["messages"][1]["content"]
    assert [turn["role"] for turn in body["messages"]] == ["system", "system", "user"]
    body, translated = translate("chat", "chat", asked, structured="prompt")
    assert "response_format" not in body
    assert translated.context.strips_fences


def test_formats_are_said_natively_where_they_can_be(translate: Translate) -> None:
    asked = {"messages": [{"role": "user", "content": "go"}], "response_format": FORMAT}
    messages, _ = translate("chat", "messages", asked)
    assert messages["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    responses, _ = translate("messages", "responses", messages)
    assert responses["text"]["format"]["schema"] == SCHEMA
    chat, _ = translate("responses", "chat", responses)
    assert chat["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b'{"content":5}']
)
def test_what_is_no_answer_is_said_to_be_none(dialect: Dialect, body: bytes) -> None:
    with pytest.raises(AnswerError) as caught:
        parse_answer(dialect, body)
    assert caught.value.problem.code == "PL-PARSE"


def test_the_model_of_the_answer_is_what_the_upstream_said(context: MakeContext, frame: Frame) -> None:
    for client in Dialect:
        done = json.loads(translate_answer(context("chat", client), chat_answer(text="x", finish="stop"), frame))
        assert done["model"] == "kimi-k2.6"
        assert done["id"] == frame.id


@pytest.mark.parametrize("dialect", ["messages", "responses"])
def test_a_refused_format_leaves_its_own_dialects_body(dialect: str, translate: Translate) -> None:
    native = {
        "messages": {
            "messages": [{"role": "user", "content": "go"}],
            "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
        },
        "responses": {"input": "go", "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
    }[dialect]
    body, _ = translate(dialect, dialect, native, structured="prompt")
    assert "text" not in body
    assert body.get("output_config") in (None, {"effort": "high"})
    assert json.dumps(SCHEMA, separators=(",", ":")) in json.dumps(body).replace("\\", "")
