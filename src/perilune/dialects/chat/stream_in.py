"""A Chat stream read into internal events."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.chat.wire import NOTHING, WireCall, arguments_text
from perilune.dialects.events import (
    CallDelta,
    CallStarted,
    Ended,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from perilune.dialects.form import StopReason
from perilune.dialects.sse import SseEvent
from perilune.dialects.stops import stop_from_chat
from perilune.dialects.usage import read_chat_usage


class _Delta(Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: Any = None
    refusal: str | None = None
    tool_calls: list[WireCall] | None = None


class _Choice(Struct, gc=False):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None
    usage: Any = None


class _Chunk(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    created: int | float = 0
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Raw = NOTHING


_UNSAID = b'{"message":"finish_reason: error"}'
_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class ChatStreamDecoder:
    """Reads one Chat stream, event by event. A chunk that is no JSON object is passed over."""

    __slots__ = ("_calls", "_has_finished", "_has_started")

    def __init__(self) -> None:
        self._has_finished = False
        self._has_started = False
        self._calls: dict[int, str] = {}

    def decode(self, event: SseEvent) -> list[StreamEvent]:
        """What this event says; usually one thing, at times none or several."""
        if event.data == b"[DONE]":
            return [Ended()] if self._has_finished or not self._calls else [Finished(StopReason.TOOLS), Ended()]
        try:
            chunk = _decode_chunk(event.data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return []
        if chunk.error and bytes(chunk.error) != b"null":
            return [Failed(bytes(chunk.error))]
        if any(choice.finish_reason == "error" for choice in chunk.choices or ()):
            return [Failed(_UNSAID)]
        out: list[StreamEvent] = []
        if not self._has_started:
            self._has_started = True
            out.append(Started(chunk.id or "", chunk.model or "", int(chunk.created)))
        for choice in chunk.choices or ():
            if choice.index == 0:
                self._choice(choice, out)
        usage = read_chat_usage(chunk.usage)
        if usage is not None:
            out.append(UsageSeen(usage))
        return out

    def _choice(self, choice: _Choice, out: list[StreamEvent]) -> None:
        delta = choice.delta
        if delta is not None:
            thought = delta.reasoning_content
            if thought is None and isinstance(delta.reasoning, str):
                thought = delta.reasoning
            if thought:
                out.append(ReasoningDelta(thought))
            if delta.content or delta.refusal:
                out.append(TextDelta(delta.content or delta.refusal or ""))
            for position, call in enumerate(delta.tool_calls or ()):
                self._call(call, position, out)
        if choice.usage is not None and (usage := read_chat_usage(choice.usage)) is not None:
            out.append(UsageSeen(usage))
        if choice.finish_reason:
            self._has_finished = True
            stop = stop_from_chat(choice.finish_reason, has_calls=bool(self._calls))
            out.append(Finished(stop, choice.finish_reason))

    def _call(self, call: WireCall, position: int, out: list[StreamEvent]) -> None:
        index = position if call.index is None else call.index
        function = call.function
        name = function.name if function is not None else None
        if index not in self._calls or (call.id and call.id != self._calls[index]):
            self._calls[index] = call.id or ""
            out.append(CallStarted(index, call.id or "", name or ""))
        if function is not None and (text := arguments_text(function.arguments)):
            out.append(CallDelta(index, text))
