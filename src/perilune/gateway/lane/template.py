"""A body taken apart into what is the same from request to request and the turns between. Pure."""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

from perilune.dialects.form import Dialect

_MARK = b'"messages":'
_LONGEST_END = 2048
_QUOTE = ord('"')


Parts = tuple[bytes, memoryview, bytes]
"""A body in three: up to its turns, the turns, and what follows."""


class _Turn(Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant"]
    content: Raw


class _ShortTurn(Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant"]
    content: str


_SHORT = 4096  # up to here a text is sooner decoded than looked at
_decode_short = msgspec.json.Decoder(list[_ShortTurn]).decode
_decode_turns = msgspec.json.Decoder(list[_Turn]).decode


def parts_of(body: bytes) -> Parts | None:
    """The parts of a body whose first list is its turns and whose last `]` ends them; else None.

    That is a guess: what stands before and behind has to be known for it to be right.
    """
    start = body.find(_MARK) + len(_MARK)
    if start < len(_MARK):
        return None
    if body[start : start + 1] == b" ":
        start += 1
    end = body.rfind(b"]") + 1
    if start >= end or start > _LONGEST_END or len(body) - end > _LONGEST_END:
        return None
    return body[:start], memoryview(body)[start:end], body[end:]


def are_plain(front: Dialect, turns: memoryview) -> bool:
    """True for turns of text alone: nothing in them is a reason to change or to refuse a request.

    Shape: whole turns with a role and a text. System turns among those of Messages may have to be folded.
    """
    if len(turns) <= _SHORT:
        return _are_plain_texts(front, turns)
    try:
        decoded = _decode_turns(turns)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    if front is Dialect.MESSAGES and any(turn.role == "system" for turn in decoded):
        return False
    return all(memoryview(turn.content)[0] == _QUOTE for turn in decoded)


def _are_plain_texts(front: Dialect, turns: memoryview) -> bool:
    try:
        decoded = _decode_short(turns)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return front is not Dialect.MESSAGES or not any(turn.role == "system" for turn in decoded)
