"""What jobs about pull requests work with: forges, records and the reviewer's services of a running engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

from perilune.compose.engine import Engine
from perilune.compose.forging import Installation, Opened, installations, open_installation
from perilune.compose.previewing import user_settings
from perilune.compose.pull_reviews import StoredOutbox, review_input
from perilune.compose.review_learning import StoredReservations
from perilune.compose.reviewing import GatewayAnswerer, StoredAnswers, engine_quota, keep_review
from perilune.core.addresses import host_of
from perilune.core.errors import ReviewError
from perilune.core.messages import Voice, pick_language
from perilune.forges.contract.port import PullRequest
from perilune.patches.model import decode
from perilune.review.acquire.git import Git, GitFailedError, hardened
from perilune.review.acquire.inputs import ReviewInput
from perilune.review.pulls.ports import OpenPull
from perilune.review.result import ReviewResult
from perilune.review.services import ReviewServices
from perilune.review.settings import ReviewSettings, settings_of
from perilune.review.trigger import Where
from perilune.store.answers import Answers
from perilune.store.day_spend import Spent, spent_since
from perilune.store.findings import PullRecords


class PullOfForge:
    """An open forge, and the bare cache that holds a pull request's commits."""

    def __init__(self, engine: Engine, opened: Opened) -> None:
        self._engine = engine
        self._opened = opened
        self.forge = opened.forge
        self.may_publish = opened.installation.may_publish
        self._sources: dict[str, ReviewInput] = {}

    async def source(self, pull: PullRequest) -> ReviewInput:
        """The commits of both ends, fetched once a job."""
        if pull.head_sha not in self._sources:
            self._sources[pull.head_sha] = await review_input(self._engine.bench, self._opened, pull)
        return self._sources[pull.head_sha]

    async def renames(self, pull: PullRequest, before: str) -> dict[str, str]:
        """Present paths by those of an earlier head."""
        source = await self.source(pull)
        if source.patch is not None or before == pull.head_sha:
            return {}
        try:
            return await asyncio.to_thread(_renames, source.directory, before, pull.head_sha)
        except GitFailedError:
            return {}  # that head is gone; the diff's own renames are still known

    async def lines(self, pull: PullRequest, path: str) -> list[str] | None:
        """The lines of a file at the head."""
        source = await self.source(pull)
        if source.patch is not None:
            return None
        try:
            content = await asyncio.to_thread(_git(source.directory).run, "cat-file", "blob", f"{pull.head_sha}:{path}")
        except GitFailedError:
            return None
        return decode(content).split("\n")


def _renames(directory: str, before: str, head: str) -> dict[str, str]:
    options = ("--no-ext-diff", "--no-textconv", "-M", "--diff-filter=R", "--name-status", "-z")
    fields = _git(directory).run("diff", *options, "--end-of-options", before, head).split(b"\0")
    return {decode(fields[at + 1]): decode(fields[at + 2]) for at in range(0, len(fields) - 2, 3)}


def _git(directory: str) -> Git:
    return hardened(directory, safe=directory, GIT_DIR=directory)


class EngineAccess:
    """The access of a service's jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.records = PullRecords(engine.store)
        self.outbox = StoredOutbox(engine.store)

    def settings(self) -> ReviewSettings:
        """What the operator has set."""
        settings, _ = settings_of(None, user_settings(self._engine.monitoring.config))
        return settings

    def voice(self) -> Voice:
        """In the language that reviews are written in."""
        wanted = self.settings().language
        chosen = None if wanted == "auto" else wanted
        language = pick_language(self._engine.bench.environment, chosen or self._engine.monitoring.config.display.lang)
        return Voice(language=language, now=self._engine.bench.now())

    @contextlib.asynccontextmanager
    async def open(self, where: Where) -> AsyncIterator[OpenPull]:
        """The forge of a pull request. Raises: ReviewError PL-REVIEW-HOST."""
        async with self._engine.bench.control_client() as control:
            yield PullOfForge(self._engine, open_installation(self._engine.bench, self.installation(where), control))

    def installation(self, where: Where) -> Installation:
        """The configured installation of a place."""
        for one in installations(self._engine.monitoring.config):
            if (one.site.spec.id, host_of(one.site.base_url)) == (where.forge, where.host):
                return one
        raise ReviewError.of("PL-REVIEW-HOST", url=f"{where.host}/{where.repository}", known="")

    def services(self) -> ReviewServices:
        """What a review of the service works with."""
        engine = self._engine
        return ReviewServices(
            answerer=GatewayAnswerer(engine),
            quota=engine_quota(engine, engine.monitoring.config.review.route),
            answers=StoredAnswers(Answers(engine.store), engine),
            reservations=StoredReservations(engine),
            user=user_settings(engine.monitoring.config),
            local_secret=engine.bench.vault.fingerprint_key,
            clock=engine.bench.now,
        )

    def spent(self, repository: str, since: datetime) -> Spent:
        """What the reviews of a repository have taken."""
        return spent_since(self._engine.store, repository, since)

    async def reviewed(self, result: ReviewResult, title: str) -> None:
        """A review has ended: it is kept for lists."""
        await keep_review(self._engine, result, title)
