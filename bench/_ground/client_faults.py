"""Everything that clients are known to do wrong, each as one misbehaving client.

A misbehaving client gives back the status of the answer it got, 0 where it left before one or was cut off on purpose.
Every answer to one that stayed must be a clear refusal; `EXPECTED` says with which statuses.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bench._ground.asking import PATHS, SURFACES, body_of, read_answer, request_of

_DEEP = b'{"model": "m0", "messages": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"
_PAUSE_S = 0.02


class Wrong(NamedTuple):
    """What a client does: sends `data`, then stays for an answer or leaves as `leaves` says."""

    data: bytes
    leaves: str = ""
    expected: tuple[int, ...] = (400,)


def _good(chance: random.Random, *, is_stream: bool = True) -> bytes:
    surface = chance.choice(SURFACES)
    return request_of(surface, body_of(surface, model=f"m{chance.randrange(8)}", is_stream=is_stream))


def _with_body(chance: random.Random, body: bytes) -> bytes:
    return request_of(chance.choice(SURFACES), body)


def _head(chance: random.Random, *lines: str) -> bytes:
    path = PATHS[chance.choice(SURFACES)]
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: 127.0.0.1", *lines, "", ""]).encode("latin-1")


def _left_early(chance: random.Random) -> Wrong:
    data = _good(chance)
    return Wrong(data[: chance.randrange(1, len(data))], chance.choice(("close", "reset")))


def _left_later(chance: random.Random) -> Wrong:
    return Wrong(_good(chance, is_stream=chance.random() < 0.7), chance.choice(("close", "reset", "after a byte")))


def _bad_utf8(chance: random.Random) -> Wrong:
    body = body_of("chat", model="m0-MODEL", is_stream=False, prompt="PLACE")
    place = chance.choice((b"PLACE", b"MODEL", b"content", b"stream"))
    return Wrong(
        _with_body(chance, body.replace(place, chance.choice((b"\xff\xfe", b"\xc3(", b"\xed\xa0\x80")))),
        expected=(400, 404),
    )


def _bad_json(chance: random.Random) -> Wrong:
    bodies = (b"", b"{", b"[]", b"null", b'{"model": 5}', b'{"model": "m0"', b'{"model": "m0", "messages": "x"}', _DEEP,
              b'"' + b"\\" * 999)  # fmt: skip
    return Wrong(_with_body(chance, chance.choice(bodies)), expected=(400, 404))


def _large(chance: random.Random) -> Wrong:
    kinds = (
        Wrong(_head(chance, "content-length: 40000000"), expected=(413,)),
        Wrong(_with_body(chance, b'{"model": "m0", "x": "' + b"a" * 1_100_000 + b'"}'), expected=(413, 0)),
        Wrong(_head(chance, "transfer-encoding: chunked") + b"10000\r\n" + b"a" * 65_536 + b"\r\n", "close"),
    )
    return chance.choice(kinds)


def _large_head(chance: random.Random) -> Wrong:
    many = [f"x-{number}: a" for number in range(chance.choice((120, 2_000)))]
    lines = chance.choice((many, [f"x-large: {'a' * chance.choice((40_000, 300_000))}"]))
    return Wrong(_head(chance, *lines, "content-length: 2") + b"{}", expected=(400, 431, 0))


def _framing(chance: random.Random) -> Wrong:
    kinds = (
        ("content-length: 2", "transfer-encoding: chunked"),
        ("content-length: 2", "content-length: 3"),
        ("content-length: -1",),
        ("content-length: abc",),
        ("transfer-encoding: gzip",),
        ("bad header",),
        (": empty",),
        ("content-length: 99999999999999999999",),
    )
    return Wrong(_head(chance, *chance.choice(kinds)) + b"{}", expected=(400, 413, 501, 0))


def _noise(chance: random.Random) -> Wrong:
    kinds = (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n",
        chance.randbytes(200),
        b"PRI * HTTP/2.0\r\n\r\n",
    )
    return Wrong(chance.choice(kinds), chance.choice(("close", "reset", "write end")), expected=(400, 404, 405, 431, 0))


def _odd(chance: random.Random) -> Wrong:
    kinds = (
        Wrong(_head(chance, "content-encoding: gzip", "content-length: 2") + b"{}", expected=(415,)),
        Wrong(b"GET /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", expected=(405,)),
        Wrong(b"POST /v1/nothing HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}", expected=(404,)),
        Wrong(b"POST /v1/messages HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 2\r\n\r\n{}", expected=(403,)),
        Wrong(b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", expected=(400, 404, 414, 0)),
    )
    return chance.choice(kinds)


def _slow(chance: random.Random) -> Wrong:
    return Wrong(_good(chance), "read slowly", expected=(200,))


KINDS: dict[str, Callable[[random.Random], Wrong]] = {
    "left while sending": _left_early,
    "left while waiting or reading": _left_later,
    "read slowly": _slow,
    "headers too large": _large_head,
    "body too large": _large,
    "bad UTF-8": _bad_utf8,
    "bad JSON": _bad_json,
    "bad framing": _framing,
    "noise": _noise,
    "odd requests": _odd,
}


async def misbehave(port: int, wrong: Wrong, *, limit_s: float = 60) -> int:
    """Do it; the status of the answer, 0 without one. Raises: TimeoutError where nothing at all came of it."""
    async with asyncio.timeout(limit_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        try:
            return await _done(reader, writer, wrong)
        except ConnectionError:
            return 0
        finally:
            writer.close()


async def _done(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wrong: Wrong) -> int:
    writer.write(wrong.data)
    act: Callable[[], Awaitable[int]] | None = {
        "close": lambda: _leave(writer, is_reset=False),
        "reset": lambda: _leave(writer, is_reset=True),
        "after a byte": lambda: _leave_behind_a_byte(reader, writer),
        "read slowly": lambda: _read_slowly(reader),
    }.get(wrong.leaves)
    if act is not None:
        return await act()
    if wrong.leaves == "write end":
        writer.write_eof()
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    return (await read_answer(reader)).status


async def _leave(writer: asyncio.StreamWriter, *, is_reset: bool) -> int:
    await asyncio.sleep(_PAUSE_S)
    if is_reset:
        writer.transport.abort()
    return 0


async def _leave_behind_a_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    await reader.read(1)
    writer.transport.abort()
    return 0


async def _read_slowly(reader: asyncio.StreamReader) -> int:
    said = b""
    while not said.endswith(b"0\r\n\r\n") and (piece := await reader.read(256)):
        said += piece
        await asyncio.sleep(_PAUSE_S)
    return int(said.split()[1]) if said else 0
