"""Internal events printed as a Chat stream."""

from typing import assert_never

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
from perilune.dialects.stops import chat_stop
from perilune.dialects.usage import Usage, chat_usage

_PLAIN_END = b'},"finish_reason":null}]}\n\n'


class ChatStreamEncoder:
    """Prints one Chat stream in the order of the gateway reference 1.7.

    Shape: `id`, `model`, `created` stand in every chunk; `include_usage` adds the `choices: []` chunk.
    """

    __slots__ = (
        "_created",
        "_finish",
        "_head",
        "_id",
        "_include_usage",
        "_is_over",
        "_model",
        "_places",
        "_usage",
        "_written",
    )

    def __init__(self, *, id: str, model: str, created: int, include_usage: bool) -> None:  # noqa: A002
        self._id, self._model, self._created = id, model, created
        self._include_usage = include_usage
        self._head = b""
        self._places: dict[int, int] = {}
        self._written: set[int] = set()
        self._finish: Finished | None = None
        self._usage: Usage | None = None
        self._is_over = False

    def encode(self, event: StreamEvent) -> bytes:
        """The bytes for this event, often none."""
        match event:
            case TextDelta():
                return self._delta(b'"content":' + encode(event.text))
            case ReasoningDelta():
                return self._delta(b'"reasoning_content":' + encode(event.text))
            case CallDelta():
                return self._call_delta(event)
            case CallStarted():
                return self._call_started(event)
            case Started():
                return self._start(event)
            case UsageSeen():
                self._usage = event.usage
            case Finished():
                self._finish = event
            case Ended():
                return self.end()
            case Failed() | ReasoningSigned():
                pass
            case _:
                assert_never(event)
        return b""

    def end(self) -> bytes:
        """Finish chunk, usage chunk if asked for, `[DONE]`; nothing when the stream never finished or has ended."""
        if self._is_over or self._finish is None:
            return b""
        self._is_over = True
        calls = b"".join(self._empty_call(place) for index, place in self._places.items() if index not in self._written)
        reason = chat_stop(self._finish.stop, self._finish.text)
        usage = b"" if self._usage is None else encode(chat_usage(self._usage))
        choice_usage = b',"usage":' + usage if usage else b""
        finish = self._opened() + b'},"finish_reason":' + encode(reason) + choice_usage + b"}]}\n\n"
        last = self._usage_chunk(usage) if self._include_usage and usage else b""
        return calls + finish + last + b"data: [DONE]\n\n"

    def _opened(self) -> bytes:
        return self._head or self._start(Started()) + self._head

    def _start(self, event: Started) -> bytes:
        if self._head:
            return b""
        self._id = self._id or event.id
        self._model = event.model or self._model
        self._head = (
            b'data: {"id":' + encode(self._id) + b',"object":"chat.completion.chunk","created":' + encode(self._created)
            + b',"model":' + encode(self._model) + b',"choices":[{"index":0,"delta":{'
        )  # fmt: skip
        return self._head + b'"role":"assistant","content":""' + _PLAIN_END

    def _delta(self, fields: bytes) -> bytes:
        return (self._head or self._opened()) + fields + _PLAIN_END

    def _call_started(self, event: CallStarted) -> bytes:
        place = self._places.setdefault(event.index, len(self._places))
        call = {"index": place, "id": event.id, "type": "function", "function": {"name": event.name, "arguments": ""}}
        return self._delta(b'"tool_calls":[' + encode(call) + b"]")

    def _call_delta(self, event: CallDelta) -> bytes:
        self._written.add(event.index)
        place = str(self._places.get(event.index, event.index)).encode()
        return self._delta(
            b'"tool_calls":[{"index":' + place + b',"function":{"arguments":' + encode(event.text) + b"}}]"
        )

    def _empty_call(self, place: int) -> bytes:
        return self._delta(b'"tool_calls":[{"index":' + str(place).encode() + b',"function":{"arguments":"{}"}}]')

    def _usage_chunk(self, usage: bytes) -> bytes:
        head = self._head.removesuffix(b'[{"index":0,"delta":{')
        return head + b'[],"usage":' + usage + b"}\n\n"
