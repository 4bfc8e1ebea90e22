"""Work days: only their seconds count, cut at local midnights by the calendar, whatever hours a day has."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from msgspec import Struct

_ALL = frozenset(range(1, 8))
_LONGEST_WALK_DAYS = 400


class WorkWeek(Struct, frozen=True):
    """The ISO weekdays that count, in one zone."""

    days: frozenset[int] = _ALL
    zone: tzinfo = UTC

    @property
    def is_every_day(self) -> bool:
        return self.days >= _ALL

    def work_between(self, start: datetime, end: datetime) -> timedelta:
        """The work time from `start` to `end`."""
        return sum((b - a for a, b in self._work_pieces(start, end)), timedelta(0))

    def after_work(self, start: datetime, work: timedelta) -> datetime:
        """The moment at which `work` has been worked after `start`."""
        left = work
        for begin, end in self._work_pieces(start, start + timedelta(days=_LONGEST_WALK_DAYS)):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        return start + timedelta(days=_LONGEST_WALK_DAYS)

    def _work_pieces(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        day = start.astimezone(self.zone).date()
        begin = start
        while begin < end:
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(), self.zone).astimezone(UTC)
            stop = min(midnight, end)
            if (day - timedelta(days=1)).isoweekday() in self.days and stop > begin:
                yield begin, stop
            begin = max(begin, stop)
