"""A vendor that is never the bottleneck: a protocol of its own, with delay, chunks and gaps as asked.

Run as a program: `python -m bench._ground.vendor PORT --delay-ms 100 --chunks 100 --gap-ms 10 --certificate FILE`.
Chunks carry the time they were sent at, on the system's steady clock.
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench._ground.processes import free_port, running

ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "kimi-k2.6",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "x" * 640}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 250, "completion_tokens": 160, "total_tokens": 410, "cached_tokens": 0},
    },
).encode()
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CHAT = (
    '{"id":"c","object":"chat.completion.chunk","created":1,"model":"kimi-k2.6",'
    '"choices":[{"index":0,"delta":%s,"finish_reason":%s}]%s}'
)
_USAGE = ',"usage":{"prompt_tokens":250,"completion_tokens":100,"total_tokens":350}'


def chat_events(number: int, last: int) -> bytes:
    """The event of a Chat stream with this number."""
    if number == 0:
        return _event(_CHAT % ('{"role":"assistant","content":""}', "null", ""))
    if number < last:
        return _event(_CHAT % (f'{{"content":"@{time.monotonic_ns()}@"}}', "null", ""))
    end = _CHAT % ("{}", '"stop"', "")
    usage = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"kimi-k2.6","choices":[]' + _USAGE + "}"
    return _event(end) + _event(usage) + b"data: [DONE]\n\n"


def messages_events(number: int, last: int) -> bytes:
    """The event of a Messages stream with this number."""
    if number == 0:
        usage = '{"input_tokens":250,"output_tokens":1}'
        start = f'{{"type":"message_start","message":{{"id":"m","model":"kimi-k2.6","usage":{usage}}}}}'
        block = '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'
        return _event(start, "message_start") + _event(block, "content_block_start")
    if number < last:
        text = f'{{"type":"text_delta","text":"@{time.monotonic_ns()}@"}}'
        return _event(f'{{"type":"content_block_delta","index":0,"delta":{text}}}', "content_block_delta")
    stop = '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":100}}'
    return (
        _event('{"type":"content_block_stop","index":0}', "content_block_stop")
        + _event(stop, "message_delta")
        + _event('{"type":"message_stop"}', "message_stop")
    )


def _event(data: str, name: str = "") -> bytes:
    lead = f"event: {name}\n" if name else ""
    return f"{lead}data: {data}\n\n".encode()


class Count:
    """How many requests are here at once, and for how long."""

    def __init__(self) -> None:
        self.present = 0
        self.most = 0
        self._since = 0.0
        self._spans: dict[int, float] = {}

    def change(self, by: int, now: float) -> None:
        """One more, or one less."""
        self._spans[self.present] = self._spans.get(self.present, 0.0) + now - (self._since or now)
        self.present += by
        self.most = max(self.most, self.present)
        self._since = now

    def document(self, cap: int) -> bytes:
        """What was seen since the last look. The share leaves out the time with nothing here."""
        busy = sum(span for present, span in self._spans.items() if present)
        share = self._spans.get(cap, 0.0) / busy if busy else 0.0
        document = json.dumps({"most": self.most, "share": share}).encode()
        self.most, self._spans = self.present, {}
        return document


_count = Count()


class Vendor(asyncio.Protocol):
    """Answers each whole request on a connection."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._data = b""
        self._late: asyncio.TimerHandle | None = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._late is not None:
            self._late.cancel()
            _count.change(-1, self._loop.time())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._data) < end + 4 + length:
            return
        body, self._data = self._data[end + 4 :], b""
        self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        options = self._options
        if head.startswith(b"get /count"):
            self._write(200, _count.document(int(head.split(b"cap=", 1)[1].split()[0])))
        elif options.refuse and options.refuse.encode() in head.split(b"\r\n", 1)[0]:
            self._write(401, b'{"error":{"type":"invalid_authentication_error","message":"Invalid Authentication"}}')
        elif b'"stream":true' in body or b'"stream": true' in body:
            events = messages_events if b"/messages" in head.split(b"\r\n", 1)[0] else chat_events
            self._transport.write(_STREAM_HEAD)
            self._stream(events, 0, self._loop.time())
        elif options.delay_ms:
            _count.change(1, self._loop.time())
            self._late = self._loop.call_later(options.delay_ms / 1000, self._ready)
        else:
            self._write(200, ANSWER)

    def _ready(self) -> None:
        self._late = None
        _count.change(-1, self._loop.time())
        self._write(200, ANSWER)

    def _write(self, status: int, body: bytes) -> None:
        head = b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)

    def _stream(self, events: "object", number: int, began: float) -> None:
        if self._transport.is_closing():
            return
        last = self._options.chunks
        piece = events(number, last)  # type: ignore[operator]
        frame = b"%x\r\n%b\r\n" % (len(piece), piece)
        if number == last:
            self._transport.write(frame + b"0\r\n\r\n")
            return
        self._transport.write(frame)
        due = began + (number + 1) * self._options.gap_ms / 1000
        self._loop.call_at(due, self._stream, events, number + 1, began)


async def _serve(options: argparse.Namespace) -> None:
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Vendor(options), "127.0.0.1", options.port, backlog=4096, ssl=tls)
    await server.serve_forever()


@contextmanager
def vendor(core: int, **options: object) -> Iterator[int]:
    """A running vendor with these options; its port."""
    port = free_port()
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "bench._ground.vendor", str(port), *words]
    with running(command, port, core=core, folder=Path(__file__).resolve().parents[2]):
        yield port


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--chunks", type=int, default=100)
    parser.add_argument("--gap-ms", type=float, default=10)
    parser.add_argument("--refuse", default="")
    parser.add_argument("--certificate", default="")
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
