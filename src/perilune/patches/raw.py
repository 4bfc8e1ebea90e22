"""Reads git's machine output `--raw -z --numstat -z`: true paths, modes, object ids, statuses and counts."""

import re

from msgspec import Struct

from perilune.patches.model import Status

_RAW = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+)\.* ([0-9a-f]+)\.* ([A-Z])(\d*)")
_NUMSTAT = re.compile(rb"(-|\d+)\t(-|\d+)\t(.*)", re.DOTALL)

_STATUSES = {status.value: status for status in Status}


class RawEntry(Struct, frozen=True, kw_only=True):
    """One file as git counts it. `added` and `removed` are None for binary content; `status` None where unmerged."""

    path: bytes
    old_path: bytes | None
    status: Status | None
    similarity: int | None
    old_mode: str
    new_mode: str
    old_oid: str
    new_oid: str
    added: int | None = None
    removed: int | None = None


class RawUnreadableError(ValueError):
    """The output is not what git writes."""


def parse_raw(output: bytes) -> tuple[RawEntry, ...]:
    """The entries of `--raw -z --numstat -z`, in git's order.

    Raises: RawUnreadableError.
    """
    tokens = output.split(b"\0")
    entries: list[RawEntry] = []
    counts: dict[bytes, tuple[int | None, int | None]] = {}
    position = 0
    while position < len(tokens) - 1:
        if not tokens[position]:  # git parts the two lists by an empty one
            position += 1
        elif tokens[position].startswith(b":"):
            position = _entry(tokens, position, entries)
        else:
            position = _count(tokens, position, counts)
    return tuple(_with_counts(entry, counts) for entry in entries)


def _entry(tokens: list[bytes], position: int, entries: list[RawEntry]) -> int:
    match = _RAW.fullmatch(tokens[position])
    if match is None or position + 1 >= len(tokens):
        raise RawUnreadableError(repr(tokens[position][:80]))
    letter = match[5].decode()
    two_names = letter in "RC"
    names = tokens[position + 1 : position + (3 if two_names else 2)]
    entries.append(
        RawEntry(
            path=names[-1],
            old_path=names[0] if two_names else None,
            status=_STATUSES.get(letter),
            similarity=int(match[6]) if match[6] else None,
            old_mode=match[1].decode(),
            new_mode=match[2].decode(),
            old_oid=match[3].decode(),
            new_oid=match[4].decode(),
        ),
    )
    return position + 1 + len(names)


def _count(tokens: list[bytes], position: int, counts: dict[bytes, tuple[int | None, int | None]]) -> int:
    match = _NUMSTAT.fullmatch(tokens[position])
    if match is None:
        raise RawUnreadableError(repr(tokens[position][:80]))
    added, removed = (None if value == b"-" else int(value) for value in match.group(1, 2))
    if match[3]:
        counts[match[3]] = (added, removed)
        return position + 1
    if position + 2 >= len(tokens):
        raise RawUnreadableError("a rename without names")
    counts[tokens[position + 2]] = (added, removed)
    return position + 3


def _with_counts(entry: RawEntry, counts: dict[bytes, tuple[int | None, int | None]]) -> RawEntry:
    added, removed = counts.get(entry.path, (None, None))
    return RawEntry(
        path=entry.path,
        old_path=entry.old_path,
        status=entry.status,
        similarity=entry.similarity,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        old_oid=entry.old_oid,
        new_oid=entry.new_oid,
        added=added,
        removed=removed,
    )
