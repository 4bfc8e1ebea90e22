"""Code that a unit leans on: what its added lines call, and who calls what it changed. Read at the head alone."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from perilune.patches.model import File, LineKind, decode
from perilune.patches.symbols import Symbol
from perilune.review.acquire.git import Git, GitFailedError
from perilune.review.acquire.objects import Objects
from perilune.review.plan.units import Unit
from perilune.review.structure.definitions import calls, definitions

_MOST_NAMES = 40
_MOST_FILES = 12
_MOST_LINES = 30
_MOST_SITES = 3
_LARGEST = 512 * 1024
_SHORTEST = 3


class Excerpt(Struct, frozen=True):
    """Some lines of a file at the head. `why` says what they are; the numbers are from 1."""

    path: str
    why: str
    numbers: tuple[int, ...]
    lines: tuple[str, ...]


class Surveyor:
    """Finds what a unit leans on. `heads` are the files of the change at the head; `with_uses` adds call sites."""

    def __init__(
        self,
        files: Sequence[File],
        heads: Mapping[str, Sequence[str]],
        read: Callable[[str], Sequence[str] | None],
        search: Callable[[Sequence[str], str], Sequence[str]],
        *,
        with_uses: bool,
    ) -> None:
        self._files = files
        self._heads = heads
        self._read = read
        self._search = search
        self._with_uses = with_uses
        self._defined: dict[str, list[Symbol]] = {}
        self._others: dict[str, Sequence[str] | None] = {}

    def excerpts(self, unit: Unit) -> Iterator[Excerpt]:
        """The excerpts of a unit, the most telling first: changed definitions, others, then uses."""
        names = self._called(unit)
        found: set[str] = set()
        for excerpt in self._in_the_change(unit, names):
            found.add(excerpt.why)
            yield excerpt
        rest = [name for name in names if f"defines {name}" not in found]
        yield from self._elsewhere(unit, rest)
        if self._with_uses:
            yield from self._uses(unit)

    def _called(self, unit: Unit) -> list[str]:
        """What the added lines of a unit call and its own added lines do not show, by name and first call."""
        names: dict[str, None] = {}
        for file in unit.files:
            head = self._heads.get(file.name)
            if head is not None:
                names |= dict.fromkeys(call.name for call in calls(file.name, head, _added(file)))
        shown = {symbol.name for symbol in self._shown_whole(unit)}
        return [name for name in names if name not in shown and len(name) >= _SHORTEST][:_MOST_NAMES]

    def _shown_whole(self, unit: Unit) -> Iterator[Symbol]:
        for file in unit.files:
            seen = _seen(file)
            yield from (symbol for symbol in self._symbols(file.name) if symbol.start in seen and symbol.end in seen)

    def _symbols(self, path: str) -> list[Symbol]:
        if path not in self._defined:
            head = self._heads.get(path)
            self._defined[path] = definitions(path, head) if head is not None else []
        return self._defined[path]

    def _in_the_change(self, unit: Unit, names: Sequence[str]) -> Iterator[Excerpt]:
        """Definitions that this change touched and the unit does not show."""
        wanted = set(names)
        mine = {file.name for file in unit.files}
        for file in self._files:
            if not wanted or file.name not in self._heads or not _may_define(self._heads[file.name], wanted):
                continue
            touched, seen = _added(file), _seen(file) if file.name in mine else set()
            for symbol in self._symbols(file.name):
                if symbol.name in wanted and not touched.isdisjoint(range(symbol.start, symbol.end + 1)):
                    yield from _excerpt(file.name, f"defines {symbol.name}", symbol, self._heads[file.name], seen)

    def _elsewhere(self, unit: Unit, names: Sequence[str]) -> Iterator[Excerpt]:
        """Definitions that stand anywhere at the head."""
        left = set(names)
        mine = {file.name: _seen(file) for file in unit.files}
        for path in self._found(unit, names):
            lines = self._lines(path)
            if lines is None or not left or not _may_define(lines, left):
                continue
            for symbol in definitions(path, lines):
                if symbol.name in left:
                    left.discard(symbol.name)
                    yield from _excerpt(path, f"defines {symbol.name}", symbol, lines, mine.get(path, set()))

    def _uses(self, unit: Unit) -> Iterator[Excerpt]:
        """Where the symbols are called whose first line this unit changed."""
        changed = [
            symbol.name for file in unit.files for symbol in self._symbols(file.name) if symbol.start in _added(file)
        ]
        mine = {file.name: _seen(file) for file in unit.files}
        counts = dict.fromkeys(changed[:_MOST_NAMES], 0)
        for path in self._found(unit, list(counts)):
            lines = self._lines(path) or ()
            for number, line in enumerate(lines, 1):
                name = next((name for name in counts if re.search(rf"(?<![\w$]){re.escape(name)}\s*\(", line)), None)
                if name is None or counts[name] >= _MOST_SITES or number in mine.get(path, ()):
                    continue
                if any(symbol.start == number for symbol in definitions(path, lines)):
                    continue
                counts[name] += 1
                around = tuple(range(max(number - 1, 1), min(number + 1, len(lines)) + 1))
                yield Excerpt(path, f"calls {name}", around, tuple(lines[at - 1] for at in around))

    def _found(self, unit: Unit, names: Sequence[str]) -> list[str]:
        """Files at the head that hold one of the names, of the kinds that the unit's files are of."""
        if not names:
            return []
        endings = sorted({PurePosixPath(file.name).suffix for file in unit.files} - {""})
        near = {file.name.rpartition("/")[0] for file in unit.files}
        return [
            path
            for ending in endings
            for path in sorted(self._search(names, ending), key=lambda path: path.rpartition("/")[0] not in near)
        ][:_MOST_FILES]

    def _lines(self, path: str) -> Sequence[str] | None:
        if path in self._heads:
            return self._heads[path]
        if path not in self._others:
            self._others[path] = self._read(path)
        return self._others[path]


def _excerpt(path: str, why: str, symbol: Symbol, lines: Sequence[str], seen: set[int]) -> Iterator[Excerpt]:
    last = min(symbol.end, symbol.start + _MOST_LINES - 1)
    numbers = tuple(number for number in range(symbol.start, last + 1) if number not in seen)
    if numbers:
        yield Excerpt(path, why, numbers, tuple(lines[number - 1] for number in numbers))


def _may_define(lines: Sequence[str], names: set[str]) -> bool:
    text = "\n".join(lines)
    return any(name in text for name in names)


def _added(file: File) -> set[int]:
    return {line.new_no or 0 for hunk in file.hunks for line in hunk.lines if line.kind is LineKind.ADDED}


def _seen(file: File) -> set[int]:
    return {line.new_no for hunk in file.hunks for line in hunk.lines if line.new_no is not None}


def searcher(git: Git | None, tree: str | None) -> Callable[[Sequence[str], str], Sequence[str]]:
    """Finds the files of a tree that define or else hold one of the names; nothing where that cannot be searched."""

    def search(names: Sequence[str], ending: str) -> Sequence[str]:
        words = [name for name in names if re.fullmatch(r"\w{3,80}", name)]
        if git is None or tree is None or not words:
            return []
        wanted = [part for word in words for part in ("-e", word)]
        try:
            output = git.run("grep", "-l", "-z", "-I", "-w", "-F", "--full-name", *wanted, tree, accept=(0, 1))
        except GitFailedError:
            return []
        found = (name.removeprefix(f"{tree}:") for name in output.decode("utf-8", "surrogateescape").split("\0"))
        return [name for name in found if name.endswith(ending)]

    return search


def reader(objects: Objects, tree: str | None) -> Callable[[str], Sequence[str] | None]:
    """Reads a file of a tree as lines; None where it is not there or very large."""

    def read(path: str) -> Sequence[str] | None:
        content = objects.read(f"{tree}:{path}") if tree is not None else None
        return decode(content).split("\n") if content is not None and len(content) <= _LARGEST else None

    return read
