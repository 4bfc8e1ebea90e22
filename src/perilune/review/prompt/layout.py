"""How a diff is laid out for a model: new side with numbers, removed lines apart, nothing hidden, nothing secret."""

from collections.abc import Sequence

from msgspec import Struct

from perilune.patches.model import File, Hunk, Line, LineKind, Side, Status
from perilune.patches.scene import ListedLine
from perilune.review.prompt.escapes import one_line, visible
from perilune.review.prompt.secrets import Hit, Redactor

_MOST_LINE = 1_000
_MOST_NAME = 300
_WORDS = {
    Status.ADDED: "new file",
    Status.MODIFIED: "modified",
    Status.DELETED: "deleted",
    Status.RENAMED: "renamed",
    Status.COPIED: "copied",
    Status.TYPE_CHANGED: "type changed",
}


class SecretFound(Struct, frozen=True):
    """A secret that an added line holds: where, and of what kind."""

    path: str
    line: int
    kind: str
    hunk_id: str


class Laid(Struct, frozen=True):
    """One file as it is shown: the listing, the text of each line as seen, and secrets in added lines."""

    file: File
    listing: tuple[ListedLine, ...]
    seen: dict[tuple[Side, int], str]
    secrets: tuple[SecretFound, ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.listing)

    def shown(self, line: Line, side: Side) -> str:
        """A line as the model saw it."""
        return self.seen.get((side, line.number(side) or 0), line.text)


def lay_out(file: File, redactor: Redactor) -> Laid:
    """The listing of a file."""
    listing = [ListedLine(_header(file))]
    seen: dict[tuple[Side, int], str] = {}
    secrets: list[SecretFound] = []
    for hunk in file.hunks:
        listing.append(ListedLine(_hunk_header(hunk)))
        new = hunk.side(Side.NEW)
        texts, hits = redactor.redact([line.text for line in new])
        secrets += _in_added(file, hunk, new, hits)
        listing += _rows(new, texts, Side.NEW, seen)
        removed = hunk.side(Side.OLD)
        texts, _ = redactor.redact([line.text for line in removed])
        rows = _rows(removed, texts, Side.OLD, seen)
        gone = [row for row, line in zip(rows, removed, strict=True) if line.kind is LineKind.REMOVED]
        if gone:
            listing += [ListedLine("removed:"), *gone]
    return Laid(file, tuple(listing), seen, tuple(secrets))


def _header(file: File) -> str:
    name = one_line(file.name, _MOST_NAME)
    before = f" from {one_line(file.old_name, _MOST_NAME)}" if file.old_path is not None else ""
    return f"## {name} ({_WORDS[file.status]}{before}, +{file.added} -{file.removed})"


def _hunk_header(hunk: Hunk) -> str:
    section = hunk.section.decode(errors="replace").strip()
    return f"@@ {one_line(section, 120)}".rstrip()


def _rows(
    lines: Sequence[Line],
    texts: Sequence[str],
    side: Side,
    seen: dict[tuple[Side, int], str],
) -> list[ListedLine]:
    rows: list[ListedLine] = []
    for line, text in zip(lines, texts, strict=True):
        number = line.number(side) or 0
        shown = shorten(visible(text))
        seen[side, number] = shown
        mark = {LineKind.ADDED: "+", LineKind.REMOVED: "-", LineKind.CONTEXT: " "}[line.kind]
        rows.append(ListedLine(f"{number}{mark}{shown}", side, number))
    return rows


def shorten(text: str) -> str:
    """A very long line cut, with our mark."""
    if len(text) <= _MOST_LINE:
        return text
    return f"{text[:_MOST_LINE]}⟨cut: {len(text) - _MOST_LINE} characters left out by the harness⟩"


def _in_added(file: File, hunk: Hunk, lines: Sequence[Line], hits: Sequence[Hit]) -> list[SecretFound]:
    found: list[SecretFound] = []
    for hit in hits:
        line = lines[hit.index]
        repeated = bool(found) and found[-1].kind == hit.kind == "pem"
        if line.kind is LineKind.ADDED and not repeated:
            found.append(SecretFound(file.name, line.new_no or 0, hit.kind, hunk.id))
    return found
