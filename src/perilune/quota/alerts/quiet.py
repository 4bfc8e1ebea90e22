"""Quiet hours: `22:00-08:00` on the reader's clock."""

import re
from datetime import datetime, time, timedelta, tzinfo

from msgspec import Struct

_SHAPE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class QuietHours(Struct, frozen=True):
    """From one clock time to another, over midnight where the end is the earlier."""

    start: time
    end: time

    def until(self, at: datetime, zone: tzinfo) -> datetime | None:
        """When the quiet that `at` lies in ends; None outside it."""
        local = at.astimezone(zone)
        clock = local.time()
        is_over_midnight = self.end <= self.start
        if is_over_midnight:
            if self.end <= clock < self.start:
                return None
        elif not self.start <= clock < self.end:
            return None
        day = local.date() + timedelta(days=1 if is_over_midnight and clock >= self.start else 0)
        return datetime.combine(day, self.end, zone)


def parse_quiet(text: str) -> QuietHours | None:
    """Quiet hours from their text; None when it is none, or when they would last no time."""
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    first, last = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    return None if first == last else QuietHours(first, last)
