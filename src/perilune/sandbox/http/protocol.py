"""Connections: bytes to requests, one at a time, and answers back."""

import asyncio
import itertools
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import httptools

from perilune.sandbox.http.request import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable

MAX_BODY = 128 * 1024 * 1024
_HIGH_WATER = 256 * 1024
_LINGER = "hh" if os.name == "nt" else "ii"
_numbers = itertools.count(1)


class Application(Protocol):
    """What a connection hands its requests to."""

    def strikes_head(self, request: Request) -> bool:
        """Whether the connection is to be reset before the body is read."""

    def respond(self, request: Request, wire: "Connection") -> "Awaitable[None]":
        """Writes the answer to the wire."""


class Connection(asyncio.Protocol):
    """One client connection. Requests are answered in order; a client that leaves cancels the answer in work."""

    def __init__(self, app: Application, connections: "set[Connection]") -> None:
        self._app = app
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._gone = asyncio.Event()
        self._chunks: list[bytes] = []
        self._size = 0
        self._request = Request(method="", target="")
        self.number = next(_numbers)
        self.served = 0
        self.is_open = False
        self.on_lost: Callable[[], None] | None = None
        self._transport: Any = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self.is_open = True
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._room.set()
        self._gone.set()
        self._connections.discard(self)
        if self.on_lost is not None:
            self.on_lost()
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.close()
        except httptools.HttpParserError:
            self.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.close()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._chunks, self._size = [], 0
        self._request = Request(method="", target="", connection=self.number)

    def on_url(self, url: bytes) -> None:
        self._request.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._request.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        request = self._request
        request.method = self._parser.get_method().decode("ascii")
        request.keeps_alive = self._parser.should_keep_alive()
        if self._app.strikes_head(request):
            self.reset()
        elif request.header("expect").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > MAX_BODY:
            self.reset()
        else:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        if not self.is_open:
            return
        self._request.body = b"".join(self._chunks)
        self._waiting.append(self._request)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        while self._waiting and self.is_open:
            request = self._waiting.popleft()
            self.served += 1
            request.on_connection = self.served
            await self._app.respond(request, self)
            if not request.keeps_alive:
                self.close()

    async def gone(self) -> None:
        """Waits until the connection has ended and its answer in work with it."""
        await self._gone.wait()
        if self._task is not None:
            await asyncio.wait([self._task])

    # for the application

    def write(self, data: bytes) -> None:
        if self.is_open:
            self._transport.write(data)

    async def drain(self) -> None:
        """Waits until the client has read enough. Raises: ConnectionResetError when it left."""
        if not self._room.is_set():
            await self._room.wait()
        if not self.is_open:
            raise ConnectionResetError("the client left")

    def close(self) -> None:
        """Ends the connection after what was written."""
        if self.is_open:
            self._transport.close()

    def reset(self) -> None:
        """Ends the connection with a TCP reset; what was not sent yet is lost."""
        if not self.is_open:
            return
        self.is_open = False
        plain = self._transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        self._transport.abort()
