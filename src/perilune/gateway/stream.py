"""A stream past its commit point: read on, watched, metered; ended in one place whatever ends it."""

from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from perilune.core.errors import Problem
from perilune.core.messages import Language
from perilune.dialects.form import Dialect
from perilune.gateway.admission import Lease
from perilune.gateway.answering import client_error
from perilune.gateway.call import Attempt, Reply
from perilune.gateway.dispatch import Streaming
from perilune.gateway.failures import outcome_of, plain_outcome
from perilune.gateway.final import kind_of
from perilune.gateway.limits import expect_next
from perilune.gateway.setup import Services
from perilune.gateway.tally import Tally
from perilune.net.upstream import UpstreamError
from perilune.providers.contract.outcome import Outcome
from perilune.providers.contract.outcome import OutcomeClass as Is


class AnswerStream:
    """The chunks of one streamed answer. Read to the end or closed, it gives back what it holds exactly once.

    Shape: pulled piece by piece, or pushed by whoever takes the upstream's pieces (`first`, `take`, `fail`) until
    `is_over`; `until`, when set, gives the last bytes once the stream is not wanted any more; `on_end` hears the
    outcome and frees the lease; `on_finished` hears that the model has said all, before the client does; `flush`, when
    set, is waited for between the two: such a stream can only be pulled.
    """

    def __init__(
        self,
        streaming: Streaming,
        reply: Reply,
        attempt: Attempt,
        tally: Tally,
        *,
        explain: Callable[[Outcome, Attempt], bytes],
        on_finished: Callable[[], None],
        on_end: Callable[[Outcome], None],
        flush: Callable[[], Awaitable[None]] | None,
        prompt_tokens: Callable[[], int],
    ) -> None:
        self.streaming = streaming
        self._reply = reply
        self._attempt = attempt
        self._tally = tally
        self._explain = explain
        self._on_finished = on_finished
        self._on_end = on_end
        self._flush = flush
        self._is_flush_due = False
        self._prompt_tokens = prompt_tokens
        self._held: bytes | None = streaming.held
        self._was_finished = False
        self.is_over = False
        self._bytes_out = 0
        self._gaps = tally.chunk_gaps
        self._out_s = 0.0
        self._interrupted: Outcome | None = None
        self._leases: Sequence[Lease] = ()
        self.until: Callable[[], bytes | None] | None = None

    @property
    def can_be_pushed(self) -> bool:
        """True where nothing has to be waited for before the client hears the end."""
        return self._flush is None

    def __aiter__(self) -> "AnswerStream":
        return self

    async def __anext__(self) -> bytes:
        """The next bytes for the client."""
        piece = self.first()
        try:
            while not piece and not self.is_over:
                piece = await self._next()
            if self._is_flush_due and self._flush is not None:
                self._is_flush_due = False
                await self._flush()
        except BaseException:
            self._end(plain_outcome(Is.CLIENT_GONE))
            raise
        if not piece:
            raise StopAsyncIteration
        return piece

    def first(self) -> bytes:
        """What was held back until the first content; empty when it has been given out."""
        held, self._held = self._held, None
        if self.is_over or not held:
            return b""
        self._note_finish()
        return self._out(held)

    def take(self, chunk: bytes) -> bytes:
        """What a piece of the upstream's answer becomes for the client; an empty piece is the answer's end."""
        flow = self.streaming.flow
        piece = flow.feed(chunk) if chunk else flow.end()
        if flow.failure is not None or flow.is_garbled:
            return piece + self._broken(plain_outcome(Is.GARBLED if flow.is_garbled else Is.STREAM_CUT))
        if not self._was_finished and flow.is_finished:
            self._note_finish()
        return self._out(piece) if chunk else self._last(piece)

    def fail(self, error: UpstreamError) -> bytes:
        """The last bytes for the client when the upstream broke."""
        rest = self.streaming.flow.end() if self.streaming.flow.is_finished else b""  # the end marks are due
        return rest + self._broken(self._interrupted or outcome_of(error, in_body=True, status=200))

    def hold(self, leases: Sequence[Lease]) -> None:
        """Leases that last as long as the stream does."""
        self._leases = leases
        if self.is_over:
            self._release()

    def _release(self) -> None:
        for lease in self._leases:
            lease.release()

    def interrupt(self, outcome: Outcome) -> None:
        """End the stream from outside: its reader gets the error event of this outcome next."""
        self._interrupted = outcome
        self.streaming.exchange.close()

    async def aclose(self) -> None:
        """The client has left, or has read all: close the upstream and free the lease at once."""
        self.close()

    def close(self) -> None:
        """As `aclose`, for places that cannot wait."""
        self._end(plain_outcome(Is.CLIENT_GONE))

    async def _next(self) -> bytes:
        exchange = self.streaming.exchange
        expect_next(exchange, self.streaming.limits)
        try:
            return self.take(await exchange.read())
        except UpstreamError as error:
            return self.fail(error)
        except BaseException:
            self._end(plain_outcome(Is.CLIENT_GONE))
            raise

    def _last(self, piece: bytes) -> bytes:
        if self._interrupted is not None:
            return piece + self._broken(self._interrupted)
        if not self.streaming.flow.is_finished:
            return piece + self._broken(plain_outcome(Is.STREAM_CUT))
        self._end(plain_outcome(Is.OK, status=200))
        return piece

    def _out(self, piece: bytes) -> bytes:
        """A piece for the client, unless its key has ended meanwhile: then the stream ends with it."""
        ended = None if self.until is None else self.until()
        if ended is not None:
            self.close()
            return ended
        if piece:
            self._bytes_out += len(piece)
            before_s, self._out_s = self._out_s, perf_counter()
            if before_s:
                self._gaps.add(self._out_s - before_s)
        return piece

    def _note_finish(self) -> None:
        if not self._was_finished and self.streaming.flow.is_finished:
            self._was_finished = True
            self._is_flush_due = self._flush is not None
            self._on_finished()

    def _broken(self, outcome: Outcome) -> bytes:
        """The error event that ends the stream; nothing is tried elsewhere once content has gone out."""
        if self.streaming.flow.is_finished:
            self._end(plain_outcome(Is.OK, status=200))
            return b""
        self._reply.is_cut = True
        event = self._explain(outcome, self._attempt)
        self._bytes_out += len(event)
        self._end(outcome)
        return event

    def _end(self, outcome: Outcome) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._held = None
        streaming = self.streaming
        streaming.exchange.close()
        if outcome.kind is Is.CLIENT_GONE and streaming.flow.is_finished:
            outcome = plain_outcome(Is.OK, status=200)
        self._attempt.outcome = outcome
        try:
            self._book(outcome)
        finally:
            self._release()
            self._on_end(outcome)

    def _book(self, outcome: Outcome) -> None:
        flow = self.streaming.flow
        usage = flow.usage(0)
        if not usage.input_total:
            usage = flow.usage(self._prompt_tokens())
        self._reply.usage = usage
        self._reply.served_model = flow.served_model
        self._tally.total(self._attempt)
        self._tally.finish(
            200,
            outcome.kind,
            outcome.code,
            usage=usage,
            served=flow.served_model,
            bytes_out=self._bytes_out,
            is_estimated=not flow.is_finished,
        )


def broken_event(
    services: Services,
    language: Language,
    dialect: Dialect,
    streaming: Streaming,
    request_id: str,
    outcome: Outcome,
    attempt: Attempt,
) -> bytes:
    """The last event of a stream that broke, in the client's dialect."""
    facts: dict[str, object] = {"account": attempt.account, "tokens": streaming.flow.output_events}
    code = outcome.code or "PL-GW-STREAM"
    variant = "NO-LIMIT" if code == "PL-GW-TIMEOUT" else ""
    problem = Problem(code=code, facts=facts, variant=variant, words=outcome.words, account=attempt.account)
    error = client_error(services.voice(language), problem, kind_of(outcome.kind), request_id, [attempt])
    return streaming.flow.broken(error, dialect)
