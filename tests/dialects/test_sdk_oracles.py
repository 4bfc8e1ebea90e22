"""The vendors' own libraries read what is printed here."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from perilune.dialects.form import Dialect
from perilune.dialects.sse import SseEvent, SseParser
from perilune.dialects.stream import answer_to_stream, collect, stream_to_answer
from perilune.dialects.target import Context, Frame

MakeContext = Callable[..., Context]
CHAT_CHUNK = TypeAdapter(ChatCompletionChunk)
MESSAGES_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
RESPONSES_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SAMPLES = ["dev-chat-stream-ok", "dev-chat-stream-toolcall"]


def answered(client: str, name: str, stream_of: Callable[[str], bytes], context: MakeContext, frame: Frame) -> bytes:
    whole = context("chat", client, wants_envelope=True)
    return stream_to_answer(whole, collect(Dialect.CHAT, [stream_of(name)]), frame)


def streamed(
    client: str, name: str, stream_of: Callable[[str], bytes], context: MakeContext, frame: Frame
) -> list[SseEvent]:
    body = answered("chat", name, stream_of, context, frame)
    whole = context("chat", client, include_usage=True, wants_envelope=True)
    return SseParser().feed(answer_to_stream(whole, body, frame))


@pytest.mark.parametrize("name", SAMPLES)
def test_openai_reads_chat(name: str, stream_of: Callable[[str], bytes], context: MakeContext, frame: Frame) -> None:
    said = ChatCompletion.model_validate_json(answered("chat", name, stream_of, context, frame))
    assert said.choices[0].finish_reason in ("stop", "tool_calls")
    assert said.usage is not None
    *chunks, last = streamed("chat", name, stream_of, context, frame)
    assert last.data == b"[DONE]"
    read = [CHAT_CHUNK.validate_json(chunk.data) for chunk in chunks]
    assert read[-1].usage is not None
    assert read[0].choices[0].delta.role == "assistant"


@pytest.mark.parametrize("name", SAMPLES)
def test_anthropic_reads_messages(
    name: str, stream_of: Callable[[str], bytes], context: MakeContext, frame: Frame
) -> None:
    said = AnthropicMessage.model_validate_json(answered("messages", name, stream_of, context, frame))
    assert said.stop_reason in ("end_turn", "tool_use")
    assert said.content[0].type == "thinking"
    events = streamed("messages", name, stream_of, context, frame)
    for event in events:
        assert MESSAGES_EVENT.validate_json(event.data).type == event.name.decode()


@pytest.mark.parametrize("name", SAMPLES)
def test_openai_reads_responses(
    name: str, stream_of: Callable[[str], bytes], context: MakeContext, frame: Frame
) -> None:
    said = Response.model_validate_json(answered("responses", name, stream_of, context, frame))
    assert said.status == "completed"
    assert said.output[0].type == "reasoning"
    if name == "dev-chat-stream-ok":
        assert said.output_text == "pong"
    for event in streamed("responses", name, stream_of, context, frame):
        assert RESPONSES_EVENT.validate_json(event.data).type == event.name.decode()
        assert json.loads(event.data)["type"] == event.name.decode()
