"""An answer on its way: relayed, translated or gathered, and watched for content, finish and failure.

All three kinds have the same face: `has_content` once the commit point is reached, `failure` the upstream's error
object, `is_finished` once the model said why it stopped, `usage` what to book, `broken` the event that ends a broken
stream.
"""

import time

import msgspec

from perilune.dialects.collect import Collector
from perilune.dialects.content import Relay, next_sequence_number
from perilune.dialects.errors import ClientError, error_event, failed_relayed_response, failed_response
from perilune.dialects.form import Dialect
from perilune.dialects.responses.stream_out import ResponsesStreamEncoder
from perilune.dialects.signals import Signal, signal_of
from perilune.dialects.sse import SseEvent, SseParser
from perilune.dialects.stream import StreamTranslator, decoder_for, stream_to_answer
from perilune.dialects.target import Context, Frame
from perilune.dialects.usage import Usage
from perilune.gateway.shaping import Prepared


class RelayFlow:
    """Bytes go back as they came; a collector beside them gathers thoughts when they must be kept."""

    __slots__ = ("_keeper", "_relay", "has_content")

    def __init__(self, prepared: Prepared) -> None:
        dialect = prepared.context.upstream
        self._relay = Relay(dialect, drops_usage=not prepared.context.include_usage)
        self._keeper = Keeper(dialect) if prepared.wants_thoughts else None
        self.has_content = False

    def feed(self, chunk: bytes) -> bytes:
        out = self._relay.feed(chunk)
        if self._keeper is not None:
            self._keeper.feed(chunk)
        if not self.has_content:
            self.has_content = self._relay.is_committed and self._relay.meter.failed is None
        return out

    def end(self) -> bytes:
        if self._keeper is not None:
            self._keeper.end()
        return self._relay.end()

    @property
    def failure(self) -> bytes | None:
        failed = self._relay.meter.failed
        return None if failed is None else failed.json

    @property
    def is_finished(self) -> bool:
        return self._relay.meter.finished is not None

    @property
    def is_garbled(self) -> bool:
        return self._relay.is_garbled

    @property
    def served_model(self) -> str | None:
        started = self._relay.meter.started
        return started.model or None if started is not None else None

    @property
    def answer(self) -> Collector | None:
        return None if self._keeper is None else self._keeper.collector

    @property
    def output_events(self) -> int:
        return self._relay.meter.deltas

    def usage(self, prompt_tokens: int) -> Usage:
        return self._relay.meter.metered(prompt_tokens)

    def broken(self, error: ClientError, dialect: Dialect) -> bytes:
        meter = self._relay.meter
        if dialect is not Dialect.RESPONSES:
            return error_event(dialect, error)
        started = meter.started
        return failed_relayed_response(
            error,
            response_id=started.id if started is not None else "",
            model=started.model if started is not None else "",
            created=started.created if started is not None else int(time.time()),
            number=next_sequence_number(meter.last),
        )


class TranslateFlow:
    """Events go back in the client's dialect."""

    __slots__ = ("_dialect", "_parser", "_translator", "deltas", "has_content")

    def __init__(self, context: Context, frame: Frame) -> None:
        self._dialect = context.upstream
        self._parser = SseParser()
        self._translator = StreamTranslator(context, frame)
        self.has_content = False
        self.deltas = 0

    def feed(self, chunk: bytes) -> bytes:
        events = self._parser.feed(chunk)
        if len(events) == 1:
            return self._event(events[0])
        return b"".join([self._event(event) for event in events])

    def end(self) -> bytes:
        rest = b"".join([self._event(event) for event in self._parser.end()])
        return rest + self._translator.end() if self.is_finished else rest

    def _event(self, event: SseEvent) -> bytes:
        self.deltas += 1
        if not self.has_content:
            self.has_content = signal_of(self._dialect, event) in (Signal.CONTENT, Signal.FINISH)
        return self._translator.event(event)

    @property
    def failure(self) -> bytes | None:
        failed = self._translator.answer.failed
        return None if failed is None else failed.json

    @property
    def is_finished(self) -> bool:
        return self._translator.answer.finished is not None

    @property
    def is_garbled(self) -> bool:
        return self._parser.is_garbled

    @property
    def served_model(self) -> str | None:
        started = self._translator.answer.started
        return started.model or None if started is not None else None

    @property
    def answer(self) -> Collector | None:
        return self._translator.answer

    @property
    def output_events(self) -> int:
        return self.deltas

    def usage(self, prompt_tokens: int) -> Usage:
        return metered(self._translator.answer, prompt_tokens, self.deltas)

    def broken(self, error: ClientError, dialect: Dialect) -> bytes:
        encoder = self._translator.encoder
        if isinstance(encoder, ResponsesStreamEncoder):
            return failed_response(error, encoder)
        return error_event(dialect, error)


class Keeper:
    """Gathers a stream of one dialect; used for collected answers and for thoughts beside a relay."""

    __slots__ = ("_decoder", "_dialect", "_parser", "collector", "deltas", "has_content")

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parser = SseParser()
        self._decoder = decoder_for(dialect)
        self.collector = Collector()
        self.has_content = False
        self.deltas = 0

    def feed(self, chunk: bytes) -> bytes:
        for event in self._parser.feed(chunk):
            self._event(event)
        return b""

    def end(self) -> bytes:
        for event in self._parser.end():
            self._event(event)
        return b""

    def whole(self, context: Context, frame: Frame) -> bytes:
        """The gathered answer as a body for the client."""
        return stream_to_answer(context, self.collector, frame)

    def _event(self, event: SseEvent) -> None:
        self.deltas += 1
        for said in self._decoder.decode(event):
            self.collector.add(said)
        if not self.has_content:
            self.has_content = self.collector.has_content or self.collector.finished is not None

    @property
    def failure(self) -> bytes | None:
        failed = self.collector.failed
        return None if failed is None else failed.json

    @property
    def is_finished(self) -> bool:
        return self.collector.finished is not None

    @property
    def is_garbled(self) -> bool:
        return self._parser.is_garbled

    @property
    def served_model(self) -> str | None:
        started = self.collector.started
        return started.model or None if started is not None else None

    @property
    def answer(self) -> Collector | None:
        return self.collector

    @property
    def output_events(self) -> int:
        return self.deltas

    def usage(self, prompt_tokens: int) -> Usage:
        return metered(self.collector, prompt_tokens, self.deltas)

    def broken(self, error: ClientError, dialect: Dialect) -> bytes:
        return error_event(dialect, error)


Flows = RelayFlow | TranslateFlow | Keeper


def metered(answer: Collector, prompt_tokens: int, deltas: int) -> Usage:
    """The usage to book: the vendor's; of a cut stream what is missing is filled from our own count."""
    usage = answer.usage or Usage()
    if answer.finished is not None and usage.output_total is not None:
        return usage
    return Usage(
        input_total=prompt_tokens if usage.input_total is None else usage.input_total,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        output_total=max(usage.output_total or 0, deltas),
        reasoning=usage.reasoning,
    )


def is_error_object(body: bytes) -> bool:
    """True for a JSON body that holds an error and no answer, as some vendors send with status 200."""
    if b'"error"' not in body:
        return False
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    if not isinstance(document, dict) or document.get("error") is None:
        return False
    return not any(document.get(name) for name in ("choices", "content", "output"))
