"""Small loopback servers that behave badly on purpose."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from perilune.net.upstream import Outgoing, Target

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Rig:
    """Starts servers on port 0 and writes requests to them."""

    def __init__(self) -> None:
        self.servers: list[asyncio.Server] = []
        self.connections = 0

    async def serve(self, behave: Behaviour) -> Outgoing:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                await behave(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        self.servers.append(server)
        port = server.sockets[0].getsockname()[1]
        target = Target.of(f"http://127.0.0.1:{port}/v1/chat/completions")
        return Outgoing("POST", target, (("content-type", "application/json"),), b'{"model":"m"}')


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(length)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    for server in rig.servers:
        server.close()
