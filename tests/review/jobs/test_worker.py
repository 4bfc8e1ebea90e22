"""The worker over the real queue: steps kept, leases held, faults retried, jobs taken over and stopped."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perilune.review.jobs.underway import StoppedError, Underway
from perilune.review.jobs.worker import Ended, Handler, Later, Pace, Worker
from perilune.store.engine import open_store
from perilune.store.job_rows import JobRow, JobState, NewJob
from perilune.store.jobs import Jobs

QUICK = Pace(heartbeat_s=0.01, poll_s=0.01, most_running=2, most_tries=3, wait_after_fault=timedelta(0))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    store = open_store(tmp_path / "store.sqlite3")
    yield Jobs(store)
    store.close()


def _submit(jobs: Jobs, name: str = "one", **fields: str) -> None:
    jobs.submit(NewJob(id=name, key=name, kind="review", input=b"{}", **fields), datetime.now(UTC))  # type: ignore[arg-type]


def _worker(jobs: Jobs, handler: Handler, pace: Pace = QUICK) -> Worker:
    return Worker("worker", jobs, {"review": handler}, pace)


def _row(jobs: Jobs, name: str = "one") -> JobRow:
    row = jobs.row(name)
    assert row is not None
    return row


async def test_a_job_is_done_and_its_output_kept(jobs: Jobs) -> None:
    async def handler(underway: Underway) -> Ended:
        return Ended(output=underway.claim.input + b"done")

    _submit(jobs)
    await _worker(jobs, handler).run_until_idle()
    assert (_row(jobs).state, _row(jobs).output) == (JobState.DONE, b"{}done")


async def test_a_job_that_breaks_goes_on_after_the_steps_it_finished(jobs: Jobs) -> None:
    done: list[str] = []

    async def paid() -> list[int]:
        done.append("paid")
        return [1, 2]

    async def handler(underway: Underway) -> Ended:
        assert await underway.step("pay", {"what": 1}, list[int], paid) == [1, 2]
        if len(done) < 2:
            done.append("broke")
            raise ValueError("broken once")
        return Ended()

    _submit(jobs)
    await _worker(jobs, handler).run_until_idle()
    assert done == ["paid", "broke"]
    assert _row(jobs).state is JobState.DONE


async def test_a_job_that_always_breaks_fails_and_says_why(jobs: Jobs) -> None:
    tries: list[int] = []

    async def handler(underway: Underway) -> Ended:
        tries.append(underway.claim.faults)
        raise ValueError("always")

    _submit(jobs)
    await _worker(jobs, handler).run_until_idle()
    assert tries == [0, 1, 2]
    assert (_row(jobs).state, _row(jobs).reason) == (JobState.FAILED, "ValueError")


async def test_a_deferred_job_is_claimed_again_at_its_moment(jobs: Jobs) -> None:
    visits: list[int] = []

    async def handler(underway: Underway) -> Ended | Later:
        visits.append(underway.claim.fence)
        return Ended() if len(visits) == 3 else Later(datetime.now(UTC), "PL-REVIEW-BUDGET")

    _submit(jobs)
    await _worker(jobs, handler).run_until_idle()
    assert visits == [1, 2, 3]
    assert _row(jobs).state is JobState.DONE


async def test_a_superseded_job_stops_at_its_next_step(jobs: Jobs) -> None:
    async def never() -> int:
        raise AssertionError("a step began after the stop")

    async def handler(underway: Underway) -> Ended:
        async def slow() -> int:
            jobs.stop("one", "superseded", "a newer head", datetime.now(UTC))
            await underway.stopping.wait()
            return 1

        await underway.step("slow", 1, int, slow)
        await underway.step("never", 1, int, never)
        return Ended()

    _submit(jobs)
    await _worker(jobs, handler).run_until_idle()
    assert _row(jobs).state is JobState.SUPERSEDED


@pytest.mark.case("review R13.2")
async def test_a_worker_that_wakes_after_its_lease_was_taken_writes_nothing(jobs: Jobs) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    outcome: list[object] = []

    async def slow() -> str:
        begun.set()
        await go_on.wait()
        return "of the paused"

    async def paused(underway: Underway) -> Ended:
        try:
            await underway.step("slow", 1, str, slow)
            await underway.hold()
        except StoppedError as stopped:
            outcome.append(stopped.how)
            raise
        return Ended(output=b"of the paused")

    async def second(underway: Underway) -> Ended:
        assert underway.claim.fence == 2
        return Ended(output=b"of the second")

    _submit(jobs)
    sleeping = Pace(lease=timedelta(0), heartbeat_s=3600, poll_s=0.01, most_running=1)
    first = asyncio.create_task(_worker(jobs, paused, sleeping).run_until_idle())
    await begun.wait()
    await _worker(jobs, second).run_until_idle()
    go_on.set()
    await first
    assert outcome == ["lost"]
    assert _row(jobs).output == b"of the second"
    assert jobs.step_output("one", "slow", "", 1) is None


async def test_work_left_by_a_cancelled_worker_is_taken_over_when_its_lease_ends(jobs: Jobs) -> None:
    begun = asyncio.Event()

    async def hanging(underway: Underway) -> Ended:
        begun.set()
        await asyncio.Event().wait()
        return Ended()

    async def handler(underway: Underway) -> Ended:
        return Ended(output=b"second")

    _submit(jobs)
    dead = Pace(lease=timedelta(0), heartbeat_s=3600, poll_s=0.01, most_running=1)
    first = asyncio.create_task(_worker(jobs, hanging, dead).run())
    await begun.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await _worker(jobs, handler).run_until_idle()
    assert _row(jobs).output == b"second"


async def test_no_more_jobs_run_at_once_than_allowed_and_new_ones_are_taken_as_they_come(jobs: Jobs) -> None:
    at_once: list[int] = []
    last = asyncio.Event()
    running = 0

    async def handler(underway: Underway) -> Ended:
        nonlocal running
        running += 1
        at_once.append(running)
        await asyncio.sleep(0.01)
        running -= 1
        if len(at_once) == 7:
            last.set()
        return Ended()

    for number in range(6):
        _submit(jobs, f"job {number}")
    _submit(jobs, "one")
    working = asyncio.create_task(_worker(jobs, handler).run())
    await last.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert max(at_once) == 2
