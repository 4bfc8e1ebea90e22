"""The stamp of a key: what showed last that it works. Source: gateway reference 3.2, 3.6."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

VerifiedBy = Literal["catalog", "probe", "traffic"]
_WORTH: dict[VerifiedBy, int] = {"catalog": 0, "probe": 1, "traffic": 2}


class Stamp(Struct, frozen=True, kw_only=True):
    """By what a key was shown to work and when.

    Shape: `catalog` a free read, `probe` one answer that was asked for, `traffic` a routed one. `place` tells key, host
    and surface apart without naming the key: a stamp of another place counts for nothing.
    """

    by: VerifiedBy
    at: datetime
    place: str


def stamped(before: Stamp | None, new: Stamp) -> Stamp:
    """The stamp after a success: never lowered by one of a cheaper kind, unless it was of another place."""
    if before is None or before.place != new.place:
        return new
    return before if _WORTH[before.by] > _WORTH[new.by] else new


def holds(stamp: Stamp | None, place: str | None) -> Stamp | None:
    """The stamp where it is of this place."""
    return stamp if stamp is not None and stamp.place == place else None


def is_proven(stamp: Stamp | None) -> bool:
    """Whether an answer was ever given; a free read alone proves that the key reads."""
    return stamp is not None and stamp.by != "catalog"
