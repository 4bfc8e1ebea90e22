"""One figure of an answer as a reading: counts or a ratio, with what is missing left unknown."""

from datetime import datetime
from decimal import Decimal

from perilune.core.instants import parse_instant
from perilune.core.numbers import parse_number
from perilune.quota.snapshot import Reading, Unit

_PERCENT = Decimal(100)


def of_counts(
    window: str,
    origin: str,
    *,
    limit: object,
    used: object,
    remaining: object,
    resets_at: datetime | None,
    span_s: int | None = None,
    label: str | None = None,
) -> Reading | None:
    """A reading from counts; None when `limit` is no number above 0.

    `used` from 0 on counts; else `remaining` between 0 and `limit` gives it; else the use is unknown.
    """
    size = parse_number(limit)
    if size is None or size <= 0:
        return None
    unit: Unit = "percent" if size == _PERCENT else "requests"
    spent = _used(size, parse_number(used), parse_number(remaining))
    return Reading(
        window=window,
        origin=origin,
        label=label,
        span_s=span_s,
        limit=size,
        used=spent,
        remaining=None if spent is None else max(size - spent, Decimal(0)),
        used_ratio=None if spent is None else spent / size,
        unit=unit,
        resets_at=resets_at,
    )


def of_ratio(
    window: str,
    origin: str,
    *,
    ratio: object,
    resets_at: datetime | None,
    span_s: int | None = None,
    label: str | None = None,
) -> Reading | None:
    """A reading from a ratio; one that is not usable leaves the use unknown, and needs a reset to be a reading."""
    number = parse_number(ratio)
    used_ratio = None if number is None or number < 0 else number
    if used_ratio is None and resets_at is None:
        return None
    return Reading(
        window=window,
        origin=origin,
        label=label,
        span_s=span_s,
        used_ratio=used_ratio,
        unit="ratio",
        resets_at=resets_at,
    )


def reset_time(value: object) -> datetime | None:
    """A reset as vendors write it; None when it is not readable."""
    return None if value is None else parse_instant(value)


def _used(size: Decimal, used: Decimal | None, remaining: Decimal | None) -> Decimal | None:
    if used is not None and used >= 0:
        return used
    if remaining is not None and 0 <= remaining <= size:
        return size - remaining
    return None
