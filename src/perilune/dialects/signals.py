"""What one event of a stream means for the commit point. Source: gateway reference 5.4."""

from enum import StrEnum
from typing import Any, assert_never

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.form import Dialect
from perilune.dialects.sse import SseEvent


class Signal(StrEnum):
    """HOLD: no content yet. CONTENT and FINISH commit. ERROR: the upstream says that it failed."""

    HOLD = "hold"
    CONTENT = "content"
    FINISH = "finish"
    ERROR = "error"


class _Delta(Struct, gc=False):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    refusal: Any = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    finish_reason: Any = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    error: Any = None


class _Typed(Struct, gc=False):
    type: str = ""
    error: Raw = Raw(b"")


_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_typed = msgspec.json.Decoder(_Typed).decode


def signal_of(dialect: Dialect, event: SseEvent) -> Signal:
    """What this event means; one that cannot be read is held."""
    try:
        match dialect:
            case Dialect.CHAT:
                return _chat(event)
            case Dialect.MESSAGES:
                return _messages(event)
            case Dialect.RESPONSES:
                return _responses(event)
            case _:
                assert_never(dialect)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Signal.HOLD


def _chat(event: SseEvent) -> Signal:
    if event.data == b"[DONE]":
        return Signal.FINISH
    chunk = _decode_chunk(event.data)
    if chunk.error is not None:
        return Signal.ERROR
    signal = Signal.HOLD
    for choice in chunk.choices or ():
        if choice.finish_reason:
            return Signal.ERROR if choice.finish_reason == "error" else Signal.FINISH
        delta = choice.delta
        if delta is not None and (
            delta.content or delta.reasoning_content or delta.tool_calls or delta.reasoning or delta.refusal
        ):
            signal = Signal.CONTENT
    return signal


def _messages(event: SseEvent) -> Signal:
    match _type_of(event):
        case "content_block_start" | "content_block_delta":
            return Signal.CONTENT
        case "message_delta" | "message_stop":
            return Signal.FINISH
        case "error":
            return Signal.ERROR
        case _:
            return Signal.HOLD


def _responses(event: SseEvent) -> Signal:
    kind = _type_of(event)
    if kind in ("response.failed", "error"):
        return Signal.ERROR
    if kind in ("response.completed", "response.incomplete"):
        return Signal.FINISH
    return Signal.CONTENT if kind.endswith(".delta") or ".output_item." in kind else Signal.HOLD


def _type_of(event: SseEvent) -> str:
    """The event's own `type`; else an error object without one, else the SSE name."""
    typed = _decode_typed(event.data)
    if typed.type:
        return typed.type
    return "error" if typed.error else event.name.decode()
