"""One coarse clock for all exchanges in flight, in place of a timer for each. It stops when nothing runs."""

import asyncio
from typing import Protocol

_TICK_S = 0.05


class Timed(Protocol):
    """Something with a deadline."""

    def look(self, now: float) -> None:
        """Act when the deadline has passed."""
        ...


class Ticker:
    """Looks at everything that was added, twenty times a second. Belongs to one event loop."""

    __slots__ = ("_loop", "_timed", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timed: set[Timed] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, timed: Timed) -> None:
        """Look at this one from now on."""
        self._timed.add(timed)
        if self._timer is None:
            self._timer = self._loop.call_later(_TICK_S, self._tick)

    def discard(self, timed: Timed) -> None:
        """No longer."""
        self._timed.discard(timed)

    def stop(self) -> None:
        """Look at nothing any more."""
        self._timed.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._loop.time()
        for timed in list(self._timed):
            timed.look(now)
        self._timer = self._loop.call_later(_TICK_S, self._tick) if self._timed else None
