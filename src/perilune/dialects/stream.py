"""A streamed answer translated while it runs, and the turns from a whole answer to a stream and back."""

from collections.abc import Iterable
from typing import assert_never

from perilune.dialects.chat import ChatStreamDecoder, ChatStreamEncoder
from perilune.dialects.collect import Collector
from perilune.dialects.events import (
    CallDelta,
    CallStarted,
    Ended,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from perilune.dialects.form import Answer, Dialect, Reasoning, Text, ToolCall
from perilune.dialects.messages import MessagesStreamDecoder, MessagesStreamEncoder
from perilune.dialects.responses import ResponsesStreamDecoder, ResponsesStreamEncoder
from perilune.dialects.sse import SseEvent, SseParser
from perilune.dialects.target import Context, Frame
from perilune.dialects.translate import parse_answer, print_answer
from perilune.dialects.way_back import EventRestorer, envelope_maker, signer

Decoder = ChatStreamDecoder | MessagesStreamDecoder | ResponsesStreamDecoder
Encoder = ChatStreamEncoder | MessagesStreamEncoder | ResponsesStreamEncoder


def decoder_for(dialect: Dialect) -> Decoder:
    """A fresh reader of one stream of this dialect."""
    match dialect:
        case Dialect.CHAT:
            return ChatStreamDecoder()
        case Dialect.MESSAGES:
            return MessagesStreamDecoder()
        case Dialect.RESPONSES:
            return ResponsesStreamDecoder()
        case _:
            assert_never(dialect)


def encoder_for(context: Context, frame: Frame) -> Encoder:
    """A fresh printer of one stream in the client's dialect."""
    match context.client:
        case Dialect.CHAT:
            return ChatStreamEncoder(
                id=frame.id, model=frame.model, created=frame.created, include_usage=context.include_usage
            )
        case Dialect.MESSAGES:
            return MessagesStreamEncoder(id=frame.id, model=frame.model, sign=signer(context, frame.seal))
        case Dialect.RESPONSES:
            envelope = envelope_maker(context, frame.seal)
            return ResponsesStreamEncoder(id=frame.id, model=frame.model, created=frame.created, envelope=envelope)
        case _:
            assert_never(context.client)


class StreamTranslator:
    """Turns the upstream's stream into the client's, whatever the chunks.

    Shape: `answer` gathers what the upstream said, for metering and the store of thoughts; it is complete when
    `answer.finished` is set. After `answer.failed` or `is_garbled` nothing more is printed: the caller ends the stream.
    """

    __slots__ = ("_decoder", "_encoder", "_parser", "_restorer", "answer")

    def __init__(self, context: Context, frame: Frame) -> None:
        self._parser = SseParser()
        self._decoder = decoder_for(context.upstream)
        self._encoder = encoder_for(context, frame)
        self._restorer = EventRestorer(context)
        self.answer = Collector()

    @property
    def is_garbled(self) -> bool:
        """True after an event above the size limit."""
        return self._parser.is_garbled

    @property
    def encoder(self) -> Encoder:
        """The printer, for the error event that continues its numbering."""
        return self._encoder

    def feed(self, chunk: bytes) -> bytes:
        """What the client gets for this chunk, often several events, often none."""
        return b"".join([self._event(event) for event in self._parser.feed(chunk)])

    def event(self, event: SseEvent) -> bytes:
        """What the client gets for one event that the caller has parsed."""
        return self._event(event)

    def end(self) -> bytes:
        """What is still due when the upstream has closed: the end marks, if the model had finished."""
        rest = b"".join([self._event(event) for event in self._parser.end()])
        return rest if self.answer.failed is not None else rest + self._encoder.end()

    def _event(self, event: SseEvent) -> bytes:
        if self.answer.failed is not None:
            return b""
        said = self._decoder.decode(event)
        if len(said) == 1:
            return self._said(said[0])
        return b"".join([self._said(one) for one in said])

    def _said(self, said: StreamEvent) -> bytes:
        self.answer.add(said)
        shown = self._restorer.restored(said)
        return b"" if shown is None else self._encoder.encode(shown)


def answer_to_stream(context: Context, body: bytes, frame: Frame) -> bytes:
    """A whole answer where a stream was asked for: the equivalent stream, complete.

    Raises: AnswerError PL-PARSE when the upstream's body is no answer.
    """
    encoder, restorer = encoder_for(context, frame), EventRestorer(context)
    shown = (restorer.restored(event) for event in events_of(parse_answer(context.upstream, body)))
    return b"".join(encoder.encode(event) for event in shown if event is not None)


def stream_to_answer(context: Context, answer: Collector, frame: Frame) -> bytes:
    """A collected stream where a whole answer was asked for."""
    return print_answer(context, answer.answer(), frame)


def collect(dialect: Dialect, chunks: Iterable[bytes]) -> Collector:
    """A whole stream of this dialect, gathered."""
    parser, decoder, collector = SseParser(), decoder_for(dialect), Collector()
    for events in (*map(parser.feed, chunks), parser.end()):
        for event in events:
            for said in decoder.decode(event):
                collector.add(said)
    return collector


def events_of(answer: Answer) -> Iterable[StreamEvent]:
    """An answer as the events a stream of it would have."""
    if answer.usage is not None:
        yield UsageSeen(answer.usage)
    yield Started(answer.id, answer.model, answer.created)
    for index, part in enumerate(answer.parts):
        match part:
            case Text(text=text) if text:
                yield TextDelta(text)
            case Reasoning():
                yield from _thought(part)
            case ToolCall():
                yield CallStarted(index, part.id, part.name, part.namespace)
                if part.arguments:
                    yield CallDelta(index, part.arguments)
            case _:
                pass
    yield Finished(answer.stop, answer.stop_text, answer.stop_sequence)
    yield Ended()


def _thought(part: Reasoning) -> Iterable[StreamEvent]:
    if part.redacted:
        yield ReasoningSigned(redacted=part.redacted)
    elif part.text:
        yield ReasoningDelta(part.text)
        if part.signature or part.envelope:
            yield ReasoningSigned(part.signature or "", envelope=part.envelope)
