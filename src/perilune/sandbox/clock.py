"""The sandbox's own clock: real time, moved or frozen at will."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _real_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Tells the vendors' time. It runs with real time unless frozen and never goes back by itself."""

    def __init__(
        self, start: datetime | None = None, *, frozen: bool = False, real: Callable[[], datetime] = _real_time
    ):
        self._real = real
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._frozen_at: datetime | None = None
        if start is not None:
            self.set(start)
        if frozen:
            self.freeze()

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    def set(self, at: datetime) -> None:
        """Puts the clock to `at` (aware); it goes on running, or stays frozen there."""
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at = at.astimezone(UTC)
            else:
                self._offset = at.astimezone(UTC) - self._real()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + timedelta(seconds=seconds))

    def freeze(self) -> None:
        with self._lock:
            self._frozen_at = self._now()

    def run(self) -> None:
        """Lets a frozen clock go on from where it stands."""
        with self._lock:
            if self._frozen_at is not None:
                self._offset = self._frozen_at - self._real()
                self._frozen_at = None

    @property
    def is_frozen(self) -> bool:
        return self._frozen_at is not None

    def _now(self) -> datetime:
        return self._frozen_at if self._frozen_at is not None else self._real() + self._offset
