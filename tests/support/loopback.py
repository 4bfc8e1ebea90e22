"""A small loopback server that answers what a test gives it and remembers what it was asked."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[Asked], bytes | Awaitable[bytes]]


@dataclass
class LoopbackServer:
    port: int = 0
    requests: list[Asked] = field(default_factory=list)
    reply: Reply = lambda asked: answer(200, b"{}")
    open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self.serve(reader, writer))
        self.open.add(serving)
        serving.add_done_callback(self.open.discard)

    async def close(self) -> None:
        """Ends the connections that are still open, and waits until they are closed."""
        for serving in self.open:
            serving.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.answer_all(reader, writer)
        finally:
            writer.close()

    async def answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(method, path, headers, body)
                self.requests.append(asked)
                reply = self.reply(asked)
                writer.write(reply if isinstance(reply, bytes) else await reply)
                await writer.drain()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def loopback_server() -> AsyncIterator[LoopbackServer]:
    """Serves on a free port until the test is done."""
    state = LoopbackServer()
    server = await asyncio.start_server(state.accept, "127.0.0.1", 0)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        await state.close()
