"""One connection of a client: requests one after the other, each answered by the fast lane or the application."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

from perilune.net.server.body import BodyReader
from perilune.net.server.chunked import ChunkedError
from perilune.net.server.clocks import Clocks
from perilune.net.server.cycle import App, Cycle
from perilune.net.server.heads import LARGEST_HEAD, Head

if TYPE_CHECKING:
    from perilune.net.server.listener import Listener

HIGHEST_BUFFER = 256 * 1024
_MOST_WAITING = 64 * 1024


class Answering(Protocol):
    """Whoever answers the present request."""

    def gone(self) -> None:
        """The client has left."""
        ...

    def pause(self) -> None:
        """The client reads more slowly than it is written to."""
        ...

    def resume(self) -> None:
        """It has caught up."""
        ...


class ServerConnection(asyncio.Protocol):
    """Reads heads and bodies within their limits and clocks, and writes what the one who answers gives."""

    __slots__ = (
        "_answering",
        "_body",
        "_clocks",
        "_cycle",
        "_head",
        "_is_lingering",
        "_is_reading_paused",
        "_rest",
        "_server",
        "_transport",
        "closes",
        "is_paused",
    )

    def __init__(self, server: "Listener") -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._answering: Answering | None = None
        self._cycle: Cycle | None = None
        self._head: Head | None = None
        self._body: BodyReader | None = None
        self._rest = b""
        self._is_lingering = False
        self._is_reading_paused = False
        self._clocks = Clocks(server.now)
        self.is_paused = False
        self.closes = False

    # -- asyncio.Protocol --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGHEST_BUFFER)
        if not self._server.opened(self):
            self.refuse(503)

    def data_received(self, data: bytes) -> None:
        if self._is_lingering:
            return
        if self._body is not None:
            self._take_body(self._body, data)
        elif self._answering is not None:
            self._rest += data
            if len(self._rest) > _MOST_WAITING:
                self._pause_reading()
        else:
            self._begin(self._rest + data if self._rest else data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._server.closed(self)
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.gone()

    def pause_writing(self) -> None:
        self.is_paused = True
        self._clocks.since = self._server.now
        if self._answering is not None:
            self._answering.pause()

    def resume_writing(self) -> None:
        self.is_paused = False
        if self._answering is not None:
            self._answering.resume()

    # -- answering ---------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Bytes for the client; what it does not take yet is buffered."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self) -> None:
        """The answer is out: the next request may come, unless this connection is to close."""
        self._answering = None
        self._cycle = None
        head, self._head = self._head, None
        transport = self._transport
        if transport is None:
            return
        if self._body is not None or (head is None and not transport.is_closing()):
            self._linger(transport)
            return
        if self.closes or head is None or not head.keeps_alive:
            transport.close()
            return
        if self._rest:
            self._server.loop.call_soon(self._next)
        self._clocks.since = self._server.now
        self.read_on()

    def hand_to(self, app: App) -> None:
        """Somebody else's turn with the present request, whose body has been read already."""
        self._cycle_for(b"", app).feed(b"", is_last=True)

    def answered_by(self, answering: Answering) -> None:
        """This one answers the present request from now on."""
        self._answering = answering

    @property
    def is_old(self) -> bool:
        """True for a client that knows no chunks."""
        return self._head is not None and self._head.is_old

    def closing_line(self) -> bytes:
        """The header that says that this connection ends with this answer, where it does."""
        head = self._head
        if not self.closes and head is not None and head.keeps_alive and self._body is None:
            return b"connection: keep-alive\r\n" if head.is_old else b""
        return b"connection: close\r\n"

    def refuse(self, status: int) -> None:
        """Answer what cannot be read, and close."""
        self.closes = True
        phrase = HTTPStatus(status).phrase
        text = f"{phrase}\n".encode()
        head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
        self.write(head.encode() + b"content-length: %d\r\n\r\n" % len(text) + text)
        self._head = None
        self.finish()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def proceed(self) -> None:
        """Tell a client that waits for it to send the body."""
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def end_gracefully(self) -> None:
        """Close when idle, else with the present answer."""
        self.closes = True
        if self._answering is None and self._head is None and self._transport is not None:
            self._transport.close()

    def tick(self, now: float) -> None:
        """Look at the clocks, about once a second. A body that is asked for bit by bit is its reader's business."""
        clocks, transport = self._clocks, self._transport
        if self._answering is not None:
            unsent = 0 if transport is None else transport.get_write_buffer_size()
            is_late = self.is_paused and clocks.is_reader_stuck(now, unsent)
        elif self._body is not None:
            is_late = clocks.is_body_too_slow(now, self._body.size)
        else:
            is_late = clocks.is_idle_too_long(now, has_begun=bool(self._rest) or self._is_lingering)
        if is_late:
            self.abort()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._answering is None and self._transport is not None and not self._transport.is_closing():
            rest, self._rest = self._rest, b""
            if rest:
                self._begin(rest)

    def _begin(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0 or data.startswith(b"\r\n"):
            self._wait_for_head(data)
            return
        self._rest = b""
        end += 4
        found = self._server.heads.find(data[:end]) if end <= LARGEST_HEAD else 431
        if isinstance(found, int):
            self.refuse(found)
            return
        head, length = found
        self._head = head
        if length == len(data) - end:
            self._dispatch(head, data[end:])
        else:
            self._begin_body(head, length, data[end:])

    def _wait_for_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):
            data = data.lstrip(b"\r\n")
            if b"\r\n\r\n" in data:
                self._begin(data)
                return
        if len(data) > LARGEST_HEAD:
            self.refuse(431)
            return
        if not self._rest:
            self._clocks.since = self._server.now
        self._rest = data

    def _begin_body(self, head: Head, length: int | None, data: bytes) -> None:
        if length is None and not head.is_chunked:
            self._rest = data
            self._dispatch(head, b"")
            return
        lane = self._server.lane()
        self._clocks.since = self._server.now
        body = self._body = BodyReader(length)
        if lane is None or length is None or not lane.wants(head, length):
            self._cycle_for(b"")
        elif head.expects_continue and not data:
            self.proceed()
        if data or body.is_over:
            self._take_body(body, data)

    def _take_body(self, body: BodyReader, data: bytes) -> None:
        cycle = self._cycle
        try:
            piece = body.feed(data)
        except ChunkedError:
            self.abort()
            return
        if body.is_over:
            self._body, self._rest = None, body.rest
        if cycle is not None:
            cycle.feed(piece, is_last=body.is_over)
            if cycle.is_full:
                self._pause_reading()
        elif self._head is not None:
            body.parts.append(piece)
            if body.is_over:
                self._dispatch(self._head, b"".join(body.parts))

    def _dispatch(self, head: Head, body: bytes) -> None:
        lane = self._server.lane()
        if lane is not None and lane.take(self, head, body):
            return
        self._cycle_for(body).feed(b"", is_last=True)

    def _cycle_for(self, body: bytes, app: App | None = None) -> Cycle:
        head = self._head
        if head is None:
            raise RuntimeError("a request is being answered")
        cycle = Cycle(self, head, len(body) if self._body is None else self._body.left, body)
        self._cycle = cycle
        self._answering = cycle
        self._server.run(cycle, app)
        return cycle

    def _linger(self, transport: asyncio.Transport) -> None:
        """Close behind an answer that came before the request's end: a reset could take the answer with it."""
        self._is_lingering = True
        self._body = None
        self._clocks.since = self._server.now
        self._rest = b""
        transport.write_eof()
        self.read_on()

    def _pause_reading(self) -> None:
        if not self._is_reading_paused and self._transport is not None and not self._transport.is_closing():
            self._is_reading_paused = True
            self._transport.pause_reading()

    def read_on(self) -> None:
        """Read again where reading was paused."""
        if self._is_reading_paused and self._transport is not None and not self._transport.is_closing():
            self._is_reading_paused = False
            self._transport.resume_reading()
