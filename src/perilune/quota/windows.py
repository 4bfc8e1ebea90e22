"""Windows from readings: several readings of one window are weighed, the more-used one counts, all are kept."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from perilune.quota.calendar import month_span_s
from perilune.quota.naming import MONTH, label_of
from perilune.quota.snapshot import Reading, Window, WindowPart

_PAST_CYCLE = timedelta(seconds=60)
_SAME_RESET = timedelta(minutes=5)
_SAME_RATIO = Decimal("0.01")


def derive_windows(
    readings: Iterable[Reading], now: datetime, parts: Mapping[str, tuple[WindowPart, ...]] | None = None
) -> tuple[Window, ...]:
    """The windows of an answer, shortest span first, unknown spans last in the server's order. `now` is server time."""
    by_window: dict[str, list[Reading]] = {}
    for reading in readings:
        by_window.setdefault(reading.window, []).append(reading)
    windows = [_window(group, now, (parts or {}).get(name, ())) for name, group in by_window.items()]
    return tuple(sorted(windows, key=lambda window: window.span_s or float("inf")))


def _window(group: Sequence[Reading], now: datetime, parts: tuple[WindowPart, ...]) -> Window:
    current = [reading for reading in group if not _is_past(reading, now)]
    chosen = max(current, key=_weight, default=None)
    first = group[0]
    known = Window(
        id=first.window,
        label=label_of(first.window, next((reading.label for reading in group if reading.label), None)),
        span_s=next((reading.span_s for reading in group if reading.span_s), None),
        is_reliable=False,
        has_conflict=_disagree(current),
        parts=parts,
        readings=tuple(group),
    )
    if chosen is None:
        return known
    resets_at = chosen.resets_at or max((r.resets_at for r in current if r.resets_at), default=None)
    shown = _in_requests(chosen, current)
    return msgspec.structs.replace(
        known,
        span_s=month_span_s(resets_at, now) if first.window == MONTH else known.span_s,
        used_ratio=chosen.used_ratio,
        used=shown.used,
        limit=shown.limit,
        remaining=shown.remaining,
        unit=shown.unit,
        resets_at=resets_at,
        is_reliable=chosen.used_ratio is not None,
    )


def _is_past(reading: Reading, now: datetime) -> bool:
    return reading.resets_at is not None and now - reading.resets_at > _PAST_CYCLE


def _weight(reading: Reading) -> tuple[Decimal, float]:
    ratio = Decimal(-1) if reading.used_ratio is None else reading.used_ratio
    return ratio, float("-inf") if reading.resets_at is None else reading.resets_at.timestamp()


def _disagree(current: Sequence[Reading]) -> bool:
    ratios = [reading.used_ratio for reading in current if reading.used_ratio is not None]
    resets = [reading.resets_at for reading in current if reading.used_ratio is not None and reading.resets_at]
    apart = len(ratios) > 1 and max(ratios) - min(ratios) > _SAME_RATIO
    return apart or (len(resets) > 1 and max(resets) - min(resets) > _SAME_RESET)


def _in_requests(chosen: Reading, current: Sequence[Reading]) -> Reading:
    """The reading whose counts are shown: requests that agree with a chosen ratio say more than the ratio."""
    if chosen.unit != "ratio" or chosen.used_ratio is None:
        return chosen
    for reading in current:
        agrees = reading.used_ratio is not None and abs(reading.used_ratio - chosen.used_ratio) <= _SAME_RATIO
        if reading.unit == "requests" and agrees:
            return reading
    return chosen
