"""Cycles: the runs of a window from one reset to the next, told from kept readings alone.

Use is only ever counted inside a cycle, as the rise over the most that was read in it so far: what went between the
last reading and a reset is not known, and a reading that lags behind adds nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from perilune.quota.samples import Sample

Beginning = Literal["unknown", "reset", "plan"]
SAME_RESET = timedelta(seconds=60)
_APART = timedelta(seconds=60)
_FALLEN = Decimal("0.01")
_NOTHING = Decimal(0)


class Cycle(Struct, frozen=True, kw_only=True):
    """One run of a window.

    Shape: `begun_by` is how it began: at a reset, with a change of the plan's limit, or before anything was kept.
    `is_confirmed` by two readings a minute apart. `resets_at` is the last one read, filled in where the vendor left it
    out in between.
    """

    samples: tuple[Sample, ...]
    begun_by: Beginning
    resets_at: datetime | None
    is_confirmed: bool = True

    @property
    def peak(self) -> Decimal | None:
        """The most that was read; None when its use was never known."""
        return max((one.used_ratio for one in self.samples if one.used_ratio is not None), default=None)

    @property
    def spent_at(self) -> datetime | None:
        """When it was first read as spent."""
        return next((one.at for one in self.samples if one.used_ratio is not None and one.used_ratio >= 1), None)

    def rises(self) -> Iterator[tuple[datetime, Decimal]]:
        """What was used, by the reading that showed it. The first one counts only where the cycle's begin is known."""
        most = None if self.begun_by == "unknown" else _NOTHING
        for one in self.samples:
            if one.used_ratio is None:
                continue
            if most is not None and one.used_ratio > most:
                yield one.at, one.used_ratio - most
            most = one.used_ratio if most is None else max(most, one.used_ratio)


class _Run:
    """A cycle while its readings come in."""

    def __init__(self, begun_by: Beginning, first: Sample) -> None:
        self.begun_by: Beginning = begun_by
        self.samples = [first]
        self.resets_at = first.resets_at
        self.last_use = first.used_ratio
        self.limit = first.limit

    def continues_with(self, sample: Sample) -> Beginning | None:
        """None when the reading is of this run; otherwise what begins with it."""
        has_fallen = self._has_fallen(sample)
        if self.resets_at is not None and self.resets_at <= sample.first_at and not self._repeats(sample):
            return "reset"
        if has_fallen and _is_later(sample.resets_at, self.resets_at):
            return "reset"
        limits = self.limit, sample.limit
        if has_fallen and None not in limits and limits[0] != limits[1]:
            return "plan"
        return None

    def add(self, sample: Sample) -> None:
        self.samples.append(sample)
        self.resets_at = sample.resets_at or self.resets_at
        self.last_use = self.last_use if sample.used_ratio is None else sample.used_ratio
        self.limit = sample.limit or self.limit

    def cycle(self) -> Cycle:
        first, last = self.samples[0].first_at, self.samples[-1].at
        is_confirmed = self.begun_by != "reset" or last - first >= _APART
        return Cycle(
            samples=tuple(self.samples), begun_by=self.begun_by, resets_at=self.resets_at, is_confirmed=is_confirmed
        )

    def _has_fallen(self, sample: Sample) -> bool:
        return (
            self.last_use is not None and sample.used_ratio is not None and sample.used_ratio < self.last_use - _FALLEN
        )

    def _repeats(self, sample: Sample) -> bool:
        """A late answer that still tells of the cycle that has passed."""
        return sample.resets_at is not None and not _is_later(sample.resets_at, self.resets_at)


def cycles(samples: Sequence[Sample]) -> list[Cycle]:
    """The runs of one window, oldest first. Every reading is in exactly one of them."""
    runs: list[_Run] = []
    for sample in samples:
        begins = "unknown" if not runs else runs[-1].continues_with(sample)
        if begins is None:
            runs[-1].add(sample)
        else:
            runs.append(_Run(begins, sample))
    return [run.cycle() for run in runs]


def rises(samples: Sequence[Sample]) -> list[tuple[datetime, Decimal]]:
    """What was used of one window, by the reading that showed it: a lower bound, nothing across a reset."""
    return [rise for cycle in cycles(samples) for rise in cycle.rises()]


def _is_later(reset: datetime | None, than: datetime | None) -> bool:
    return reset is not None and than is not None and reset - than > SAME_RESET
