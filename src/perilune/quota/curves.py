"""Curves of past cycles: what was used of a week by each of its hours, and what the present one may expect of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp

from msgspec import Struct

from perilune.quota.cycles import Cycle, cycles
from perilune.quota.samples import Sample

HOURS = 168
LEAST_CURVES, SURE_CURVES = 3, 5
KEPT = timedelta(days=56)
_SPAN = timedelta(hours=HOURS)
_HOUR = timedelta(hours=1)
_LEAST_SAMPLES = 6
_NEAR_AN_END = timedelta(hours=24)
_APART, _RISEN = timedelta(minutes=30), 0.01
_FADES_OVER = 3.0

Point = tuple[float, float]


class Curve(Struct, frozen=True):
    """One complete cycle. Shape: `points` its use at each hour from 0 to 168; `weight` 1 fading with its age."""

    points: tuple[float, ...]
    weight: float

    def at(self, hour: float) -> float:
        """The use at any hour, in a straight line between two points."""
        low = min(int(hour), HOURS - 1)
        return self.points[low] + (self.points[low + 1] - self.points[low]) * (hour - low)


class RunOut(Struct, frozen=True):
    """Whether the present cycle runs out, by the past ones. `hour` is when, None while it is likelier to last."""

    probability: float
    hour: float | None


def curves_of(samples: Sequence[Sample], resets_at: datetime) -> list[Curve]:
    """The curves of the complete cycles before the one that ends at `resets_at`, not older than 56 days."""
    found = []
    for cycle in cycles(samples):
        end = cycle.resets_at
        if end is None or not _SPAN / 2 <= resets_at - end <= KEPT:
            continue
        known = _known(cycle, end)
        if len(known) >= _LEAST_SAMPLES and _reaches_both_ends(known):
            age = (resets_at - end) / _SPAN
            found.append(Curve(_hourly(known), exp(-age / _FADES_OVER)))
    return found


def trust(curves: Sequence[Curve]) -> float:
    """How much of the expectation comes from the past: 0 for two curves' worth, 1 from eight on."""
    total = sum(curve.weight for curve in curves)
    effective = total**2 / sum(curve.weight**2 for curve in curves) if curves else 0.0
    return min(max((effective - 2) / 6, 0.0), 1.0)


def expected_at(curves: Sequence[Curve], hour: float, even: Sequence[float]) -> float:
    """What would be used by `hour`: the past's median blended with even pace, never above even pace, never falling.

    `even` is even pace at each hour from 0 to 168.
    """
    share = trust(curves)
    most = 0.0
    before = 0.0
    for whole in range(HOURS + 1):
        middle = weighted_median([(curve.points[whole], curve.weight) for curve in curves])
        before, most = most, max(most, min(share * middle + (1 - share) * even[whole], even[whole]))
        if whole >= hour:
            return before + (most - before) * (hour - (whole - 1)) if whole else most
    return most


def run_out(curves: Sequence[Curve], hour: float, used: float) -> RunOut:
    """Where the past curves lead from here: each is shifted to meet the present point."""
    crossings = [(_crossing(curve, hour, used), curve.weight) for curve in curves]
    crossing = [(at, weight) for at, weight in crossings if at is not None]
    total, crossed = sum(curve.weight for curve in curves), sum(weight for _, weight in crossing)
    probability = (crossed + 0.5) / (total + 1)
    return RunOut(probability, weighted_median(crossing) if crossing and probability >= 0.5 else None)


def weighted_median(pairs: Sequence[Point]) -> float:
    """The value at which half of the weight is reached."""
    ordered = sorted(pairs)
    half = sum(weight for _, weight in ordered) / 2
    reached = 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= half:
            return value
    return ordered[-1][0]


def _known(cycle: Cycle, end: datetime) -> list[Point]:
    """(hour, use) of the readings that say something new: half an hour or a point apart, never falling."""
    start = end - _SPAN
    kept: list[Point] = []
    for one in cycle.samples:
        hour = (one.at - start) / _HOUR
        if one.used_ratio is None or not 0 <= hour <= HOURS:
            continue
        use = max(float(one.used_ratio), kept[-1][1] if kept else 0.0)
        if not kept or (hour - kept[-1][0]) * _HOUR >= _APART or use - kept[-1][1] >= _RISEN:
            kept.append((hour, use))
    return kept


def _reaches_both_ends(known: Sequence[Point]) -> bool:
    near = _NEAR_AN_END / _HOUR
    return known[0][0] <= near and HOURS - known[-1][0] <= near


def _hourly(known: Sequence[Point]) -> tuple[float, ...]:
    """The use at each whole hour: from nothing at the begin, straight between readings, level after the last."""
    points = [(0.0, 0.0), *known]
    hourly, index = [], 0
    for hour in range(HOURS + 1):
        while index + 1 < len(points) and points[index + 1][0] <= hour:
            index += 1
        at, use = points[index]
        if index + 1 < len(points) and points[index + 1][0] > at:
            after, then = points[index + 1]
            use += (then - use) * (hour - at) / (after - at)
        hourly.append(use)
    return tuple(hourly)


def _crossing(curve: Curve, hour: float, used: float) -> float | None:
    """The hour at which a curve that meets the present point is full."""
    shift = used - curve.at(hour)
    before, at_before = hour, used
    for whole in range(int(hour) + 1, HOURS + 1):
        use = curve.points[whole] + shift
        if use >= 1:
            return before + (whole - before) * (1 - at_before) / (use - at_before) if use > at_before else float(whole)
        before, at_before = float(whole), use
    return None
