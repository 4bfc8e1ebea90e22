"""Instants: aware UTC datetimes, read from whatever a vendor writes and printed as RFC 3339."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from perilune.core.numbers import parse_number

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?",
)
_MILLISECONDS_FROM = Decimal("1e12")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST_S = Decimal(253_402_300_799)


def parse_instant(value: object) -> datetime | None:
    """Read a time, or None when it is not readable.

    Accepted: RFC 3339 with any number of fraction digits, `Z`, an offset or none (then UTC); an epoch number or a
    string holding one, seconds below 1e12 and milliseconds from there on.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    number = parse_number(value)
    if number is not None:
        return from_epoch(number)
    return _parse_rfc3339(value.strip()) if isinstance(value, str) else None


def from_epoch(number: Decimal) -> datetime | None:
    """Seconds since 1970 (milliseconds from 1e12 on) as an instant; None outside the years 1970 to 9999."""
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    if not 0 <= seconds <= _FARTHEST_S:
        return None
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _parse_rfc3339(text: str) -> datetime | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, zone = match.groups()
    microseconds = int((fraction or "0")[:6].ljust(6, "0"))
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        year, month, day, hour, minute, second = map(int, parts)
        at = datetime(year, month, day, hour, minute, second, microseconds, UTC)
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
        return at - shift if offset[0] == "+" else at + shift
    except (ValueError, OverflowError):
        return None


def to_rfc3339(at: datetime) -> str:
    """An instant as RFC 3339 in UTC with `Z`, rounded to the nearest whole second."""
    whole = at.astimezone(UTC)
    if whole.microsecond >= 500_000:
        whole += timedelta(seconds=1)
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")


def whole_second(at: datetime | None) -> datetime | None:
    """The instant rounded to the nearest second, as our JSON documents carry it."""
    if at is None:
        return None
    rounded = at.astimezone(UTC) + timedelta(microseconds=500_000)
    return rounded.replace(microsecond=0)
