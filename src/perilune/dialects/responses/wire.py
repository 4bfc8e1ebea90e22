"""The shapes of Responses bodies. Source: platform docs api/responses; OpenAI reference, responses."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.fields import checked, encode
from perilune.dialects.form import Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from perilune.dialects.images import image_from_url

NOTHING = Raw(b"")


class WireText(Struct, gc=False):
    text: str = ""


class WireItem(Struct):
    type: str = ""
    role: str = ""
    id: str | None = None
    content: Raw = NOTHING
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | None = None
    input: Any = None
    output: Raw = NOTHING
    summary: list[WireText] | None = None
    encrypted_content: str | None = None


class WirePart(Struct, gc=False):
    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class WireTool(Struct, gc=False):
    type: str = ""
    name: str = ""
    description: str | None = None
    parameters: Raw = NOTHING
    strict: bool | None = None
    tools: list["WireTool"] | None = None


class WireIncomplete(Struct, gc=False):
    reason: str | None = None


class WireAnswer(Struct):
    id: str = ""
    model: str = ""
    created_at: int | float = 0
    status: str | None = None
    output: list[Raw] | None = None
    incomplete_details: WireIncomplete | None = None
    error: Raw = NOTHING
    usage: Any = None


decode_input = msgspec.json.Decoder(str | list[Raw] | None).decode
decode_item = msgspec.json.Decoder(WireItem).decode
decode_part = msgspec.json.Decoder(WirePart).decode
decode_tool = msgspec.json.Decoder(WireTool).decode
decode_answer = msgspec.json.Decoder(WireAnswer).decode
_decode_texts = msgspec.json.Decoder(list[WireText] | None).decode

_TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")


def read_content(raw: Raw | bytes, where: str) -> tuple[tuple[Part, ...], bool]:
    """Content as parts, and whether it was a bare string."""
    content = checked(decode_input, raw, where) if raw else None
    if not isinstance(content, list):
        return ((Text(content),) if content else ()), True
    return tuple(_part(part, where) for part in content), False


def read_reasoning(item: WireItem) -> Reasoning:
    """A reasoning item: its summary, else its full text."""
    texts = item.summary or (checked(_decode_texts, item.content, "reasoning") if item.content else None) or []
    text = "\n\n".join(part.text for part in texts)
    return Reasoning(text, envelope=item.encrypted_content or "", item_id=item.id or "")


def read_call(item: WireItem) -> ToolCall:
    """A function call, or a custom one with its free text as the argument `input`."""
    arguments = item.arguments or ""
    if item.type == "custom_tool_call":
        arguments = encode({"input": item.input or ""}).decode()
    return ToolCall(item.call_id or item.id or "", item.name or "", arguments, namespace=item.namespace or "")


def read_output(item: WireItem, where: str) -> ToolResult:
    """The output of a call."""
    parts, is_text = read_content(item.output, where)
    return ToolResult(item.call_id or "", parts, is_text=is_text)


def _part(raw: Raw, where: str) -> Part:
    part = checked(decode_part, raw, where)
    if part.type in _TEXTS and part.text is not None:
        return Text(part.text)
    if part.type == "refusal" and part.refusal is not None:
        return Text(part.refusal)
    if part.type == "input_image" and part.image_url:
        return image_from_url(part.image_url, part.detail or "")
    return Opaque(part.type, bytes(raw))
