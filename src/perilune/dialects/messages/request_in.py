"""A Messages request read into the internal form."""

from typing import Any

import msgspec

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
from perilune.dialects.form import Opaque, Part, Request, ResponseFormat, Role, Text, Tool, ToolChoice, Turn
from perilune.dialects.messages.wire import WireTurn, decode_content, decode_tool, decode_turns, read_block

SAMPLING = ("temperature", "top_p", "top_k")
THINKING = ("thinking", "output_config", "context_management")
_CHOICES = {"auto": "auto", "none": "none", "any": "required"}


def parse_request(body: bytes) -> Request:
    """The request behind a Messages body.

    Raises: RequestError PL-BODY-INVALID when a field we act on is of another type.
    """
    fields = Fields(body)
    tools, hosted = _tools(fields)
    choice: Any = fields.take("tool_choice", decode_any)
    system = fields.take("system", decode_content)
    metadata = fields.take_raw(("metadata",)).get("metadata", b"")
    thinking = fields.take_raw(THINKING)
    return Request(
        model=fields.take("model", decode_word) or "",
        system=_system(system),
        system_is_text=isinstance(system, str),
        turns=tuple(read_turn(turn, index) for index, turn in enumerate(fields.take("messages", decode_turns) or ())),
        tools=tools,
        hosted_tools=hosted,
        tool_choice=_choice(choice),
        parallel_tools=_parallel(choice),
        max_output=fields.take("max_tokens", decode_count),
        stop=words(fields.take("stop_sequences", decode_words)),
        sampling=fields.take_raw(SAMPLING),
        thinking=thinking,
        response_format=_format(thinking),
        end_user=_user(metadata),
        metadata=metadata,
        stream=fields.take("stream", decode_flag),
        extra=fields.rest(),
    )


def read_turn(turn: WireTurn, index: int) -> Turn:
    """One message as a turn."""
    role: Role = "assistant" if turn.role == "assistant" else "system" if turn.role == "system" else "user"
    if not isinstance(turn.content, list):
        return Turn(role, (Text(turn.content),) if turn.content else (), index=index, is_text=True)
    where = f"messages[{index}].content"
    parts: tuple[Part, ...] = tuple(read_block(raw, where) for raw in turn.content)
    return Turn(role, parts, index=index)


def _system(system: Any) -> tuple[Text, ...]:
    if not isinstance(system, list):
        return (Text(system),) if system else ()
    parts = [read_block(raw, "system") for raw in system]
    return tuple(part for part in parts if isinstance(part, Text))


def _tools(fields: Fields) -> tuple[tuple[Tool, ...], tuple[Opaque, ...]]:
    tools: list[Tool] = []
    hosted: list[Opaque] = []
    for raw in fields.take("tools", decode_raws) or ():
        wire = checked(decode_tool, raw, "tools")
        if wire.type not in (None, "custom"):
            hosted.append(Opaque(wire.type or "", bytes(raw)))
            continue
        marks = bytes(wire.cache_control)
        tools.append(Tool(wire.name, wire.description, bytes(wire.input_schema), wire.strict, marks=marks))
    return tuple(tools), tuple(hosted)


def _choice(value: Any) -> ToolChoice | None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "tool" and isinstance(value.get("name"), str):
        return ToolChoice("named", value["name"])
    mode = _CHOICES.get(kind) if isinstance(kind, str) else None
    return ToolChoice(mode) if mode is not None else None  # type: ignore[arg-type]


def _parallel(value: Any) -> bool | None:
    flag = value.get("disable_parallel_tool_use") if isinstance(value, dict) else None
    return not flag if isinstance(flag, bool) else None


def _format(thinking: dict[str, bytes]) -> ResponseFormat | None:
    config = checked(decode_any, thinking.get("output_config", b"null"), "output_config")
    form = config.get("format") if isinstance(config, dict) else None
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return None
    return ResponseFormat("json_schema", encode(form.get("schema", {})))


def _user(metadata: bytes) -> str:
    value = msgspec.json.decode(metadata) if metadata else None
    user = value.get("user_id") if isinstance(value, dict) else None
    return user if isinstance(user, str) else ""
