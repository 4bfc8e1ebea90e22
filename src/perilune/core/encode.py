"""Our JSON: RFC 3339 with `Z` and whole seconds, numbers as numbers, absent as null."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from perilune.core.instants import to_rfc3339
from perilune.core.secret import Secret


def _foreign(value: object) -> object:
    if isinstance(value, Secret):
        raise TypeError("a Secret is not encoded")
    raise TypeError(f"{type(value).__name__} has no JSON form here")


_ENCODER = msgspec.json.Encoder(enc_hook=_foreign, decimal_format="number")


def to_builtins(document: object) -> Any:
    """A document as plain dicts and lists, times as RFC 3339 text with whole seconds, Decimals as numbers."""
    return _plain(msgspec.to_builtins(document, builtin_types=(datetime, Decimal), enc_hook=_foreign))


def encode_document(document: object, *, indent: bool = False) -> bytes:
    """A document as UTF-8 JSON."""
    data = _ENCODER.encode(to_builtins(document))
    return msgspec.json.format(data, indent=2) if indent else data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return to_rfc3339(value) if isinstance(value, datetime) else value
