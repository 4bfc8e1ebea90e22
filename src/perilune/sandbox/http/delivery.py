"""Delivery: an answer goes over the wire, well or with a fault."""

import asyncio
from collections.abc import Callable, Iterator

from perilune.sandbox.faults import Fault
from perilune.sandbox.http.protocol import Connection
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.surfaces.frames import Frame

_REASONS = {
    200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large",
    429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip
_FOREVER_S = 3_600.0
Hold = Callable[[], "asyncio.Future[None]"]


class Cut(Exception):  # noqa: N818 -- it ends a delivery as planned, it is not an error
    """The answer ends here on purpose; `how` says in what way."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Delivery:
    """Sends one reply over one connection.

    The ticket is given back just before the last byte is written, so that a client which has read its answer never
    finds its place still taken.
    """

    def __init__(self, reply: Reply, wire: Connection, *, hold: Hold, is_head: bool = False) -> None:
        self.reply = reply
        self.wire = wire
        self.fault = reply.fault or Fault()
        self._hold = hold
        self._is_head = is_head
        self._sent = 0

    async def run(self) -> str:
        """Sends everything; gives the outcome `answered`, `cut` or `reset`."""
        try:
            await self._wait_before_headers()
            if self.reply.frames is None:
                await self._send_body()
            else:
                await self._send_stream(self.reply.frames)
        except Cut as cut:
            self._give_back()
            if cut.how == "reset":
                self.wire.reset()
                return "reset"
            self.wire.close()
            return "cut"
        return "answered"

    async def _wait_before_headers(self) -> None:
        if self.fault.reset is not None:
            raise Cut("reset")
        if self.fault.hold == "headers":
            await self._hold()
        if self.fault.delay_headers_s:
            await asyncio.sleep(self.fault.delay_headers_s)
        for status in self.fault.interim:
            self.wire.write(f"HTTP/1.1 {status} Interim\r\n\r\n".encode())
        if self.fault.raw is not None:
            self._give_back()
            self.wire.write(self.fault.raw.encode("latin-1"))
            raise Cut("close")

    def _head(self, length: int | None) -> bytes:
        reply, fault = self.reply, self.fault
        lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if fault.huge_header:
            lines.append(f"X-Padding: {'x' * fault.huge_header}")
        if length is not None and not fault.no_length:
            lines.append(f"Content-Length: {length + fault.truncate_length}")
        if length is None or fault.both_lengths:
            lines.append("Transfer-Encoding: chunked")
        if fault.both_lengths and length is None:
            lines.append("Content-Length: 5")
        if fault.no_length and length is not None:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    async def _send_body(self) -> None:
        reply, body = self.reply, b"" if self._is_head else self.reply.body
        wait_s = reply.waits_s + self.fault.delay_content_s
        if wait_s:
            await asyncio.sleep(wait_s)
        head = self._head(len(reply.body))
        if self.fault.hold == "content":
            self.wire.write(head)
            head = b""
            await self._hold()
        if self._is_plain:
            self._give_back()
            self.wire.write(head + body)
        else:
            self.wire.write(head)
            await self._write_spoiled(body, is_last=True)
        if self.fault.no_length or self.fault.truncate_length or self.fault.both_lengths:
            raise Cut("close")
        await self.wire.drain()

    @property
    def _is_plain(self) -> bool:
        return self.fault.cut_at is None and self.fault.dribble_s is None

    async def _send_stream(self, frames: list[Frame]) -> None:
        self.wire.write(self._head(None))
        gap_s = self.reply.gap_s if self.fault.gap_s is None else self.fault.gap_s
        first_s = self.reply.first_content_s + self.fault.delay_content_s
        contents = 0
        batch = bytearray()
        for frame in spoiled(frames, self.fault):
            if frame.part == "content":
                pause_s = first_s if contents == 0 else gap_s
                is_held = contents == 0 and self.fault.hold == "content"
                contents += 1
                if pause_s or is_held:
                    await self._flush(batch)
                    await (self._hold() if is_held else asyncio.sleep(pause_s))
            batch += frame.data if not self._is_plain else b"%x\r\n%b\r\n" % (len(frame.data), frame.data)
            if len(batch) > 32_768:
                await self._flush(batch)
            if self.fault.stall_after is not None and contents >= self.fault.stall_after and frame.part == "content":
                await self._flush(batch)
                await asyncio.sleep(_FOREVER_S)
        await self._finish(batch)

    async def _finish(self, batch: bytearray) -> None:
        if not self._is_plain:
            await self._flush(batch)
            batch.clear()
        if self.fault.error_after is not None:
            await self._flush(batch)
        self._give_back()
        self.wire.write(bytes(batch) + b"0\r\n\r\n")
        await self.wire.drain()

    async def _flush(self, batch: bytearray) -> None:
        if not batch:
            return
        data = bytes(batch)
        batch.clear()
        if self._is_plain:
            self.wire.write(data)
            await self.wire.drain()
        else:
            await self._write_spoiled(data, is_chunked=True)

    async def _write_spoiled(self, data: bytes, *, is_chunked: bool = False, is_last: bool = False) -> None:
        """Writes up to the byte where the fault cuts, in single bytes where it dribbles."""
        size = self.fault.dribble_size if self.fault.dribble_s is not None else max(len(data), 1)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if self.fault.cut_at is not None and self._sent + len(piece) >= self.fault.cut_at:
                piece = piece[: self.fault.cut_at - self._sent]
                self._put(piece, is_chunked=is_chunked)
                await self._let_go()
            if is_last and start + size >= len(data):
                self._give_back()
            self._put(piece, is_chunked=is_chunked)
            self._sent += len(piece)
            await self.wire.drain()
            if self.fault.dribble_s is not None:
                await asyncio.sleep(self.fault.dribble_s)

    def _put(self, piece: bytes, *, is_chunked: bool) -> None:
        if piece:
            self.wire.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)

    async def _let_go(self) -> None:
        """Gives the bytes before a cut a chance to arrive, then cuts."""
        if self.fault.cut_how == "reset":
            await asyncio.sleep(0.02)
        raise Cut(self.fault.cut_how)

    def _give_back(self) -> None:
        if self.reply.entry is not None:
            self.reply.entry.outcome = "answered"
        if self.reply.ticket is not None:
            self.reply.ticket.give_back()


def spoiled(frames: list[Frame], fault: Fault) -> Iterator[Frame]:
    """The frames of a stream with the fault's lines put in and its ends left off."""
    contents = 0
    for frame in frames:
        if frame.part == "done" and fault.sends_done is False:
            continue
        yield Frame(_lines(frame.data, fault), frame.part)
        if frame.part != "content":
            continue
        contents += 1
        if fault.malformed_after == contents:
            yield Frame(_lines(fault.malformed.encode() + b"\n\n", fault), "tail")
        if fault.comment_after == contents:
            yield Frame(_lines(b": comment\n\n", fault), "tail")


def _lines(data: bytes, fault: Fault) -> bytes:
    return data if fault.newline in (None, "\n") else data.replace(b"\n", fault.newline.encode())
