"""Requests over the service's own server, with a transport in memory in place of a socket."""

import asyncio
from typing import Any

from perilune.net.server import Heads, Listener, ServerConnection
from perilune.net.upstream import Target, ThinClient, UpstreamError


class Transport:
    """Takes what the server writes."""

    def __init__(self, connection: ServerConnection) -> None:
        self.written = bytearray()
        self.changed = asyncio.Event()
        self._connection = connection
        self._is_closing = False

    def write(self, data: bytes) -> None:
        if not self._is_closing:
            self.written += data
            self.changed.set()

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self.changed.set()
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    def is_closing(self) -> bool:
        return self._is_closing

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


class Wire:
    """One client's way to a gateway: its server, its fast lane, and vendors' connections that are open already."""

    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway
        self._heads = Heads()
        self._opening: asyncio.Task[None] | None = None

    def begin_closed(self) -> None:
        """Open nothing beforehand."""
        self._opening = asyncio.create_task(asyncio.sleep(0))

    async def open(self) -> None:
        """Open what the fast lane needs: it takes no request for which it would have to wait."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._dial_all())
        await asyncio.shield(self._opening)

    async def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes, leave_after: int | None
    ) -> tuple[int, dict[str, str], list[bytes]]:
        """Status, headers and the pieces of the answer's body."""
        await self.open()
        listener = Listener(self._gateway.asgi, lambda: self._gateway.lane)
        listener.heads = self._heads
        connection = ServerConnection(listener)
        transport = Transport(connection)
        connection.connection_made(transport)  # type: ignore[arg-type]
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        connection.data_received("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        try:
            return await self._answer(transport, method, leave_after)
        finally:
            transport.abort()
            while listener._tasks or listener._connections:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.001)

    async def _answer(
        self, transport: Transport, method: str, leave_after: int | None
    ) -> tuple[int, dict[str, str], list[bytes]]:
        while True:
            read = _read(bytes(transport.written), method)
            is_enough = leave_after is not None and read is not None and len(read[2]) >= leave_after
            if read is not None and (read[3] or is_enough or transport.is_closing()):
                return read[:3]
            if transport.is_closing():
                return 0, {}, []
            transport.changed.clear()
            await transport.changed.wait()

    async def _dial_all(self) -> None:
        client = self._gateway.lane.client
        assert isinstance(client, ThinClient)
        slots = [slot for route in self._gateway.core.setup.routes.all for slot in route.slots]
        targets: set[Target] = {target for slot in slots for target in slot.targets.values()}
        for target in targets:
            try:
                client.give_back(target, await client._dial(target, 1))
            except UpstreamError:
                continue  # a vendor that cannot be reached, as the test wants it


def _read(data: bytes, method: str) -> tuple[int, dict[str, str], list[bytes], bool] | None:
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split()[1])
    if method == "HEAD":
        return status, headers, [], True
    if "content-length" in headers:
        return status, headers, [rest] if rest else [], len(rest) == int(headers["content-length"])
    pieces: list[bytes] = []
    while rest:
        size, found, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return status, headers, pieces, True
        if len(rest) < length + 2:
            break
        pieces.append(rest[:length])
        rest = rest[length + 2 :]
    return status, headers, pieces, False
