"""The file of cookies that Safari keeps: pages of records, parsed only as far as the wanted cookie.

Source: Cookies.binarycookies: `cook`, page count and sizes big-endian; pages little-endian, times since 2001.
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

_MAGIC, _PAGE_MAGIC = b"cook", b"\x00\x00\x01\x00"
_RECORD = struct.Struct("<8I8xdd")
_EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_FARTHEST_S = 1e11
_MOST_PAGES = 100_000


class BinaryCookie(Struct, frozen=True, kw_only=True):
    """One wanted record. `created` is in seconds since 2001."""

    host: str
    value: str
    expires_at: datetime | None
    created: int


def wanted_cookies(data: bytes, name: str, hosts: Sequence[str]) -> list[BinaryCookie]:
    """The records of that name and one of those hosts, and nothing of any other. Raises: ValueError."""
    if data[:4] != _MAGIC or len(data) < 8:
        raise ValueError("no file of cookies")
    count = int.from_bytes(data[4:8], "big")
    start = 8 + 4 * count
    if count > _MOST_PAGES or start > len(data):
        raise ValueError("cut off")
    found: list[BinaryCookie] = []
    for size in struct.unpack_from(f">{count}I", data, 8):
        page = data[start : start + size]
        if len(page) < size:
            raise ValueError("cut off")
        found += _on_page(page, name.encode(), {host.encode() for host in hosts})
        start += size
    return found


def _on_page(page: bytes, name: bytes, hosts: set[bytes]) -> Iterator[BinaryCookie]:
    if page[:4] != _PAGE_MAGIC or len(page) < 8:
        raise ValueError("no page")
    count = int.from_bytes(page[4:8], "little")
    if 8 + 4 * count > len(page):
        raise ValueError("cut off")
    for offset in struct.unpack_from(f"<{count}I", page, 8):
        size = int.from_bytes(page[offset : offset + 4], "little")
        record = page[offset : offset + size]
        if len(record) < size or size < _RECORD.size:
            raise ValueError("cut off")
        found = _wanted(record, name, hosts)
        if found is not None:
            yield found


def _wanted(record: bytes, name: bytes, hosts: set[bytes]) -> BinaryCookie | None:
    """The record when it is wanted; its value is not looked at before that is known."""
    _, _, _, _, host_at, name_at, _, value_at, expires, created = _RECORD.unpack_from(record)
    host = _text(record, host_at)
    if _text(record, name_at) != name or host not in hosts:
        return None
    value = _text(record, value_at).decode("latin-1")
    is_created = 0 < created < _FARTHEST_S
    return BinaryCookie(
        host=host.decode(), value=value, expires_at=_instant(expires), created=int(created) if is_created else 0
    )


def _text(record: bytes, start: int) -> bytes:
    end = record.find(b"\x00", start)
    if not 0 < start < len(record) or end < 0:
        raise ValueError("cut off")
    return record[start:end]


def _instant(seconds: float) -> datetime | None:
    """0 and what cannot be a time is a cookie of the session."""
    if not 0 < seconds < _FARTHEST_S:
        return None
    return _EPOCH + timedelta(seconds=seconds)
