"""Stored documents and rows as types, and back. What another version wrote and this one cannot read is absent."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from perilune.core import decoding
from perilune.quota.samples import Sample
from perilune.store.times import from_ms

T = TypeVar("T")


def encoded(document: object) -> str:
    """A document as the text a table keeps."""
    return msgspec.json.encode(document).decode()


def decoded(text: str | None, kind: type[T]) -> T | None:
    """The document of a table's text."""
    if text is None:
        return None
    try:
        return decoding.decoded(text, kind)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def decimal_of(text: str | None) -> Decimal | None:
    """A number as tables keep it."""
    return None if text is None else Decimal(text)


def sample_of(row: Sequence[Any]) -> Sample:
    """A reading of (at, used_ratio, resets_at, limit, began_at, readings) as tables keep them."""
    at, used, resets_at, limit, began_at, readings = row
    return Sample(
        at=from_ms(at),
        used_ratio=decimal_of(used),
        resets_at=from_ms(resets_at),
        limit=decimal_of(limit),
        began_at=from_ms(began_at),
        readings=readings,
    )
