"""Internal events printed as a Responses stream: item by item, every event numbered."""

from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

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
from perilune.dialects.form import Reasoning, ToolCall
from perilune.dialects.responses.items import (
    Envelope,
    call_item,
    envelope_of,
    message_item,
    reasoning_item,
    response_object,
    text_part,
)
from perilune.dialects.stops import responses_stop
from perilune.dialects.usage import Usage


class _Item(Struct, gc=False):
    """An item being written. `prefix` is the constant text of its delta events before the number."""

    kind: str
    id: str
    place: int
    delta_head: bytes
    pieces: list[str]
    call: ToolCall = ToolCall("", "", "")


class ResponsesStreamEncoder:
    """Prints one Responses stream in the order of the gateway reference 1.7.

    Shape: `sequence_number` rises by one from 0. `envelope` seals thoughts for a client that asked for it.
    """

    __slots__ = (
        "_calls", "_created", "_envelope", "_finish", "_has_started", "_id", "_is_over", "_model", "_number", "_open",
        "_output", "_place", "_usage",
    )  # fmt: skip

    def __init__(self, *, id: str, model: str, created: int, envelope: Envelope | None = None) -> None:  # noqa: A002
        self._id, self._model, self._created, self._envelope = id, model, created, envelope
        self._has_started = self._is_over = False
        self._number = self._place = 0
        self._open: _Item | None = None
        self._calls: dict[int, _Item] = {}
        self._output: dict[int, dict[str, Any]] = {}
        self._usage: Usage | None = None
        self._finish: Finished | None = None

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for this event, often none."""
        match event:
            case TextDelta():
                return self._in_item("message") + self._delta(self._open, event.text)
            case ReasoningDelta():
                return self._in_item("reasoning") + self._delta(self._open, event.text)
            case CallDelta():
                return self._delta(self._calls.get(event.index), event.text)
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
        """Open items and the whole response; nothing when the stream never finished or has ended."""
        if self._is_over or self._finish is None:
            return b""
        started = self._start(Started())
        closed = self._close() + self._close_calls()
        self._is_over = True
        status, reason = responses_stop(self._finish.stop)
        whole = self._response(status, reason)
        return started + closed + self._event(f"response.{status}", {"response": whole})

    def failed(self, error: dict[str, Any]) -> bytes:
        """The last event of a stream that broke: `response.failed` with what was written so far."""
        started = self._start(Started())
        self._is_over = True
        whole = self._response("failed", None) | {"error": error}
        return started + self._event("response.failed", {"response": whole})

    def _response(self, status: str, reason: str | None) -> dict[str, Any]:
        return response_object(
            response_id=self._id,
            model=self._model,
            created=self._created,
            status=status,
            output=[self._output[place] for place in sorted(self._output)],
            usage=self._usage,
            reason=reason,
        )

    def _event(self, name: str, fields: dict[str, Any]) -> bytes:
        kind = name.encode()
        number = b"%d" % self._number
        self._number += 1
        rest = encode(fields)[1:]
        return (
            b"event: " + kind + b'\ndata: {"type":"' + kind + b'","sequence_number":' + number + b"," + rest + b"\n\n"
        )

    def _start(self, event: Started) -> bytes:
        if self._has_started:
            return b""
        self._has_started = True
        self._id = self._id or event.id
        self._model = event.model or self._model
        fields = {"response": self._response("in_progress", None)}
        return self._event("response.created", fields) + self._event("response.in_progress", fields)

    def _in_item(self, kind: str) -> bytes:
        if self._open is not None and self._open.kind == kind:
            return b""
        return self._close() + self._close_calls() + self._open_item(kind)

    def _open_item(self, kind: str) -> bytes:
        started = self._start(Started())
        place = self._next_place()
        item_id = f"{'msg' if kind == 'message' else 'rs'}_{place}_{self._id}"
        where: dict[str, Any] = {"item_id": item_id, "output_index": place}
        if kind == "message":
            item = message_item(item_id, "", "in_progress")
            event, part = "response.content_part.added", where | {"content_index": 0, "part": text_part("")}
            tail = where | {"content_index": 0, "logprobs": []}
            delta = "response.output_text.delta"
        else:
            item = reasoning_item(item_id, "", "")
            part = where | {"summary_index": 0, "part": {"type": "summary_text", "text": ""}}
            event, tail = "response.reasoning_summary_part.added", where | {"summary_index": 0}
            delta = "response.reasoning_summary_text.delta"
        self._open = _Item(kind, item_id, place, _delta_head(delta, tail), [])
        added = self._event("response.output_item.added", {"output_index": place, "item": item})
        return started + added + self._event(event, part)

    def _next_place(self) -> int:
        place = self._place
        self._place += 1
        return place

    def _delta(self, item: _Item | None, text: str) -> bytes:
        if item is None:
            return b""
        item.pieces.append(text)
        number = b"%d" % self._number
        self._number += 1
        return item.delta_head + encode(text) + b',"sequence_number":' + number + b"}\n\n"

    def _signed(self, event: ReasoningSigned) -> bytes:
        if self._open is None or self._open.kind != "reasoning":
            return b""
        return self._close(event)

    def _close(self, signed: ReasoningSigned | None = None) -> bytes:
        item, self._open = self._open, None
        if item is None:
            return b""
        text = "".join(item.pieces)
        where: dict[str, Any] = {"item_id": item.id, "output_index": item.place}
        if item.kind == "message":
            where["content_index"] = 0
            self._output[item.place] = message_item(item.id, text)
            done = self._event("response.output_text.done", where | {"text": text, "logprobs": []})
            part = self._event("response.content_part.done", where | {"part": text_part(text)})
        else:
            where["summary_index"] = 0
            signed = signed or ReasoningSigned()
            thought = Reasoning(text, signed.signature or None, envelope=signed.envelope)
            self._output[item.place] = reasoning_item(item.id, text, envelope_of(thought, self._envelope))
            summary = {"type": "summary_text", "text": text}
            done = self._event("response.reasoning_summary_text.done", where | {"text": text})
            part = self._event("response.reasoning_summary_part.done", where | {"part": summary})
        return done + part + self._item_done(item.place)

    def _item_done(self, place: int) -> bytes:
        return self._event("response.output_item.done", {"output_index": place, "item": self._output[place]})

    def _call_started(self, event: CallStarted) -> bytes:
        closed = self._start(Started()) + self._close()
        place = self._next_place()
        item_id = f"fc_{place}_{self._id}"
        call = ToolCall(event.id, event.name, "", namespace=event.namespace)
        head = _delta_head("response.function_call_arguments.delta", {"item_id": item_id, "output_index": place})
        self._calls[event.index] = _Item("function_call", item_id, place, head, [], call)
        item = call_item(item_id, call, "in_progress")
        return closed + self._event("response.output_item.added", {"output_index": place, "item": item})

    def _close_calls(self) -> bytes:
        closed: list[bytes] = []
        for item in self._calls.values():
            text = "".join(item.pieces) or "{}"
            call = replace(item.call, arguments=text)
            self._output[item.place] = call_item(item.id, call)
            where = {"item_id": item.id, "output_index": item.place, "name": call.name, "arguments": text}
            closed.append(self._event("response.function_call_arguments.done", where) + self._item_done(item.place))
        self._calls.clear()
        return b"".join(closed)


def _delta_head(kind: str, fields: dict[str, Any]) -> bytes:
    name = kind.encode()
    return b"event: " + name + b"\ndata: " + encode({"type": kind} | fields)[:-1] + b',"delta":'
