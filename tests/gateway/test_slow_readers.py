"""A client that reads slowly: the upstream is paused, nothing piles up, nothing is lost."""

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from .conftest import Build, route

FILLER = b'"content":"' + b"x" * 32_000 + b'"'
CHUNK = b'data: {"id":"c","model":"local-model","choices":[{"index":0,"delta":{' + FILLER + b"}}]}\n\n"
END = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
COUNT = 800
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


class Pourer(asyncio.Protocol):
    """A vendor that sends as much as it can as fast as it can."""

    def __init__(self, seen: dict[str, int]) -> None:
        self._seen = seen
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        self._task = asyncio.ensure_future(self._pour())

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    async def _pour(self) -> None:
        self._transport.write(HEAD)
        for _ in range(COUNT):
            await self._may_write.wait()
            self._transport.write(CHUNK)
            self._seen["sent"] += len(CHUNK)
        self._transport.write(END)
        self._transport.close()


@pytest.fixture
async def vendor() -> AsyncIterator[tuple[str, dict[str, int]]]:
    """Its address, and how much it has sent."""
    seen = {"sent": 0}
    server = await asyncio.get_running_loop().create_server(lambda: Pourer(seen), "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    server.close()


async def settled(seen: dict[str, int]) -> int:
    """How much has been sent once no more is."""
    still, last = 0, -1
    while still < 15:
        still = still + 1 if seen["sent"] == last else 0
        last = seen["sent"]
        await asyncio.sleep(0.01)
    return last


@pytest.mark.case("gateway ST-13")
@pytest.mark.parametrize("front", ["chat", "messages"])
async def test_a_slow_reader_pauses_the_upstream_and_memory_stays_flat(
    build: Build, vendor: tuple[str, dict[str, int]], front: str
) -> None:
    address, seen = vendor
    own = f'[[accounts]]\nname = "own"\nplan = "openai-compatible"\nbase_url = "http://{address}/v1"\n[gateway]'
    config = route("own/local-model", gateway=f'allow_private = ["{address}"]').replace("[gateway]", own)
    house = build(config, guarded=True)
    may_read, has_begun, got = asyncio.Event(), asyncio.Event(), {"bytes": 0}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and message.get("body"):
            got["bytes"] += len(message["body"])
            has_begun.set()
            await may_read.wait()

    tracemalloc.start()
    try:
        task = asyncio.ensure_future(ask(house.client._app, front, send))
        await asyncio.wait_for(has_begun.wait(), 10)
        sent = await settled(seen)
        held = tracemalloc.get_traced_memory()[0]
        assert sent < COUNT * len(CHUNK) / 2, "the upstream was never paused"
        assert held < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    may_read.set()
    await asyncio.wait_for(task, 30)
    assert seen["sent"] == COUNT * len(CHUNK)
    assert got["bytes"] > COUNT * 32_000


async def ask(app: Any, front: str, send: Any) -> None:
    path = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}[front]
    body = {"model": "m", "max_tokens": 10, "stream": True, "messages": [{"role": "user", "content": "ping"}]}
    given = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    headers = [(b"host", b"127.0.0.1:8787"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": headers}  # fmt: skip

    async def receive() -> Any:
        if given:
            return given.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    await app(scope, receive, send)
