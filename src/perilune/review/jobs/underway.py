"""One job under way: its steps are stored before the next begins, and it stops at a step when asked to."""

import asyncio
import logging
import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal, TypeVar

import msgspec

from perilune.core.decoding import decoded
from perilune.core.errors import PeriluneError
from perilune.review.jobs.ports import JobQueue
from perilune.store.job_rows import Claim

T = TypeVar("T")
_log = logging.getLogger(__name__)

VERSION = 2
"""The schema version of stored steps. Those of another version are done again; paid answers are kept elsewhere."""


class StoppedError(Exception):
    """The job is not to go on here: another worker has it, or it was cancelled or superseded."""

    def __init__(self, how: Literal["lost", "cancelled", "superseded"]) -> None:
        super().__init__(how)
        self.how = how


class Underway:
    """What a job's handler works with. `stopping` is set when the next step will not begin."""

    def __init__(self, queue: JobQueue, claim: Claim, clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._clock = clock
        self.claim = claim
        self._stopped: Literal["lost", "cancelled", "superseded"] | None = None
        self.stopping = asyncio.Event()

    def now(self) -> datetime:
        """This moment."""
        return self._clock()

    def told(self, how: Literal["lost", "cancelled", "superseded"]) -> None:
        """Stop at the next step; the first reason stands."""
        if self._stopped is None:
            self._stopped = how
            self.stopping.set()

    def check(self) -> None:
        """Raises: StoppedError where the job is to stop."""
        if self._stopped is not None:
            raise StoppedError(self._stopped)

    async def hold(self) -> None:
        """Make sure, in the store itself, that the job is still ours. Raises: StoppedError."""
        self.check()
        if not await asyncio.to_thread(self._queue.is_ours, self.claim):
            self.told("lost")
        self.check()

    async def beat(self, lease: timedelta, every_s: float) -> None:
        """Keep the lease alive until cancelled or told to stop."""
        while True:
            await asyncio.sleep(every_s)
            try:
                beat = await asyncio.to_thread(self._queue.heartbeat, self.claim, lease, self._clock())
            except PeriluneError as error:
                _log.warning("job %s: no heartbeat: %s", self.claim.id, error.problem.code)
                continue
            if not beat.is_ours:
                self.told("lost")
                return
            if beat.stop is not None:
                self.told(beat.stop)

    async def step(self, name: str, given: object, kind: type[T], work: Callable[[], Awaitable[T]]) -> T:
        """What a step gives for `given`: from the store where it was done before, else done now and stored.

        Raises: StoppedError before the step, or after it where the job was lost meanwhile.
        """
        self.check()
        stored = await self.recall(name, given, kind)
        if stored is not None:
            return stored
        output = await work()
        await self.keep(name, given, output)
        return output

    async def recall(self, name: str, given: object, kind: type[T]) -> T | None:
        """What a step gave before for the same input, None where it has not been done."""
        stored = await asyncio.to_thread(self._queue.step_output, self.claim.id, name, _hash(given), VERSION)
        return None if stored is None else decoded(zlib.decompress(stored), kind)

    async def keep(self, name: str, given: object, output: object) -> None:
        """Store what a step gave. Raises: StoppedError where the job was lost meanwhile."""
        encoded = zlib.compress(msgspec.json.encode(output), 1)
        keep = self._queue.keep_step
        if not await asyncio.to_thread(keep, self.claim, name, _hash(given), VERSION, encoded, self._clock()):
            self.told("lost")
            self.check()


def _hash(given: object) -> str:
    return sha256(msgspec.json.encode(given, order="deterministic")).hexdigest()
