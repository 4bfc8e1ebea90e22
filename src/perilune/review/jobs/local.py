"""Reviews from the command line as jobs: begun, interrupted, taken up again with their plan and their answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Protocol

from perilune.core.errors import ReviewError
from perilune.core.ids import uuid7
from perilune.review.jobs.ports import JobQueue
from perilune.review.jobs.underway import Underway
from perilune.store.job_rows import Claim, JobRow, JobState, NewJob, Submitted

LOCAL = "local"
_LEASE = timedelta(seconds=30)
_BEAT_S = 10.0
_MOST = 50


class LocalQueue(JobQueue, Protocol):
    """What reviews from the command line need of the queue beyond what a worker does."""

    def submit(self, job: NewJob, at: datetime) -> Submitted: ...

    def take(
        self, job: str, worker: str, lease: timedelta, at: datetime, *, gone: str | None = None
    ) -> Claim | None: ...

    def recent(self, limit: int, *, open_only: bool = False, subject: str | None = None) -> list[JobRow]: ...


class LocalRun(Underway):
    """A run of the command line. One that is put off has not ended: it can be resumed."""

    put_off_until: datetime | None = None

    def put_off(self, until: datetime | None) -> None:
        """There is nothing to be had before this moment, as far as it is known."""
        self.put_off_until = until or self.now()


class LocalRuns:
    """The runs of one command. `worker` names this process, `is_gone` knows which of that name's like have ended."""

    def __init__(
        self, queue: LocalQueue, worker: str, is_gone: Callable[[str], bool], clock: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._worker = worker
        self._is_gone = is_gone
        self._clock = clock

    @asynccontextmanager
    async def run(self, name: str, *, resume: bool) -> AsyncIterator[LocalRun]:
        """One run of an input, which `name` stands for; with `resume` the newest that has not ended.

        Left by an exception, Ctrl-C too, it can be resumed. Raises: ReviewError PL-REVIEW-RESUME.
        """
        subject = f"{LOCAL}/{name}"
        claim = await asyncio.to_thread(self._resumed if resume else self._begun, subject)
        underway = LocalRun(self._queue, claim, self._clock)
        beating = asyncio.create_task(underway.beat(_LEASE, _BEAT_S))
        try:
            yield underway
        except BaseException:
            # Not in a thread: an interrupted loop may not wait for one.
            self._queue.defer(claim, self._clock(), "interrupted")
            raise
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
        if underway.put_off_until is not None:
            await asyncio.to_thread(self._queue.defer, claim, underway.put_off_until, "put off")
        else:
            await asyncio.to_thread(self._queue.finish, claim, JobState.DONE, self._clock())

    def _begun(self, subject: str) -> Claim:
        now = self._clock()
        name = str(uuid7(now))
        self._queue.submit(NewJob(id=name, key=f"{LOCAL}/{name}", kind=LOCAL, input=b"", subject=subject), now)
        claim = self._queue.take(name, self._worker, _LEASE, now)
        if claim is None:
            raise RuntimeError("nobody else takes a job that has just been submitted")
        return claim

    def _resumed(self, subject: str) -> Claim:
        unfinished = self._queue.recent(_MOST, open_only=True, subject=subject)
        for row in unfinished:
            gone = row.worker if row.worker is not None and self._is_gone(row.worker) else None
            claim = self._queue.take(row.id, self._worker, _LEASE, self._clock(), gone=gone)
            if claim is not None:
                return claim
        if unfinished:
            raise ReviewError.of("PL-REVIEW-RESUME", variant="running", worker=unfinished[0].worker or "")
        raise ReviewError.of("PL-REVIEW-RESUME")
