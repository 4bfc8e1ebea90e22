"""What the other side cannot be told: refused where leaving it out would change the answer, else dropped and noted."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from perilune.core.errors import Problem, RequestError
from perilune.dialects.form import Dialect, Image, Opaque, Part, Request, ToolCall, ToolResult, Turn
from perilune.dialects.images import is_public_url
from perilune.dialects.target import Target

_SAMPLING = {
    Dialect.CHAT: ("temperature", "top_p", "presence_penalty", "frequency_penalty"),
    Dialect.MESSAGES: ("temperature", "top_p", "top_k"),
    Dialect.RESPONSES: ("temperature", "top_p"),
}
_NOTED = ("service_tier", "seed", "logit_bias", "prediction", "modalities", "audio", "context_management", "truncation")
_WORD = re.compile(r"[^a-z0-9_]")
_HOSTED_CALL = re.compile(r"(_call|_call_output|_tool_result|^server_tool_use|^mcp_tool_use)$")


def without_unsayable(request: Request, source: Dialect, target: Target, adjusted: list[str]) -> Request:
    """The request as far as the target's dialect can say it.

    Raises: RequestError PL-UNSUPPORTED for what may not be left out, with the message's index.
    """
    refuse_always(request, target)
    if source == target.dialect:
        return request
    _refuse_many(request)
    adjusted += [name for name in request.sampling if name not in _SAMPLING[target.dialect] and name != "n"]
    adjusted += [name for name in _NOTED if name in request.extra or name in request.thinking]
    adjusted += sorted({_WORD.sub("", tool.kind) for tool in request.hosted_tools})
    keeps_stop = target.dialect is not Dialect.RESPONSES or not request.stop
    adjusted += [] if keeps_stop else ["stop"]
    keeps_metadata = Dialect.MESSAGES not in (source, target.dialect)
    return replace(
        request,
        turns=tuple(_without_hosted(turn, adjusted) for turn in request.turns),
        sampling={k: v for k, v in request.sampling.items() if k in _SAMPLING[target.dialect]},
        thinking={},
        extra={},
        hosted_tools=(),
        include=(),
        stop=request.stop if keeps_stop else (),
        metadata=request.metadata if keeps_metadata else b"",
        session=request.session if target.takes_session and target.dialect is not Dialect.MESSAGES else "",
    )


def refuse_always(request: Request, target: Target) -> None:
    """Refuse what the target takes in no dialect: pictures by address, too many tools."""
    if target.max_tools is not None and len(request.tools) + len(request.hosted_tools) > target.max_tools:
        count = len(request.tools) + len(request.hosted_tools)
        raise RequestError.of("PL-UNSUPPORTED", variant="tools", count=count, limit=target.max_tools)
    for turn in request.turns:
        for part in _flat(turn.parts):
            if not isinstance(part, Image) or not part.url:
                continue
            if is_public_url(part) and not target.takes_image_urls:
                raise RequestError.of("PL-UNSUPPORTED", variant="image_url", index=turn.index)
            if not is_public_url(part) and target.dialect is Dialect.MESSAGES:
                raise _part_refused(turn, part.url.partition(":")[0])


def refuse_stored(previous_response_id: object, conversation: object) -> None:
    """Refuse to continue what a vendor's own service would have stored; here a request carries its whole history."""
    given = {"previous_response_id": previous_response_id, "conversation": conversation}
    for field, value in given.items():
        if value:
            raise RequestError.of("PL-UNSUPPORTED", variant="stored", field=field)


def _refuse_many(request: Request) -> None:
    n: Any = msgspec.json.decode(request.sampling.get("n", b"1"))
    if n not in (None, 1):
        raise RequestError.of("PL-UNSUPPORTED", variant="many", count=n if isinstance(n, int) else str(n)[:20])


def _without_hosted(turn: Turn, adjusted: list[str]) -> Turn:
    if not any(isinstance(part, Opaque) for part in _flat(turn.parts)):
        return turn
    kept: list[Part] = []
    for part in turn.parts:
        if isinstance(part, Opaque) and _HOSTED_CALL.search(part.kind):
            adjusted.append(_WORD.sub("", part.kind))
        else:
            kept.append(part)
    for part in _flat(kept):
        if isinstance(part, Opaque):
            raise _part_refused(turn, part.kind)
    return replace(turn, parts=tuple(kept))


def _part_refused(turn: Turn, kind: str) -> RequestError:
    facts = {"kind": _WORD.sub("", kind)[:40] or "?", "index": turn.index}
    return RequestError(Problem(code="PL-UNSUPPORTED", variant="part", facts=facts))


def _flat(parts: Iterable[Part]) -> Iterable[Part]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts


def with_prefill(request: Request, source: Dialect, target: Target) -> Request:
    """A last turn of the assistant: marked as partial where the target asks for that, refused where it has none."""
    last = request.turns[-1] if request.turns else None
    if last is None or last.role != "assistant" or source == target.dialect:
        return request
    if not last.parts or any(isinstance(part, ToolCall) for part in last.parts):
        return request
    if target.dialect is Dialect.RESPONSES:
        raise RequestError.of("PL-UNSUPPORTED", variant="prefill", index=last.index)
    if target.dialect is Dialect.CHAT and target.takes_partial:
        return replace(request, turns=(*request.turns[:-1], replace(last, is_partial=True)))
    return request
