"""A relayed stream watched from the side: usage, finish and failure, and the one chunk a client did not ask for."""

from typing import Any

import msgspec
from msgspec import Struct

from perilune.dialects.collect import Collector
from perilune.dialects.events import CallDelta, Failed, Finished, ReasoningDelta, Started, TextDelta, UsageSeen
from perilune.dialects.form import Dialect
from perilune.dialects.signals import Signal, signal_of
from perilune.dialects.sse import SseEvent, SseParser, encode_event, parse_block
from perilune.dialects.stream import decoder_for
from perilune.dialects.usage import Usage, read_chat_usage, read_messages_usage, read_responses_usage


class UsageMeter:
    """Takes the usage out of a stream's events; the last one counts, never the sum.

    Shape: `deltas` counts events with content, the ground for an estimate when a stream is cut; `answer` gathers all
    that is said when one is handed in, for the store of thoughts.
    """

    __slots__ = ("_decoder", "_dialect", "answer", "deltas", "failed", "finished", "last", "started", "usage")

    def __init__(self, dialect: Dialect, answer: Collector | None = None) -> None:
        self._dialect = dialect
        self.answer = answer
        self._decoder = decoder_for(dialect)
        self.usage: Usage | None = None
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.last: SseEvent | None = None
        self.deltas = 0

    @property
    def is_estimated(self) -> bool:
        """True while no finish has been seen: what is known of the usage is then not the vendor's last word."""
        return self.finished is None

    def see(self, event: SseEvent) -> None:
        """Take in one event. Plain deltas are only counted."""
        self.last = event
        if self.started is not None and self.answer is None and self._is_plain_delta(event):
            self.deltas += 1
            return
        for said in self._decoder.decode(event):
            if self.answer is not None:
                self.answer.add(said)
            match said:
                case UsageSeen():
                    self.usage = said.usage
                case Finished():
                    self.finished = said
                case Started():
                    self.started = said
                case Failed():
                    self.failed = said
                case TextDelta() | ReasoningDelta() | CallDelta():
                    self.deltas += 1
                case _:
                    pass

    def metered(self, prompt_tokens: int) -> Usage:
        """The usage to book: the vendor's, or for a cut stream what is missing filled from our own count."""
        usage = self.usage or Usage()
        if not self.is_estimated and usage.output_total is not None:
            return usage
        return Usage(
            input_total=prompt_tokens if usage.input_total is None else usage.input_total,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
            output_total=max(usage.output_total or 0, self.deltas),
            reasoning=usage.reasoning,
        )

    def _is_plain_delta(self, event: SseEvent) -> bool:
        """True for an event that holds content and nothing else, seen without decoding it.

        A quoted key cannot stand inside a JSON string: its quotes would be escaped.
        """
        data = event.data
        if self._dialect is Dialect.CHAT:
            return (
                b'"finish_reason":null' in data
                and b'"usage"' not in data
                and b'"error"' not in data
                and b'"tool_calls"' not in data
            )
        if self._dialect is Dialect.MESSAGES:
            return event.name == b"content_block_delta"
        return event.name.endswith(b".delta")


class Relay:
    """A stream of the client's own dialect on its way through: bytes out as they came, watched on the side.

    Shape: an event leaves when it is whole, so that an error event never follows half of another one. `drops_usage`
    takes out Chat's `choices: []` usage chunk for a client that did not ask for it. `signals` are those of the last
    chunk, read only until the first content.
    """

    __slots__ = ("_begun", "_dialect", "_drops_usage", "_is_committed", "_parser", "meter", "signals")

    def __init__(self, dialect: Dialect, *, drops_usage: bool = False, answer: Collector | None = None) -> None:
        self._dialect = dialect
        self._drops_usage = drops_usage and dialect is Dialect.CHAT
        self._parser = SseParser()
        self._begun: list[bytes] = []
        self._is_committed = False
        self.meter = UsageMeter(dialect, answer)
        self.signals: list[Signal] = []

    @property
    def is_garbled(self) -> bool:
        """True after an event above the size limit."""
        return self._parser.is_garbled

    @property
    def is_committed(self) -> bool:
        """True once content, a finish or an error has been seen."""
        return self._is_committed

    def feed(self, chunk: bytes) -> bytes:
        """The bytes for the client."""
        self.signals.clear()
        kept: list[bytes] = []
        blocks = self._parser.blocks(chunk)
        for block in blocks:
            event = parse_block(block)
            if event is not None:
                self._see(event)
            if self._drops_usage and not (event is not None and is_usage_chunk(event)):
                kept.append(block + b"\n\n")
        return b"".join(kept) if self._drops_usage else self._whole(chunk, has_blocks=bool(blocks))

    def end(self) -> bytes:
        """The event that lacks nothing but its end; half of one is not passed on."""
        begun = b"".join(self._begun)
        self._begun.clear()
        if begun.endswith(b"\r\n\r"):
            begun += b"\n"
        kept = [begun[: _end_of_events(begun)]]
        for event in self._parser.end():
            if _is_whole(event):
                self._see(event)
                if not (self._drops_usage and is_usage_chunk(event)):
                    kept.append(encode_event(event.data, event.name))
        return b"".join(kept)

    def _whole(self, chunk: bytes, *, has_blocks: bool) -> bytes:
        """The bytes of all events that are whole by now; what follows them waits."""
        if not self._begun and chunk.endswith(b"\n\n"):
            return chunk
        self._begun.append(chunk)
        if not has_blocks and not chunk.startswith(b"\n"):
            return b""
        begun = b"".join(self._begun)
        end = _end_of_events(begun)
        self._begun = [begun[end:]] if end < len(begun) else []
        return begun[:end]

    def _see(self, event: SseEvent) -> None:
        self.meter.see(event)
        if self._is_committed:
            return
        signal = signal_of(self._dialect, event)
        self.signals.append(signal)
        self._is_committed = signal is not Signal.HOLD


class _UsageChunk(Struct, gc=False):
    choices: list[Any] | None = None
    usage: Any = None


class _Tail(Struct, gc=False):
    """The small fields of a whole answer of any dialect."""

    id: str | None = None
    model: str | None = None
    usage: Any = None


_EVENT_ENDS = (b"\n\n", b"\n\r\n", b"\r\r")
_check = msgspec.json.Decoder(msgspec.Raw).decode
_decode_usage_chunk = msgspec.json.Decoder(_UsageChunk).decode
_decode_tail = msgspec.json.Decoder(_Tail).decode
_READERS = {
    Dialect.CHAT: read_chat_usage,
    Dialect.MESSAGES: read_messages_usage,
    Dialect.RESPONSES: read_responses_usage,
}


def _end_of_events(data: bytes) -> int:
    return max((data.rfind(mark) + len(mark) for mark in _EVENT_ENDS if mark in data), default=0)


def _is_whole(event: SseEvent) -> bool:
    """Whether the last event of a stream that ended without an empty line came to its end."""
    if event.data == b"[DONE]":
        return True
    try:
        _check(event.data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def is_usage_chunk(event: SseEvent) -> bool:
    """True for Chat's last chunk, the one without choices and with usage."""
    if b'"usage"' not in event.data:
        return False
    try:
        chunk = _decode_usage_chunk(event.data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return chunk.choices == [] and chunk.usage is not None


def usage_of_answer(dialect: Dialect, body: bytes) -> tuple[str, Usage | None]:
    """Model and usage of a whole answer that is relayed; empty and None when it cannot be read."""
    try:
        tail = _decode_tail(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return "", None
    return tail.model or "", _READERS[dialect](tail.usage)


def next_sequence_number(event: SseEvent | None) -> int:
    """The number that follows the last event of a relayed Responses stream."""
    try:
        value = msgspec.json.decode(event.data) if event is not None else None
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return 0
    number = value.get("sequence_number") if isinstance(value, dict) else None
    return number + 1 if isinstance(number, int) else 0
