"""A vendor's headers as bytes: what kind of answer they announce, and those that a client may see."""

from collections.abc import Sequence

from perilune.gateway.answering import headers_to_client

JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_TYPE_LENGTH = len(b"content-type")
_MOST_NAMES = 2000
_NAMES: dict[bytes, bytes] = {}


def is_stream_type(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether an answer says that it is a stream of events."""
    for name, value in headers:
        if len(name) == _TYPE_LENGTH and name.lower() == b"content-type" and b"event-stream" in value.lower():
            return True
    return False


def passed_on(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The lines of those headers that go on to the client; of repeated ones the last."""
    kept: dict[bytes, bytes] = {}
    for name, value in headers:
        known = _NAMES.get(name)
        if known is None:
            known = _looked_up(name)
        if known:
            kept[known] = value
    return b"".join([b"%b: %b\r\n" % pair for pair in kept.items()]) if kept else b""


def _looked_up(name: bytes) -> bytes:
    """The name in lower case where it may pass, else empty."""
    text = name.decode("latin-1").lower()
    if len(_NAMES) > _MOST_NAMES:
        _NAMES.clear()
    _NAMES[name] = text.encode("latin-1") if headers_to_client({text: ""}) else b""
    return _NAMES[name]
