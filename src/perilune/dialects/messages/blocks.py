"""Parts printed as Messages content blocks."""

from typing import Any

import msgspec
from msgspec import Raw

from perilune.dialects.form import Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


def print_block(part: Part) -> Any:
    """One content block."""
    match part:
        case Text():
            return _marked({"type": "text", "text": part.text}, part.marks)
        case Image():
            return _marked({"type": "image", "source": _source(part)}, part.marks)
        case Reasoning() if part.redacted:
            return {"type": "redacted_thinking", "data": part.redacted}
        case Reasoning():
            thought = {"type": "thinking", "thinking": part.text}
            return thought if part.signature is None else thought | {"signature": part.signature}
        case ToolCall():
            block: dict[str, Any] = {
                "type": "tool_use",
                "id": part.id,
                "name": part.name,
                "input": arguments_object(part.arguments),
            }
            return _marked(block, part.marks)
        case ToolResult():
            return _result(part)
        case Opaque():
            return Raw(part.json)


def arguments_object(text: str) -> Raw:
    """Arguments as the object Messages demands, bytes kept; what is no object is wrapped as `{"arguments": …}`."""
    exact = text.strip()
    if not exact:
        return Raw(b"{}")
    try:
        _decode_object(exact)
    except (msgspec.MsgspecError, RecursionError):
        return Raw(msgspec.json.encode({"arguments": text}))
    return Raw(exact)


def _result(result: ToolResult) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": result.id}
    first = result.parts[0] if result.parts else Text("")
    if result.is_text and len(result.parts) <= 1 and isinstance(first, Text):
        block["content"] = first.text
    else:
        block["content"] = [print_block(part) for part in result.parts]
    if result.is_error:
        block["is_error"] = True
    return _marked(block, result.marks)


def _source(image: Image) -> dict[str, str]:
    if image.url:
        return {"type": "url", "url": image.url}
    return {"type": "base64", "media_type": image.media_type, "data": image.data}


def _marked(block: dict[str, Any], marks: bytes) -> dict[str, Any]:
    return block | {"cache_control": Raw(marks)} if marks else block
