"""What a diff is to us: files, hunks and lines, true to the bytes."""

from enum import StrEnum

from msgspec import Struct


class Status(StrEnum):
    """What happened to a file, in git's letters."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"
    RENAMED = "R"
    COPIED = "C"
    TYPE_CHANGED = "T"


class FileKind(StrEnum):
    """What a file's content is."""

    TEXT = "text"
    BINARY = "binary"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"
    LFS_POINTER = "lfs_pointer"


class Eol(StrEnum):
    """How the lines of a file end, as far as the diff shows them."""

    LF = "lf"
    CRLF = "crlf"
    MIXED = "mixed"
    NONE = "none"


class LineKind(StrEnum):
    """The part a line plays in a hunk."""

    CONTEXT = "context"
    ADDED = "added"
    REMOVED = "removed"


class Side(StrEnum):
    """The old or the new content."""

    OLD = "old"
    NEW = "new"


class Line(Struct, frozen=True):
    """One line of a hunk. `data` is the content without mark and LF; CR, FF, VT, NEL and U+2028 stay inside."""

    kind: LineKind
    old_no: int | None
    new_no: int | None
    data: bytes
    no_eol: bool = False

    @property
    def text(self) -> str:
        """The line for reading: UTF-8, else Latin-1."""
        return decode(self.data)

    def number(self, side: Side) -> int | None:
        return self.new_no if side is Side.NEW else self.old_no


class Hunk(Struct, frozen=True):
    """One run of changed lines with its context. `id` is 12 hex digits over path, header and body."""

    id: str
    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: bytes
    lines: tuple[Line, ...]

    def side(self, side: Side) -> list[Line]:
        """The lines that stand in the old or the new content, in order."""
        absent = LineKind.REMOVED if side is Side.NEW else LineKind.ADDED
        return [line for line in self.lines if line.kind is not absent]

    def count(self, kind: LineKind) -> int:
        return sum(1 for line in self.lines if line.kind is kind)


class ParseFailure(Struct, frozen=True):
    """Why a part of a patch could not be read, and at which byte."""

    reason: str
    offset: int


class File(Struct, frozen=True, kw_only=True):
    """One changed file. Paths are bytes; `name` is for reading. `old_path` is None where it equals `path`."""

    path: bytes
    old_path: bytes | None = None
    status: Status = Status.MODIFIED
    similarity: int | None = None
    old_mode: str | None = None
    new_mode: str | None = None
    old_oid: str | None = None
    new_oid: str | None = None
    kind: FileKind = FileKind.TEXT
    eol: Eol = Eol.NONE
    encoding_guess: str = "utf-8"
    hunks: tuple[Hunk, ...] = ()
    failure: ParseFailure | None = None

    @property
    def name(self) -> str:
        return decode(self.path)

    @property
    def old_name(self) -> str:
        return decode(self.path if self.old_path is None else self.old_path)

    @property
    def added(self) -> int:
        return sum(hunk.count(LineKind.ADDED) for hunk in self.hunks)

    @property
    def removed(self) -> int:
        return sum(hunk.count(LineKind.REMOVED) for hunk in self.hunks)

    @property
    def changed(self) -> int:
        return self.added + self.removed


class Diff(Struct, frozen=True):
    """All files of a diff. `refused` says why the whole input was not taken."""

    files: tuple[File, ...] = ()
    refused: str | None = None

    def file(self, name: str) -> File | None:
        return next((file for file in self.files if file.name == name), None)


def decode(data: bytes) -> str:
    """Bytes as text: UTF-8 where they are that, else Latin-1; never fails, nothing is lost."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
