"""A request in the internal form printed as a Chat body."""

from typing import Any

from msgspec import Raw

from perilune.dialects.fields import encode_object
from perilune.dialects.form import (
    Image,
    Opaque,
    Part,
    Reasoning,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from perilune.dialects.images import image_url

_Wire = dict[str, Any]


def print_request(request: Request) -> bytes:
    """The Chat body. What Chat cannot say has been taken out or refused before."""
    wire: dict[str, object] = {"model": request.model, "messages": _messages(request)}
    tools = [Raw(tool.json) for tool in request.hosted_tools] + [_tool(tool) for tool in request.tools]
    if tools:
        wire["tools"] = tools
    if request.tool_choice is not None:
        wire["tool_choice"] = _choice(request.tool_choice)
    if request.parallel_tools is not None:
        wire["parallel_tool_calls"] = request.parallel_tools
    if request.max_output is not None:
        wire["max_completion_tokens"] = request.max_output
    if request.stop:
        wire["stop"] = request.stop
    wire |= request.sampling | request.thinking
    if request.response_format is not None:
        wire["response_format"] = _format(request.response_format)
    if request.end_user:
        wire["safety_identifier"] = request.end_user
    if request.session:
        wire["prompt_cache_key"] = request.session
    if request.metadata:
        wire["metadata"] = request.metadata
    if request.stream is not None:
        wire["stream"] = request.stream
    if request.include_usage:
        wire["stream_options"] = {"include_usage": True}
    return encode_object(wire | request.extra)


def _messages(request: Request) -> list[_Wire]:
    messages: list[_Wire] = []
    if request.system:
        messages.append({"role": "system", "content": "\n\n".join(text.text for text in request.system)})
    for turn in request.turns:
        messages += _of_turn(turn)
    return messages


def _of_turn(turn: Turn) -> list[_Wire]:
    if turn.role == "assistant":
        return [_assistant(turn)]
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    others: list[_Wire] = []
    for result in results:
        others += _pictures_of(result)
    others += [_part(part) for part in turn.parts if not isinstance(part, ToolResult)]
    messages: list[_Wire] = [_result(result) for result in results]
    if others or not results:
        messages.append(_named(turn, {"role": turn.said_role or turn.role, "content": _content(others, turn.is_text)}))
    return messages


def _assistant(turn: Turn) -> _Wire:
    wire: _Wire = {"role": "assistant"}
    thoughts = [part.text for part in turn.parts if isinstance(part, Reasoning)]
    calls = [part for part in turn.parts if isinstance(part, ToolCall)]
    content = [_part(part) for part in turn.parts if not isinstance(part, (Reasoning, ToolCall))]
    wire["content"] = _content(content, turn.is_text)
    if thoughts:
        wire["reasoning_content"] = "\n\n".join(thoughts)
    if calls:
        wire["tool_calls"] = [_call(call) for call in calls]
    if turn.is_partial:
        wire["partial"] = True
    return _named(turn, wire)


def _named(turn: Turn, wire: _Wire) -> _Wire:
    if turn.name:
        wire["name"] = turn.name
    return wire


def _content(parts: list[_Wire], is_text: bool) -> object:
    if is_text and len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return parts[0]["text"]
    return parts or ""


def _part(part: Part) -> Any:
    match part:
        case Text():
            wire: _Wire = {"type": "text", "text": part.text}
            return wire | {"cache_control": Raw(part.marks)} if part.marks else wire
        case Image():
            url = {"url": image_url(part)}
            return {"type": "image_url", "image_url": url | {"detail": part.detail} if part.detail else url}
        case Opaque():
            return Raw(part.json)
        case _:
            raise TypeError(f"{type(part).__name__} is not content of a Chat message")


def _call(call: ToolCall) -> _Wire:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _result(result: ToolResult) -> _Wire:
    texts = [part for part in result.parts if not isinstance(part, Image)]
    content: object = [_part(text) for text in texts]
    if result.is_text or len(result.parts) == 1:
        content = _content([_part(text) for text in texts], is_text=True)
    return {"role": "tool", "tool_call_id": result.id, "content": content or ""}


def _pictures_of(result: ToolResult) -> list[_Wire]:
    pictures = [_part(part) for part in result.parts if isinstance(part, Image)]
    label = {"type": "text", "text": f"Images of the result of call {result.id}:"}
    return [label, *pictures] if pictures else []


def _tool(tool: Tool) -> _Wire:
    function: _Wire = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema:
        function["parameters"] = Raw(tool.schema)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> object:
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "named" else choice.mode


def _format(form: ResponseFormat) -> _Wire:
    if form.kind != "json_schema":
        return {"type": form.kind}
    schema: _Wire = {"name": form.name or "answer", "schema": Raw(form.schema or b"{}")}
    if form.description:
        schema["description"] = form.description
    if form.strict is not None:
        schema["strict"] = form.strict
    return {"type": "json_schema", "json_schema": schema}
