"""One connection: an asyncio protocol that writes a request, parses the answer and holds at most 256 KiB of it.

An answer is awaited (`head`, `read`), or watched by a `Sink` that is told of each piece as it comes.
"""

import asyncio
from typing import Protocol, cast

import httptools

from perilune.net.upstream.answer import AnswerReader
from perilune.net.upstream.port import Clock, Layer, UpstreamError
from perilune.net.upstream.ticker import Ticker

HIGHEST_BUFFER = 256 * 1024
LARGEST_HEAD = 64 * 1024
_RESUME_BELOW = HIGHEST_BUFFER // 2


class Sink(Protocol):
    """Watches an answer."""

    def progress(self) -> None:
        """Something has come: the head, more of the body, the end, or a failure."""
        ...


class Connection(AnswerReader, asyncio.Protocol):
    """Carries one exchange at a time; between exchanges it waits in the pool."""

    __slots__ = (
        "_any_byte",
        "_clock",
        "_deadline",
        "_flow",
        "_has_come",
        "_head_bytes",
        "_is_paused",
        "_loop",
        "_sink",
        "_ticker",
        "_waiter",
        "checked_at",
        "exchanges",
        "idle_since",
    )

    _clock: Clock
    _flow: tuple[float, float] | None

    def __init__(self, ticker: Ticker | None = None) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._ticker = ticker or Ticker(self._loop)
        self.exchanges = 0
        self._sink: Sink | None = None
        self.idle_since = 0.0
        self.checked_at = self._loop.time()
        self._is_paused = False
        self._begin()

    # -- one exchange ------------------------------------------------------------------------------------------------

    def start(self, data: bytes, body: bytes) -> None:
        """Write a request; the answer is awaited with `head` and `read`."""
        self._begin()
        self.exchanges += 1
        self._is_complete = False
        transport = self._open_transport()
        self._ticker.add(self)
        if len(body) < 65_536:
            transport.write(data + body)
        else:
            transport.write(data)
            transport.write(body)

    async def head(self) -> None:
        """Wait for status and headers."""
        while not self._head_done:
            self._raise_failure()
            await self._wait()

    async def read(self) -> bytes:
        """The next bytes of the body, empty at its end."""
        while not self._chunks:
            if self._is_complete:
                return b""
            self._raise_failure()
            await self._wait()
        chunk = self._chunks.popleft() if len(self._chunks) == 1 else self._join()
        self._taken(chunk)
        return chunk

    def expect_within(self, seconds: float, clock: Clock) -> None:
        """The next byte must come within so many seconds from now."""
        self._deadline = self._loop.time() + seconds
        self._clock = clock

    def expect_flow(self, idle_s: float, until: float) -> None:
        """From now on silence may last so long, and everything up to a time on the loop's clock; looked at by ticks."""
        self._flow = (idle_s, until)
        self._has_come = True

    def rest(self) -> None:
        """Stop the clocks: the exchange is over."""
        self._deadline = 0.0
        self._sink = None
        self._ticker.discard(self)

    def close(self) -> None:
        """Close at once; whoever waits is told."""
        self.is_reusable = False
        self._ticker.discard(self)
        if self._transport is not None:
            self._transport.abort()

    def now(self) -> float:
        """The time on the clock of `idle_since` and `checked_at`."""
        return self._loop.time()

    def watch(self, sink: Sink | None) -> None:
        """Tell this one of what comes, in place of waking a reader; None ends that."""
        self._sink = sink

    def take(self) -> bytes:
        """What has come of the body and was not taken yet, perhaps nothing."""
        if not self._chunks:
            return b""
        chunk = self._chunks.popleft() if len(self._chunks) == 1 else self._join()
        self._taken(chunk)
        return chunk

    def put_back(self, data: bytes) -> None:
        """Bytes that were taken and are to be read again."""
        if data:
            self._chunks.appendleft(data)
            self._buffered += len(data)

    def pause(self) -> None:
        """Read no more for now."""
        if not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    @property
    def is_open(self) -> bool:
        """True while another request can be written."""
        transport = self._transport
        return self.is_reusable and self._failure is None and transport is not None and not transport.is_closing()

    @property
    def any_byte(self) -> bool:
        """True when a byte of the present answer has come."""
        return self._any_byte

    # -- asyncio.Protocol --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._is_complete:
            self._break(Layer.GARBLED, "bytes without a request")
            return
        self._any_byte = self._has_come = True
        if not self._head_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(Layer.GARBLED, type(error).__name__)
            return
        if self._failure is not None:
            self.close()
            self._wake()
            return
        if not self._head_done and self._head_bytes > LARGEST_HEAD:
            self._break(Layer.GARBLED, "header block above 64 KiB")
        elif self._buffered > HIGHEST_BUFFER:
            self.pause()
        self._wake()

    def eof_received(self) -> bool:
        self.is_reusable = False
        if not self._is_complete and self._ends_with_connection():
            self._is_complete = True
            self._wake()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.is_reusable = False
        self._ticker.discard(self)
        if not self._is_complete and self._failure is None:
            if self._ends_with_connection() and error is None:
                self._is_complete = True
            else:
                self._failure = UpstreamError(
                    Layer.RESET, type(error).__name__ if error else "", any_byte=self._any_byte
                )
        self._transport = None
        self._wake()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._begin_answer()
        self._flow = None
        self._has_come = False
        self._head_bytes = 0
        self._any_byte = False
        self._waiter: asyncio.Future[None] | None = None
        self._sink = None
        self._deadline = 0.0
        self._clock = "first"

    def _open_transport(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            self._is_complete = False
            raise UpstreamError(Layer.RESET, "closed while idle")
        return self._transport

    def _join(self) -> bytes:
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        return chunk

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _taken(self, chunk: bytes) -> None:
        self._buffered -= len(chunk)
        if self._is_paused and self._buffered < _RESUME_BELOW:
            self.resume()

    def _wake(self) -> None:
        if self._sink is not None:
            self._sink.progress()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _break(self, layer: Layer, detail: str, clock: Clock | None = None) -> None:
        if self._failure is None:
            self._failure = UpstreamError(layer, detail, clock=clock, any_byte=self._any_byte)
        self.close()
        self._wake()

    def look(self, now: float) -> None:
        """Break an exchange whose deadline has passed."""
        if self._flow is not None and self._has_come:
            idle_s, until = self._flow
            self._has_come = False
            self._deadline, self._clock = (now + idle_s, "idle") if now + idle_s < until else (until, "total")
        if self._deadline and now >= self._deadline and not self._is_complete:
            self._break(Layer.TIMEOUT, self._clock, self._clock)
