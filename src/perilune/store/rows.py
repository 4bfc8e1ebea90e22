"""Stored documents as types, and back. What another version wrote and this one cannot read is absent."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def encoded(document: object) -> str:
    """A document as the text a table keeps."""
    return msgspec.json.encode(document).decode()


def decoded(text: str | None, kind: type[T]) -> T | None:
    """The document of a table's text."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
