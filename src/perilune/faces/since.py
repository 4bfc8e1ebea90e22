"""How far back a reader wants to look: `30d`, `12h`, `4w`, a day or a moment."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from perilune.core.instants import parse_instant

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_FIRST = datetime(2000, 1, 1, tzinfo=UTC)  # nothing of ours is older
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def since(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """The moment that a text means; None when it means none that lies behind.

    `3d` are today and the two days before it, `12h` the hour that is running and the eleven before it.
    """
    found = _span(text, now, zone) or _day(text, zone) or (parse_instant(text) if "T" in text else None)
    return found if found is not None and _FIRST < found < now else None


def _span(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        return None
    local, count = now.astimezone(zone), int(match[1]) * (7 if match[2] == "w" else 1)
    try:
        if match[2] == "h":
            hour = now - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return hour - timedelta(hours=count - 1)
        return _midnight(local.date() - timedelta(days=count - 1), zone)
    except OverflowError:
        return None


def _day(text: str, zone: tzinfo) -> datetime | None:
    if not _DAY.fullmatch(text.strip()):
        return None
    try:
        return _midnight(date.fromisoformat(text.strip()), zone)
    except (ValueError, OverflowError):
        return None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
