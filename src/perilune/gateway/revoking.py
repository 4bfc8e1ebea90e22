"""Running answers of a key that was revoked together with them. Source: 7.3."""

from collections.abc import Callable

from perilune.gateway.call import Chunks


class UntilRevoked:
    """A stream that ends at its next chunk once its key has ended, with an error event in the client's dialect."""

    def __init__(self, chunks: Chunks, has_ended: Callable[[], bool], last: bytes) -> None:
        self._chunks = chunks
        self._pieces = aiter(chunks)
        self._has_ended = has_ended
        self._last = last
        self._is_over = False

    def __aiter__(self) -> "UntilRevoked":
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        piece = await anext(self._pieces)
        if not self._has_ended():
            return piece
        self._is_over = True
        await self._chunks.aclose()
        return self._last

    async def aclose(self) -> None:
        """Give back what the stream holds."""
        await self._chunks.aclose()
