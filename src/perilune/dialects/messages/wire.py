"""The shapes of Messages bodies. Source: platform docs api/messages; Anthropic API reference, messages."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.fields import checked
from perilune.dialects.form import Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult

NOTHING = Raw(b"")


class WireSource(Struct, gc=False):
    type: str = ""
    media_type: str = ""
    data: str = ""
    url: str = ""


class WireBlock(Struct):
    type: str = ""
    text: str | None = None
    source: WireSource | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = NOTHING
    tool_use_id: str | None = None
    content: Raw = NOTHING
    is_error: bool | None = None
    cache_control: Raw = NOTHING


class WireTurn(Struct):
    role: str
    content: str | list[Raw] | None = None


class WireTool(Struct, gc=False):
    type: str | None = None
    name: str = ""
    description: str | None = None
    input_schema: Raw = NOTHING
    strict: bool | None = None
    cache_control: Raw = NOTHING


class WireAnswer(Struct):
    id: str = ""
    model: str = ""
    content: list[Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Any = None
    type: str = ""


decode_turns = msgspec.json.Decoder(list[WireTurn]).decode
decode_block = msgspec.json.Decoder(WireBlock).decode
decode_tool = msgspec.json.Decoder(WireTool).decode
decode_content = msgspec.json.Decoder(str | list[Raw] | None).decode
decode_answer = msgspec.json.Decoder(WireAnswer).decode


def read_block(raw: Raw | bytes, where: str) -> Part:
    """One content block as a part; a kind that only Messages knows stays opaque.

    Raises: RequestError PL-BODY-INVALID naming `where`.
    """
    block = checked(decode_block, raw, where)
    marks = bytes(block.cache_control)
    match block.type:
        case "text" if block.text is not None:
            return Text(block.text, marks)
        case "thinking":
            return Reasoning(block.thinking or "", block.signature)
        case "redacted_thinking":
            return Reasoning("", None, redacted=block.data or "")
        case "tool_use":
            return ToolCall(block.id or "", block.name or "", bytes(block.input).decode(), marks=marks)
        case "tool_result":
            return _result(block, where, marks)
        case "image" if block.source is not None and block.source.type in ("base64", "url"):
            source = block.source
            return Image(source.media_type, source.data, source.url, marks=marks)
        case _:
            return Opaque(block.type, bytes(raw))


def _result(block: WireBlock, where: str, marks: bytes) -> ToolResult:
    content = checked(decode_content, block.content, where) if block.content else None
    if isinstance(content, list):
        parts = tuple(read_block(raw, where) for raw in content)
    else:
        parts = (Text(content),) if content else ()
    is_text = not isinstance(content, list)
    return ToolResult(block.tool_use_id or "", parts, block.is_error is True, is_text, marks)
