"""A lease, and the ticket of one who waits for it."""

import asyncio
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Literal

from msgspec import Struct

from perilune.gateway.admission.queue import Priority

_numbers = count(1)


class Lease:
    """The right to have one request in flight on an account group, until released.

    Shape: `is_lost` is true when the backend gave the place to somebody else (this machine slept past its expiry): the
    stream under it has to end. `on_lost` is called then.
    """

    __slots__ = (
        "_give_back", "group", "is_lost", "number", "on_lost", "owner", "place", "priority", "taken_s", "waited_s",
    )  # fmt: skip

    def __init__(
        self,
        give_back: "Callable[[Lease], None]",
        group: str,
        owner: str,
        priority: Priority,
        place: int,
        taken_s: float,
    ) -> None:
        self._give_back: Callable[[Lease], None] | None = give_back
        self.number = next(_numbers)
        self.group = group
        self.owner = owner
        self.priority = priority
        self.place = place
        self.taken_s = taken_s
        self.waited_s = 0.0
        self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    @property
    def is_live(self) -> bool:
        return self._give_back is not None

    def release(self) -> None:
        """Give the place back, at once and without waiting. A second release does nothing."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back(self)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Refused(Struct, frozen=True, kw_only=True):
    """No lease: the line is full, the deadline passed in it, or nobody is served any more.

    Shape: `is_cut_off` when the server that keeps the places cannot be asked and nothing is let through meanwhile.
    Units: seconds; `retry_after_s` is an estimate from the line, 1 to 60.
    """

    reason: Literal["full", "deadline", "stopping"]
    retry_after_s: int
    waited_s: float
    in_flight: int
    cap: int | None
    is_cut_off: bool = False


class Ticket:
    """A place in a group's line. Whoever holds it calls `leave` when it no longer waits, in every case."""

    __slots__ = ("_answer", "_leave", "_loop", "_timer", "_waiter", "joined_s", "owner", "priority")

    def __init__(self, owner: str, priority: Priority, joined_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self.owner = owner
        self.priority = priority
        self.joined_s = joined_s
        self._loop = loop
        self._answer: Lease | Refused | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._leave: Callable[[Ticket], None] | None = None

    @property
    def is_answered(self) -> bool:
        return self._answer is not None

    def bind(self, leave: "Callable[[Ticket], None]", timer: asyncio.TimerHandle | None = None) -> None:
        """Set where the ticket stands now; a timer once set stays."""
        self._leave = leave
        self._timer = timer or self._timer

    def answer(self, answer: Lease | Refused) -> None:
        """Hand over the lease or the refusal. Whoever waits goes on in the next turn of the loop."""
        self._answer = answer
        self._wake()
        if self._timer is not None:
            self._timer.cancel()

    async def wait(self, timeout_s: float | None = None) -> Lease | Refused | None:
        """What became of it; None when nothing did within `timeout_s`, and the place in the line is kept."""
        if self._answer is None:
            await self._woken(timeout_s)
        if self._answer is not None:
            self._leave = None
        return self._answer

    def leave(self) -> None:
        """Step out of the line at once. A lease that was granted but not picked up goes back."""
        if self._timer is not None:
            self._timer.cancel()
        leave, self._leave = self._leave, None
        if leave is None:
            return
        if self._answer is None:
            leave(self)
        elif isinstance(self._answer, Lease):
            self._answer.release()

    async def _woken(self, timeout_s: float | None) -> None:
        """Wait on a future of this call alone, so that its end by a clock or a cancel is nobody else's."""
        waiter = self._waiter = self._loop.create_future()
        clock = None if timeout_s is None else self._loop.call_later(timeout_s, self._wake)
        try:
            await waiter
        finally:
            self._waiter = None
            if clock is not None:
                clock.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
