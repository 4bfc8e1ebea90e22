"""What is shown around a hunk: the header of the symbol it stands in, lines back to it, the rest of a small symbol."""

from collections.abc import Sequence

from perilune.patches.model import File, Hunk
from perilune.patches.symbols import Symbol

_LINES_BACK = 10
_SMALL_SYMBOL = 80


def context_numbers(file: File, head: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the lines worth showing beside the hunks of a file, without those the hunks show."""
    from perilune.review.structure.definitions import definitions  # not for a preview, which shows nothing to anybody

    shown = {line.new_no for hunk in file.hunks for line in hunk.lines if line.new_no is not None}
    wanted: set[int] = set()
    known = definitions(file.name, head)
    for hunk in file.hunks:
        wanted |= _around(hunk, file.name, head, known)
    return tuple(number for number in sorted(wanted - shown) if head[number - 1].strip())


def _around(hunk: Hunk, name: str, head: Sequence[str], known: Sequence[Symbol]) -> set[int]:
    from perilune.review.structure.definitions import around

    first, last = hunk.new_start, hunk.new_start + max(hunk.new_count, 1) - 1
    middle = next((line.new_no for line in hunk.lines if line.old_no is None and line.new_no), None) or first
    symbol = around(name, head, min(middle, len(head)), known)
    if symbol is None:
        return set()
    wanted = {symbol.start, *range(max(symbol.start, first - _LINES_BACK), first)}
    if symbol.end - symbol.start < _SMALL_SYMBOL:
        wanted |= set(range(symbol.start, symbol.end + 1))
    elif symbol.start < first:
        wanted |= set(range(last + 1, min(last + _LINES_BACK, symbol.end) + 1))
    return {number for number in wanted if 1 <= number <= len(head)}
