"""A request's body on its way in: of a known length, or in chunks."""

from perilune.net.server.chunked import Chunked


class BodyReader:
    """Counts a body in. `rest` is what came behind its end; `parts` are kept for who wants it whole."""

    __slots__ = ("_chunked", "is_over", "left", "parts", "rest", "size")

    def __init__(self, length: int | None) -> None:
        self._chunked = Chunked() if length is None else None
        self.left = length or 0
        self.is_over = length == 0
        self.rest = b""
        self.size = 0
        self.parts: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in this piece. Raises: ChunkedError."""
        if self._chunked is not None:
            piece = self._chunked.feed(data)
            self.is_over, self.rest = self._chunked.is_done, self._chunked.rest
        else:
            piece = data if len(data) <= self.left else data[: self.left]
            self.left -= len(piece)
            self.is_over, self.rest = self.left == 0, data[len(piece) :]
        self.size += len(piece)
        return piece
