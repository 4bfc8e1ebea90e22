"""Reading one body field by field: typed where we act on it, exact bytes for the rest."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from msgspec import Raw

from perilune.core.errors import RequestError
from perilune.dialects.splice import split_members

T = TypeVar("T")

decode_any = msgspec.json.Decoder().decode
decode_flag = msgspec.json.Decoder(bool | None).decode
decode_count = msgspec.json.Decoder(int | None).decode
decode_word = msgspec.json.Decoder(str | None).decode
decode_words = msgspec.json.Decoder(str | list[str] | None).decode
decode_raws = msgspec.json.Decoder(list[Raw] | None).decode


class Fields:
    """The top-level fields of a body, taken one by one; what nobody takes is the rest."""

    __slots__ = ("_members",)

    def __init__(self, body: bytes) -> None:
        """Raises: RequestError PL-BODY-INVALID when the body is no JSON object."""
        self._members = split_members(body)

    def take(self, name: str, decode: Callable[[bytes], T]) -> T | None:
        """The field decoded, None when absent.

        Raises: RequestError PL-BODY-INVALID naming the field when it is of another type.
        """
        raw = self._members.pop(name, None)
        return None if raw is None else checked(decode, raw, name)

    def take_raw(self, names: Iterable[str]) -> dict[str, bytes]:
        """Those of the named fields that are there and not null, as JSON."""
        found = ((name, self._members.pop(name, None)) for name in names)
        return {name: exact for name, raw in found if raw is not None and (exact := bytes(raw)) != b"null"}

    def rest(self) -> dict[str, bytes]:
        """All fields that were not taken, as JSON."""
        return {name: bytes(raw) for name, raw in self._members.items()}


def checked(decode: Callable[[bytes], T], raw: Raw | bytes, where: str) -> T:
    """The decoded value.

    Raises: RequestError PL-BODY-INVALID naming the place when it is of another type.
    """
    try:
        return decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        detail = f"{where}: {str(error)[:120]}"
        raise RequestError.of("PL-BODY-INVALID", variant="shape", detail=detail) from None


def words(value: str | list[str] | None) -> tuple[str, ...]:
    """One word or several, as several."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def encode_object(fields: dict[str, object]) -> bytes:
    """A JSON object; `bytes` values stand for JSON already written."""
    return encode({key: Raw(value) if isinstance(value, bytes) else value for key, value in fields.items()})


def is_json(text: str) -> bool:
    """True when the text is one whole JSON value."""
    try:
        _decode_raw(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


encode = msgspec.json.encode
_decode_raw = msgspec.json.Decoder(Raw).decode
