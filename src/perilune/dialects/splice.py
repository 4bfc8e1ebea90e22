"""Changes to the top level of a JSON body that leave every other byte as it is.

msgspec skips the values at C speed and hands back their exact bytes; only the text between them is walked here.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from perilune.core.errors import Problem, RequestError

DEEPEST = 64

_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
_encode = msgspec.json.encode
_START = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*")
_KEY = re.compile(rb'[ \t\n\r]*[{,][ \t\n\r]*"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t\n\r]*:[ \t\n\r]*')
_END = re.compile(rb"[ \t\n\r]*\}[ \t\n\r]*\Z")
_TO_PAIRS = bytes.maketrans(b"[{]}", b"(())")
_NO_MARKS = bytes(set(range(256)) - set(b'[{]}"'))


class _Remove:
    """The mark for a key that shall not be there."""

    def __repr__(self) -> str:
        return "REMOVE"


REMOVE: Final = _Remove()


class Place(NamedTuple):
    """Where a member stands in its body: its key's first byte, its value's first, and the byte behind it."""

    key: str
    start: int
    value: int
    end: int


def members_of(body: bytes) -> dict[str, Raw]:
    """The top-level members of a JSON object, values as their exact bytes.

    Raises: RequestError PL-BODY-INVALID when the body is no JSON object or is nested deeper than 64.
    """
    members = split_members(body)
    if is_too_deep(body):
        raise RequestError.of("PL-BODY-INVALID", variant="depth", limit=DEEPEST)
    return members


def split_members(body: bytes) -> dict[str, Raw]:
    """The same for a body whose depth has been looked at before."""
    try:
        return _decode_members(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise RequestError.of("PL-BODY-INVALID", variant="json", detail=str(error)[:120]) from None


def splice(
    body: bytes,
    replacements: Mapping[str, object],
    members: Mapping[str, Raw] | None = None,
    places: list[Place] | None = None,
) -> bytes:
    """The body with top-level keys replaced, inserted (at the end) or, for REMOVE, taken out.

    Shape: values are anything msgspec encodes; `members` and `places` spare a second look when the caller has them.
    Raises: RequestError PL-BODY-INVALID for a body that is no object or holds a key twice.
    """
    if not replacements:
        return body
    if places is None:
        places = places_of(body, members_of(body) if members is None else members)
    missing = dict(replacements)
    pieces: list[bytes] = []
    for before, place in zip([None, *places], places, strict=False):
        change = missing.pop(place.key, place)
        if change is REMOVE:
            continue
        if pieces:
            pieces.append(body[before.end : place.start] if before else b",")
        is_kept = change is place
        pieces.append(body[place.start : place.end] if is_kept else body[place.start : place.value] + _encode(change))
    for key, value in missing.items():
        if value is not REMOVE:
            pieces.append((b"," if pieces else b"") + _encode(key) + b":" + _encode(value))
    return b"".join((body[: _start_of(body)], *pieces, body[places[-1].end if places else _start_of(body) :]))


def is_too_deep(body: bytes) -> bool:
    """True when the arrays and objects of a sound JSON body are nested deeper than 64.

    Escapes and strings go first, then innermost pairs, one level a round: every step is one pass at C speed.
    """
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_TO_PAIRS, _NO_MARKS)
    pairs = b"".join(marks.split(b'"')[::2])
    for _ in range(DEEPEST):
        if not pairs:
            return False
        pairs = pairs.replace(b"()", b"")
    return bool(pairs)


def places_of(body: bytes, members: Mapping[str, Raw]) -> list[Place]:
    """Where each top-level member stands, none of them twice: this program and the vendor could read different ones.

    A value that is not where its bytes should be belongs to a key that stands twice.
    Raises: RequestError PL-BODY-INVALID naming the key.
    """
    position = 0
    places: list[Place] = []
    unseen = set(members)
    while unseen:
        match = _KEY.match(body, position)
        if match is None:
            raise _twice(places[-1].key if places else "")
        value, written = match.end(), match[1]
        key: str = _decode_text(b'"' + written + b'"') if b"\\" in written else written.decode()
        if key not in unseen or not body.startswith(members[key], value):
            raise _twice(key)
        unseen.discard(key)
        position = value + len(memoryview(members[key]))
        places.append(Place(key, match.start(1) - 1, value, position))
    if places and _END.match(body, position) is None:
        raise _twice(places[-1].key)
    return places


def _twice(key: str) -> RequestError:
    return RequestError(Problem(code="PL-BODY-INVALID", variant="duplicate", facts={"key": key[:80]}))


def _start_of(body: bytes) -> int:
    opening = _START.match(body)
    return opening.end() if opening else 0
