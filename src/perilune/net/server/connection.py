"""One connection of a client: requests one after the other, each answered by the fast lane or the application."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

from perilune.net.server.chunked import Chunked, ChunkedError
from perilune.net.server.cycle import App, Cycle
from perilune.net.server.heads import LARGEST_HEAD, Head

if TYPE_CHECKING:
    from perilune.net.server.listener import Listener

HIGHEST_BUFFER = 256 * 1024
_MOST_WAITING = 64 * 1024
HEAD_S = 10.0
IDLE_S = 75.0
STUCK_S = 120.0
_SLOWEST_AFTER_S = 10.0
_SLOWEST_BYTES_PER_S = 1024


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
        "_chunked",
        "_cycle",
        "_head",
        "_is_body_over",
        "_is_lingering",
        "_is_reading_paused",
        "_left",
        "_parts",
        "_rest",
        "_server",
        "_since",
        "_size",
        "_stuck_at",
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
        self._chunked: Chunked | None = None
        self._parts: list[bytes] = []
        self._rest = b""
        self._left = 0
        self._size = 0
        self._is_body_over = True
        self._is_lingering = False
        self._is_reading_paused = False
        self._since = server.now
        self._stuck_at = -1
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
        if not self._is_body_over:
            self._take_body(data)
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
        self._since = self._server.now
        if self._answering is not None:
            self._answering.pause()

    def resume_writing(self) -> None:
        self.is_paused = False
        self._stuck_at = -1
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
        if not self._is_body_over or (head is None and not transport.is_closing()):
            self._linger(transport)
            return
        if self.closes or head is None or not head.keeps_alive:
            transport.close()
            return
        if self._rest:
            self._server.loop.call_soon(self._next)
        self._since = self._server.now
        self._resume_reading()

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
        if not self.closes and head is not None and head.keeps_alive and self._is_body_over:
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

    def want_body(self) -> None:
        """The one who answers wants more of the body."""
        self._resume_reading()

    def proceed(self) -> None:
        """Tell a client that waits for it to send the body."""
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def end_gracefully(self) -> None:
        """Close when idle, else with the present answer."""
        self.closes = True
        if self._answering is None and self._head is None and self._transport is not None:
            self._transport.close()

    @property
    def is_busy(self) -> bool:
        """True while a request is being answered."""
        return self._answering is not None

    def tick(self, now: float) -> None:
        """Look at the clocks, about once a second."""
        if self._answering is not None and self._is_body_over:
            if self.is_paused:
                self._look_at_reader(now)
            return
        waited = now - self._since
        if self._answering is None and self._head is not None:
            if waited > _SLOWEST_AFTER_S + self._size / _SLOWEST_BYTES_PER_S:
                self.abort()
        elif self._answering is None and waited > (HEAD_S if self._rest or self._is_lingering else IDLE_S):
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
        if length == len(data) - end and not head.is_chunked:
            self._is_body_over = True
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
            self._since = self._server.now
        self._rest = data

    def _begin_body(self, head: Head, length: int | None, data: bytes) -> None:
        lane = self._server.lane()
        self._since = self._server.now
        self._parts = []
        self._size = 0
        if length is None and not head.is_chunked:
            self._rest = data
            self._is_body_over = True
            self._dispatch(head, b"")
            return
        self._is_body_over = False
        self._left = length or 0
        self._chunked = Chunked() if head.is_chunked else None
        if lane is None or length is None or not lane.wants(head, length):
            self._cycle_for(b"")
        elif head.expects_continue and not data:
            self.proceed()
        if data or length == 0:
            self._take_body(data)

    def _take_body(self, data: bytes) -> None:
        try:
            piece = self._piece_of(data)
        except ChunkedError:
            if self._cycle is not None:
                self.abort()
            else:
                self.refuse(400)
            return
        self._size += len(piece)
        if self._cycle is not None:
            self._cycle.feed(piece, is_last=self._is_body_over)
            if self._cycle.is_full:
                self._pause_reading()
        elif self._head is not None:
            self._parts.append(piece)
            if self._is_body_over:
                body, self._parts = b"".join(self._parts), []
                self._dispatch(self._head, body)

    def _piece_of(self, data: bytes) -> bytes:
        if self._chunked is not None:
            piece = self._chunked.feed(data)
            self._is_body_over = self._chunked.is_done
            self._rest = self._chunked.rest
            return piece
        piece = data if len(data) <= self._left else data[: self._left]
        self._left -= len(piece)
        self._is_body_over = self._left == 0
        self._rest = data[len(piece) :]
        return piece

    def _dispatch(self, head: Head, body: bytes) -> None:
        lane = self._server.lane()
        if lane is not None and lane.take(self, head, body):
            return
        self._cycle_for(body).feed(b"", is_last=True)

    def _cycle_for(self, body: bytes, app: App | None = None) -> Cycle:
        head = self._head
        if head is None:
            raise RuntimeError("a request is being answered")
        cycle = Cycle(self, head, self._left if not self._is_body_over else len(body), body)
        self._cycle = cycle
        self._answering = cycle
        self._server.run(cycle, app)
        return cycle

    def _look_at_reader(self, now: float) -> None:
        size = 0 if self._transport is None else self._transport.get_write_buffer_size()
        if size != self._stuck_at:
            self._stuck_at, self._since = size, now
        elif now - self._since > STUCK_S:
            self.abort()

    def _linger(self, transport: asyncio.Transport) -> None:
        """Close behind an answer that came before the request's end: a reset could take the answer with it."""
        self._is_lingering = True
        self._is_body_over = True
        self._since = self._server.now
        self._rest = b""
        transport.write_eof()
        self._resume_reading()

    def _pause_reading(self) -> None:
        if not self._is_reading_paused and self._transport is not None and not self._transport.is_closing():
            self._is_reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._is_reading_paused and self._transport is not None and not self._transport.is_closing():
            self._is_reading_paused = False
            self._transport.resume_reading()
