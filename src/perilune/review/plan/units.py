"""Packs files into units: what one question to the model holds."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from msgspec import Struct, structs

from perilune.patches.model import File, Hunk
from perilune.patches.symbols import definition_name
from perilune.review.plan.tokens import tokens_of
from perilune.review.ports import Objective
from perilune.review.risk import Risk
from perilune.review.select import cut_hunk

OVERLAP = 20
_PER_FILE = 24
_PER_HUNK = 16
_PER_LINE = 7
_TEST = re.compile(r"^test_|_test$|\.test$|\.spec$|_spec$|Tests?$")


class Limits(Struct, frozen=True, kw_only=True):
    """The most that one unit may hold. `tokens` counts the diff with its context, not the stable prefix."""

    tokens: int
    changed: int
    files: int


LIMITS: dict[Objective, Limits] = {
    "request": Limits(tokens=80_000, changed=1_500, files=150),
    "token": Limits(tokens=18_000, changed=400, files=150),
}


class Ranked(Struct, frozen=True):
    """A file with its risk."""

    file: File
    risk: Risk


class Unit(Struct, frozen=True, kw_only=True):
    """Files, or parts of files, that go into one prompt. `is_part` names those of which other hunks are elsewhere."""

    id: str
    files: tuple[File, ...]
    risk: int
    tokens: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.files)

    @property
    def changed(self) -> int:
        return sum(file.changed for file in self.files)


class _Bin:
    """A unit that is being filled."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.files: list[File] = []
        self.risk = 0
        self.tokens = 0
        self.changed = 0
        self.directories: set[str] = set()
        self.stems: set[str] = set()

    def has_room(self, file: File, tokens: int) -> bool:
        if not self.files:
            return True
        fits = self.tokens + tokens <= self._limits.tokens and self.changed + file.changed <= self._limits.changed
        return fits and len(self.files) < self._limits.files

    def put(self, file: File, risk: int, tokens: int) -> None:
        self.files.append(file)
        self.risk = max(self.risk, risk)
        self.tokens += tokens
        self.changed += file.changed
        self.directories.add(_directory(file.name))
        self.stems.add(_stem(file.name))


def pack(ranked: Sequence[Ranked], limits: Limits) -> tuple[Unit, ...]:
    """Units in falling risk: first fit, a test with its source, files of a directory together."""
    bins: list[_Bin] = []
    order = sorted(ranked, key=lambda entry: (-entry.risk.score, entry.file.path))
    for entry in _with_tests_behind(order):
        for part in split(entry.file, limits):
            tokens = file_tokens(part)
            chosen = _choose(bins, part, tokens)
            if chosen is None:
                chosen = _Bin(limits)
                bins.append(chosen)
            chosen.put(part, entry.risk.score, tokens)
    return tuple(_unit(number, content) for number, content in enumerate(bins, 1))


def _with_tests_behind(order: Sequence[Ranked]) -> list[Ranked]:
    """The same files with each test right behind its source, so that both find room in one unit."""
    tests: dict[str, list[Ranked]] = {}
    for entry in order:
        if _is_test(entry.file.name):
            tests.setdefault(_stem(entry.file.name), []).append(entry)
    placed: list[Ranked] = []
    for entry in order:
        if not _is_test(entry.file.name):
            placed += [entry, *tests.pop(_stem(entry.file.name), [])]
    return placed + [entry for alone in tests.values() for entry in alone]


def _is_test(path: str) -> bool:
    return _TEST.search(PurePosixPath(path).name.rpartition(".")[0]) is not None


def _unit(number: int, content: _Bin) -> Unit:
    files = tuple(sorted(content.files, key=lambda file: (file.path, file.hunks[0].new_start if file.hunks else 0)))
    return Unit(id=f"u{number}", files=files, risk=content.risk, tokens=content.tokens)


def _choose(bins: Sequence[_Bin], file: File, tokens: int) -> _Bin | None:
    open_bins = [content for content in bins if content.has_room(file, tokens)]
    partner = next((content for content in open_bins if _stem(file.name) in content.stems), None)
    neighbour = next((content for content in open_bins if _directory(file.name) in content.directories), None)
    return partner or neighbour or (open_bins[0] if open_bins else None)


def _stem(path: str) -> str:
    return _TEST.sub("", PurePosixPath(path).name.rpartition(".")[0])


def _directory(path: str) -> str:
    return path.rpartition("/")[0]


def file_tokens(file: File) -> int:
    """What a file takes in a prompt, with the context that may come with it."""
    diff = sum(hunk_tokens(hunk) for hunk in file.hunks) + _PER_FILE + tokens_of(len(file.path))
    return diff + diff // 4


def hunk_tokens(hunk: Hunk) -> int:
    size = sum(len(line.data) + _PER_LINE for line in hunk.lines)
    return tokens_of(size) + _PER_HUNK


def split(file: File, limits: Limits) -> list[File]:
    """A file in parts that fit a unit: between hunks, and only a hunk too large alone is cut inside."""
    if file_tokens(file) <= limits.tokens and file.changed <= limits.changed:
        return [file]
    pieces = [piece for hunk in file.hunks for piece in split_hunk(hunk, limits)]
    parts: list[list[Hunk]] = [[]]
    for piece in pieces:
        if parts[-1] and not _fits(file, [*parts[-1], piece], limits):
            parts.append([])
        parts[-1].append(piece)
    return [structs.replace(file, hunks=tuple(part)) for part in parts if part]


def _fits(file: File, hunks: list[Hunk], limits: Limits) -> bool:
    candidate = structs.replace(file, hunks=tuple(hunks))
    return file_tokens(candidate) <= limits.tokens and candidate.changed <= limits.changed


def split_hunk(hunk: Hunk, limits: Limits) -> list[Hunk]:
    """A hunk in pieces at blank or symbol lines, each beginning with the last lines of the one before."""
    room = max(limits.tokens * 3 // 5, 400)
    most = max(limits.changed - OVERLAP, OVERLAP * 2)
    if hunk_tokens(hunk) <= room and len(hunk.lines) <= most:
        return [hunk]
    pieces: list[Hunk] = []
    first = 0
    while first < len(hunk.lines):
        last = _cut_at(hunk, first, room, most)
        pieces.append(cut_hunk(hunk, max(first - OVERLAP, 0), last))
        first = last
    return pieces


def _cut_at(hunk: Hunk, first: int, room: int, most: int) -> int:
    last, used = first, 0
    while last < len(hunk.lines) and last - first < most and used < room:
        used += tokens_of(len(hunk.lines[last].data) + _PER_LINE)
        last += 1
    if last == len(hunk.lines):
        return last
    for at in range(last, max(first + (last - first) // 2, first + 1), -1):
        text = hunk.lines[at].text
        if not text.strip() or definition_name(text) is not None:
            return at
    return last
