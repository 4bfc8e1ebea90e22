"""A run that ended in the middle goes on: the same plan, and no finished call bought again."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import (
    MemoryAnswers,
    Quota,
    ScriptedAnswerer,
    finding,
    findings,
    requests_window,
    review,
    slot,
)

from perilune.review.jobs.underway import StoppedError, Underway
from perilune.review.jobs.worker import Ended, Pace, Worker
from perilune.review.ports import AnswerOutcome, ModelRequest
from perilune.review.result import ReviewResult, RunStatus
from perilune.store.engine import open_store
from perilune.store.job_rows import NewJob
from perilune.store.jobs import Jobs

OVER_AT_ONCE = Pace(lease=timedelta(0), heartbeat_s=3600, poll_s=0.01, most_running=1)


class Dies(ScriptedAnswerer):
    """Answers some questions, then never again: the process is gone."""

    def __init__(self, after: int) -> None:
        super().__init__(_said)
        self._left = after
        self.silent = asyncio.Event()

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        if self._left == 0:
            self.silent.set()
            await asyncio.Event().wait()
        self._left -= 1
        return await super().answer(request)


def _said(request: ModelRequest) -> str:
    names = [f"p{number}/m.py" for number in range(4) if f"p{number}/m.py" in request.user]
    return findings(*(finding(name, f"value_{name[1]} = 7") for name in names))


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    store = open_store(tmp_path / "store.sqlite3")
    kept = Jobs(store)
    kept.submit(NewJob(id="run-1", key="key", kind="review", input=b"{}"), datetime.now(UTC))
    yield kept
    store.close()


@pytest.fixture
def wide(repo: Repo) -> Repo:
    """A change that takes several requests."""
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(4):
        text = "".join(f"v{line} = {line}\n" for line in range(1_300))
        repo.write(f"p{number}/m.py", f"{text}value_{number} = 7\n")
    return repo


def _worker(
    jobs: Jobs, results: list[ReviewResult], repo: Repo, answerer: ScriptedAnswerer, pace: Pace, **more: object
) -> Worker:
    async def handler(underway: Underway) -> Ended:
        results.append(await review(repo, answerer, steps=underway, run=underway.claim.id, **more))
        return Ended()

    return Worker("worker", jobs, {"review": handler}, pace)


@pytest.mark.parametrize("after", [0, 1, 3, 4])
async def test_a_dead_run_is_taken_up_with_its_plan_and_its_answers(jobs: Jobs, wide: Repo, after: int) -> None:
    answers, results = MemoryAnswers(), []
    dying = Dies(after)
    quota = Quota(slot(requests_window(150)))
    first = asyncio.create_task(_worker(jobs, results, wide, dying, OVER_AT_ONCE, answers=answers, quota=quota).run())
    await dying.silent.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    second = ScriptedAnswerer(_said)
    less = Quota(slot(requests_window(20)))  # a plan made now would be another one
    await _worker(jobs, results, wide, second, Pace(), answers=answers, quota=less).run_until_idle()
    asked = [request.user for request in (*dying.requests, *second.requests)]
    assert len(asked) == len(set(asked))
    assert [result.status for result in results] == [RunStatus.COMPLETE]
    assert len(results[0].inline) == 4
    assert results[0].usage.reused_requests == len(dying.requests)


async def test_a_run_that_is_to_stop_asks_nothing_more(wide: Repo, jobs: Jobs) -> None:
    stopped: list[str] = []
    answerer = ScriptedAnswerer(_said)

    async def handler(underway: Underway) -> Ended:
        underway.told("superseded")
        try:
            await review(wide, answerer, steps=underway, run=underway.claim.id)
        except StoppedError as error:
            stopped.append(error.how)
            raise
        return Ended()

    await Worker("worker", jobs, {"review": handler}, Pace(poll_s=0.01)).run_until_idle()
    assert (stopped, answerer.requests) == (["superseded"], [])
    row = jobs.row("run-1")
    assert row is not None
    assert row.state == "superseded"
