"""A request in the internal form printed as a Messages body."""

from typing import Any

from msgspec import Raw

from perilune.dialects.fields import encode_object
from perilune.dialects.form import Request, Text, Tool, ToolChoice, Turn
from perilune.dialects.messages.blocks import print_block

_CHOICES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}


def print_request(request: Request) -> bytes:
    """The Messages body. What Messages cannot say has been taken out or refused before."""
    wire: dict[str, object] = {"model": request.model}
    if request.max_output is not None:
        wire["max_tokens"] = request.max_output
    if request.system:
        wire["system"] = _system(request)
    wire["messages"] = [print_turn(turn) for turn in request.turns]
    tools = [Raw(tool.json) for tool in request.hosted_tools] + [_tool(tool) for tool in request.tools]
    if tools:
        wire["tools"] = tools
    choice = _choice(request.tool_choice, request.parallel_tools)
    if choice is not None:
        wire["tool_choice"] = choice
    if request.stop:
        wire["stop_sequences"] = request.stop
    wire |= request.sampling | request.thinking
    if request.response_format is not None and "output_config" not in wire:
        wire["output_config"] = {
            "format": {"type": "json_schema", "schema": Raw(request.response_format.schema or b"{}")}
        }
    if request.metadata:
        wire["metadata"] = request.metadata
    elif request.end_user:
        wire["metadata"] = {"user_id": request.end_user}
    if request.stream is not None:
        wire["stream"] = request.stream
    return encode_object(wire | request.extra)


def print_turn(turn: Turn) -> dict[str, Any]:
    """One message."""
    first = turn.parts[0] if turn.parts else Text("")
    if turn.is_text and len(turn.parts) <= 1 and isinstance(first, Text) and not first.marks:
        return {"role": turn.role, "content": first.text}
    return {"role": turn.role, "content": [print_block(part) for part in turn.parts]}


def _system(request: Request) -> object:
    if request.system_is_text and len(request.system) == 1:
        return request.system[0].text
    return [print_block(text) for text in request.system]


def _tool(tool: Tool) -> dict[str, Any]:
    wire: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        wire["description"] = tool.description
    wire["input_schema"] = Raw(tool.schema or b'{"type":"object","properties":{}}')
    if tool.strict is not None:
        wire["strict"] = tool.strict
    if tool.marks:
        wire["cache_control"] = Raw(tool.marks)
    return wire


def _choice(choice: ToolChoice | None, parallel: bool | None) -> dict[str, Any] | None:
    if choice is None and parallel is None:
        return None
    wire: dict[str, Any] = {"type": _CHOICES[choice.mode] if choice is not None else "auto"}
    if choice is not None and choice.mode == "named":
        wire["name"] = choice.name
    if parallel is not None and wire["type"] != "none":
        wire["disable_parallel_tool_use"] = not parallel
    return wire
