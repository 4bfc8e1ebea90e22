"""Anchoring: a place is proven by a quote from the code, never believed from a line number. Pure; no model."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from perilune.patches.finding import Anchor, Candidate, Level, Method
from perilune.patches.model import FileKind, LineKind, Side
from perilune.patches.scene import FileText, Place, Scene, normalise, squeeze
from perilune.patches.symbols import enclosing_symbol

_LONGEST_RANGE = 10
_LEAST_TO_RELOCATE = 12
_LEAST_OF_A_PART = 8


class Rejected(StrEnum):
    """Why a candidate has no place at all."""

    WRONG_PATH = "wrong_path"


class _Match(Struct, frozen=True):
    """A run of lines of one side that equals the quote, or a part of it."""

    text: FileText
    side: Side
    places: tuple[Place, ...]


def anchor(candidate: Candidate, scene: Scene) -> Anchor | Rejected:
    """The place of a candidate by the first way that proves one; level PR where none does."""
    quote = _quote_lines(candidate.quote)
    text = scene.find(candidate.path)
    if text is not None and quote:
        found = _in_file(candidate, quote, text)
        if found is not None:
            return found
    if text is not None and not quote and _is_whole_file(candidate, text):
        return _file_level(text, candidate.quote, Method.NONE)
    moved = _relocate(quote, scene)
    if moved is not None:
        return moved
    if text is None:
        return Rejected.WRONG_PATH
    return Anchor(path=text.file.name, old_path=_old_path(text), side=candidate.side, quote=candidate.quote)


def _quote_lines(quote: str) -> list[str]:
    lines = quote.replace("\r\n", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _in_file(candidate: Candidate, quote: list[str], text: FileText) -> Anchor | None:
    """Steps 1 to 6, in order."""
    other = Side.OLD if candidate.side is Side.NEW else Side.NEW
    exact, loose = _exact(quote), _loose(quote)
    attempts = (
        (candidate.side, exact, Method.EXACT),
        (candidate.side, loose, Method.NORMALISED),
        (other, exact, Method.EXACT),
        (other, loose, Method.NORMALISED),
    )
    for side, equals, method in attempts:
        matches = list(_runs(text, side, len(quote), equals))
        if matches:
            return _nearest(matches, candidate, method)
    for side in (candidate.side, other):
        parts = _partial(text, side, quote)
        if parts:
            return _nearest(parts, candidate, Method.NORMALISED)
    return _by_index(candidate, quote, text) or _outside_hunks(quote, text)


def _exact(quote: Sequence[str]) -> Callable[[Place, int], bool]:
    return lambda place, at: place.true == quote[at]


def _loose(quote: Sequence[str]) -> Callable[[Place, int], bool]:
    normal = [normalise(line) for line in quote]
    return lambda place, at: normal[at] in place.normal


def _runs(text: FileText, side: Side, length: int, equals: Callable[[Place, int], bool]) -> Iterator[_Match]:
    places = text.side(side)
    for start in range(len(places) - length + 1):
        run = places[start : start + length]
        if run[0].hunk_id == run[-1].hunk_id and all(equals(place, at) for at, place in enumerate(run)):
            yield _Match(text, side, run)


def _partial(text: FileText, side: Side, quote: list[str]) -> list[_Match]:
    """The longest runs of quoted lines that stand in the file: at least half of the quote, and not mere brackets."""
    for length in range(len(quote) - 1, (len(quote) - 1) // 2, -1):
        found = [
            match
            for first in range(len(quote) - length + 1)
            if sum(len(squeeze(line)) for line in quote[first : first + length]) >= _LEAST_OF_A_PART
            for match in _runs(text, side, length, _loose(quote[first : first + length]))
        ]
        if found:
            return found
    return []


def _nearest(matches: list[_Match], candidate: Candidate, method: Method) -> Anchor:
    """Of several matches the one nearest `start_line`; the first where that is absent or ties."""
    if len(matches) == 1:
        return _placed(matches[0], method)
    wanted = candidate.start_line
    if wanted is None:
        return _placed(matches[0], method, is_ambiguous=True)
    distances = [abs(match.places[0].number - wanted) for match in matches]
    best = min(distances)
    return _placed(matches[distances.index(best)], method, is_ambiguous=distances.count(best) > 1)


def _placed(match: _Match, method: Method, *, is_ambiguous: bool = False) -> Anchor:
    places = match.places[:_LONGEST_RANGE]
    side, numbers = _settled_side(match, places)
    return Anchor(
        path=match.text.file.name,
        old_path=_old_path(match.text),
        side=side,
        start_line=numbers[0],
        end_line=numbers[-1],
        hunk_id=places[0].hunk_id,
        level=Level.LINE if numbers[0] == numbers[-1] else Level.RANGE,
        method=method,
        quote="\n".join(place.shown for place in places),
        is_ambiguous=is_ambiguous,
    )


def _settled_side(match: _Match, places: Sequence[Place]) -> tuple[Side, list[int]]:
    """Unchanged lines belong to the new side, whichever side they were found on."""
    numbers = [place.number for place in places]
    if match.side is Side.NEW or any(place.kind is LineKind.REMOVED for place in places):
        return match.side, numbers
    hunk = next(hunk for hunk in match.text.file.hunks if hunk.id == places[0].hunk_id)
    new_numbers = {line.old_no: line.new_no for line in hunk.lines if line.kind is LineKind.CONTEXT}
    found = [new_numbers[number] for number in numbers]
    return Side.NEW, [number for number in found if number is not None]


def _by_index(candidate: Candidate, quote: list[str], text: FileText) -> Anchor | None:
    """`start_line` read as an index into the text that was shown, proven by the quote without blanks and marks."""
    if candidate.start_line is None:
        return None
    wanted = [squeeze(line).lstrip("+-") for line in quote]
    indices = (candidate.start_line - 1, candidate.start_line)
    for first in (*indices, *(index - text.listing_start for index in indices)):
        rows = text.listing[first : first + len(quote)] if first >= 0 else ()
        if len(rows) < len(quote) or any(row.side is None or row.side != rows[0].side for row in rows):
            continue
        if [squeeze(row.text).lstrip("+-") for row in rows] == wanted:
            numbers = {row.number for row in rows}
            places = tuple(place for place in text.side(rows[0].side or Side.NEW) if place.number in numbers)
            if len({place.hunk_id for place in places}) == 1:
                return _placed(_Match(text, rows[0].side or Side.NEW, places), Method.DIFF_INDEX)
    return None


def _outside_hunks(quote: list[str], text: FileText) -> Anchor | None:
    """A quote of unchanged code: the whole file when it stands in the symbol of a changed line, else no place."""
    if text.head is None:
        return None
    wanted = [normalise(line) for line in quote]
    normal = [normalise(line) for line in text.head]
    starts = [at for at in range(len(normal) - len(wanted) + 1) if normal[at : at + len(wanted)] == wanted]
    if not starts:
        return None
    if any(_shares_symbol(text, start + 1) for start in starts):
        return _file_level(text, "\n".join(quote), Method.EXACT)
    return Anchor(
        path=text.file.name, old_path=_old_path(text), level=Level.PR, method=Method.EXACT, quote="\n".join(quote)
    )


def _shares_symbol(text: FileText, number: int) -> bool:
    symbol = enclosing_symbol(text.head or (), number)
    if symbol is None:
        return False
    changed = (place.number for place in text.new if place.kind is LineKind.ADDED)
    return any(symbol.start <= line <= symbol.end for line in changed)


def _relocate(quote: list[str], scene: Scene) -> Anchor | None:
    """The one place in the whole diff that a long quote matches."""
    if sum(len(squeeze(line)) for line in quote) < _LEAST_TO_RELOCATE:
        return None
    found: dict[tuple[str, Side, int], Anchor] = {}
    for text in scene.files.values():
        for side in (Side.NEW, Side.OLD):
            for match in _runs(text, side, len(quote), _loose(quote)):
                placed = _placed(match, Method.RELOCATED)
                found[placed.path, placed.side, placed.start_line or 0] = placed
                if len(found) > 1:
                    return None
    return next(iter(found.values()), None)


def _is_whole_file(candidate: Candidate, text: FileText) -> bool:
    """A remark without quote is about the whole file only where the file has no lines to quote."""
    return text.file.kind is not FileKind.TEXT or not (text.new or text.old)


def _file_level(text: FileText, quote: str, method: Method) -> Anchor:
    return Anchor(path=text.file.name, old_path=_old_path(text), level=Level.FILE, method=method, quote=quote)


def _old_path(text: FileText) -> str | None:
    return text.file.old_name if text.file.old_path is not None else None
