"""A histogram of plain integers, cheap enough for the path of every chunk."""

from bisect import bisect_left

from msgspec import Struct

CHUNK_GAP_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Spread(Struct):
    """A histogram: how many fell under each bound, and beyond the last. Units: seconds."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0

    @classmethod
    def over(cls, bounds: tuple[float, ...]) -> "Spread":
        """An empty one."""
        return cls(bounds, [0] * (len(bounds) + 1))

    def add(self, value: float) -> None:
        """One more value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
