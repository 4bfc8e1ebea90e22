"""Digests under which the thought of a turn is found again, whatever the client did to ids, dialect or splitting."""

import hashlib
from collections.abc import Iterable

import msgspec

from perilune.dialects.form import Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult, Turn
from perilune.dialects.target import TurnKeys

_decode = msgspec.json.Decoder().decode
_canonical = msgspec.json.Encoder(order="deterministic").encode


class History:
    """Walks a conversation; ids, thoughts and system texts are left out, neighbouring texts of one role are one."""

    __slots__ = ("_digest", "_role", "_texts")

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)
        self._role = ""
        self._texts: list[str] = []

    def add(self, turn: Turn) -> None:
        """Go past this turn."""
        if turn.role == "system":
            return
        if turn.role != self._role:
            self._flush()
            self._role = turn.role
        for part in turn.parts:
            self._add_part(part)

    def keys(self, turn: Turn) -> TurnKeys:
        """The keys of this turn at this place."""
        before = self._digest.copy()
        _feed(before, b"text", self._text())
        return TurnKeys(before.digest(), turn_digest(turn.parts))

    def _text(self) -> bytes:
        """Clients trim answers, so the outer spaces do not count."""
        return f"{self._role}:{''.join(self._texts).strip()}".encode(errors="surrogatepass")

    def _add_part(self, part: Part) -> None:
        if isinstance(part, Text):
            self._texts.append(part.text)
        elif not isinstance(part, Reasoning):
            self._flush()
            _feed_part(self._digest, part)

    def _flush(self) -> None:
        if self._texts:
            _feed(self._digest, b"text", self._text())
            self._texts.clear()


def turn_digest(parts: Iterable[Part]) -> bytes:
    """The digest of a turn's text and calls alone."""
    digest = hashlib.blake2b(digest_size=16)
    known = list(parts)
    text = "".join(part.text for part in known if isinstance(part, Text))
    _feed(digest, b"text", text.strip().encode(errors="surrogatepass"))
    for part in known:
        if isinstance(part, ToolCall):
            _feed_part(digest, part)
    return digest.digest()


def _feed_part(digest: "hashlib.blake2b", part: Part) -> None:
    match part:
        case ToolCall():
            _feed(digest, b"call", part.name.encode())
            _feed(digest, b"arguments", _canonical_arguments(part.arguments))
        case ToolResult():
            _feed(digest, b"result", "".join(p.text for p in part.parts if isinstance(p, Text)).encode())
        case Image():
            _feed(digest, b"image", (part.url or part.data).encode())
        case Opaque():
            _feed(digest, b"opaque", part.json)
        case Text() | Reasoning():
            pass


def _canonical_arguments(text: str) -> bytes:
    try:
        return _canonical(_decode(text or "{}"))
    except (msgspec.MsgspecError, RecursionError):
        return text.encode(errors="surrogatepass")


def _feed(digest: "hashlib.blake2b", kind: bytes, content: bytes) -> None:
    digest.update(b"%s %d\n" % (kind, len(content)))
    digest.update(content)
