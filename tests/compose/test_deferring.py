"""Reviews of the service on an account that has little left: they fit, or wait for exactly its reset."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perilune.compose.engine import Engine
from perilune.compose.review_worker import review_worker
from perilune.compose.reviews_view import open_reviews
from perilune.compose.workbench import Workbench
from perilune.core.addresses import host_of
from perilune.review.jobs.worker import Pace
from perilune.review.trigger import PullJob, Where
from perilune.sandbox import SandboxThread, World
from perilune.sandbox.clock import Clock
from perilune.sandbox.forge import ForgeThread
from perilune.store.job_rows import JobRow, JobState, NewJob
from perilune.store.jobs import Jobs

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONFIG = """
schema = 1

[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
key = "env:WORK_KEY"

[[forges]]
name = "tea"
forge = "gitea"
base_url = "{url}/gitea"
token = "env:TEA_TOKEN"

[gateway]
min_left = {{ review = "0%" }}

[review]
personal_plan = "all"
"""


class Bench(Workbench):
    """A workbench that lives by the sandbox's clock."""

    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()


class Place:
    """One pull request and the service's worker on a legacy account of 200 requests in 5 hours."""

    def __init__(self, sandbox: SandboxThread, forges: ForgeThread, folder: Path, clock: Clock, files: int) -> None:
        (folder / "home").mkdir(mode=0o700)
        (folder / "home" / "config.toml").write_text(CONFIG.format(url=forges.url))
        self.world = sandbox.world
        self.bench = Bench({
            "PERILUNE_HOME": str(folder / "home"), "PERILUNE_UPSTREAM": sandbox.url, "HOME": str(folder),
            "WORK_KEY": sandbox.world.accounts["kimi-cn"].keys[0], "TEA_TOKEN": "token-of-perilune-bot-EXAMPLE",
        })  # fmt: skip
        self.bench.clock = clock
        self.url = forges.url
        forge = forges.forges["gitea"]
        author = forge.user("ada")
        forge.user("perilune-bot")
        self.repository = forge.repository("team/shop", {"ada": "write", "perilune-bot": "write"})
        base = self.repository.bare.commit("refs/heads/main", {"keep.txt": "kept\n"})
        head: dict[str, str | None] = {
            f"p{number}/m.py": "".join(f"v{line} = {line}\n" for line in range(1_300)) for number in range(files)
        }
        self.repository.bare.commit("refs/heads/topic", head, parent=base)
        self.pull = self.repository.open_pull(author, head="topic")

    async def work(self) -> tuple[JobRow, list[Any]]:
        """What the worker makes of the pull request now, and what the service then shows as open."""
        engine = Engine(self.bench, self.bench.monitoring_now())
        where = Where(forge="gitea", host=host_of(self.url), repository="team/shop", number=self.pull.number)
        job = NewJob(id="run", key="run", kind="review", input=msgspec.json.encode(PullJob(where=where)))
        job = msgspec.structs.replace(job, subject=where.subject)
        jobs = Jobs(engine.store)
        jobs.submit(job, self.bench.now())
        await review_worker(engine, Pace(most_running=1)).run_until_idle()
        row, shown = jobs.row("run"), open_reviews(engine.store)
        await engine.close()
        assert row is not None
        return row, shown

    @property
    def asked(self) -> int:
        """Requests that the account was charged with."""
        return sum(row["path"].endswith("/messages") for row in msgspec.to_builtins(self.world.requests()))


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW, frozen=True)


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[SandboxThread]:
    with SandboxThread(world=World("older-counts", clock=clock)) as running:
        running.world.say(text='{"findings": [], "files_reviewed": []}')
        yield running


@pytest.fixture
def forges(tmp_path: Path, clock: Clock) -> Iterator[ForgeThread]:
    with ForgeThread(tmp_path / "forges", clock=clock) as played:
        yield played


async def test_a_review_that_does_not_fit_waits_for_exactly_the_reset_and_goes_on_then(
    sandbox: SandboxThread, forges: ForgeThread, clock: Clock, tmp_path: Path
) -> None:
    place = await asyncio.to_thread(Place, sandbox, forges, tmp_path, clock, 1)
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 200}})
    resets_at = NOW + timedelta(seconds=7620)
    row, [shown] = await place.work()
    assert (row.state, row.reason, place.asked) == (JobState.DEFERRED, "PL-REVIEW-BUDGET", 0)
    assert timedelta(seconds=1) <= row.not_before - resets_at <= timedelta(seconds=30)
    assert (shown.state, shown.title, shown.until, shown.reason) == (
        "deferred", "team/shop#1", row.not_before, "PL-REVIEW-BUDGET",
    )  # fmt: skip
    sandbox.world.advance((row.not_before - NOW).total_seconds())
    row, shown = await place.work()
    assert (row.state, place.asked, shown) == (JobState.DONE, 1, [])
    assert len(place.pull.comments) == 1


@pytest.mark.parametrize("files", [2, 12])
async def test_with_ten_requests_left_a_review_takes_no_more_than_its_share_or_waits(
    sandbox: SandboxThread, forges: ForgeThread, clock: Clock, tmp_path: Path, files: int
) -> None:
    place = await asyncio.to_thread(Place, sandbox, forges, tmp_path, clock, files)
    sandbox.world.set("kimi-cn", windows={"5h": {"used": 190}})
    row, _ = await place.work()
    if files == 2:
        assert (row.state, len(place.pull.comments)) == (JobState.DONE, 1)
        assert 0 < place.asked <= 4
    else:
        assert (row.state, row.reason, place.asked) == (JobState.DEFERRED, "PL-REVIEW-BUDGET", 0)
