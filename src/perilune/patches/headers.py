"""The header lines of one file in a patch: names, modes, object ids, status."""

import re

from msgspec import Struct

from perilune.patches.model import Status
from perilune.patches.names import DEV_NULL, NamePair, header_name, split_git_line, strip_pair, unquote

_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (\d{6}))?\r?")
_PERCENT = re.compile(rb"(?:dis)?similarity index (\d{1,3})%\r?")
_BINARY = re.compile(rb"Binary files .* differ\r?", re.DOTALL)
_EMPTY_OIDS = ("e69de29", "473a0f4")


class Headers(Struct):
    """What the header of one file says."""

    names: NamePair = NamePair(None, None)
    status: Status = Status.MODIFIED
    similarity: int | None = None
    old_mode: str | None = None
    new_mode: str | None = None
    old_oid: str | None = None
    new_oid: str | None = None
    is_binary: bool = False
    has_marks: bool = False
    is_told: bool = False
    renamed_from: bytes | None = None
    renamed_to: bytes | None = None

    @property
    def hash_name(self) -> bytes:
        return self.names.new or self.names.old or b""

    @property
    def expects_body(self) -> bool:
        """Whether hunks must follow: `---` and `+++` were there, two ids that differ, or nothing else was told."""
        if self.has_marks or not self.is_told:
            return True
        if self.old_oid is None or self.old_oid == self.new_oid:
            return False
        content = self.new_oid if self.status is Status.ADDED else self.old_oid
        is_one_sided = self.status in (Status.ADDED, Status.DELETED)
        return not (is_one_sided and (content or "").startswith(_EMPTY_OIDS))


def is_section_line(line: bytes) -> bool:
    return line.startswith(b"diff --git ")


def is_section_start(line: bytes, second: bytes | None, third: bytes | None) -> bool:
    """Whether a file begins here: git's line, or `---`, `+++` and a hunk."""
    if is_section_line(line):
        return True
    plain = line.startswith(b"--- ") and second is not None and second.startswith(b"+++ ")
    return plain and third is not None and third.startswith(b"@@ -")


def read_headers(lines: list[bytes], at: int) -> tuple[Headers, int]:
    """The headers from line `at` on, and the first line behind them."""
    headers = Headers()
    git_names = NamePair(None, None)
    if is_section_line(lines[at]):
        git_names = split_git_line(lines[at][len(b"diff --git ") :])
        at += 1
    marks: list[bytes | None] = []
    while at < len(lines):
        line = lines[at]
        if len(marks) < 2 and line.startswith((b"--- ", b"+++ ")[len(marks)]):
            name = header_name(line[4:])
            marks.append(None if name == DEV_NULL else name)
        elif marks or not _read_extended(headers, line):
            break
        else:
            headers.is_told = True
        at += 1
    headers.has_marks = len(marks) == 2
    headers.names = _names(headers, git_names, marks)
    _settle_status(headers, marks)
    return headers, at


def _read_extended(headers: Headers, line: bytes) -> bool:
    """Take in one extended header line; False when it is none."""
    keyword, _, rest = line.removesuffix(b"\r").partition(b" ")
    if match := _INDEX.fullmatch(line):
        headers.old_oid, headers.new_oid = match[1].decode(), match[2].decode()
        if match[3]:
            headers.old_mode = headers.new_mode = match[3].decode()
    elif match := _PERCENT.fullmatch(line):
        headers.similarity = int(match[1]) if line.startswith(b"sim") else None
    elif _BINARY.fullmatch(line):
        headers.is_binary = True
    elif keyword in (b"rename", b"copy") and rest.startswith((b"from ", b"to ")):
        _read_move(headers, keyword, rest)
    else:
        return _read_mode(headers, line.removesuffix(b"\r"))
    return True


def _read_move(headers: Headers, keyword: bytes, rest: bytes) -> None:
    headers.status = Status.RENAMED if keyword == b"rename" else Status.COPIED
    if rest.startswith(b"from "):
        headers.renamed_from = unquote(rest[5:])
    else:
        headers.renamed_to = unquote(rest[3:])


def _read_mode(headers: Headers, line: bytes) -> bool:
    what, _, mode = line.rpartition(b" ")
    if not (mode.isdigit() and len(mode) == 6):
        return False
    match what:
        case b"old mode":
            headers.old_mode = mode.decode()
        case b"new mode":
            headers.new_mode = mode.decode()
        case b"deleted file mode":
            headers.status, headers.old_mode = Status.DELETED, mode.decode()
        case b"new file mode":
            headers.status, headers.new_mode = Status.ADDED, mode.decode()
        case _:
            return False
    return True


def _names(headers: Headers, git_names: NamePair, marks: list[bytes | None]) -> NamePair:
    if headers.renamed_from is not None and headers.renamed_to is not None:
        return NamePair(headers.renamed_from, headers.renamed_to, is_final=True)
    if git_names.new is not None:
        return git_names
    if len(marks) == 2:
        return strip_pair(marks[0], marks[1])
    return NamePair(headers.renamed_from, headers.renamed_to)


def _settle_status(headers: Headers, marks: list[bytes | None]) -> None:
    if len(marks) == 2 and headers.status is Status.MODIFIED:
        if marks[0] is None and marks[1] is not None:
            headers.status = Status.ADDED
        elif marks[1] is None and marks[0] is not None:
            headers.status = Status.DELETED
