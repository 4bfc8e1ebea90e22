"""What a request asks for that not every upstream takes: pictures by address, stray results, forced tools, schemas."""

import json
from typing import Any

import pytest

from .conftest import Build, House, route

LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
OTHER = {"type": "function", "function": {"name": "other", "parameters": {"type": "object", "properties": {}}}}
NAMED = {"type": "function", "function": {"name": "look"}}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {"colour": {"type": "string"}}}},
}


def recording(build: Build, config: str) -> House:
    house = build(config)
    house.world.records_bodies = True
    return house


def last(house: House) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(house.seen()[-1].body)
    return body


def picture(dialect: str, address: str) -> dict[str, Any]:
    text = {"role": "user", "content": "look"}
    match dialect:
        case "chat":
            part: dict[str, Any] = {"type": "image_url", "image_url": {"url": address}}
        case "messages":
            part = {"type": "image", "source": {"type": "url", "url": address}}
        case _:
            part = {"type": "input_image", "image_url": address}
    return {"input" if dialect == "responses" else "messages": [text, {"role": "user", "content": [part]}]}


@pytest.mark.case("gateway TR-06")
@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_picture_by_address_is_refused_with_its_place_and_never_fetched(
    build: Build, dialect: str, stream: bool
) -> None:
    house = build(route("ci/kimi-k2.6"))
    answer = await house.client.ask(dialect, stream=stream, **picture(dialect, "https://pictures.example/cat.png"))
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (400, "PL-UNSUPPORTED")
    assert "1" in error["message"]
    assert house.world.requests() == []


@pytest.mark.case("gateway TR-14")
@pytest.mark.parametrize("slot", ["ci/kimi-k2.6", "work/kimi-for-coding"])
async def test_a_result_without_its_call_becomes_text_that_names_it(build: Build, slot: str) -> None:
    house = recording(build, route(slot))
    result = {"type": "tool_result", "tool_use_id": "toolu_77", "content": "forty-two"}
    stray = {"role": "tool", "tool_call_id": "toolu_77", "content": "forty-two"}
    if slot.startswith("work"):
        answer = await house.client.chat(messages=[{"role": "user", "content": "go"}, stray])
    else:
        house = recording(build, route(f"{slot}|surface = 'chat'"))
        messages = [{"role": "user", "content": [result, {"type": "text", "text": "and?"}]}]
        answer = await house.client.messages(messages=messages)
    assert answer.status == 200, answer.body
    told = json.dumps(last(house)["messages"])
    assert "toolu_77" in told
    assert "forty-two" in told
    assert '"tool_use_id"' not in told
    assert '"tool_call_id"' not in told


@pytest.mark.parametrize(("front", "slot"), [("chat", "ci"), ("messages", "ci"), ("responses", "ci")])
@pytest.mark.parametrize("choice", ["named", "required"])
async def test_a_model_that_must_think_is_asked_for_the_tool_in_words(
    build: Build, front: str, slot: str, choice: str
) -> None:
    house = recording(build, route(f"{slot}/kimi-k2.7-code"))
    answer = await house.client.ask(front, stream=False, **forced(front, choice))
    assert answer.status == 200, answer.body
    assert "tool_choice" in answer.adjusted
    body = last(house)
    assert body["tool_choice"] in ("auto", {"type": "auto"})
    told = json.dumps(body)
    assert ("function look" in told) if choice == "named" else ("one of the functions" in told)
    assert len(body["tools"]) == 2


def forced(front: str, choice: str) -> dict[str, Any]:
    if front == "chat":
        return {"tools": [LOOK, OTHER], "tool_choice": NAMED if choice == "named" else "required"}
    if front == "messages":
        tools = [{"name": name, "input_schema": {"type": "object"}} for name in ("look", "other")]
        word = {"type": "tool", "name": "look"} if choice == "named" else {"type": "any"}
        return {"tools": tools, "tool_choice": word, "system": "Be brief."}
    flat = [{"type": "function", "name": name, "parameters": {"type": "object"}} for name in ("look", "other")]
    return {"tools": flat, "tool_choice": {"type": "function", "name": "look"} if choice == "named" else "required"}


@pytest.mark.parametrize("front", ["chat", "messages", "responses"])
async def test_where_a_call_may_be_demanded_a_named_one_is_the_only_one_offered(build: Build, front: str) -> None:
    house = recording(build, route("ci/kimi-k3"))
    answer = await house.client.ask(front, stream=False, **forced(front, "named"))
    assert answer.status == 200, answer.body
    body = last(house)
    assert body["tool_choice"] in ("required", {"type": "any"})
    assert [(tool.get("function") or tool)["name"] for tool in body["tools"]] == ["look"]
    assert "tool_choice" in answer.adjusted
    again = await house.client.ask(front, stream=False, **forced(front, "required"))
    assert "tool_choice" not in again.adjusted
    assert len(last(house)["tools"]) == 2


@pytest.mark.case("gateway PA-13")
@pytest.mark.case("review R16.6")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_schema_goes_down_the_ladder_and_is_remembered(build: Build, stream: bool) -> None:
    house = recording(build, route("ci/kimi-k2.6"))
    house.world.behave(no_json_schema=["kimi-k2.6"])
    answer = await house.client.chat(response_format=SCHEMA, stream=stream)
    assert (answer.status, answer.attempts) == (200, 2)
    assert "response_format" in answer.adjusted
    body = last(house)
    assert body["response_format"] == {"type": "json_object"}
    told = json.dumps(body["messages"])
    assert "json" in told
    assert "colour" in told

    again = await house.client.chat(response_format=SCHEMA, stream=stream)
    assert (again.status, again.attempts) == (200, 1)
    assert last(house)["response_format"] == {"type": "json_object"}
