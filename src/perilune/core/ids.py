"""Identifiers: sortable by time, without any meaning beyond that. Time and randomness are handed in."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def uuid7(at: datetime, random_bits: int | None = None) -> UUID:
    """A version 7 UUID: 48 bits of milliseconds, then 74 random bits."""
    bits = secrets.randbits(74) if random_bits is None else random_bits
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1) & ((1 << 48) - 1)
    value = (milliseconds << 80) | (0x7 << 76) | ((bits >> 62) << 64) | (0b10 << 62) | (bits & ((1 << 62) - 1))
    return UUID(int=value)


def ulid(milliseconds: int, random_bits: int | None = None) -> str:
    """A 26-character ULID: 48 bits of milliseconds since 1970, then 80 random bits."""
    bits = secrets.randbits(80) if random_bits is None else random_bits
    value = ((milliseconds & ((1 << 48) - 1)) << 80) | bits
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
