"""Days and hours of a reader's zone, as spans in which the zone keeps one offset."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from msgspec import Struct

Size = Literal["day", "hour"]
SIZES = {"day": timedelta(days=1), "hour": timedelta(hours=1)}
_EPOCH = date(1970, 1, 1)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Segment(Struct, frozen=True):
    """From `start` until before `end` the zone is `offset` ahead of UTC."""

    start: datetime
    end: datetime
    offset: timedelta


def segments(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Segment]:
    """The time from `start` until `end`, cut where the zone changes its offset."""
    begin = start.astimezone(UTC)
    end = end.astimezone(UTC)
    while begin < end:
        offset = _offset(begin, zone)
        stop = _next_change(begin, end, zone)
        yield Segment(begin, stop, offset)
        begin = stop


def start_of(at: datetime, zone: tzinfo, size: Size) -> datetime:
    """The beginning of the day or hour that `at` is in."""
    local = at.astimezone(zone)
    if size == "hour":
        return (at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)).astimezone(
            UTC
        )
    return datetime.combine(local.date(), time(), zone).astimezone(UTC)


def starts(start: datetime, end: datetime, zone: tzinfo, size: Size) -> list[datetime]:
    """The beginnings of all days or hours from the one that `start` is in until `end`."""
    found, at = [], start_of(start, zone, size)
    while at < end:
        found.append(at)
        if size == "hour":
            at = start_of(at + timedelta(hours=1), zone, "hour")
        else:
            following = at.astimezone(zone).date() + _DAY
            at = datetime.combine(following, time(), zone).astimezone(UTC)
    return found


def start_of_number(number: int, segment: Segment, zone: tzinfo, size: Size) -> datetime:
    """The beginning of the day or hour of that number, counted in local time from 1970."""
    if size == "hour":
        return datetime.combine(_EPOCH, time(), UTC) + number * SIZES["hour"] - segment.offset
    return datetime.combine(_EPOCH + number * _DAY, time(), zone).astimezone(UTC)


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _next_change(begin: datetime, end: datetime, zone: tzinfo) -> datetime:
    """The first minute at which the offset is another one, or the end."""
    offset, low = _offset(begin, zone), begin
    while low < end:
        high = min(low + _DAY, end)
        if _offset(high, zone) != offset:
            while high - low > _MINUTE:
                middle = low + (high - low) / 2
                low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
            return high.replace(second=0, microsecond=0) if high != end else end
        low = high
    return end
