"""Parses unified diffs, git's and others', bytes in; never raises on input.

Hunks are consumed by the counts of their header, so nothing inside content can end one. What cannot be read becomes a
file with a `failure`, and reading goes on at the next file.
"""

import re
from hashlib import sha256
from itertools import accumulate

from msgspec import Struct, field, structs

from perilune.patches.headers import Headers, is_section_line, is_section_start, read_headers
from perilune.patches.model import Diff, Eol, File, FileKind, Hunk, Line, LineKind, ParseFailure, Status, is_utf8
from perilune.patches.names import NamePair, strip_lone

_HUNK = re.compile(rb"@@ -(\d{1,10})(?:,(\d{1,10}))? \+(\d{1,10})(?:,(\d{1,10}))? @@ ?(.*)", re.DOTALL)
_COMBINED = (b"diff --cc ", b"diff --combined ", b"@@@ ")
_LFS = b"version https://git-lfs.github.com/spec/"
_BLOCK = re.compile(rb"(?:literal|delta) \d+\r?")
_SIGNATURE = (b"-- ", b"--", b"-- \r", b"--\r")


class _Cursor(Struct):
    """A place in the lines of the input."""

    lines: list[bytes]
    offsets: list[int]
    at: int = 0

    def line(self, ahead: int = 0) -> bytes | None:
        index = self.at + ahead
        return self.lines[index] if index < len(self.lines) else None

    @property
    def offset(self) -> int:
        return self.offsets[min(self.at, len(self.offsets) - 1)]


class _Section(Struct):
    """One file while it is being read."""

    headers: Headers
    offset: int
    hunks: list[Hunk] = field(default_factory=list)
    is_binary: bool = False
    failure: ParseFailure | None = None


class _UnreadableError(Exception):
    """The section cannot be read on; holds the reason."""


def parse_patch(data: bytes) -> Diff:
    """The files of a patch. A combined diff is refused, an unreadable part is a file with a failure."""
    cursor = _cursor(data)
    sections: list[_Section] = []
    while (line := cursor.line()) is not None:
        if line.startswith(_COMBINED):
            return Diff(refused="combined")
        if is_section_start(line, cursor.line(1), cursor.line(2)):
            sections.append(_read_section(cursor))
        else:
            cursor.at += 1
    keeps_names = any(section.headers.names.is_prefixed is False for section in sections)
    files = [_file(section, keeps_names) for section in sections]
    return Diff(tuple(_join_type_changes(files)))


def _cursor(data: bytes) -> _Cursor:
    lines = data.split(b"\n")
    offsets = list(accumulate((len(line) + 1 for line in lines), initial=0))
    if lines[-1] == b"":
        lines.pop()
    return _Cursor(lines, offsets)


def _read_section(cursor: _Cursor) -> _Section:
    offset = cursor.offset
    headers, cursor.at = read_headers(cursor.lines, cursor.at)
    section = _Section(headers, offset)
    try:
        _read_body(cursor, section)
    except _UnreadableError as error:
        section.failure = ParseFailure(str(error), cursor.offset)
        _skip_to_section(cursor)
    return section


def _read_body(cursor: _Cursor, section: _Section) -> None:
    line = cursor.line()
    if section.headers.is_binary:
        section.is_binary = True
        return
    if line is not None and line.removesuffix(b"\r") == b"GIT binary patch":
        section.is_binary = True
        _skip_binary(cursor)
        return
    while (line := cursor.line()) is not None and line.startswith(b"@@ "):
        section.hunks.append(_read_hunk(cursor, section.headers.hash_name))
    _expect_end(cursor, section)


def _expect_end(cursor: _Cursor, section: _Section) -> None:
    line = cursor.line()
    if section.headers.expects_body and not section.hunks:
        raise _UnreadableError("body missing")
    if section.hunks and line is not None and line[:1] in (b"+", b"-", b" ", b"\\"):
        after = is_section_start(line, cursor.line(1), cursor.line(2)) or line in _SIGNATURE
        if not after:
            raise _UnreadableError("more lines than the hunk header counts")


def _skip_to_section(cursor: _Cursor) -> None:
    while (line := cursor.line()) is not None and not line.startswith(_COMBINED):
        if is_section_line(line) or (is_section_start(line, cursor.line(1), cursor.line(2)) and cursor.at > 0):
            return
        cursor.at += 1


def _skip_binary(cursor: _Cursor) -> None:
    cursor.at += 1
    line = cursor.line()
    if line is None or not _BLOCK.fullmatch(line):
        raise _UnreadableError("binary patch without a block")
    while (line := cursor.line()) is not None and _BLOCK.fullmatch(line):
        while (line := cursor.line()) is not None and line.removesuffix(b"\r"):
            cursor.at += 1
        if line is None:
            raise _UnreadableError("binary patch cut off")
        cursor.at += 1


def _read_hunk(cursor: _Cursor, name: bytes) -> Hunk:
    header = cursor.line() or b""
    match = _HUNK.fullmatch(header)
    if match is None:
        raise _UnreadableError("hunk header")
    old_start, new_start = int(match[1]), int(match[3])
    old_count, new_count = (1 if value is None else int(value) for value in match.group(2, 4))
    cursor.at += 1
    first = cursor.at
    lines = _read_lines(cursor, old_start, old_count, new_start, new_count)
    body = b"\n".join(cursor.lines[first : cursor.at])
    digest = sha256(b"\0".join((name, header, body))).hexdigest()[:12]
    section = match[5].removesuffix(b"\r")
    return Hunk(digest, old_start, old_count, new_start, new_count, section, tuple(lines))


def _read_lines(cursor: _Cursor, old_no: int, old_left: int, new_no: int, new_left: int) -> list[Line]:
    lines: list[Line] = []
    while True:
        raw = cursor.line()
        if raw is not None and raw.startswith(b"\\") and lines:
            lines[-1] = structs.replace(lines[-1], no_eol=True)
            cursor.at += 1
            continue
        if not (old_left or new_left):
            return lines
        if raw is None:
            raise _UnreadableError("hunk cut off")
        mark, data = raw[:1], raw[1:]
        # An empty line is a context line whose blank a mailer has cut.
        if mark in (b" ", b"", b"\r") and old_left and new_left:
            lines.append(Line(LineKind.CONTEXT, old_no, new_no, data if mark != b"\r" else raw))
            old_no, new_no, old_left, new_left = old_no + 1, new_no + 1, old_left - 1, new_left - 1
        elif mark == b"+" and new_left:
            lines.append(Line(LineKind.ADDED, None, new_no, data))
            new_no, new_left = new_no + 1, new_left - 1
        elif mark == b"-" and old_left:
            lines.append(Line(LineKind.REMOVED, old_no, None, data))
            old_no, old_left = old_no + 1, old_left - 1
        else:
            raise _UnreadableError("line outside the counts of its hunk")
        cursor.at += 1


def _file(section: _Section, keeps_names: bool) -> File:
    headers = section.headers
    old, new = _final_names(headers.names, keeps_names)
    hunks = tuple(section.hunks)
    path = new if new is not None else old if old is not None else b""
    failure = section.failure
    if not path and failure is None:
        failure = ParseFailure("name missing", section.offset)
    return File(
        path=path,
        old_path=old if old is not None and new is not None and old != new else None,
        status=headers.status,
        similarity=headers.similarity,
        old_mode=headers.old_mode,
        new_mode=headers.new_mode,
        old_oid=headers.old_oid,
        new_oid=headers.new_oid,
        kind=file_kind(headers.new_mode or headers.old_mode, section.is_binary, hunks),
        eol=file_eol(hunks),
        encoding_guess=file_encoding(hunks),
        hunks=hunks,
        failure=failure,
    )


def _final_names(names: NamePair, keeps_names: bool) -> tuple[bytes | None, bytes | None]:
    if names.is_final or names.is_prefixed is not None or keeps_names:
        return names.old, names.new
    old = None if names.old is None else strip_lone(names.old)
    return old, None if names.new is None else strip_lone(names.new)


def _join_type_changes(files: list[File]) -> list[File]:
    """Git shows a type change as a deletion and an addition of one path; here it is one file."""
    joined: list[File] = []
    for file in files:
        before = joined[-1] if joined else None
        if before is not None and _is_type_change(before, file):
            joined[-1] = join_type_change(before, file)
        else:
            joined.append(file)
    return joined


def _is_type_change(before: File, after: File) -> bool:
    same_path = before.path == after.path and before.status is Status.DELETED and after.status is Status.ADDED
    return same_path and (before.old_mode or "")[:3] != (after.new_mode or "")[:3]


def join_type_change(before: File, after: File) -> File:
    """The deletion and the addition of one path as one file of status T."""
    return structs.replace(
        after,
        status=Status.TYPE_CHANGED,
        old_mode=before.old_mode,
        old_oid=before.old_oid,
        hunks=before.hunks + after.hunks,
        failure=before.failure or after.failure,
    )


def file_kind(mode: str | None, is_binary: bool, hunks: tuple[Hunk, ...]) -> FileKind:
    """What the content is, from the mode of the newest side and the hunks."""
    if mode is not None and mode.startswith("160"):
        return FileKind.SUBMODULE
    if mode is not None and mode.startswith("120"):
        return FileKind.SYMLINK
    if is_binary:
        return FileKind.BINARY
    first = hunks[0].lines[0].data if hunks and hunks[0].lines else b""
    first_new = next((line.data for hunk in hunks[:1] for line in hunk.lines if line.new_no == 1), first)
    return FileKind.LFS_POINTER if first_new.startswith(_LFS) else FileKind.TEXT


def file_eol(hunks: tuple[Hunk, ...]) -> Eol:
    """How the lines end that the diff shows; lines of the new side count where there are any."""
    shown = [line for hunk in hunks for line in hunk.lines]
    new = [line for line in shown if line.new_no is not None] or shown
    ends = {line.data.endswith(b"\r") for line in new if not line.no_eol}
    if not ends:
        return Eol.NONE
    if len(ends) == 2:
        return Eol.MIXED
    return Eol.CRLF if True in ends else Eol.LF


def file_encoding(hunks: tuple[Hunk, ...]) -> str:
    """`utf-8`, or `latin-1` where a line is not."""
    return "utf-8" if all(is_utf8(line.data) for hunk in hunks for line in hunk.lines) else "latin-1"
