"""A Responses stream read into internal events."""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from perilune.core.errors import RequestError
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
from perilune.dialects.form import Reasoning, Text, ToolCall
from perilune.dialects.responses.answer import answer_of, read_output_item
from perilune.dialects.responses.wire import NOTHING, WireAnswer, WireItem, read_call
from perilune.dialects.sse import SseEvent
from perilune.dialects.stops import stop_from_responses


class _Event(Struct, gc=False):
    type: str = ""
    output_index: int = 0
    summary_index: int = 0
    delta: Any = None
    item: Raw = NOTHING
    response: WireAnswer | None = None
    error: Raw = NOTHING


_decode_event = msgspec.json.Decoder(_Event).decode
_decode_item = msgspec.json.Decoder(WireItem).decode
_TEXT = ("response.output_text.delta", "response.refusal.delta")
_THOUGHT = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")


class ResponsesStreamDecoder:
    """Reads one Responses stream, event by event. Items that came without deltas are read from their end event."""

    __slots__ = ("_announced", "_has_calls", "_streamed")

    def __init__(self) -> None:
        self._announced: set[int] = set()
        self._streamed: set[int] = set()
        self._has_calls = False

    def decode(self, event: SseEvent) -> list[StreamEvent]:
        """What this event says; usually one thing, at times none or several."""
        if event.data == b"[DONE]":
            return []
        try:
            wire = _decode_event(event.data)
            kind = wire.type or event.name.decode(errors="replace")
            if isinstance(wire.delta, str):
                return self._delta(kind, wire)
            return self._other(kind, wire, event.data)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, RequestError):
            return []

    def _delta(self, kind: str, wire: _Event) -> list[StreamEvent]:
        self._streamed.add(wire.output_index)
        if not wire.delta:
            return []
        if kind in _TEXT:
            return [TextDelta(wire.delta)]
        if kind in _THOUGHT:
            return [ReasoningDelta(wire.delta)]
        if kind == "response.function_call_arguments.delta":
            return [CallDelta(wire.output_index, wire.delta)]
        return []

    def _other(self, kind: str, wire: _Event, data: bytes) -> list[StreamEvent]:
        match kind:
            case "response.created":
                response = wire.response or WireAnswer()
                return [Started(response.id, response.model, int(response.created_at))]
            case "response.output_item.added":
                return self._added(wire)
            case "response.output_item.done":
                return self._done(wire)
            case "response.reasoning_summary_part.added" if wire.summary_index > 0:
                return [ReasoningDelta("\n\n")]
            case "response.completed" | "response.incomplete":
                return self._completed(wire.response or WireAnswer(), kind)
            case "response.failed":
                error = wire.response.error if wire.response is not None else NOTHING
                return [Failed(bytes(error) or b"{}")]
            case "error":
                return [Failed(bytes(wire.error) or data)]
            case _:
                return []

    def _added(self, wire: _Event) -> list[StreamEvent]:
        item = _decode_item(wire.item)
        if item.type != "function_call":
            return []
        self._has_calls = True
        self._announced.add(wire.output_index)
        call = read_call(item)
        if call.arguments:
            self._streamed.add(wire.output_index)
        started = CallStarted(wire.output_index, call.id, call.name, call.namespace)
        return [started, CallDelta(wire.output_index, call.arguments)] if call.arguments else [started]

    def _done(self, wire: _Event) -> list[StreamEvent]:
        out: list[StreamEvent] = []
        for part in read_output_item(wire.item):
            is_new = wire.output_index not in self._streamed
            match part:
                case Text() if is_new and part.text:
                    out.append(TextDelta(part.text))
                case Reasoning():
                    out += [ReasoningDelta(part.text)] if is_new and part.text else []
                    out += [ReasoningSigned(envelope=part.envelope)] if part.envelope else []
                case ToolCall() if is_new:
                    self._has_calls = True
                    if wire.output_index not in self._announced:
                        out.append(CallStarted(wire.output_index, part.id, part.name, part.namespace))
                    out += [CallDelta(wire.output_index, part.arguments)] if part.arguments else []
        return out

    def _completed(self, response: WireAnswer, kind: str) -> list[StreamEvent]:
        answer = answer_of(response)
        reason = response.incomplete_details.reason if response.incomplete_details is not None else None
        status = response.status or kind.removeprefix("response.")
        stop = stop_from_responses(status, reason or "", has_calls=self._has_calls)
        usage: list[StreamEvent] = [] if answer.usage is None else [UsageSeen(answer.usage)]
        return [*usage, Finished(stop), Ended()]
