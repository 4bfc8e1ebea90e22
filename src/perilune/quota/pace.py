"""Pace: used against elapsed, and when the window runs out at this rate."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from perilune.quota import curves
from perilune.quota.document import Stage
from perilune.quota.snapshot import Window
from perilune.quota.workdays import WorkWeek

_SLACK = timedelta(seconds=60)
_TOO_EARLY = Decimal("0.03")
WEEK_S = 604_800
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_FINE = Decimal("0.000000001")


class Pace(Struct, frozen=True, kw_only=True):
    """How a window is doing. `empty_at` is None when it lasts.

    `probability` of running out, where enough past cycles say so.
    """

    expected_ratio: Decimal
    stage: Stage
    lasts: bool
    empty_at: datetime | None
    method: Literal["linear", "work-days", "history"]
    probability: Decimal | None = None


def _nothing_kept(window: str) -> Sequence[curves.Mark]:
    return ()


def pace_of(
    window: Window, at: datetime, week: WorkWeek, past: Callable[[str], Sequence[curves.Mark]] = _nothing_kept
) -> Pace | None:
    """The pace of a window as of `at`; None when it cannot be said.

    Work days and what `past` kept of earlier cycles count for windows of exactly one week.
    """
    pace = _even_pace(window, at, week)
    if pace is None or window.span_s != WEEK_S or window.resets_at is None or window.used_ratio is None:
        return pace
    known = curves.curves_of(past(window.id), window.resets_at.timestamp())
    if len(known) < curves.LEAST_CURVES:
        return pace
    return _learned_pace(pace, known, window.used_ratio, at, window.resets_at, week)


def _even_pace(window: Window, at: datetime, week: WorkWeek) -> Pace | None:
    used = window.used_ratio
    if not window.is_reliable or used is None or used >= 1 or window.resets_at is None or window.span_s is None:
        return None
    left = window.resets_at - at
    span = timedelta(seconds=window.span_s)
    if not timedelta(0) < left <= span + _SLACK:
        return None
    left = min(left, span)
    if window.span_s == WEEK_S and not week.is_every_day:
        return _work_pace(used, at, window.resets_at - span, window.resets_at, week)
    elapsed = span - left
    return _pace(used, elapsed, span, left, "linear", lambda eta: at + eta)


def stage_of(delta: Decimal) -> Stage:
    """The word for used minus expected: within 2, 6 and 12 points of even pace, or beyond. More used is ahead."""
    size = abs(delta)
    if size <= Decimal("0.02"):
        return "on-track"
    is_ahead = delta > 0
    if size <= Decimal("0.06"):
        return "slightly-ahead" if is_ahead else "slightly-behind"
    if size <= Decimal("0.12"):
        return "ahead" if is_ahead else "behind"
    return "far-ahead" if is_ahead else "far-behind"


def _learned_pace(
    even: Pace, known: Sequence[curves.Curve], used: Decimal, at: datetime, end: datetime, week: WorkWeek
) -> Pace:
    """Even pace corrected by how past weeks went; when it runs out they say from the number on that makes them sure."""
    start = end - timedelta(seconds=WEEK_S)
    hour = max((at - start) / _HOUR, 0.0)
    expected = Decimal(curves.expected_at(known, hour, _even_by_hour(start, end, week))).quantize(_FINE)
    learned = replace(even, expected_ratio=expected, stage=stage_of(used - expected), method="history")
    if len(known) < curves.SURE_CURVES:
        return learned
    out = curves.run_out(known, hour, float(used))
    empty_at = None if out.hour is None or used == 0 else start + out.hour * _HOUR
    probability = Decimal(out.probability).quantize(_FINE)
    return replace(learned, lasts=empty_at is None, empty_at=empty_at, probability=probability)


def _even_by_hour(start: datetime, end: datetime, week: WorkWeek) -> list[float]:
    if week.is_every_day:
        return [hour / curves.HOURS for hour in range(curves.HOURS + 1)]
    whole = week.work_between(start, end)
    return [week.work_between(start, start + hour * _HOUR) / whole for hour in range(curves.HOURS + 1)]


def _work_pace(used: Decimal, at: datetime, start: datetime, end: datetime, week: WorkWeek) -> Pace | None:
    span, elapsed = week.work_between(start, end), week.work_between(start, at)
    return _pace(used, elapsed, span, span - elapsed, "work-days", lambda eta: week.after_work(at, eta))


def _pace(
    used: Decimal,
    elapsed: timedelta,
    span: timedelta,
    left: timedelta,
    method: Literal["linear", "work-days"],
    reached: Callable[[timedelta], datetime],
) -> Pace | None:
    if not elapsed or not span:
        return None
    expected = Decimal(elapsed // _MICROSECOND) / Decimal(span // _MICROSECOND)
    if expected < _TOO_EARLY:
        return None
    eta = None if used == 0 else _scaled(elapsed, (1 - used) / used)
    lasts = eta is None or eta >= left
    return Pace(
        expected_ratio=expected,
        stage=stage_of(used - expected),
        lasts=lasts,
        empty_at=None if eta is None or lasts else reached(eta),
        method=method,
    )


def _scaled(span: timedelta, factor: Decimal) -> timedelta:
    microseconds = min(Decimal(span // _MICROSECOND) * factor, Decimal("1e18"))
    return timedelta(microseconds=int(microseconds))
