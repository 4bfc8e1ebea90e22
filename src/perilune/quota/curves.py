"""Curves of past weeks: what was used by each of their hours, and what the present one may expect of them.

A status is told from eight weeks of hours for every account, so that here numbers are plain floats.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import exp

from msgspec import Struct

HOURS = 168
LEAST_CURVES, SURE_CURVES = 3, 5
KEPT = timedelta(days=56)
_HOUR_S = 3600.0
_SPAN_S = HOURS * _HOUR_S
_SAME_RESET_S = 60.0
_FALLEN = 0.01
_LEAST_SAMPLES = 6
_NEAR_AN_END_H = 24.0
_APART_H, _RISEN = 0.5, 0.01
_FADES_OVER = 3.0

Point = tuple[float, float]
Mark = tuple[float, float, float, str | None]
"""A kept reading: when, the use, its reset (both in seconds since 1970), the limit as it was told."""


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


def curves_of(marks: Sequence[Mark], resets_s: float) -> list[Curve]:
    """The curves of the complete weeks before the one that ends at `resets_s`, not older than 56 days."""
    found = []
    for week in _weeks(marks):
        end = week[-1][2]
        if not _SPAN_S / 2 <= resets_s - end <= KEPT.total_seconds():
            continue
        known = _known(week, end - _SPAN_S)
        if len(known) >= _LEAST_SAMPLES and _reaches_both_ends(known):
            found.append(Curve(_hourly(known), exp(-(resets_s - end) / _SPAN_S / _FADES_OVER)))
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
    most = before = 0.0
    for whole in range(HOURS + 1):
        middle = weighted_median([(curve.points[whole], curve.weight) for curve in curves]) if share else 0.0
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


def _weeks(marks: Sequence[Mark]) -> Iterator[Sequence[Mark]]:
    """The readings of each week, told apart as `cycles` does; a change of the limit ends one too."""
    begin, last = 0, None
    for index, mark in enumerate(marks):
        at, use, resets_s, limit = mark
        if last is not None:
            has_fallen = use < last[1] - _FALLEN
            is_later = resets_s - last[2] > _SAME_RESET_S
            if (is_later and (has_fallen or last[2] <= at)) or (has_fallen and limit != last[3]):
                yield marks[begin:index]
                begin = index
        last = mark
    if last is not None:
        yield marks[begin:]


def _known(week: Sequence[Mark], start_s: float) -> list[Point]:
    """(hour, use) of the readings that say something new: half an hour or a point apart, never falling."""
    kept: list[Point] = []
    before_h, before = -1.0, 0.0
    for at, use, _, _ in week:
        hour = (at - start_s) / _HOUR_S
        if not 0 <= hour <= HOURS:
            continue
        use = max(use, before)
        if not kept or hour - before_h >= _APART_H or use - before >= _RISEN:
            kept.append((hour, use))
            before_h, before = hour, use
    return kept


def _reaches_both_ends(known: Sequence[Point]) -> bool:
    return known[0][0] <= _NEAR_AN_END_H and HOURS - known[-1][0] <= _NEAR_AN_END_H


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
