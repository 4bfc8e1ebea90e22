"""One review job: the pull request read, its head reviewed, settled with earlier heads, published once, kept."""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from perilune.core.decoding import decoded
from perilune.core.errors import ReviewError
from perilune.forges.contract.port import Person, PullAddress, PullRequest, Reaction, Report, Thread
from perilune.patches.finding import State
from perilune.review.commands import Verb
from perilune.review.jobs.underway import Underway
from perilune.review.jobs.worker import Ended, Later
from perilune.review.publish.publisher import CHECK, Publisher, Publishing
from perilune.review.publish.sending import Sender, SupersededError
from perilune.review.pulls.carry import Carry, known_before, renames_between
from perilune.review.pulls.day import day_begins, is_spent, next_day, within_day
from perilune.review.pulls.force import Forced
from perilune.review.pulls.ports import Access, OpenPull, Outcome, Pause
from perilune.review.pulls.record import rows_after, under_known_ids
from perilune.review.result import Publication, ReviewResult, RunStatus
from perilune.review.run import Reviewer, ReviewOptions
from perilune.review.settings import ReviewSettings
from perilune.review.trigger import PullJob, why_not_pull
from perilune.store.day_spend import Spent
from perilune.store.findings import FindingRow, PullRow
from perilune.store.job_rows import JobState

POLL_DEFERRED = timedelta(minutes=5)
_JITTER_S = (1.0, 30.0)


class Acquired(Struct, frozen=True, kw_only=True):
    """What was read of a pull request when its run began, and what was known of earlier heads then.

    A run that is taken up again goes on from this, though it has changed findings and threads itself meanwhile; one
    that was put off reads anew.
    """

    pull: PullRequest
    threads: tuple[Thread, ...] = ()
    me: Person = Person(login="")
    rows: tuple[FindingRow, ...] = ()
    standing: PullRow | None = None
    spent: Spent = Spent()
    is_over: bool = False


class PullReviews:
    """The handler of review jobs."""

    def __init__(
        self,
        access: Access,
        clock: Callable[[], datetime],
        pause: Pause = asyncio.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(*_JITTER_S),  # noqa: S311 - spreads load, no secret
    ) -> None:
        self._access = access
        self._clock = clock
        self._pause = pause
        self._jitter = jitter

    async def __call__(self, underway: Underway) -> Ended | Later:
        job = decoded(underway.claim.input, PullJob)
        try:
            async with self._access.open(job.where) as opened:
                return await _OneReview(self, underway, job, opened).run()
        except ReviewError as error:
            if error.problem.retry_at is not None:
                return Later(error.problem.retry_at, error.problem.code)
            raise
        except SupersededError:
            return Ended(state=JobState.SUPERSEDED, reason="a newer head")

    @property
    def access(self) -> Access:
        return self._access

    def now(self) -> datetime:
        """This moment."""
        return self._clock()

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self._pause(seconds)

    def later(self, at: datetime | None) -> datetime:
        """When a deferred run goes on: a little after the reset, or at the next look where that is not known."""
        if at is None:
            return self._clock() + POLL_DEFERRED
        return at + timedelta(seconds=self._jitter())


class _OneReview:
    """One run of one job."""

    def __init__(self, work: PullReviews, underway: Underway, job: PullJob, opened: OpenPull) -> None:
        self._work = work
        self._access = work.access
        self._underway = underway
        self._job = job
        self._opened = opened
        self._forge = opened.forge
        self._address = PullAddress(job.where.repository, job.where.number)
        self._subject = job.where.subject

    async def run(self) -> Ended | Later:
        """Every stage in order."""
        acquired = await self._acquired()
        settings = self._access.settings()
        reason = self._unwanted(acquired.pull, settings, acquired.standing)
        if reason is not None:
            return self._ended(JobState.SUPERSEDED if reason == "known" else JobState.CANCELLED, acquired, reason)
        if is_spent(settings.budget, acquired.spent):
            return await self._put_off(acquired, next_day(self._work.now()), "PL-REVIEW-BUDGET")
        await self._react("running")
        rows = list(acquired.rows)
        carry = await self._carry(acquired, rows, acquired.standing)
        result = await self._review(acquired, carry)
        if result.status is RunStatus.DEFERRED:
            return await self._deferred(acquired, result)
        publication = await self._publish(acquired, result, carry, rows)
        return await self._settled(acquired, result, publication, carry, rows)

    async def _acquired(self) -> Acquired:
        """What this run began with; read anew after it was put off."""
        kept = await self._underway.recall("acquire", self._subject, Acquired)
        if kept is not None and not kept.is_over:
            return kept
        acquired = await self._acquire()
        await self._underway.keep("acquire", self._subject, acquired)
        return acquired

    async def _acquire(self) -> Acquired:
        records, subject = self._access.records, self._subject
        rows = tuple(await asyncio.to_thread(records.findings, subject))
        standing = await asyncio.to_thread(records.pull, subject)
        spent = await asyncio.to_thread(self._access.spent, self._repository, day_begins(self._work.now()))
        pull = await self._forge.pull(self._address)
        begun = Acquired(pull=pull, rows=rows, standing=standing, spent=spent)
        if not self._opened.may_publish:
            return begun
        threads, me = await self._forge.threads(self._address), await self._forge.identity()
        return msgspec.structs.replace(begun, threads=threads, me=me)

    def _unwanted(self, pull: PullRequest, settings: ReviewSettings, standing: PullRow | None) -> str | None:
        """Why there is nothing to do: policy, a pause, or a head that was reviewed already."""
        is_command = self._job.command is not None
        if pull.state != "open":
            return "closed"
        if not is_command and (reason := why_not_pull(settings, pull)) is not None:
            return reason
        if standing is None:
            return None
        if standing.is_paused and not is_command:
            return "paused"
        is_same = (standing.reviewed_head, standing.reviewed_base) == (pull.head_sha, pull.base_ref)
        is_known = is_same and standing.run != self._underway.claim.id
        return "known" if is_known and not self._is_forced and not self._focus else None

    @property
    def _focus(self) -> str:
        """What a reader cares for most. On a head that was reviewed it orders what is known: nothing is bought."""
        command = self._job.command
        return command.text if command is not None and command.verb is Verb.REVIEW else ""

    @property
    def _is_forced(self) -> bool:
        command = self._job.command
        return command is not None and command.verb is Verb.REVIEW and command.is_forced

    async def _carry(self, acquired: Acquired, rows: list[FindingRow], standing: PullRow | None) -> Carry:
        """Earlier heads, with files that were renamed since followed."""
        pull = acquired.pull
        before = standing.reviewed_head if standing is not None else None
        source = await self._opened.source(pull)
        del source  # fetched now, so that files of the head can be read
        renames = await self._opened.renames(pull, before) if before is not None else {}
        earlier = known_before(rows, acquired.threads, acquired.me)
        contents = {}
        for path in {renames.get(entry.path, entry.path) for entry in earlier if entry.is_open}:
            contents[path] = await self._opened.lines(pull, path)
        wanted = await asyncio.to_thread(self._access.records.suppressed, self._repository, self._work.now())
        return Carry(earlier, renames_between(renames.items()), contents.get, wanted, self._work.now())

    @property
    def _repository(self) -> str:
        where = self._job.where
        return f"{where.forge}/{where.host}/{where.repository}"

    async def _review(self, acquired: Acquired, carry: Carry) -> ReviewResult:
        services = self._access.services()
        user = within_day(self._access.settings().budget, acquired.spent, services.user)
        services = msgspec.structs.replace(services, user=user)
        if self._is_forced:
            services = msgspec.structs.replace(services, answers=Forced(services.answers, self._underway.claim.id))
        options = ReviewOptions(
            run=self._underway.claim.id, steps=self._underway, earlier=carry,
            language=self._access.voice().language, focus=self._focus, is_lenient=True,
        )  # fmt: skip
        return await Reviewer(services).review(await self._opened.source(acquired.pull), options)

    async def _deferred(self, acquired: Acquired, result: ReviewResult) -> Later:
        """Not now, and until when as far as it is known."""
        code = result.errors[0].code if result.errors else "PL-REVIEW-BUDGET"
        return await self._put_off(acquired, result.retry_at, code)

    async def _put_off(self, acquired: Acquired, at: datetime | None, code: str) -> Later:
        """The forge is told until when, and the job waits."""
        voice = self._access.voice()
        title = voice.say("publish.status.deferred")
        if at is not None:
            title = f"{title} {voice.say('publish.until', until=at)}"
        if self._opened.may_publish:
            await self._underway.hold()
            await self._forge.report(acquired.pull, Report(name=CHECK, conclusion="neutral", title=title))
        await self._underway.keep("acquire", self._subject, msgspec.structs.replace(acquired, is_over=True))
        return Later(self._work.later(at), code)

    async def _publish(
        self, acquired: Acquired, result: ReviewResult, carry: Carry, rows: list[FindingRow]
    ) -> Publication:
        settings = self._access.settings()
        if not self._opened.may_publish:
            return Publication(state="no_credential")
        await self._underway.hold()
        sender = Sender(
            self._forge, self._address, self._access.outbox, self._work.now, self._work.pause, self._underway.hold
        )
        publisher = Publisher(self._forge, self._access.outbox, sender, self._access.voice())
        how = Publishing(
            is_inline=not (acquired.pull.is_fork and settings.forks == "summary"),
            has_summary=settings.summary == "comment",
            resolve=tuple(self._fixed(carry, rows)) if settings.resolve_fixed else (),
        )
        return await publisher.publish(result, acquired.pull, how)

    def _fixed(self, carry: Carry, rows: list[FindingRow]) -> list[tuple[str, str]]:
        """Threads of findings that are fixed, with their titles; whether one may be resolved is looked at once more."""
        known = {row.id: row for row in rows}
        found = []
        for silent in carry.outcome.silent:
            row = known.get(silent.earlier.key)
            if silent.state is State.FIXED and silent.earlier.is_open:
                thread = row.thread or "" if row is not None else silent.earlier.key
                found.append((thread, row.title if row is not None else silent.earlier.words))
        return found

    async def _settled(
        self, acquired: Acquired, result: ReviewResult, publication: Publication, carry: Carry, rows: list[FindingRow]
    ) -> Ended | Later:
        if publication.state == "superseded":
            return self._ended(JobState.SUPERSEDED, acquired, "a newer head")
        if publication.state == "closed":
            return self._ended(JobState.CANCELLED, acquired, "closed")
        threads = await self._forge.threads(self._address) if publication.state == "published" else ()
        now = self._work.now()
        after = rows_after(result, carry.outcome, rows, threads, acquired.me, self._subject, now)
        present = await asyncio.to_thread(self._access.records.findings, self._subject)
        after = under_known_ids(after, present, self._underway.claim.id)
        await self._underway.hold()
        await asyncio.to_thread(self._access.records.save, after)
        if result.status is not RunStatus.FAILED:
            await self._stands(acquired.pull, now)
        await self._access.reviewed(result, f"{self._job.where.repository}#{self._job.where.number}")
        await self._react("done" if result.status is not RunStatus.FAILED else "failed")
        outcome = Outcome(
            state=result.status.value, head=acquired.pull.head_sha, reviews=publication.reviews,
            inline=publication.inline, resolved=publication.resolved,
        )  # fmt: skip
        is_failed = result.status is RunStatus.FAILED
        reason = result.errors[0].code if is_failed and result.errors else None
        state = JobState.FAILED if is_failed else JobState.DONE
        return Ended(state=state, output=msgspec.json.encode(outcome), reason=reason)

    async def _stands(self, pull: PullRequest, at: datetime) -> None:
        standing = await asyncio.to_thread(self._access.records.pull, self._subject)
        row = PullRow(
            pull=self._subject, updated_at=at, is_paused=standing is not None and standing.is_paused,
            reviewed_head=pull.head_sha, reviewed_base=pull.base_ref, run=self._underway.claim.id,
        )  # fmt: skip
        await asyncio.to_thread(self._access.records.save_pull, row)

    def _ended(self, state: JobState, acquired: Acquired, reason: str) -> Ended:
        outcome = Outcome(state=state.value, reason=reason, head=acquired.pull.head_sha)
        return Ended(state=state, output=msgspec.json.encode(outcome), reason=reason)

    async def _react(self, reaction: Reaction) -> None:
        """A sign on the comment that asked for it, where the forge has such signs."""
        if self._job.comment is not None and self._opened.may_publish:
            await self._forge.react(self._address, self._job.comment.id, reaction)
