"""Joins what git counts with the bodies of its patch: names and statuses from `--raw --numstat`, hunks from `-p`."""

from msgspec import structs

from perilune.patches.model import Diff, File, FileKind, ParseFailure, Status
from perilune.patches.parse import file_kind, join_type_change
from perilune.patches.raw import RawEntry

_NO_MODE = "000000"


def assemble(entries: tuple[RawEntry, ...], patch: Diff) -> Diff:
    """One file for each raw entry, in git's order, with the hunks of its section of the patch."""
    bodies = _Bodies(patch.files)
    return Diff(tuple(_file(entry, bodies.take(entry)) for entry in entries))


class _Bodies:
    """The sections of the patch, handed out by path in the order of the entries."""

    def __init__(self, files: tuple[File, ...]) -> None:
        self._by_path: dict[bytes, list[File]] = {}
        for file in files:
            self._by_path.setdefault(file.path, []).append(file)

    def take(self, entry: RawEntry) -> File | None:
        waiting = self._by_path.get(entry.path, [])
        if not waiting:
            return None
        first = waiting.pop(0)
        if entry.status is Status.TYPE_CHANGED and first.status is Status.DELETED and waiting:
            return join_type_change(first, waiting.pop(0))
        return first


def _file(entry: RawEntry, body: File | None) -> File:
    base = body or File(path=entry.path)
    mode = entry.old_mode if entry.new_mode == _NO_MODE else entry.new_mode
    is_binary = base.kind is FileKind.BINARY or entry.added is None
    return structs.replace(
        base,
        path=entry.path,
        old_path=entry.old_path,
        status=entry.status or base.status,
        similarity=entry.similarity,
        old_mode=_mode(entry.old_mode),
        new_mode=_mode(entry.new_mode),
        old_oid=_oid(entry.old_oid),
        new_oid=_oid(entry.new_oid),
        kind=file_kind(mode, is_binary, base.hunks),
        failure=_failure(entry, base),
    )


def _failure(entry: RawEntry, base: File) -> ParseFailure | None:
    if entry.status is None:
        return ParseFailure("unmerged", 0)
    if base.failure is not None or entry.added is None:
        return base.failure
    if (entry.added, entry.removed) != (base.added, base.removed):
        return ParseFailure("lines differ from git's count", 0)
    return None


def _mode(mode: str) -> str | None:
    return None if mode == _NO_MODE else mode


def _oid(oid: str) -> str | None:
    return None if set(oid) == {"0"} else oid
