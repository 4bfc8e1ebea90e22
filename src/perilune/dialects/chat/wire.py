"""The shapes of Chat bodies. Source: platform docs api/chat; OpenAI reference, chat completions."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

NOTHING = Raw(b"")


class WireFunction(Struct, gc=False):
    name: str | None = None
    arguments: Raw = NOTHING
    description: str | None = None
    parameters: Raw = NOTHING
    strict: bool | None = None


class WireCall(Struct, gc=False):
    id: str | None = None
    type: str | None = None
    function: WireFunction | None = None
    index: int | None = None


class WireMessage(Struct):
    role: str
    content: str | list[Raw] | None = None
    tool_calls: list[WireCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: Any = None
    refusal: str | None = None
    name: str | None = None
    partial: bool | None = None


class WireImage(Struct, gc=False):
    url: str = ""
    detail: str | None = None


class WirePart(Struct, gc=False):
    type: str = ""
    text: str | None = None
    image_url: str | WireImage | None = None
    cache_control: Raw = NOTHING


class WireTool(Struct, gc=False):
    type: str = "function"
    function: WireFunction | None = None


class WireSchema(Struct, gc=False):
    name: str = ""
    schema: Raw = NOTHING
    strict: bool | None = None
    description: str | None = None


class WireFormat(Struct, gc=False):
    type: str = "text"
    json_schema: WireSchema | None = None


class WireChoice(Struct, gc=False):
    message: WireMessage | None = None
    finish_reason: str | None = None
    usage: Any = None


class WireAnswer(Struct, gc=False):
    id: str = ""
    model: str = ""
    created: int | float = 0
    choices: list[WireChoice] = []
    usage: Any = None


decode_messages = msgspec.json.Decoder(list[WireMessage]).decode
decode_part = msgspec.json.Decoder(WirePart).decode
decode_tool = msgspec.json.Decoder(WireTool).decode
decode_format = msgspec.json.Decoder(WireFormat | None).decode
decode_answer = msgspec.json.Decoder(WireAnswer).decode


def arguments_text(raw: Raw) -> str:
    """Arguments as text: a JSON string's content, or the JSON itself when a client sent an object."""
    exact = bytes(raw)
    if not exact or exact == b"null":
        return ""
    try:
        return _decode_text(exact) if exact[:1] == b'"' else exact.decode()
    except UnicodeDecodeError:
        return exact.decode(errors="replace").strip('"')


_decode_text = msgspec.json.Decoder(str).decode
