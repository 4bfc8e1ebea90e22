"""Tables that fit their terminal."""

from collections.abc import Sequence
from typing import NamedTuple

from perilune.core.width import width

_GAP = 2


class Fitted(NamedTuple):
    """The columns that are shown, by their place in the row, and how wide each is."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]
    fits: bool


def fitted(rows: Sequence[Sequence[str]], room: int, least: Sequence[int] = (), spare: Sequence[int] = ()) -> Fitted:
    """How a table stands in `room` columns: as wide as it should be, else close, else without what is spare, in order.

    Shape: `least` widths by column; `spare` columns, the first to go first. `fits` is false when all that is too wide.
    """
    count = len(rows[0])
    floors = [tuple(least) or (0,) * count, (0,) * count]
    chosen = [(tuple(range(count)), floor) for floor in floors]
    fewer = (spare[:gone] for gone in range(1, len(spare) + 1))
    chosen += [(tuple(at for at in range(count) if at not in gone), floors[1]) for gone in fewer]
    for columns, floor in chosen:
        widths = tuple(max(floor[at], *(width(row[at]) for row in rows)) for at in columns)
        if sum(widths) + _GAP * (len(widths) - 1) <= room:
            return Fitted(columns, widths, fits=True)
    return Fitted(columns, widths, fits=False)
