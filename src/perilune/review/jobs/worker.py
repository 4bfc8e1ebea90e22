"""Works on durable jobs: claims, keeps the lease alive, ends or defers them; what a dead worker left it takes over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec import Struct

from perilune.core.errors import PeriluneError
from perilune.review.jobs.ports import JobQueue
from perilune.review.jobs.underway import StoppedError, Underway
from perilune.store.job_rows import Claim, JobState

_log = logging.getLogger(__name__)


class Ended(Struct, frozen=True, kw_only=True):
    """The job is over. `output` is kept with it."""

    state: JobState = JobState.DONE
    output: bytes | None = None
    reason: str | None = None


class Later(Struct, frozen=True):
    """The job goes on at a moment. `is_fault`: it broke, and breaks not for ever."""

    until: datetime
    reason: str
    is_fault: bool = False


Handler = Callable[[Underway], Awaitable[Ended | Later]]


class Pace(Struct, frozen=True, kw_only=True):
    """How a worker runs. `most_running` jobs at once; a job that breaks is tried `most_tries` times in all."""

    lease: timedelta = timedelta(seconds=30)
    heartbeat_s: float = 10.0
    poll_s: float = 1.0
    most_running: int = 4
    most_tries: int = 5
    wait_after_fault: timedelta = timedelta(seconds=30)


STEADY = Pace()


class Worker:
    """One process's share of the work."""

    def __init__(
        self,
        name: str,
        queue: JobQueue,
        handlers: Mapping[str, Handler],
        pace: Pace = STEADY,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._queue = queue
        self._handlers = handlers
        self._pace = pace
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look for work now rather than at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; jobs under way are then left to be taken over, their steps kept."""
        try:
            while True:
                self._wake.clear()
                await self._take_what_fits()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._pace.poll_s)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def run_until_idle(self) -> None:
        """Work until there is nothing that can be claimed now."""
        while await self._take_what_fits() or self._running:
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _take_what_fits(self) -> bool:
        took = False
        while len(self._running) < self._pace.most_running:
            claim = await self._claim()
            if claim is None:
                break
            took = True
            task = asyncio.create_task(self._work(claim))
            self._running.add(task)
            task.add_done_callback(self._done)
        return took

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self.wake()

    async def _claim(self) -> Claim | None:
        try:
            return await asyncio.to_thread(
                self._queue.claim, self._name, tuple(self._handlers), self._pace.lease, self._clock()
            )
        except PeriluneError as error:
            _log.warning("the job queue cannot be read: %s", error.problem.code)
            return None

    async def _work(self, claim: Claim) -> None:
        underway = Underway(self._queue, claim, self._clock)
        beating = asyncio.create_task(underway.beat(self._pace.lease, self._pace.heartbeat_s))
        try:
            await self._end(claim, await self._outcome(underway))
        except PeriluneError as error:  # the store failed at the end: the lease runs out and the job is taken over
            _log.warning("job %s could not be ended: %s", claim.id, error.problem.code)
        finally:
            beating.cancel()

    async def _outcome(self, underway: Underway) -> Ended | Later | None:
        claim = underway.claim
        try:
            return await self._handlers[claim.kind](underway)
        except StoppedError as stopped:
            return None if stopped.how == "lost" else Ended(state=JobState(stopped.how))
        except PeriluneError as error:
            return self._after_fault(claim, error.problem.code)
        except Exception as error:  # noqa: BLE001 (loop boundary: one job's fault must not end the worker)
            _log.exception("job %s (%s) broke", claim.id, claim.kind)
            return self._after_fault(claim, type(error).__name__)

    def _after_fault(self, claim: Claim, reason: str) -> Ended | Later:
        if claim.faults + 1 >= self._pace.most_tries:
            return Ended(state=JobState.FAILED, reason=reason)
        return Later(self._clock() + self._pace.wait_after_fault * 2**claim.faults, reason, is_fault=True)

    async def _end(self, claim: Claim, outcome: Ended | Later | None) -> None:
        match outcome:
            case None:
                return
            case Later(until, reason, is_fault):
                defer = partial(self._queue.defer, claim, until, reason, is_fault=is_fault)
                await asyncio.to_thread(defer)
            case Ended(state=state, output=output, reason=reason):
                await asyncio.to_thread(self._queue.finish, claim, state, self._clock(), output, reason)
