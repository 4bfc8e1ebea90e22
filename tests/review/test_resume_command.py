"""`perilune review --resume` as it is typed: interrupted reviews go on with what they have bought."""

import asyncio
import io
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import MemoryAnswers, NoQuota, Quota, ScriptedAnswerer, findings, requests_window, slot

from perilune.compose.processes import has_ended, this_process
from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session
from perilune.review.jobs.local import LOCAL, LocalRuns
from perilune.review.ports import AnswerOutcome, ModelRequest
from perilune.review.services import ReviewServices
from perilune.store.engine import Store, open_store
from perilune.store.job_rows import JobState
from perilune.store.jobs import Jobs


class Display:
    lang = None
    tz = "UTC"
    ambiguous_width = 1
    clock = "24h"


class Interrupted(ScriptedAnswerer):
    """Ctrl-C is pressed while a question is answered, after some have been."""

    def __init__(self, after: int) -> None:
        super().__init__(findings())
        self._left = after

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        if self._left == 0:
            self._left = -1
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(30)
        self._left -= 1
        return await super().answer(request)


class Bench:
    """A workbench with a scripted model over a real store."""

    def __init__(self, store: Store) -> None:
        self.environment = {"LANG": "en_US.UTF-8"}
        self.jobs = Jobs(store)
        self.answers = MemoryAnswers()
        self.answerer = ScriptedAnswerer(findings())
        self.quota: Any = NoQuota()
        self.is_gone: Callable[[str], bool] = has_ended

    def now(self) -> datetime:
        return datetime.now(UTC)

    def display(self) -> Display:
        return Display()

    @asynccontextmanager
    async def review_services(self, *, preview: bool) -> AsyncIterator[ReviewServices]:
        runs = LocalRuns(self.jobs, this_process(), self.is_gone, self.now)
        yield ReviewServices(
            answerer=self.answerer, quota=self.quota, answers=self.answers, clock=self.now, runs=runs
        )  # fmt: skip

    def typed(self, *arguments: str) -> tuple[int, str]:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        session = Session(self, stdin=io.StringIO(), stdout=out, stderr=err)
        status = run(["review", *arguments], self, session)
        err.flush()
        return status, " ".join(err.buffer.getvalue().decode().split())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    store = open_store(tmp_path / "store.sqlite3")
    yield Bench(store)
    store.close()


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C means something, also where the suite runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def wide(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A change of three requests, in the working folder."""
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(3):
        repo.write(f"p{number}/m.py", "".join(f"v{line} = {line}\n" for line in range(1_300)))
    monkeypatch.chdir(repo.root)
    return repo


@pytest.mark.case("review R12.6")
def test_an_interrupted_review_exits_130_and_goes_on_with_its_answers(bench: Bench) -> None:
    interrupted = bench.answerer = Interrupted(after=2)
    status, err = bench.typed("--effort", "low")
    assert status == 130
    assert "Every answer that came is kept" in err
    [row] = bench.jobs.recent(9)
    assert (row.kind, row.state, row.reason) == (LOCAL, JobState.DEFERRED, "interrupted")

    bench.answerer = ScriptedAnswerer(findings())
    status, err = bench.typed("--effort", "low", "--resume")
    assert status == 0
    asked = [request.user for request in (*interrupted.requests, *bench.answerer.requests)]
    assert len(asked) == len(set(asked)) == 3
    assert {request.run for request in bench.answerer.requests} == {row.id}
    [row] = bench.jobs.recent(9)
    assert row.state is JobState.DONE


def test_with_nothing_unfinished_it_says_so(bench: Bench, wide: Repo) -> None:
    status, err = bench.typed("--resume")
    assert (status, "There is no unfinished review of this input." in err) == (2, True)
    bench.answerer = Interrupted(after=0)
    assert bench.typed()[0] == 130
    wide.write("p0/m.py", "another = 1\n")
    assert bench.typed("--resume")[0] == 2
    assert bench.answerer.requests == []


def test_a_run_that_lives_elsewhere_is_said_so_and_a_dead_one_taken_at_once(bench: Bench) -> None:
    bench.answerer = Interrupted(after=0)
    bench.typed()
    [row] = bench.jobs.recent(9)
    bench.jobs.take(row.id, "elsewhere 77", timedelta(seconds=30), datetime.now(UTC))
    bench.answerer = ScriptedAnswerer(findings())
    status, err = bench.typed("--resume")
    assert (status, "still running in another process (elsewhere 77)" in err) == (2, True)
    bench.is_gone = lambda worker: worker == "elsewhere 77"
    assert bench.typed("--resume")[0] == 0


def test_a_review_that_must_wait_can_be_resumed(bench: Bench) -> None:
    bench.quota = Quota(slot(requests_window(0)))
    assert bench.typed()[0] == 5
    assert [row.state for row in bench.jobs.recent(9)] == [JobState.DEFERRED]
    bench.quota = NoQuota()
    assert bench.typed("--resume")[0] == 0


def test_a_preview_is_never_resumed(bench: Bench) -> None:
    assert bench.typed("--resume", "--preview")[0] == 2
    assert bench.jobs.recent(9) == []
