"""Asked-for JSON where the upstream has no such field. Source: gateway reference 2.3."""

import re

from msgspec.structs import replace

from perilune.dialects.fields import decode_any, encode
from perilune.dialects.form import Dialect, Request, ResponseFormat, Text, Tool, ToolChoice, Turn
from perilune.dialects.target import Target

TOOL_NAME = "structured_answer"
_ANY_OBJECT = b'{"type":"object"}'
_FENCED = re.compile(r"\s*```[a-zA-Z]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*", re.DOTALL)


def with_structure(request: Request, source: Dialect, target: Target, adjusted: list[str]) -> tuple[Request, str, bool]:
    """The request on its step of the ladder; the forced tool's name, and whether fences must come off the answer."""
    form = request.response_format
    if form is None or form.kind == "text":
        return (
            (request if form is None or source == target.dialect else replace(request, response_format=None)),
            "",
            False,
        )
    if target.structured == "native":
        return request, "", False
    adjusted.append("response_format")
    request = _without_own_words(request)
    if target.structured == "tool" and not request.tools:
        tool = Tool(TOOL_NAME, "Give the answer as the arguments of this function.", form.schema or _ANY_OBJECT)
        request = replace(request, tools=(tool,), tool_choice=ToolChoice("named", TOOL_NAME), response_format=None)
        return request, TOOL_NAME, False
    left = ResponseFormat("json_object") if target.structured == "json_object" else None
    return _told(replace(request, response_format=left), Text(_instruction(form)), target), "", left is None


def with_notice(request: Request, target: Target) -> Request:
    """The request with the target's own line behind the system texts."""
    return _told(request, Text(target.notice), target) if target.notice else request


def without_fences(text: str) -> str:
    """The text inside one code fence, when there is nothing else."""
    match = _FENCED.fullmatch(text)
    return match[1] if match is not None else text


def _without_own_words(request: Request) -> Request:
    """The request without the fields in which its own dialect asks for the format."""
    extra = {name: value for name, value in request.extra.items() if name != "text"}
    config = decode_any(request.thinking.get("output_config", b"{}"))
    if not isinstance(config, dict) or "format" not in config:
        return replace(request, extra=extra)
    left = {name: value for name, value in config.items() if name != "format"}
    thinking = {name: value for name, value in request.thinking.items() if name != "output_config"}
    return replace(request, extra=extra, thinking=thinking | ({"output_config": encode(left)} if left else {}))


def _told(request: Request, text: Text, target: Target) -> Request:
    """The text behind the system texts at the front, wherever the target keeps them."""
    if target.dialect is not Dialect.CHAT or request.system:
        return replace(request, system=(*request.system, text), system_is_text=False)
    front = next((i for i, turn in enumerate(request.turns) if turn.role != "system"), len(request.turns))
    turn = Turn("system", (text,), is_text=True)
    return replace(request, turns=(*request.turns[:front], turn, *request.turns[front:]))


def _instruction(form: ResponseFormat) -> str:
    if not form.schema:
        return "Answer with one JSON object and nothing else (json, no code fence)."
    name = f" named {encode(form.name).decode()}" if form.name else ""
    return (
        f"Answer with one JSON value that matches this JSON schema{name}, and nothing else (json, no code fence):\n"
        + form.schema.decode()
    )
