"""Internal events printed as a Messages stream: blocks one after the other, never overlapping."""

from collections.abc import Callable
from typing import Any, assert_never

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
from perilune.dialects.fields import encode, is_json
from perilune.dialects.stops import messages_stop
from perilune.dialects.usage import Usage, messages_usage

Sign = Callable[[str], str]
_BLOCK_END = b"}}\n\n"


class MessagesStreamEncoder:
    """Prints one Messages stream in the order of the gateway reference 1.7.

    Shape: of several tool calls streamed side by side the first is written until its arguments are whole; the
    others wait. `sign` makes the signature of a thought that came without one.
    """

    __slots__ = (
        "_arguments", "_finish", "_has_started", "_id", "_index", "_is_over", "_kind", "_model", "_open_call",
        "_queued", "_sign", "_thought", "_usage",
    )  # fmt: skip

    def __init__(self, *, id: str, model: str, sign: Sign | None = None) -> None:  # noqa: A002
        self._id, self._model, self._sign = id, model, sign
        self._has_started = self._is_over = False
        self._index = -1
        self._kind = ""
        self._open_call: int | None = None
        self._arguments: list[str] = []
        self._queued: dict[int, tuple[CallStarted, list[str]]] = {}
        self._thought: list[str] = []
        self._usage = Usage()
        self._finish: Finished | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for this event, often none."""
        match event:
            case TextDelta():
                return self._in_block("text") + self._delta(b'"text_delta","text":', event.text)
            case ReasoningDelta():
                opened = self._in_block("thinking")
                self._thought.append(event.text)
                return opened + self._delta(b'"thinking_delta","thinking":', event.text)
            case CallDelta():
                return self._call_delta(event)
            case CallStarted():
                return self._call_started(event)
            case ReasoningSigned():
                return self._signed(event)
            case Started():
                return self._start(event)
            case UsageSeen():
                self._usage = event.usage
            case Finished():
                self._finish = event
            case Ended():
                return self.end()
            case Failed():
                pass
            case _:
                assert_never(event)
        return b""

    def end(self) -> bytes:
        """Open and waiting blocks, then the end marks; nothing when the stream never finished or has ended."""
        if self._is_over or self._finish is None:
            return b""
        self._is_over = True
        stop, sequence = self._finish.stop, self._finish.stop_sequence
        delta = {
            "type": "message_delta",
            "delta": {"stop_reason": messages_stop(stop, sequence), "stop_sequence": sequence},
            "usage": messages_usage(self._usage),
        }
        opened = b"" if self._has_started else self._start(Started())
        return (
            opened + self._close() + self._waiting() + b"event: message_delta\ndata: " + encode(delta)
            + b'\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        )  # fmt: skip

    def _start(self, event: Started) -> bytes:
        if self._has_started:
            return b""
        self._has_started = True
        self._id = self._id or event.id
        message: dict[str, Any] = {
            "id": self._id, "type": "message", "role": "assistant", "model": event.model or self._model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": messages_usage(self._usage),
        }  # fmt: skip
        return b'event: message_start\ndata: {"type":"message_start","message":' + encode(message) + b"}\n\n"

    def _in_block(self, kind: str) -> bytes:
        if self._kind == kind:
            return b""
        waiting = self._close() + self._waiting()
        block = b'{"type":"text","text":""}' if kind == "text" else b'{"type":"thinking","thinking":"","signature":""}'
        return waiting + self._open(kind, block)

    def _open(self, kind: str, block: bytes) -> bytes:
        started = b"" if self._has_started else self._start(Started())
        self._kind = kind
        self._index += 1
        return (
            started + b'event: content_block_start\ndata: {"type":"content_block_start","index":' + self._place()
            + b',"content_block":' + block + b"}\n\n"
        )  # fmt: skip

    def _close(self) -> bytes:
        if not self._kind:
            return b""
        signed = b""
        if self._kind == "thinking" and self._thought and self._sign is not None:
            signed = self._delta(b'"signature_delta","signature":', self._sign("".join(self._thought)))
        self._thought.clear()
        self._kind = ""
        self._open_call = None
        return signed + (
            b'event: content_block_stop\ndata: {"type":"content_block_stop","index":' + self._place() + b"}\n\n"
        )

    def _delta(self, head: bytes, text: str) -> bytes:
        return (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":' + self._place()
            + b',"delta":{"type":' + head + encode(text) + _BLOCK_END
        )  # fmt: skip

    def _place(self) -> bytes:
        return b"%d" % self._index

    def _signed(self, event: ReasoningSigned) -> bytes:
        if event.redacted:
            block = encode({"type": "redacted_thinking", "data": event.redacted})
            return self._close() + self._waiting() + self._open("redacted", block) + self._close()
        if self._kind != "thinking" or not event.signature:
            return b""
        self._thought.clear()
        return self._delta(b'"signature_delta","signature":', event.signature) + self._close()

    def _call_started(self, event: CallStarted) -> bytes:
        if self._queued or (self._open_call is not None and not self._is_call_whole()):
            self._queued[event.index] = (event, [])
            return b""
        return self._close() + self._open_tool(event)

    def _call_delta(self, event: CallDelta) -> bytes:
        if event.index in self._queued:
            self._queued[event.index][1].append(event.text)
            return self._next_call() if self._is_call_whole() else b""
        if event.index != self._open_call:
            return b""
        self._arguments.append(event.text)
        return self._delta(b'"input_json_delta","partial_json":', event.text)

    def _is_call_whole(self) -> bool:
        if len(self._arguments) > 1:
            self._arguments[:] = ["".join(self._arguments)]
        return bool(self._arguments) and self._arguments[0].rstrip().endswith("}") and is_json(self._arguments[0])

    def _next_call(self) -> bytes:
        """Close the finished call and go on live with the first waiting one."""
        index = next(iter(self._queued))
        started, texts = self._queued.pop(index)
        opened = self._close() + self._open_tool(started)
        return opened + (self._call_delta(CallDelta(index, "".join(texts))) if texts else b"")

    def _open_tool(self, event: CallStarted) -> bytes:
        block = encode({"type": "tool_use", "id": event.id, "name": event.name, "input": {}})
        opened = self._open("tool_use", block)
        self._open_call = event.index
        self._arguments.clear()
        return opened

    def _waiting(self) -> bytes:
        pieces: list[bytes] = []
        for started, texts in self._queued.values():
            pieces.append(self._open_tool(started))
            if texts:
                pieces.append(self._delta(b'"input_json_delta","partial_json":', "".join(texts)))
            pieces.append(self._close())
        self._queued.clear()
        return b"".join(pieces)
