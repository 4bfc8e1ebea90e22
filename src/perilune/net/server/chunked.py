"""A request body in chunks, taken apart strictly."""

_LONGEST_LINE = 4096
_SIZE_DIGITS = 12


class ChunkedError(Exception):
    """Bytes that are no chunked body."""


class Chunked:
    """Fed with bytes as they come; `is_done` once the last chunk and its trailer are through, `rest` what follows."""

    __slots__ = ("_buffer", "_left", "_phase", "_trailer", "is_done", "rest")

    def __init__(self) -> None:
        self._buffer = b""
        self._left = 0
        self._phase = "size"
        self._trailer = 0
        self.is_done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in this piece. Raises: ChunkedError."""
        buffer = self._buffer + data if self._buffer else data
        out: list[bytes] = []
        while buffer and not self.is_done:
            if self._phase == "data":
                piece, buffer = buffer[: self._left], buffer[self._left :]
                self._left -= len(piece)
                out.append(piece)
                if self._left == 0:
                    self._phase = "end"
                continue
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > _LONGEST_LINE:
                    raise ChunkedError
                break
            line, buffer = buffer[:end], buffer[end + 2 :]
            self._line(line)
        self._buffer = b"" if self.is_done else buffer
        self.rest = buffer if self.is_done else b""
        return out[0] if len(out) == 1 else b"".join(out)

    def _line(self, line: bytes) -> None:
        if self._phase == "size":
            self._left = _size(line)
            self._phase = "data" if self._left else "trailer"
        elif self._phase == "end":
            if line:
                raise ChunkedError
            self._phase = "size"
        else:
            self._trailer += len(line)
            if self._trailer > _LONGEST_LINE:
                raise ChunkedError
            self.is_done = not line


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].rstrip(b" \t")
    if not 0 < len(digits) <= _SIZE_DIGITS or digits.strip(b"0123456789abcdefABCDEF"):
        raise ChunkedError
    return int(digits, 16)
