"""The newest value of single keys in a LevelDB folder, read from its files without opening it as a database.

The highest sequence number wins and deletions count, whichever file they stand in, so that no manifest is needed.
Source: google/leveldb doc/table_format.md and doc/log_format.md.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from perilune.browsers.snappy import decompress, varint

_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_FOOTER, _TRAILER = 48, 5
_LOG_BLOCK, _LOG_HEAD = 32 * 1024, 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LARGEST_BLOCK = 64 * 1024 * 1024


class Entry(Struct, frozen=True):
    """One write: its sequence number, and the value or None for a deletion."""

    sequence: int
    key: bytes
    value: bytes | None


def newest(folder: Path, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """The values that the keys have, without those that are not there. Raises: ValueError, OSError."""
    wanted, found = frozenset(keys), dict[bytes, Entry]()
    for entry in _entries(folder, wanted):
        known = found.get(entry.key)
        if known is None or entry.sequence > known.sequence:
            found[entry.key] = entry
    return {key: entry.value for key, entry in found.items() if entry.value is not None}


def _entries(folder: Path, wanted: frozenset[bytes]) -> Iterator[Entry]:
    for file in sorted(folder.iterdir()):
        if file.suffix == ".log":
            for batch in log_records(file.read_bytes()):
                yield from (entry for entry in batch_entries(batch) if entry.key in wanted)
        elif file.suffix in (".ldb", ".sst"):
            with file.open("rb") as table:
                for key in wanted:
                    yield from _in_table(table, key)


def log_records(data: bytes) -> Iterator[bytes]:
    """The whole records of a log; one that is cut off at the end is left out."""
    parts: list[bytes] | None = None
    position = 0
    while position + _LOG_HEAD <= len(data):
        left = _LOG_BLOCK - position % _LOG_BLOCK
        if left < _LOG_HEAD:
            position += left
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        fragment = data[position + _LOG_HEAD : position + _LOG_HEAD + length]
        if kind == 0 or length > left - _LOG_HEAD:
            position += left  # room that was kept and not written
            continue
        if len(fragment) < length:
            return
        position += _LOG_HEAD + length
        if kind in (_FULL, _FIRST):
            parts = [fragment]
        elif parts is not None:
            parts.append(fragment)
        if kind in (_FULL, _LAST) and parts is not None:
            yield b"".join(parts)
            parts = None


def batch_entries(batch: bytes) -> Iterator[Entry]:
    """The writes of one record. What is cut off or unknown ends it."""
    if len(batch) < 12:
        return
    sequence, count = int.from_bytes(batch[:8], "little"), int.from_bytes(batch[8:12], "little")
    position = 12
    try:
        for number in range(count):
            kind = batch[position]
            key, position = _prefixed(batch, position + 1)
            value: bytes | None = None
            if kind == 1:
                value, position = _prefixed(batch, position)
            elif kind != 0:
                return
            yield Entry(sequence + number, key, value)
    except (IndexError, ValueError):
        return


def _in_table(table: BinaryIO, wanted: bytes) -> Iterator[Entry]:
    """The newest write of a key in a sorted table: at most one block is read."""
    size = table.seek(0, 2)
    if size < _FOOTER:
        raise ValueError("no table")
    table.seek(size - _FOOTER)
    footer = table.read(_FOOTER)
    if footer[-8:] != _MAGIC:
        raise ValueError("no table")
    _, position = _handle(footer, 0)
    index, _ = _handle(footer, position)
    for last_key, handle in _pairs(_block(table, index)):
        if last_key[:-8] >= wanted:
            yield from _in_block(_block(table, _handle(handle, 0)[0]), wanted)
            if last_key[:-8] > wanted:
                return


def _in_block(block: bytes, wanted: bytes) -> Iterator[Entry]:
    for key, value in _pairs(block):
        if key[:-8] == wanted:
            tag = int.from_bytes(key[-8:], "little")
            yield Entry(tag >> 8, wanted, value if tag & 0xFF == 1 else None)


def _pairs(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block, whose keys share their beginnings."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise ValueError("no block")
    key, position = b"", 0
    while position < end:
        shared, position = varint(block, position)
        own, position = varint(block, position)
        length, position = varint(block, position)
        if position + own + length > end or shared > len(key):
            raise ValueError("no block")
        key = key[:shared] + block[position : position + own]
        position += own
        if len(key) < 8:
            raise ValueError("no block")
        yield key, block[position : position + length]
        position += length


def _block(table: BinaryIO, handle: tuple[int, int]) -> bytes:
    offset, size = handle
    if size > _LARGEST_BLOCK:
        raise ValueError("too large")
    table.seek(offset)
    content = table.read(size + _TRAILER)
    if len(content) != size + _TRAILER:
        raise ValueError("cut off")
    if content[size] == 0:
        return content[:size]
    if content[size] == 1:
        return decompress(content[:size])
    raise ValueError("compressed in an unknown way")


def _handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = varint(data, position)
    size, position = varint(data, position)
    return (offset, size), position


def _prefixed(data: bytes, position: int) -> tuple[bytes, int]:
    length, position = varint(data, position)
    if position + length > len(data):
        raise ValueError("cut off")
    return data[position : position + length], position + length
