"""A Chat request read into the internal form."""

from typing import Any

from perilune.dialects.chat.wire import (
    WireFormat,
    WireMessage,
    arguments_text,
    decode_format,
    decode_messages,
    decode_part,
    decode_tool,
)
from perilune.dialects.fields import (
    Fields,
    checked,
    decode_any,
    decode_count,
    decode_flag,
    decode_raws,
    decode_word,
    decode_words,
    words,
)
from perilune.dialects.form import (
    Opaque,
    Part,
    Reasoning,
    Request,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from perilune.dialects.images import image_from_url

SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "n", "logprobs", "top_logprobs")
THINKING = ("thinking", "reasoning_effort", "reasoning")


def parse_request(body: bytes) -> Request:
    """The request behind a Chat body.

    Raises: RequestError PL-BODY-INVALID when a field we act on is of another type.
    """
    fields = Fields(body)
    tools, hosted = _tools(fields)
    options: Any = fields.take("stream_options", decode_any)
    limits = [fields.take(name, decode_count) for name in ("max_completion_tokens", "max_tokens")]
    end_user, user = fields.take("safety_identifier", decode_word), fields.take("user", decode_word)
    return Request(
        model=fields.take("model", decode_word) or "",
        turns=tuple(
            _turn(message, index) for index, message in enumerate(fields.take("messages", decode_messages) or ())
        ),
        tools=tools,
        hosted_tools=hosted,
        tool_choice=_choice(fields.take("tool_choice", decode_any)),
        parallel_tools=fields.take("parallel_tool_calls", decode_flag),
        max_output=next((limit for limit in limits if limit is not None), None),
        stop=words(fields.take("stop", decode_words)),
        sampling=fields.take_raw(SAMPLING),
        thinking=fields.take_raw(THINKING),
        response_format=_format(fields.take("response_format", decode_format)),
        end_user=end_user or user or "",
        session=fields.take("prompt_cache_key", decode_word) or "",
        metadata=fields.take_raw(("metadata",)).get("metadata", b""),
        stream=fields.take("stream", decode_flag),
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        extra=fields.rest(),
    )


def _turn(message: WireMessage, index: int) -> Turn:
    if message.role in ("tool", "function"):
        result = ToolResult(
            id=message.tool_call_id or message.name or "",
            parts=content_parts(message, index),
            is_text=not isinstance(message.content, list),
        )
        return Turn("user", (result,), index=index)
    is_text = not isinstance(message.content, list)
    name = message.name or ""
    if message.role == "assistant":
        return Turn(
            "assistant",
            assistant_parts(message, index),
            index=index,
            is_text=is_text,
            name=name,
            is_partial=message.partial is True,
        )
    role: Role = "system" if message.role in ("system", "developer") else "user"
    said = message.role if message.role == "developer" else ""
    return Turn(role, content_parts(message, index), index=index, is_text=is_text, name=name, said_role=said)


def assistant_parts(message: WireMessage, index: int = 0) -> tuple[Part, ...]:
    """Reasoning, text and calls of an assistant message, in this order."""
    parts: list[Part] = []
    thought = message.reasoning_content
    if thought is None and isinstance(message.reasoning, str):
        thought = message.reasoning
    if thought is not None:
        parts.append(Reasoning(thought))
    parts += content_parts(message, index)
    if message.refusal and not message.content:
        parts.append(Text(message.refusal))
    for call in message.tool_calls or ():
        function = call.function
        if function is not None:
            parts.append(ToolCall(call.id or "", function.name or "", arguments_text(function.arguments)))
    return tuple(parts)


def content_parts(message: WireMessage, index: int) -> tuple[Part, ...]:
    """The content of a message; an empty string is no part, but for tool results."""
    content = message.content
    if isinstance(content, str):
        return (Text(content),) if content else ()
    return tuple(_part(bytes(raw), index) for raw in content or ())


def _part(raw: bytes, index: int) -> Part:
    part = checked(decode_part, raw, f"messages[{index}].content")
    if part.type == "text" and part.text is not None:
        return Text(part.text, bytes(part.cache_control))
    if part.type == "image_url" and part.image_url is not None:
        if isinstance(part.image_url, str):
            return image_from_url(part.image_url)
        return image_from_url(part.image_url.url, part.image_url.detail or "", bytes(part.cache_control))
    return Opaque(part.type, raw)


def _tools(fields: Fields) -> tuple[tuple[Tool, ...], tuple[Opaque, ...]]:
    tools: list[Tool] = []
    hosted: list[Opaque] = []
    for raw in fields.take("tools", decode_raws) or ():
        wire = checked(decode_tool, raw, "tools")
        function = wire.function
        if wire.type != "function" or function is None:
            hosted.append(Opaque(wire.type, bytes(raw)))
            continue
        tools.append(Tool(function.name or "", function.description, bytes(function.parameters), function.strict))
    return tuple(tools), tuple(hosted)


def _choice(value: Any) -> ToolChoice | None:
    if value in ("auto", "none", "required"):
        return ToolChoice(value)
    function = value.get("function") if isinstance(value, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return ToolChoice("named", name) if isinstance(name, str) else None


def _format(wire: WireFormat | None) -> ResponseFormat | None:
    if wire is None:
        return None
    schema = wire.json_schema
    if wire.type == "json_schema" and schema is not None:
        return ResponseFormat("json_schema", bytes(schema.schema), schema.name, schema.strict, schema.description or "")
    return ResponseFormat("json_object" if wire.type == "json_object" else "text")


__all__ = ["assistant_parts", "parse_request"]
