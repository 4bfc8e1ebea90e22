"""Counts what is in flight and what went by, per account: the ground of concurrency, RPM, TPM and TPD."""

from collections import deque
from datetime import datetime, timedelta, timezone

_BEIJING = timezone(timedelta(hours=8))
_MINUTE = timedelta(minutes=1)


class Traffic:
    """The requests of one account group, in flight and of the last minute and day.

    Shape: `open_now` and `open_ever` count every answer request of the group, refused ones included, from its last
    body byte to its last answer byte; `admitted` only those that were let in.
    """

    def __init__(self) -> None:
        self.open_now = 0
        self.open_ever = 0
        self.admitted = 0
        self.admitted_ever = 0
        self.total = 0
        self._minute: deque[tuple[datetime, int]] = deque()
        self._minute_tokens = 0
        self._day = ""
        self._day_tokens = 0

    def arrive(self) -> None:
        self.total += 1
        self.open_now += 1
        self.open_ever = max(self.open_ever, self.open_now)

    def admit(self, now: datetime, tokens: int) -> None:
        self.admitted += 1
        self.admitted_ever = max(self.admitted_ever, self.admitted)
        self._minute.append((now, tokens))
        self._minute_tokens += tokens
        self._day_tokens = self.tokens_of_day(now) + tokens

    def leave(self, *, was_admitted: bool) -> None:
        self.open_now -= 1
        if was_admitted:
            self.admitted -= 1

    def requests_of_minute(self, now: datetime) -> int:
        self._drop_old(now)
        return len(self._minute)

    def tokens_of_minute(self, now: datetime) -> int:
        self._drop_old(now)
        return self._minute_tokens

    def tokens_of_day(self, now: datetime) -> int:
        """Tokens since midnight in Beijing."""
        day = now.astimezone(_BEIJING).date().isoformat()
        if day != self._day:
            self._day, self._day_tokens = day, 0
        return self._day_tokens

    def wait_s(self, now: datetime) -> float:
        """Seconds until the oldest request of the last minute falls out."""
        self._drop_old(now)
        return (self._minute[0][0] + _MINUTE - now).total_seconds() if self._minute else 0.0

    def _drop_old(self, now: datetime) -> None:
        while self._minute and self._minute[0][0] <= now - _MINUTE:
            self._minute_tokens -= self._minute.popleft()[1]
