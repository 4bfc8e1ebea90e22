"""Chooses the files that are read; everything left out is named with its reason."""

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from perilune.patches.model import Diff, File, FileKind, Hunk, Status
from perilune.review import detect
from perilune.review.acquire.objects import Objects
from perilune.review.attributes import Attributes
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.globs import Globs

_HEAD_OF_HUNK = 30
_HEAD_OF_FILE = 64 * 1024
_KINDS = {
    FileKind.BINARY: "binary",
    FileKind.SUBMODULE: "submodule",
    FileKind.LFS_POINTER: "lfs_pointer",
}

_SAID_FAILURES = ("unreadable", "no_patch")


class Choice(Struct, frozen=True, kw_only=True):
    """The globs and limits of a selection."""

    ignore: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    max_file_bytes: int = 1024 * 1024


class Selection(Struct, frozen=True):
    """The files to read, and a ledger item for every file of the diff."""

    files: tuple[File, ...]
    items: tuple[CoverageItem, ...]


class _Rules(Struct, frozen=True):
    """What a file is judged by."""

    choice: Choice
    ignore: Globs
    include: Globs
    attributes: Attributes
    objects: Objects


def select(diff: Diff, choice: Choice, attributes: Attributes, objects: Objects) -> Selection:
    """Every file of the diff judged once. `attributes` are those of the base, `objects` gives contents by id."""
    rules = _Rules(choice, Globs(choice.ignore), Globs(choice.include), attributes, objects)
    kept: list[File] = []
    items: list[CoverageItem] = []
    for file in diff.files:
        file, item = _judge(file, rules)
        items.append(item)
        if item.state in (CoverageState.REVIEWED, CoverageState.PARTIAL):
            kept.append(file)
    return Selection(tuple(kept), tuple(items))


def _judge(file: File, rules: _Rules) -> tuple[File, CoverageItem]:
    state, reason = CoverageState.REVIEWED, None
    if file.failure is not None:
        reason = file.failure.reason if file.failure.reason in _SAID_FAILURES else "parse"
        state = CoverageState.FAILED
    elif (skip := _reason_to_skip(file, rules)) is not None:
        state, reason = CoverageState.SKIPPED, skip
    elif _patch_bytes(file) > rules.choice.max_file_bytes:
        file, state, reason = head_of(file), CoverageState.PARTIAL, "too_large"
    item = CoverageItem(path=file.name, state=state, reason=reason, added=file.added, removed=file.removed)
    return file, item


def _reason_to_skip(file: File, rules: _Rules) -> str | None:
    if file.status is Status.DELETED:
        return "deleted"
    if file.kind in _KINDS:
        return _KINDS[file.kind]
    if not file.hunks:
        return _bodyless(file)
    if rules.include.matches(file.name):
        return None
    if rules.ignore.matches(file.name):
        return "ignored"
    return _detected(file, rules)


def _bodyless(file: File) -> str | None:
    if file.status in (Status.RENAMED, Status.COPIED):
        return "pure_rename"
    return "mode_only" if file.status is Status.MODIFIED else "empty"


def _detected(file: File, rules: _Rules) -> str | None:
    said = rules.attributes.of(file.name)
    lines = _Lines(file, rules.objects)
    checks: Sequence[tuple[str, Callable[[], bool]]] = (
        ("lockfile", lambda: detect.is_lockfile(file.name)),
        ("vendored", lambda: said.get("vendored", detect.is_vendored(file.name))),
        ("snapshot", lambda: detect.is_snapshot(file.name)),
        ("generated", lambda: said.get("generated", _is_generated(file, lines))),
        ("minified", lambda: detect.is_minified(file.name, lines.judged)),
    )
    return next((reason for reason, holds in checks if holds()), None)


def _is_generated(file: File, lines: "_Lines") -> bool:
    return detect.is_generated_name(file.name) or detect.says_generated(lines.judged)


class _Lines:
    """The content a file is judged by: the old one where there is one, so that a head cannot hide itself."""

    def __init__(self, file: File, objects: Objects) -> None:
        self._file = file
        self._objects = objects
        self._lines: list[str] | None = None

    @property
    def judged(self) -> list[str]:
        if self._lines is None:
            oid = self._file.old_oid or self._file.new_oid
            content = self._objects.read(oid) if oid else None
            self._lines = _text(content) if content is not None else _shown(self._file)
        return self._lines


def _text(content: bytes) -> list[str]:
    return content.decode(errors="replace").split("\n")


def _shown(file: File) -> list[str]:
    """The first lines as far as the diff shows them: unchanged ones and those of a new file."""
    is_new = file.status is Status.ADDED
    lines = (line for hunk in file.hunks for line in hunk.lines)
    return [line.text for line in lines if (line.new_no if is_new else line.old_no) is not None]


def _patch_bytes(file: File) -> int:
    return sum(len(line.data) + 2 for hunk in file.hunks for line in hunk.lines)


def head_of(file: File) -> File:
    """A file too large to be shown whole: the first lines of each hunk, as many hunks as there is room for."""
    hunks: list[Hunk] = []
    room = _HEAD_OF_FILE
    for hunk in file.hunks:
        lines = hunk.lines[:_HEAD_OF_HUNK]
        room -= sum(len(line.data) + 2 for line in lines)
        if room < 0:
            break
        hunks.append(cut_hunk(hunk, 0, len(lines)))
    return structs.replace(file, hunks=tuple(hunks))


def cut_hunk(hunk: Hunk, first: int, last: int) -> Hunk:
    """The lines `first` up to `last` of a hunk, as a hunk of the same id."""
    lines = hunk.lines[first:last]
    olds = [line.old_no for line in lines if line.old_no is not None]
    news = [line.new_no for line in lines if line.new_no is not None]
    return structs.replace(
        hunk,
        old_start=olds[0] if olds else hunk.old_start,
        old_count=len(olds),
        new_start=news[0] if news else hunk.new_start,
        new_count=len(news),
        lines=lines,
    )
