"""Spans of time as people write them: `90`, `90s`, `5m`, `1h30m`, `2d`."""

import re
from datetime import timedelta

_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_LONGEST = timedelta(days=400)


def parse_span(text: str) -> timedelta | None:
    """The span of a text, a bare number in seconds; None when it is none or above 400 days."""
    match = _SPAN.fullmatch(text.strip().lower().replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int((group or "0")[:9]) for group in match.groups())
    span = timedelta(days=min(days, 10_000), hours=hours, minutes=minutes, seconds=seconds)
    return span if span <= _LONGEST else None
