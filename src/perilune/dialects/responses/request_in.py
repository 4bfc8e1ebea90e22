"""A Responses request read into the internal form."""

from typing import Any

from msgspec import Raw

from perilune.dialects.fields import (
    Fields,
    checked,
    decode_any,
    decode_count,
    decode_flag,
    decode_raws,
    decode_word,
    decode_words,
    encode,
    words,
)
from perilune.dialects.form import Opaque, Request, ResponseFormat, Role, Text, Tool, ToolCall, ToolChoice, Turn
from perilune.dialects.refuse import refuse_stored
from perilune.dialects.responses.wire import (
    WireItem,
    WireTool,
    decode_input,
    decode_item,
    decode_tool,
    read_call,
    read_content,
    read_output,
    read_reasoning,
)

SAMPLING = ("temperature", "top_p", "top_logprobs")
THINKING = ("reasoning",)


def parse_request(body: bytes) -> Request:
    """The request behind a Responses body.

    Raises: RequestError PL-BODY-INVALID when a field we act on is of another type; PL-UNSUPPORTED for a request that
    continues a stored response, because nothing is stored here.
    """
    fields = Fields(body)
    refuse_stored(fields.take("previous_response_id", decode_any), fields.take("conversation", decode_any))
    tools, hosted, namespaces = _tools(fields)
    instructions = fields.take("instructions", decode_word)
    end_user, user = fields.take("safety_identifier", decode_word), fields.take("user", decode_word)
    text = fields.take_raw(("text",))
    return Request(
        model=fields.take("model", decode_word) or "",
        system=(Text(instructions),) if instructions else (),
        system_is_text=True,
        turns=_turns(fields.take("input", decode_input)),
        tools=tools,
        hosted_tools=hosted,
        namespaces=namespaces,
        tool_choice=_choice(fields.take("tool_choice", decode_any)),
        parallel_tools=fields.take("parallel_tool_calls", decode_flag),
        max_output=fields.take("max_output_tokens", decode_count),
        sampling=fields.take_raw(SAMPLING),
        thinking=fields.take_raw(THINKING),
        response_format=_format(text),
        end_user=end_user or user or "",
        session=fields.take("prompt_cache_key", decode_word) or "",
        metadata=fields.take_raw(("metadata",)).get("metadata", b""),
        stream=fields.take("stream", decode_flag),
        include=words(fields.take("include", decode_words)),
        extra=fields.rest() | text,
    )


def _turns(value: str | list[Raw] | None) -> tuple[Turn, ...]:
    if not isinstance(value, list):
        return (Turn("user", (Text(value),), is_text=True),) if value else ()
    turns: list[Turn] = []
    for index, raw in enumerate(value):
        item = checked(decode_item, raw, f"input[{index}]")
        turn = _turn(item, bytes(raw), index)
        if turns and _continues(turns[-1], turn, item):
            last = turns.pop()
            turn = Turn(last.role, last.parts + turn.parts, index=last.index)
        turns.append(turn)
    return tuple(turns)


def _turn(item: WireItem, raw: bytes, index: int) -> Turn:
    match item.type:
        case "function_call" | "custom_tool_call":
            return Turn("assistant", (read_call(item),), index=index)
        case "function_call_output" | "custom_tool_call_output":
            return Turn("user", (read_output(item, f"input[{index}].output"),), index=index)
        case "reasoning":
            return Turn("assistant", (read_reasoning(item),), index=index)
        case "message" | "" if item.role:
            return _message(item, index)
        case _:
            return Turn("assistant", (Opaque(item.type, raw),), index=index)


def _message(item: WireItem, index: int) -> Turn:
    parts, is_text = read_content(item.content, f"input[{index}].content")
    role: Role = "assistant" if item.role == "assistant" else "user" if item.role == "user" else "system"
    return Turn(role, parts, index=index, is_text=is_text, said_role=item.role if role == "system" else "")


def _continues(last: Turn, turn: Turn, item: WireItem) -> bool:
    """Items of one model turn belong together; after its text alone a new message or thought begins the next one."""
    if last.role != "assistant" or turn.role != "assistant":
        return False
    has_calls = any(isinstance(part, ToolCall) for part in last.parts)
    has_text = any(isinstance(part, Text) for part in last.parts)
    return has_calls or not has_text or item.type in ("function_call", "custom_tool_call")


def _tools(fields: Fields) -> tuple[tuple[Tool, ...], tuple[Opaque, ...], tuple[tuple[str, str], ...]]:
    tools: list[Tool] = []
    hosted: list[Opaque] = []
    namespaces: dict[str, str] = {}
    for raw in fields.take("tools", decode_raws) or ():
        wire = checked(decode_tool, raw, "tools")
        if wire.type == "function":
            tools.append(_tool(wire))
        elif wire.type == "namespace":
            namespaces[wire.name] = wire.description or ""
            tools += [_tool(inner, wire.name) for inner in wire.tools or () if inner.type == "function"]
        else:
            hosted.append(Opaque(wire.type, bytes(raw)))
    return tuple(tools), tuple(hosted), tuple(namespaces.items())


def _tool(wire: WireTool, namespace: str = "") -> Tool:
    return Tool(wire.name, wire.description, bytes(wire.parameters), wire.strict, namespace=namespace)


def _choice(value: Any) -> ToolChoice | None:
    kind = value.get("type") if isinstance(value, dict) else value
    if kind == "allowed_tools":
        kind = value.get("mode")
    if kind in ("auto", "none", "required"):
        return ToolChoice(kind)
    name = value.get("name") if isinstance(value, dict) and kind == "function" else None
    return ToolChoice("named", name) if isinstance(name, str) else None


def _format(text: dict[str, bytes]) -> ResponseFormat | None:
    config: Any = checked(decode_any, text.get("text", b"null"), "text")
    form = config.get("format") if isinstance(config, dict) else None
    if not isinstance(form, dict):
        return None
    if form.get("type") == "json_schema":
        name, strict = form.get("name"), form.get("strict")
        return ResponseFormat(
            "json_schema",
            encode(form.get("schema", {})),
            name if isinstance(name, str) else "",
            strict if isinstance(strict, bool) else None,
        )
    return ResponseFormat("json_object" if form.get("type") == "json_object" else "text")
