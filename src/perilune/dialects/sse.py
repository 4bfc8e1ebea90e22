"""Server-sent events: a parser that gives the same events however the bytes are cut, and an encoder.

Source: WHATWG HTML, "Server-sent events": lines end in LF, CRLF or CR; `data` lines are joined by LF; a line that
begins with a colon is a comment; an event without data is not dispatched.
"""

from typing import NamedTuple

LARGEST_EVENT = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event: its name (empty when none was given) and its joined data."""

    name: bytes
    data: bytes


class SseParser:
    """Turns chunks of bytes into events. After an event above 8 MiB `is_garbled` is True and nothing more comes."""

    __slots__ = ("_after_cr", "_at_start", "_held", "_pieces", "is_garbled")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._at_start = True
        self.is_garbled = False

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events completed by this chunk."""
        if self._is_one_block(chunk):  # what servers mostly send
            event = parse_block(chunk[:-2])
            return [] if event is None else [event]
        return [event for block in self.blocks(chunk) if (event := parse_block(block)) is not None]

    def blocks(self, chunk: bytes) -> list[bytes]:
        """The event blocks completed by this chunk: lines joined by LF, without the empty line that ends them."""
        if self.is_garbled or not chunk:
            return []
        if self._is_one_block(chunk):
            return [chunk[:-2]]
        chunk = self._with_line_feeds(chunk)
        if not chunk or (b"\n\n" not in chunk and not self._ends_block(chunk)):
            self._hold(chunk)
            return []
        buffer = b"".join((*self._pieces, chunk)) if self._pieces else chunk
        *complete, rest = buffer.split(b"\n\n")
        self._pieces.clear()
        self._held = 0
        if rest:
            self._hold(rest)
        return self._sane(complete)

    def end(self) -> list[SseEvent]:
        """The event that was complete but for its empty line; servers that hang up early leave one."""
        rest = b"".join(self._pieces)
        self._pieces.clear()
        event = None if self.is_garbled else parse_block(self._without_bom(rest.strip(b"\n")))
        return [] if event is None else [event]

    def _is_one_block(self, chunk: bytes) -> bool:
        """True for what servers mostly send: one whole event, at once, with plain line ends."""
        return (
            chunk.find(b"\n\n") == len(chunk) - 2 > 0
            and not (self._pieces or self._after_cr or self._at_start)
            and b"\r" not in chunk
            and len(chunk) <= LARGEST_EVENT
        )

    def _sane(self, blocks: list[bytes]) -> list[bytes]:
        sane: list[bytes] = []
        for block in blocks:
            block = self._without_bom(block.lstrip(b"\n"))
            if len(block) > LARGEST_EVENT:
                self.is_garbled = True
                self._pieces.clear()
                break
            if block:
                sane.append(block)
        return sane

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_cr = False
            if not chunk:
                return chunk
        self._after_cr = False
        if b"\r" not in chunk:
            return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _ends_block(self, chunk: bytes) -> bool:
        return chunk.startswith(b"\n") and bool(self._pieces) and self._pieces[-1].endswith(b"\n")

    def _hold(self, chunk: bytes) -> None:
        if not chunk:
            return
        self._pieces.append(chunk)
        self._held += len(chunk)
        if self._held > LARGEST_EVENT:
            self.is_garbled = True
            self._pieces.clear()

    def _without_bom(self, block: bytes) -> bytes:
        if self._at_start and block:
            self._at_start = False
            return block.removeprefix(_BOM).lstrip(b"\n")
        return block


def parse_block(block: bytes) -> SseEvent | None:
    """One block of lines as an event; None for comments alone or an event without data."""
    if b"\n" not in block and block.startswith(b"data: "):
        return SseEvent(b"", block[6:])
    if block.startswith(b"event: ") and block.count(b"\n") == 1:
        first, _, second = block.partition(b"\n")
        if second.startswith(b"data: "):
            return SseEvent(first[7:], second[6:])
    name, data = b"", None
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data = value if data is None else data + b"\n" + value
        elif field == b"event":
            name = value
    return None if data is None else SseEvent(name, data)


def encode_event(data: bytes, name: bytes = b"") -> bytes:
    """One event on the wire; data with line feeds becomes several `data` lines."""
    lines = b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
    return b"event: " + name + b"\n" + lines if name else lines


def encode_comment(text: bytes) -> bytes:
    """A comment line, for keeping a silent connection open."""
    return b": " + text + b"\n\n"
