"""A stream on its way to a client without a task of its own: each piece goes out when it comes in."""

import asyncio
import logging

from perilune.gateway.call import Reply
from perilune.gateway.stream import AnswerStream
from perilune.net.server import ServerConnection
from perilune.net.upstream import Connection

_log = logging.getLogger(__name__)


class Pump:
    """Watches the vendor's connection and writes to the client's. `done`, when set, is resolved at the end."""

    __slots__ = ("_client", "_stream", "_vendor", "done")

    def __init__(self, stream: AnswerStream, vendor: Connection, client: ServerConnection) -> None:
        self._stream = stream
        self._vendor = vendor
        self._client = client
        self.done: asyncio.Future[None] | None = None

    def start(self, head: bytes) -> None:
        """Write the answer's head and what was held back, then whatever comes."""
        held = self._stream.first()
        self._client.answered_by(self)
        self._client.write(head + _framed(held, is_last=self._stream.is_over))
        if self._stream.is_over:
            self._end()
            return
        limits = self._stream.streaming.limits
        self._vendor.expect_flow(limits.idle_s, limits.until)
        self._vendor.watch(self)
        if self._client.is_paused:
            self.pause()
        self.progress()

    def progress(self) -> None:
        """The vendor's connection has something, or has ended."""
        try:
            self._move()
        except Exception:  # noqa: BLE001 one broken stream takes no other with it, and keeps nothing
            _log.exception("a stream met a fault of ours")
            self.gone()
            self._client.abort()

    def _move(self) -> None:
        stream, vendor = self._stream, self._vendor
        if stream.is_over:
            return
        chunk = vendor.take()
        piece = stream.take(chunk) if chunk else b""
        if not self._is_over:
            if vendor.is_complete:
                piece += stream.take(b"")
            elif vendor.failure is not None:
                piece += stream.fail(vendor.failure)
        is_over = self._is_over
        if piece or is_over:
            self._client.write(_framed(piece, is_last=is_over))
        if is_over:
            self._end()

    def gone(self) -> None:
        """The client has left."""
        self._vendor.watch(None)
        self._stream.close()
        self._resolve()

    def pause(self) -> None:
        """The client is slow: the vendor waits."""
        if not self._stream.is_over:
            self._vendor.pause()

    def resume(self) -> None:
        """It has caught up."""
        if not self._stream.is_over:
            self._vendor.resume()

    @property
    def _is_over(self) -> bool:
        return self._stream.is_over

    def _end(self) -> None:
        self._client.finish()
        self._resolve()

    def _resolve(self) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_result(None)


def pump_of(reply: Reply, client: ServerConnection | None) -> Pump | None:
    """The pump for a streamed reply; None where it has to be read piece by piece."""
    stream = reply.chunks
    if (
        client is None
        or client.is_old
        or not isinstance(stream, AnswerStream)
        or stream.is_over
        or not stream.can_be_pushed
    ):
        return None
    vendor = stream.streaming.exchange.connection
    return None if vendor is None else Pump(stream, vendor, client)


def head_bytes(reply: Reply, client: ServerConnection) -> bytes:
    """The head of a streamed answer."""
    lines = [f"{name}: {value}\r\n" for name, value in reply.headers]
    head = f"HTTP/1.1 {reply.status} OK\r\n{''.join(lines)}transfer-encoding: chunked\r\n".encode("latin-1")
    return head + client.closing_line() + b"\r\n"


def _framed(piece: bytes, *, is_last: bool) -> bytes:
    if not is_last:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(piece), piece) if piece else b"0\r\n\r\n"
