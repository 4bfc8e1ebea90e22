"""Typed decoding that threads may do at once.

msgspec works out a type when it is first asked for, in Python code between which threads switch; two threads at one
type end the process (seen with 0.22.0: a segmentation fault). Here one thread at a time works a type out.
"""

from threading import Lock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_one_at_a_time = Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_worked_out: set[Any] = set()


def decoded(data: bytes | str, kind: type[T]) -> T:
    """The value of a JSON text. Raises: msgspec.DecodeError, msgspec.ValidationError."""
    decoder = _decoders.get(kind)
    if decoder is None:
        with _one_at_a_time:
            decoder = _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    value: T = decoder.decode(data)
    return value


def converted(data: object, kind: type[T], *, strict: bool = True) -> T:
    """The value that plain data stand for. Raises: msgspec.ValidationError."""
    if kind not in _worked_out:
        with _one_at_a_time:
            msgspec.json.Decoder(kind)
            _worked_out.add(kind)
    return msgspec.convert(data, kind, strict=strict)
