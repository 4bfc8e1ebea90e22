"""One request and its answer as an ASGI application sees them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from perilune.net.server.heads import Head

if TYPE_CHECKING:
    from perilune.net.server.connection import ServerConnection

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_FULL = 64 * 1024
_BODILESS = frozenset({204, 304})
_log = logging.getLogger(__name__)


class Cycle:
    """The application's side of a request. `on_gone`, when set, is called once when the client leaves."""

    __slots__ = (
        "_body",
        "_connection",
        "_drained",
        "_framing",
        "_head",
        "_is_asked",
        "_is_given",
        "_is_gone",
        "_is_last",
        "_is_over",
        "_length",
        "_more",
        "_size",
        "_start",
        "on_gone",
    )

    def __init__(self, connection: "ServerConnection", head: Head, length: int, body: bytes) -> None:
        self._connection = connection
        self._head = head
        self._length = length
        self._body: list[bytes] = [body] if body else []
        self._size = len(body)
        self._is_last = False
        self._is_asked = False
        self._is_given = False
        self._is_gone = False
        self._is_over = False
        self._more: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._start: Message | None = None
        self._framing = ""
        self.on_gone: Callable[[], None] | None = None

    @property
    def connection(self) -> "ServerConnection | None":
        """The connection below, for who writes the answer himself; None once the client has left."""
        return None if self._is_gone else self._connection

    def leave_to_another(self) -> None:
        """The answer is written by somebody else, who also ends it."""
        self._is_over = True
        self._wake()

    @property
    def is_full(self) -> bool:
        """True while more of the body waits than should."""
        return self._size > _FULL

    def scope(self, server: tuple[str, int] | None, client: tuple[str, int] | None) -> Scope:
        """The request for an application."""
        head = self._head
        pairs = list(head.pairs)
        if not head.is_chunked and (self._length or head.method in ("POST", "PUT", "PATCH")):
            pairs.append((b"content-length", b"%d" % self._length))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.0" if head.is_old else "1.1",
            "server": server,
            "client": client,
            "scheme": "http",
            "method": head.method,
            "root_path": "",
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query,
            "headers": pairs,
            "state": {},
            "extensions": {"perilune.cycle": {"cycle": self}},
        }

    async def run(self, app: App, scope: Scope) -> None:
        """Let the application answer; a fault of its own ends this request and nothing else."""
        try:
            await app(scope, self.receive, self.send)
        except Exception:  # noqa: BLE001 one broken request takes no other with it
            _log.exception("a request met a fault of the application")
            await self._fail()
            return
        if not self._is_over and not self._is_gone:
            await self._fail()

    # -- the connection's side ---------------------------------------------------------------------------------------

    def feed(self, piece: bytes, *, is_last: bool) -> None:
        """More of the body."""
        if piece:
            self._body.append(piece)
            self._size += len(piece)
        self._is_last = is_last
        self._wake()

    def gone(self) -> None:
        """The client has left."""
        self._is_gone = True
        self._wake()
        self.resume()
        on_gone, self.on_gone = self.on_gone, None
        if on_gone is not None:
            on_gone()

    def pause(self) -> None:
        """Nothing to stop: who sends waits by itself."""

    def resume(self) -> None:
        """The client reads on."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # -- ASGI --------------------------------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """The body in pieces, then the client's leaving."""
        while not self._is_gone and not self._is_over:
            if self._body or (self._is_last and not self._is_given):
                piece, self._body = b"".join(self._body), []
                self._size = 0
                self._is_given = self._is_last
                return {"type": "http.request", "body": piece, "more_body": not self._is_last}
            if not self._is_last:
                self._ask()
            await self._wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The answer's head, then its body; the head leaves with the first piece."""
        if self._is_gone or self._is_over:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        self._connection.write(self._written(body, more=more))
        if not more:
            self._end()
        elif self._connection.is_paused:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def _written(self, body: bytes, *, more: bool) -> bytes:
        start, self._start = self._start, None
        head = b"" if start is None else self._head_bytes(start, body, more=more)
        if self._framing == "none":
            return head
        if self._framing != "chunked":
            return head + body
        piece = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return head + piece + (b"" if more else b"0\r\n\r\n")

    def _head_bytes(self, start: Message, body: bytes, *, more: bool) -> bytes:
        status: int = start["status"]
        lines = [b"HTTP/1.1 %d %b\r\n" % (status, _phrase(status))]
        has_length = False
        for name, value in start.get("headers", ()):
            has_length = has_length or name.lower() == b"content-length"
            lines.append(b"%b: %b\r\n" % (name, value))
        if self._head.method == "HEAD" or status in _BODILESS:
            self._framing = "none"
        elif has_length:
            self._framing = "length"
        elif not more:
            self._framing = "length"
            lines.append(b"content-length: %d\r\n" % len(body))
        elif self._head.is_old:
            self._framing = "close"
            self._connection.closes = True
        else:
            self._framing = "chunked"
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(self._connection.closing_line())
        return b"".join((*lines, b"\r\n"))

    async def _fail(self) -> None:
        if self._is_gone or self._is_over:
            return
        self._connection.closes = True
        if self._framing:
            self._end()
            self._connection.abort()
            return
        self._start = None
        await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]})
        await self.send({"type": "http.response.body", "body": b"Internal Server Error"})

    def _end(self) -> None:
        self._is_over = True
        self._wake()
        self._connection.finish()

    def _ask(self) -> None:
        if self._head.expects_continue and not self._is_asked:
            self._connection.proceed()
        self._is_asked = True
        self._connection.read_on()

    async def _wait(self) -> None:
        self._more = asyncio.get_running_loop().create_future()
        await self._more

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
