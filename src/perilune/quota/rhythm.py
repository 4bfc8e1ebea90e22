"""The rhythm of a window: what is used of it in an hour, by weekday and hour of the day."""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

Rhythm = list[list[float | None]]
_HOUR = timedelta(hours=1)


def rhythm(rises: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, zone: tzinfo) -> Rhythm:
    """The mean use of each hour of the week, Monday first; None for hours that lie in no part of the time looked at."""
    seen = [[0] * 24 for _ in range(7)]
    at = start
    while at < end:
        local = at.astimezone(zone)
        seen[local.weekday()][local.hour] += 1
        at += _HOUR
    used = [[Decimal(0)] * 24 for _ in range(7)]
    for moment, rise in rises:
        local = moment.astimezone(zone)
        used[local.weekday()][local.hour] += rise
    return [
        [round(float(used[day][hour]) / seen[day][hour], 6) if seen[day][hour] else None for hour in range(24)]
        for day in range(7)
    ]
