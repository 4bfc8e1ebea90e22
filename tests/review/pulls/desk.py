"""Somebody who reviews the scene's pull request: jobs over a store, a scripted model, the played forge."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from tests.review.scripted import MemoryAnswers, ScriptedAnswerer, finding, findings
from tests.support.forges import Scene, waiting

from perilune.compose.pull_access import _renames
from perilune.compose.pull_reviews import StoredOutbox
from perilune.core.messages import Voice
from perilune.forges.contract.hooks import HookComment
from perilune.forges.contract.port import Forge, Person, PullRequest
from perilune.patches.model import decode
from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.acquire.pull import PullSource
from perilune.review.commands import parse_command
from perilune.review.jobs.worker import Pace, Worker
from perilune.review.ports import ModelRequest, NoQuota
from perilune.review.publish.markers import ANY, SUMMARY
from perilune.review.pulls.commands import PullCommands
from perilune.review.pulls.learning import PullLessons
from perilune.review.pulls.work import PullReviews
from perilune.review.result import ReviewResult
from perilune.review.services import ReviewServices
from perilune.review.settings import ReviewSettings
from perilune.review.trigger import COMMAND, LEARN, REVIEW, PullJob, Where
from perilune.sandbox.forge.state import Thread
from perilune.store.day_spend import Spent, spent_since
from perilune.store.engine import Store
from perilune.store.findings import FindingRow, PullRecords
from perilune.store.job_rows import JobRow, NewJob
from perilune.store.jobs import Jobs


class PullOfScene:
    """The scene's forge; its commits are read where they are."""

    may_publish = True

    def __init__(self, scene: Scene, forge: Forge) -> None:
        self._scene = scene
        self.forge = forge
        self._directory = str(scene.repository.bare.path)

    async def source(self, pull: PullRequest) -> ReviewInput:
        source = PullSource(
            forge=self.forge.site.spec.id, url=pull.url, git_url="", repository="team/shop",
            number=pull.address.number, base_ref=pull.base_ref, base_sha=pull.base_sha, head_ref="",
            head_sha=pull.head_sha, title=pull.title, text=pull.body,
        )  # fmt: skip
        return ReviewInput(kind=InputKind.PULL_REQUEST, directory=self._directory, pull=source)

    async def renames(self, pull: PullRequest, before: str) -> dict[str, str]:
        return _renames(self._directory, before, pull.head_sha)

    async def lines(self, pull: PullRequest, path: str) -> list[str] | None:
        content = self._scene.repository.bare.run("cat-file", "blob", f"{pull.head_sha}:{path}", accept=(0, 128))
        return decode(content).split("\n") if content else None


class Desk:
    """What is said of which quoted lines, and the jobs that say it. `says` maps a quote to a title."""

    def __init__(self, scene: Scene, store: Store) -> None:
        self.scene = scene
        self.store = store
        self.says: dict[tuple[str, str], str] = {}
        self.more: dict[str, Any] = {}
        self.user: Mapping[str, Any] = {}
        self.answers = MemoryAnswers()
        self.answerer = ScriptedAnswerer(self._said)
        self.results: list[ReviewResult] = []
        self._numbers = itertools.count(1)

    # the access of jobs

    @property
    def records(self) -> PullRecords:
        return PullRecords(self.store)

    @property
    def outbox(self) -> StoredOutbox:
        return StoredOutbox(self.store)

    def settings(self) -> ReviewSettings:
        return msgspec.convert({"settle_s": 0, **self.user}, ReviewSettings)

    def voice(self) -> Voice:
        return Voice(language="en", now=self.scene.clock.now())

    @contextlib.asynccontextmanager
    async def open(self, where: Where) -> AsyncIterator[PullOfScene]:
        yield PullOfScene(self.scene, self.scene.forge)

    def services(self) -> ReviewServices:
        user = {name: value for name, value in self.user.items() if name not in ("forks", "drafts")}
        return ReviewServices(
            answerer=self.answerer, quota=NoQuota(), answers=self.answers, user=user, clock=self.scene.clock.now
        )

    def spent(self, repository: str, since: datetime) -> Spent:
        return spent_since(self.store, repository, since)

    async def reviewed(self, result: ReviewResult, title: str) -> None:
        self.results.append(result)

    # the model

    def _said(self, request: ModelRequest) -> str:
        entries = [
            finding(path, quote, title=title, trigger=title, **self.more)
            for (path, quote), title in self.says.items()
            if path in request.user and quote.split("\n")[0] in request.user
        ]
        return findings(*entries)

    # the jobs

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.store)

    @property
    def where(self) -> Where:
        return Where(
            forge=self.scene.forge.site.spec.id, host="127.0.0.1", repository="team/shop", number=self.scene.pull.number
        )

    def worker(self, pace: Pace = Pace()) -> Worker:  # noqa: B008 - a frozen value
        now, pause = self.scene.clock.now, waiting(self.scene.clock)
        handlers = {
            REVIEW: PullReviews(self, now, pause, lambda: 1.0),
            COMMAND: PullCommands(self, self.jobs, now, pause),
            LEARN: PullLessons(self, now),
        }
        return Worker("worker", self.jobs, handlers, pace, now)

    async def review(self, **more: Any) -> JobRow:
        """A review of the head as it is now."""
        return await self.job(REVIEW, PullJob(where=self.where, **more))

    async def job(self, kind: str, job: PullJob) -> JobRow:
        """One job, done."""
        number = next(self._numbers)
        new = NewJob(id=f"run-{number}", key=f"key-{number}", kind=kind, input=msgspec.json.encode(job))
        self.jobs.submit(new, self.scene.clock.now())
        await self.worker().run_until_idle()
        row = self.jobs.row(new.id)
        assert row is not None
        return row

    # the pull request

    def push(self, files: dict[str, str | None], *, parent: str | None = None, force: bool = False) -> None:
        """A commit on the branch under review; a forced one stands on `parent`."""
        bare, pull = self.scene.repository.bare, self.scene.pull
        bare.commit(pull.head_ref, dict(files), "More", parent=parent if force else pull.head)
        self.scene.repository.refresh()

    def content(self, path: str) -> str:
        return self.scene.repository.bare.run("cat-file", "blob", f"{self.scene.pull.head}:{path}").decode()

    @property
    def threads(self) -> list[Thread]:
        """Our own threads."""
        return [thread for thread in self.scene.pull.threads if ANY in thread.comments[0].body]

    @property
    def summaries(self) -> list[str]:
        return [comment.body for comment in self.scene.pull.comments if SUMMARY in comment.body]

    @property
    def rows(self) -> list[FindingRow]:
        return self.records.findings(self.where.subject)

    @property
    def asked(self) -> int:
        return len(self.answerer.asked("generate"))


async def said_in_thread(desk: Desk, body: str) -> PullJob:
    """A command given by a member as a reply to our comment."""
    scene: Scene = desk.scene
    reply = scene.played.comment(scene.author, body)
    desk.threads[0].comments.append(reply)
    threads = await scene.forge.threads(scene.address)
    author = Person(login="ada", id=scene.author.id, association="MEMBER")
    said = HookComment(id=threads[0].remarks[-1].id, body=body, author=author, thread_id=threads[0].id, in_thread=True)
    return PullJob(where=desk.where, comment=said, command=parse_command(body))
