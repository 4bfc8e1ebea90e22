"""How long a vendor asks to be left alone."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from perilune.core.numbers import parse_number

LONGEST_WAIT_S = 24 * 3600.0
_AFTER = re.compile(r"after (\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?\b", re.IGNORECASE)


def asked_wait_s(headers: Mapping[str, str], words: str | None, now: datetime) -> float | None:
    """Seconds to wait: `retry-after-ms`, then `retry-after` (seconds or a date), then "after S seconds" in the words.

    Header names are lower case. Bounded to a day; None where nothing readable asks for a wait.
    """
    milliseconds = parse_number(headers.get("retry-after-ms"))
    if milliseconds is not None and milliseconds >= 0:
        return _bounded(float(milliseconds) / 1000)
    asked = _retry_after_s(headers.get("retry-after"), now)
    if asked is not None:
        return _bounded(asked)
    match = _AFTER.search(words or "")
    return None if match is None else _bounded(float(match[1]))


def _retry_after_s(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    number = parse_number(text)
    if number is not None:
        return float(number) if number >= 0 else None
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (aware - now).total_seconds()


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT_S)
