"""Lines of a diff as forges number them: both numbers, and both counters where the line stands."""

from msgspec import Struct

from perilune.patches.model import File, Hunk, Side


class LineSpot(Struct, frozen=True, kw_only=True):
    """One line of a diff. `old` and `new` are its numbers, None on the side it is not on.

    Shape: a counter is the number that the next line of its side has there: of an added line, the old counter is that
    of the first old line behind it.
    """

    old: int | None
    new: int | None
    old_counter: int
    new_counter: int


def spots_of(file: File, side: Side, first: int, last: int) -> tuple[LineSpot, LineSpot] | None:
    """Two lines of one side that stand in the same hunk, None where there is none that holds both."""
    for hunk in file.hunks:
        found = _numbered(hunk, side)
        if first in found and last in found:
            return found[first], found[last]
    return None


def _numbered(hunk: Hunk, side: Side) -> dict[int, LineSpot]:
    # A side without lines starts behind the line it names.
    old = hunk.old_start + (1 if hunk.old_count == 0 else 0)
    new = hunk.new_start + (1 if hunk.new_count == 0 else 0)
    found: dict[int, LineSpot] = {}
    for line in hunk.lines:
        spot = LineSpot(old=line.old_no, new=line.new_no, old_counter=old, new_counter=new)
        number = line.number(side)
        if number is not None:
            found[number] = spot
        old += line.old_no is not None
        new += line.new_no is not None
    return found
