"""An answer as the parser finds it: status, headers, body, end, and what is not clear about them."""

import asyncio
from collections import deque

import httptools

from perilune.net.upstream.port import Layer, UpstreamError

_LENGTHS = (b"content-length", b"transfer-encoding")
_LENGTHS_OF_LENGTHS = frozenset(len(name) for name in _LENGTHS)


class AnswerReader:
    """What one parser has read of one answer after the other. Those who inherit say what breaking off means."""

    __slots__ = (
        "_buffered",
        "_chunks",
        "_failure",
        "_head_done",
        "_is_complete",
        "_lengths",
        "_parser",
        "_raw",
        "_transport",
        "is_reusable",
        "status",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._failure: UpstreamError | None = None
        self.is_reusable = True
        self._begin_answer()

    @property
    def is_complete(self) -> bool:
        """True when the whole answer has come, or none was asked for."""
        return self._is_complete

    @property
    def failure(self) -> UpstreamError | None:
        """Why the exchange broke."""
        return self._failure

    @property
    def has_head(self) -> bool:
        """True when status and headers have come."""
        return self._head_done

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The answer's headers as they came."""
        return self._raw

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The answer's headers, names lower case."""
        return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self._raw]

    def _begin_answer(self) -> None:
        self.status = 0
        self._raw: list[tuple[bytes, bytes]] = []
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._head_done = False
        self._is_complete = True
        self._lengths: list[bytes] = []

    def _ends_with_connection(self) -> bool:
        """True for an answer without a length, which the connection's end completes."""
        return self._head_done and not self._lengths

    # -- httptools ---------------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_complete:
            self.is_reusable = False
            return
        self._raw.append((name, value))
        if len(name) in _LENGTHS_OF_LENGTHS and (lower := name.lower()) in _LENGTHS:
            self._lengths.append(lower)

    def on_headers_complete(self) -> None:
        if self._is_complete:
            self.is_reusable = False
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        if len(set(self._lengths)) > 1 or self._lengths.count(b"content-length") > 1:
            self._failure = UpstreamError(Layer.GARBLED, "content-length and transfer-encoding", any_byte=True)
            return
        if self.status in (204, 304):
            self._lengths.append(b"none")
        if not self._parser.should_keep_alive():
            self.is_reusable = False
        self._head_done = True

    def on_body(self, body: bytes) -> None:
        if self._is_complete:
            return
        self._chunks.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        if self._is_complete or self._failure is not None:
            return
        if self.status < 200:
            self._raw.clear()
            self._lengths.clear()
            return
        self._is_complete = True
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > 0:
            self.is_reusable = False
