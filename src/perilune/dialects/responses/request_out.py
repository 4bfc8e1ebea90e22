"""A request in the internal form printed as a Responses body; always stateless."""

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
    """The Responses body. What Responses cannot say has been taken out or refused before."""
    wire: dict[str, object] = {"model": request.model}
    if request.system:
        wire["instructions"] = "\n\n".join(text.text for text in request.system)
    wire["input"] = [item for turn in request.turns for item in print_items(turn)]
    tools = _tools(request)
    if tools:
        wire["tools"] = tools
    if request.tool_choice is not None:
        wire["tool_choice"] = _choice(request.tool_choice)
    if request.parallel_tools is not None:
        wire["parallel_tool_calls"] = request.parallel_tools
    if request.max_output is not None:
        wire["max_output_tokens"] = request.max_output
    wire |= request.sampling | request.thinking
    if request.response_format is not None:
        wire["text"] = {"format": _format(request.response_format)}
    for name, value in (
        ("safety_identifier", request.end_user),
        ("prompt_cache_key", request.session),
        ("metadata", request.metadata),
        ("include", request.include),
    ):
        if value:
            wire[name] = value
    if request.stream is not None:
        wire["stream"] = request.stream
    return encode_object(wire | {"store": False} | request.extra)


def print_items(turn: Turn) -> list[_Wire]:
    """The items of one turn."""
    items: list[_Wire] = []
    content: list[Part] = []
    for part in turn.parts:
        if isinstance(part, (Text, Image)) or (isinstance(part, Opaque) and turn.role == "user"):
            content.append(part)
            continue
        items += _message(turn, content)
        content = []
        items.append(_item(part))
    if content or not turn.parts:
        items += _message(turn, content) or [_bare(turn, [])]
    return items


def _message(turn: Turn, content: list[Part]) -> list[_Wire]:
    return [_bare(turn, content)] if content else []


def _bare(turn: Turn, content: list[Part]) -> _Wire:
    role = turn.said_role or ("developer" if turn.role == "system" else turn.role)
    kind = "output_text" if turn.role == "assistant" else "input_text"
    if turn.is_text and len(content) <= 1 and all(isinstance(part, Text) for part in content):
        return {"type": "message", "role": role, "content": "".join(p.text for p in content if isinstance(p, Text))}
    return {"type": "message", "role": role, "content": [_part(part, kind) for part in content]}


def _part(part: Part, kind: str) -> Any:
    match part:
        case Text():
            return {"type": kind, "text": part.text}
        case Image():
            return {"type": "input_image", "image_url": image_url(part), "detail": part.detail or "auto"}
        case Opaque():
            return Raw(part.json)
        case _:
            raise TypeError(f"{type(part).__name__} is not content of a message item")


def _item(part: Part) -> Any:
    match part:
        case Reasoning():
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            item: _Wire = {"type": "reasoning", "summary": summary}
            if part.item_id:
                item["id"] = part.item_id
            return item | {"encrypted_content": part.envelope} if part.envelope else item
        case ToolCall():
            call = {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}
            return call | {"namespace": part.namespace} if part.namespace else call
        case ToolResult():
            return {"type": "function_call_output", "call_id": part.id, "output": _output(part)}
        case Opaque():
            return Raw(part.json)
        case _:
            raise TypeError(f"{type(part).__name__} is not an item")


def _output(result: ToolResult) -> object:
    if result.is_text and all(isinstance(part, Text) for part in result.parts):
        return "".join(part.text for part in result.parts if isinstance(part, Text))
    return [_part(part, "input_text") for part in result.parts]


def _tools(request: Request) -> list[Any]:
    described = dict(request.namespaces)
    tools: list[Any] = []
    groups: dict[str, _Wire] = {}
    for tool in request.tools:
        if not tool.namespace:
            tools.append(_tool(tool))
            continue
        if tool.namespace not in groups:
            groups[tool.namespace] = {
                "type": "namespace",
                "name": tool.namespace,
                "description": described.get(tool.namespace, ""),
                "tools": [],
            }
            tools.append(groups[tool.namespace])
        groups[tool.namespace]["tools"].append(_tool(tool))
    return tools + [Raw(tool.json) for tool in request.hosted_tools]


def _tool(tool: Tool) -> _Wire:
    wire: _Wire = {"type": "function", "name": tool.name}
    if tool.description is not None:
        wire["description"] = tool.description
    wire["parameters"] = Raw(tool.schema or b'{"type":"object","properties":{}}')
    if tool.strict is not None:
        wire["strict"] = tool.strict
    return wire


def _choice(choice: ToolChoice) -> object:
    return {"type": "function", "name": choice.name} if choice.mode == "named" else choice.mode


def _format(form: ResponseFormat) -> _Wire:
    if form.kind != "json_schema":
        return {"type": form.kind}
    wire: _Wire = {"type": "json_schema", "name": form.name or "answer", "schema": Raw(form.schema or b"{}")}
    return wire if form.strict is None else wire | {"strict": form.strict}
