"""Places inside one process: where nothing else shares the account."""

from collections import defaultdict
from itertools import chain

from perilune.gateway.admission.port import Keeper


class MemoryPlaces:
    """Places as a set of numbers per group."""

    is_instant = True
    kept_by: Keeper = "memory"

    def __init__(self) -> None:
        self._taken: defaultdict[str, set[int]] = defaultdict(set)

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        place = first_free(self._taken[group], cap, reserved, may_use_reserved=may_use_reserved)
        if place is not None:
            self._taken[group].add(place)
        return place

    def give_back(self, group: str, place: int) -> None:
        self._taken[group].discard(place)

    def occupied(self, group: str) -> int:
        return len(self._taken[group])

    def close(self) -> None:
        self._taken.clear()


def first_free(taken: set[int], cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
    """The place to take next, by the rule of `Places.take`."""
    if len(taken) >= cap:
        return None
    open_to_all = cap - reserved
    order = chain(range(open_to_all, cap) if may_use_reserved else (), range(open_to_all))
    return next((place for place in order if place not in taken), None)
