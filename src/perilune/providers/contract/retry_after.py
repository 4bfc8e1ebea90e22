"""When to come back: the first of a vendor's many ways to say it that can be read. Source: gateway reference 5.2."""

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

_MOST_FOR_RATES_S = 86_400.0
_SPAN = r"(?:(\d+)\s*h(?:ours?)?)?\s*(?:(\d+)\s*m(?:in(?:utes?)?)?(?!s))?\s*(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:onds?)?)?)?"
_IN_WORDS = re.compile(
    r"(?:try again after|retry after|try again in|retry in|\bin)\s+(?=\d)(?:(\d+)\s*ms\b|" + _SPAN + ")"
)


def retry_after_s(headers: Mapping[str, str], message: str, now: datetime, *, is_window: bool = False) -> float | None:
    """Seconds until the vendor wants to be asked again, None when it does not say.

    Shape: header names lower case. Rates are capped at 24 h, windows are not.
    """
    found = _from_headers(headers, now)
    if found is None:
        found = _from_words(message)
    if found is None:
        found = _from_reset(headers, now)
    if found is None:
        return None
    found = max(found, 0.0)
    return found if is_window else min(found, _MOST_FOR_RATES_S)


def server_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """The vendor's own clock by its `Date` header, ours when there is none."""
    return _http_date(headers.get("date", "")) or now


def _from_headers(headers: Mapping[str, str], now: datetime) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    date = _http_date(text)
    return None if date is None else (date - server_time(headers, now)).total_seconds()


def _from_words(message: str) -> float | None:
    match = _IN_WORDS.search(message[:2048].lower())
    if match is None:
        return None
    milliseconds, hours, minutes, seconds = match.groups()
    if milliseconds is not None:
        return int(milliseconds) / 1000
    if hours is None and minutes is None and seconds is None:
        return None
    span = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0))
    return span.total_seconds()


def _from_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    reset = _number(headers.get("x-ratelimit-reset"))
    if reset is None:
        return None
    if reset < 1e7:
        return reset
    epoch = reset if reset < 1e11 else reset / 1000
    return epoch - server_time(headers, now).timestamp()


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo is not None else None
