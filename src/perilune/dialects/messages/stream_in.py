"""A Messages stream read into internal events."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.events import (
    CallDelta,
    CallStarted,
    Ended,
    Failed,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from perilune.dialects.fields import encode
from perilune.dialects.messages.wire import NOTHING
from perilune.dialects.sse import SseEvent
from perilune.dialects.stops import stop_from_messages
from perilune.dialects.usage import read_messages_usage


class _Delta(Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class _Block(Struct, gc=False):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _Message(Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: Any = None


class _Event(Struct, gc=False):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: Any = None
    error: Raw = NOTHING


_decode_event = msgspec.json.Decoder(_Event).decode


class MessagesStreamDecoder:
    """Reads one Messages stream, event by event. An event that is no JSON object is passed over."""

    __slots__ = ("_usage",)

    def __init__(self) -> None:
        self._usage: dict[str, Any] = {}

    def decode(self, event: SseEvent) -> list[StreamEvent]:
        """What this event says; usually one thing, at times none or several."""
        try:
            wire = _decode_event(event.data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return []
        match wire.type or event.name.decode(errors="replace"):
            case "content_block_delta":
                return _delta(wire.index, wire.delta) if wire.delta is not None else []
            case "content_block_start":
                return _block(wire.index, wire.content_block) if wire.content_block is not None else []
            case "message_start":
                return self._start(wire.message or _Message())
            case "message_delta":
                return self._finish(wire)
            case "message_stop":
                return [Ended()]
            case "error":
                return [Failed(bytes(wire.error) or event.data)]
            case _:
                return []

    def _start(self, message: _Message) -> list[StreamEvent]:
        return [*self._merged(message.usage), Started(message.id or "", message.model or "")]

    def _finish(self, wire: _Event) -> list[StreamEvent]:
        out = self._merged(wire.usage)
        delta = wire.delta
        if delta is not None and delta.stop_reason:
            out.append(Finished(stop_from_messages(delta.stop_reason), delta.stop_reason, delta.stop_sequence))
        return out

    def _merged(self, usage: Any) -> list[StreamEvent]:
        if not isinstance(usage, dict):
            return []
        self._usage |= {key: value for key, value in usage.items() if value is not None}
        read = read_messages_usage(self._usage)
        return [] if read is None else [UsageSeen(read)]


def _delta(index: int, delta: _Delta) -> list[StreamEvent]:
    match delta.type:
        case "text_delta" if delta.text:
            return [TextDelta(delta.text)]
        case "thinking_delta" if delta.thinking:
            return [ReasoningDelta(delta.thinking)]
        case "input_json_delta" if delta.partial_json:
            return [CallDelta(index, delta.partial_json)]
        case "signature_delta" if delta.signature:
            return [ReasoningSigned(delta.signature)]
        case _:
            return []


def _block(index: int, block: _Block) -> list[StreamEvent]:
    match block.type:
        case "text" if block.text:
            return [TextDelta(block.text)]
        case "thinking":
            out: list[StreamEvent] = [ReasoningDelta(block.thinking)] if block.thinking else []
            return [*out, ReasoningSigned(block.signature)] if block.signature else out
        case "redacted_thinking":
            return [ReasoningSigned("", block.data or "")]
        case "tool_use":
            started = CallStarted(index, block.id or "", block.name or "")
            return [started, CallDelta(index, encode(block.input).decode())] if block.input else [started]
        case _:
            return []
