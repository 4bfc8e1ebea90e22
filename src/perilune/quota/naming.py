"""What a window is called: its id from its span or its words, its label, its place in the order."""

import re
from decimal import Decimal

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_LONGEST_S = 400 * _DAY_S
_UNITS = (("WEEK", 7 * _DAY_S), ("DAY", _DAY_S), ("HOUR", _HOUR_S), ("MINUTE", _MINUTE_S), ("SECOND", 1))
_SHORT_UNITS = {"m": _MINUTE_S, "h": _HOUR_S, "d": _DAY_S, "w": 7 * _DAY_S}
_WORDED = re.compile(r"(\d{1,6})[\s_-]*(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)\b", re.IGNORECASE)
_SHORT = re.compile(r"(\d{1,6})([mhdw])")
_LABELS = {"5h": "5-hour", "7d": "7-day", "month": "Month"}
MONTH = "month"


def span_of(duration: Decimal | None, unit: object) -> int | None:
    """Seconds of `duration` × `unit` (a word holding SECOND, MINUTE, HOUR, DAY or WEEK); None outside 0 to 400 days."""
    if duration is None or duration != duration.to_integral_value() or not isinstance(unit, str):
        return None
    for name, size in _UNITS:
        if name in unit.upper():
            return sane_span(int(duration) * size)
    return None


def sane_span(seconds: int) -> int | None:
    """The span itself when it lies above 0 and within 400 days."""
    return seconds if 0 < seconds <= _LONGEST_S else None


def span_in_words(text: str) -> int | None:
    """The span that a label such as `5h limit` or `7-day` names, None where it names none."""
    match = _WORDED.search(text)
    if match is None:
        return None
    return sane_span(int(match[1]) * _SHORT_UNITS[match[2][0].lower()])


def span_of_short(text: str) -> int | None:
    """The span of `5h`, `30m`, `7d`, `1w`, None for anything else."""
    match = _SHORT.fullmatch(text)
    return None if match is None else sane_span(int(match[1]) * _SHORT_UNITS[match[2]])


def id_of_span(span_s: int) -> str:
    """`7d`, `5h`, `90m`: whole days, else whole hours, else minutes; seconds where it is less."""
    for letter, size in (("d", _DAY_S), ("h", _HOUR_S), ("m", _MINUTE_S)):
        if span_s % size == 0:
            return f"{span_s // size}{letter}"
    return f"{span_s}s"


def label_of(window_id: str, server_label: str | None) -> str:
    """The label of a window: ours for the known ones, else the server's, else the id."""
    return _LABELS.get(window_id) or server_label or window_id


def slug(text: str) -> str:
    """A label as part of an id: lower case, everything but letters and digits as single hyphens."""
    return re.sub(r"[^\w]+|_+", "-", text.lower()).strip("-")
