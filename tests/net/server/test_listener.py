"""The service's own server: what it reads, what it refuses, how it ends."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.net.server import Listener
from perilune.net.server.chunked import Chunked, ChunkedError
from perilune.net.server.clocks import HEAD_S, IDLE_S, STUCK_S, Clocks

HOST = b"host: 127.0.0.1\r\n"
Ask = Callable[[bytes], Awaitable[bytes]]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the method, the path and the body."""
    if scope["path"] == "/early":
        await _answer(send, b"enough")
        return
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    if scope["path"] == "/fault":
        raise ValueError("on purpose")
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await _answer(send, b"%b %b %b" % (scope["method"].encode(), scope["path"].encode(), body))


async def _answer(send: Any, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Served:
    """A listener on a free port."""

    def __init__(self, app: Any) -> None:
        self.listener = Listener(app)
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.socket.setblocking(False)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.socket.getsockname())

    async def ask(self, data: bytes) -> bytes:
        """What comes back until the server closes; the client closes its side behind the request."""
        reader, writer = await self.connect()
        writer.write(data)
        await writer.drain()
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(echo)
    await served.listener.start(served.socket)
    yield served
    await served.listener.stop(0)


async def test_requests_follow_each_other_on_a_connection(served: Served) -> None:
    reader, writer = await served.connect()
    for path in (b"/a", b"/b"):
        writer.write(b"POST %b HTTP/1.1\r\n%bcontent-length: 3\r\n\r\nabc" % (path, HOST))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection" not in head
        assert await reader.readexactly(len(b"POST /a abc")) == b"POST %b abc" % path
    writer.close()


async def test_requests_in_one_piece_are_answered_in_order(served: Served) -> None:
    one = b"GET /%d HTTP/1.1\r\n" + HOST + b"\r\n"
    last = b"GET /3 HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n"
    answer = await served.ask(one % 1 + one % 2 + last)
    assert [part[:6] for part in answer.split(b"GET ")[1:]] == [b"/1 HTT", b"/2 HTT", b"/3 "]


@pytest.mark.parametrize("cut", [1, 17, 40, 60])
async def test_a_request_may_come_in_any_pieces(served: Served, cut: int) -> None:
    data = b"POST /x HTTP/1.1\r\n" + HOST + b"connection: close\r\nContent-Length: 5\r\n\r\nhello"
    reader, writer = await served.connect()
    for start in range(0, len(data), cut):
        writer.write(data[start : start + cut])
        await writer.drain()
        await asyncio.sleep(0)
    assert (await reader.read()).endswith(b"POST /x hello")
    writer.close()


async def test_a_body_in_chunks_is_put_together(served: Served) -> None:
    data = b"POST /x HTTP/1.1\r\n" + HOST + b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = await served.ask(data + b"3\r\nabc\r\n4;note=1\r\ndefg\r\n0\r\n\r\n")
    assert answer.endswith(b"POST /x abcdefg")


async def test_a_stream_leaves_in_chunks_or_up_to_the_end(served: Served) -> None:
    new = await served.ask(b"GET /stream HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    assert new.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    old = await served.ask(b"GET /stream HTTP/1.0\r\n" + HOST + b"\r\n")
    assert old.endswith(b"\r\n\r\nonetwo")
    assert b"chunked" not in old


async def test_a_head_alone_has_no_body(served: Served) -> None:
    answer = await served.ask(b"HEAD /x HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    assert b"content-length: 8\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"content-length: +3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.0\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"x-a : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"x-a: b\x00c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n", 400),
        (b"G\xffT / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET nowhere HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 45_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 45_000, 431),
    ],
)
async def test_what_can_be_understood_in_two_ways_is_refused(served: Served, head: bytes, status: int) -> None:
    answer = await served.ask(head)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close\r\n" in answer


async def test_an_answer_before_the_body_s_end_reaches_the_client(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /early HTTP/1.1\r\n" + HOST + b"content-length: 1000000\r\n\r\n" + b"x" * 1000)
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.endswith(b"enough")
    assert b"connection: close\r\n" in answer
    writer.close()


async def test_who_waits_for_it_is_told_to_go_on(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"POST /x HTTP/1.1\r\n" + HOST + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"ok")
    assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_a_fault_ends_its_request_and_nothing_else(served: Served) -> None:
    answer = await served.ask(b"GET /fault HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert (await served.ask(b"GET /a HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")).endswith(b"GET /a ")


async def test_too_many_connections_are_told_so() -> None:
    served = Served(echo)
    served.listener = Listener(echo, most=1)
    await served.listener.start(served.socket)
    reader, writer = await served.connect()
    writer.write(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
    await reader.readuntil(b"GET /a ")
    assert (await served.ask(b"")).startswith(b"HTTP/1.1 503 ")
    writer.close()
    await served.listener.stop(0)


async def test_a_stop_lets_running_answers_end_and_closes_the_rest() -> None:
    go_on = asyncio.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await _answer(send, b"done")

    served = Served(waits)
    await served.listener.start(served.socket)
    idle, writer = await served.connect()
    running = asyncio.create_task(served.ask(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"))
    while not served.listener._tasks:  # noqa: ASYNC110 - the server announces it in no other way
        await asyncio.sleep(0.001)
    stopping = asyncio.create_task(served.listener.stop(10))
    assert await idle.read() == b""
    writer.close()
    assert not running.done()
    go_on.set()
    answer = await running
    assert answer.endswith(b"done")
    assert b"connection: close\r\n" in answer
    assert await stopping


async def test_what_does_not_end_in_time_is_cut_off() -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    served = Served(never)
    await served.listener.start(served.socket)
    running = asyncio.create_task(served.ask(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"))
    while not served.listener._tasks:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    assert not await served.listener.stop(0.01)
    with contextlib.suppress(ConnectionError):
        assert await running == b""


def test_clocks_tell_apart_a_slow_head_a_slow_body_and_a_slow_reader() -> None:
    clocks = Clocks(100.0)
    assert not clocks.is_idle_too_long(100 + IDLE_S, has_begun=False)
    assert clocks.is_idle_too_long(100.1 + HEAD_S, has_begun=True)
    assert not clocks.is_body_too_slow(115.0, 6 * 1024)
    assert clocks.is_body_too_slow(115.0, 4 * 1024)
    assert not clocks.is_reader_stuck(200.0, 5)
    assert not clocks.is_reader_stuck(200.0 + STUCK_S, 4)
    assert clocks.is_reader_stuck(200.1 + 2 * STUCK_S, 4)


async def test_a_slow_head_is_cut_off(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"GET /a HTTP/1.1\r\nhost:")
    while not any(one._rest for one in served.listener._connections):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    for one in list(served.listener._connections):
        one.tick(served.listener.now + HEAD_S + 2)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.data())
def test_a_chunked_body_is_the_same_however_it_is_cut(pieces: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\nrest"
    reader, out = Chunked(), b""
    while wire and not reader.is_done:
        cut = data.draw(st.integers(1, len(wire)))
        out += reader.feed(wire[:cut])
        wire = wire[cut:]
    assert out == b"".join(pieces)
    assert reader.rest + wire == b"rest"


@pytest.mark.parametrize("wire", [b"zz\r\n", b"\r\n", b"3\r\nabcd\r\n", b"-1\r\n", b"0x3\r\nabc\r\n", b"f" * 5000])
def test_what_is_no_chunk_is_refused(wire: bytes) -> None:
    with pytest.raises(ChunkedError):
        Chunked().feed(wire)


async def test_a_slow_reader_pauses_who_writes() -> None:
    written = 0

    async def pours(scope: Any, receive: Any, send: Any) -> None:
        nonlocal written
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            written += 65_536
        await send({"type": "http.response.body", "body": b""})

    served = Served(pours)
    await served.listener.start(served.socket)
    reader, writer = await served.connect()
    writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"connection: close\r\n\r\n")
    while not any(one.is_paused for one in served.listener._connections):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    stood_at = written
    await asyncio.sleep(0.02)
    assert written == stood_at < 400 * 65_536
    assert len(await reader.read()) > 400 * 65_536
    writer.close()
    await served.listener.stop(0)
