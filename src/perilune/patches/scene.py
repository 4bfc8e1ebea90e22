"""The text that quotes are looked up in: every line of the diff as it truly is and as it was shown."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from perilune.patches.model import File, Hunk, Line, LineKind, Side

_BLANKS = re.compile(r"[ \t\u00a0]+")


class Place(Struct, frozen=True):
    """One line of one side of a file, with the texts it can be recognised by."""

    hunk_id: str
    number: int
    kind: LineKind
    true: str
    shown: str
    normal: tuple[str, str]


class ListedLine(Struct, frozen=True):
    """One line of the text shown for a file: what was printed, and the line it stands for."""

    text: str
    side: Side | None = None
    number: int | None = None


class FileText(Struct, frozen=True):
    """One file as quotes may name it: both sides in hunks, the listing shown, the whole new content where known.

    Shape: `listing_start` is how many lines of the whole prompt's diff stand before the listing.
    """

    file: File
    new: tuple[Place, ...]
    old: tuple[Place, ...]
    listing: tuple[ListedLine, ...] = ()
    head: tuple[str, ...] | None = None
    listing_start: int = 0

    def side(self, side: Side) -> tuple[Place, ...]:
        return self.new if side is Side.NEW else self.old


class Scene(Struct, frozen=True):
    """All files of a diff, by name."""

    files: Mapping[str, FileText]

    def find(self, path: str) -> FileText | None:
        """The file a model means by `path`: its name, an old name, or either with `./`, `a/` or `b/` before it."""
        for candidate in _spellings(path):
            if candidate in self.files:
                return self.files[candidate]
        olds = {text.file.old_name: text for text in self.files.values()}
        return next((olds[candidate] for candidate in _spellings(path) if candidate in olds), None)


def _spellings(path: str) -> Iterator[str]:
    yield path
    for prefix in ("./", "a/", "b/", "/"):
        if path.startswith(prefix):
            yield path.removeprefix(prefix)


def normalise(text: str) -> str:
    """A line without the differences that models make: blank runs, outer blanks, CR."""
    return _BLANKS.sub(" ", text.replace("\r", "")).strip()


def squeeze(text: str) -> str:
    """A line without any blank."""
    return "".join(text.split())


def file_text(
    file: File,
    shown: Callable[[Line, Side], str] | None = None,
    listing: Sequence[ListedLine] = (),
    head: Sequence[str] | None = None,
) -> FileText:
    """A file ready for look-ups. `shown` gives a line as the model saw it, where that differs from the line."""
    return FileText(
        file,
        _places(file, Side.NEW, shown),
        _places(file, Side.OLD, shown),
        tuple(listing),
        None if head is None else tuple(head),
    )


def joined(one: FileText, other: FileText) -> FileText:
    """Two parts of one file; lines that both show stand once."""
    known_new = {(place.hunk_id, place.number) for place in one.new}
    known_old = {(place.hunk_id, place.number) for place in one.old}
    new = tuple(place for place in other.new if (place.hunk_id, place.number) not in known_new)
    old = tuple(place for place in other.old if (place.hunk_id, place.number) not in known_old)
    file = structs.replace(one.file, hunks=_joined_hunks(one.file.hunks, other.file.hunks))
    return structs.replace(one, file=file, new=_sorted(one.new + new), old=_sorted(one.old + old))


def _joined_hunks(one: tuple[Hunk, ...], other: tuple[Hunk, ...]) -> tuple[Hunk, ...]:
    """Hunks of two parts; pieces of one hunk become one again."""
    found = {hunk.id: hunk for hunk in one}
    for hunk in other:
        before = found.get(hunk.id)
        lines = before.lines if before else ()
        known = {(line.old_no, line.new_no) for line in lines}
        fresh = tuple(line for line in hunk.lines if (line.old_no, line.new_no) not in known)
        found[hunk.id] = structs.replace(before or hunk, lines=lines + fresh)
    return tuple(found.values())


def _sorted(places: tuple[Place, ...]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda place: place.number))


def _places(file: File, side: Side, shown: Callable[[Line, Side], str] | None) -> tuple[Place, ...]:
    places: list[Place] = []
    for hunk in file.hunks:
        for line in hunk.side(side):
            true = line.text
            seen = true if shown is None else shown(line, side)
            number = line.number(side) or 0
            places.append(Place(hunk.id, number, line.kind, true, seen, (normalise(true), normalise(seen))))
    return tuple(places)
