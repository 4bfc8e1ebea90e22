"""A group whose places take time to answer: the line is served by a task, the backend is called from one thread."""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress

from perilune.gateway.admission.group import KEPT_BEFORE_ONE_IS_LEFT, UNLIMITED, Group, Rules
from perilune.gateway.admission.lease import Lease
from perilune.gateway.admission.port import Places, SlowNeighbours
from perilune.gateway.admission.queue import Priority

_RETRY_S = (0.005, 0.020)

_log = logging.getLogger(__name__)


class ThreadedGroup(Group):
    """As a group, but a lease always takes at least one turn of the loop."""

    def __init__(self, name: str, places: Places, rules: Rules, clock: Callable[[], float], executor: Executor) -> None:
        super().__init__(name, places, rules, clock)
        self._executor = executor
        self._changed = asyncio.Event()
        self._was_woken = asyncio.Event()
        self._server: asyncio.Task[None] | None = None
        self._others = 0  # processes that waited too when last asked
        self._handed_over = 0
        self._proved_cap = UNLIMITED  # the cap under which the backend gave a place last

    def try_take(self, owner: str, priority: Priority) -> Lease | None:
        return None

    async def take_soon(self, owner: str, priority: Priority) -> Lease | None:
        """One try for a lease, out of the line."""
        if self.line and self.line.highest() <= priority:
            return None
        place = await self._take_in_thread(priority)
        return None if place is None else self._lease(owner, priority, place)

    def serve(self, most: int = UNLIMITED) -> None:
        self._changed.set()
        if self.line and (self._server is None or self._server.done()):
            self._server = asyncio.get_running_loop().create_task(self._serve_line())

    def in_flight_all(self) -> int:
        """Live leases of this process: asking for the others' would wait for the store."""
        return len(self.held)

    def close(self) -> None:
        super().close()
        if self._server is not None:
            self._server.cancel()

    def lose(self, place: int) -> None:
        """Mark the lease on a place that somebody else got; whoever holds it is told."""
        for lease in [lease for lease in self.held if lease.place == place]:
            lease.is_lost = True
            if lease.on_lost is not None:
                lease.on_lost()

    def woken(self) -> None:
        """A place came free elsewhere."""
        self._was_woken.set()
        self._changed.set()

    def _released(self, lease: Lease) -> None:
        if not lease.is_lost:
            super()._released(lease)
            return
        self.held.pop(lease, None)
        self._give_back(lease.place, self._clock())

    def _look_again_later(self) -> None:
        """The serving task looks again by itself."""

    def _free(self, place: int, now_s: float) -> None:
        if not self._hand_over(place):
            self._give_back(place, now_s)

    def _hand_over(self, place: int) -> bool:
        """Give a freed place to the next of our line; of ten beyond our share, one is left where others wait too.

        After the cap was lowered nothing is handed over until the backend has given a place under the new one.
        """
        if not self.line or self._into is not None or place < 0 or not self._may_hand_over():
            return False
        if self._handed_over >= KEPT_BEFORE_ONE_IS_LEFT:
            self._handed_over = 0
            if self._others and not self._is_within_share(self._others):
                return False
        cap, reserved = self._limits()
        if cap < self._proved_cap:
            return False
        for priority in self.line.classes_in_order():
            fits = place < (cap if priority is Priority.INTERACTIVE else cap - reserved)
            ticket = self.line.next_of(priority) if fits else None
            if ticket is not None:
                self._handed_over += 1
                self._grant(ticket, place)
                return True
        return False

    def _may_hand_over(self) -> bool:
        return isinstance(self._places, SlowNeighbours) and self._places.may_hand_over()

    def _give_back(self, place: int, now_s: float) -> None:
        try:
            loop = asyncio.get_running_loop()
            freeing = self._executor.submit(self._places.give_back, self.name, place)
        except RuntimeError:  # released after the end of the loop or of the admission
            self._places.give_back(self.name, place)
            return

        def freed(_: Future[None]) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._freed, now_s)

        freeing.add_done_callback(freed)

    async def _serve_line(self) -> None:
        """Rounds: take what is free, then leave what comes free to those other processes that wait too, for a while."""
        while self.line:
            self._changed.clear()
            pause_s = random.uniform(*_RETRY_S)  # noqa: S311 spreads retries, keeps no secret
            try:
                await self._serve_round(pause_s)
            except Exception:  # noqa: BLE001 loop boundary: those who wait are not left standing by one fault of the backend
                _log.exception("places of a group could not be asked for")
                await asyncio.sleep(pause_s)

    async def _serve_round(self, pause_s: float) -> None:
        for _ in range(self._cap):
            if not self.line or not await self._serve_next():
                break
        if not self.line:
            return
        event = self._was_woken if await self._look_for_others() else self._changed
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), pause_s)
        self._was_woken.clear()

    async def _look_for_others(self) -> int:
        if not isinstance(self._places, SlowNeighbours):
            return 0
        loop = asyncio.get_running_loop()
        self._others = await loop.run_in_executor(self._executor, self._places.others_wait, self.name)
        return self._others

    async def _serve_next(self) -> bool:
        for priority in self.line.classes_in_order():
            place = await self._take_in_thread(priority)
            if place is None:
                continue
            ticket = self.line.next_of(priority)
            if ticket is None:
                self._free(place, self._clock())  # who waited has left
            else:
                self._grant(ticket, place)
            return True
        return False

    async def _take_in_thread(self, priority: Priority) -> int | None:
        cap, reserved = self._limits()
        if len(self.held) >= cap:
            return None
        taking = asyncio.get_running_loop().run_in_executor(
            self._executor,
            lambda: self._places.take(self.name, cap, reserved, may_use_reserved=priority is Priority.INTERACTIVE),
        )
        try:
            place = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._return_unwanted)
            raise
        if place is not None:
            self._proved_cap = cap
        return place

    def _return_unwanted(self, taking: "asyncio.Future[int | None]") -> None:
        if not taking.cancelled() and taking.exception() is None and (place := taking.result()) is not None:
            self._free(place, self._clock())
