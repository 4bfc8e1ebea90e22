"""Commands in comments, carried out: who may give them is asked of the forge, answers are written once."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from perilune.core.decoding import decoded
from perilune.core.errors import PeriluneError
from perilune.core.ids import uuid7
from perilune.forges.contract.port import Posted, PullAddress, Reaction, Rejected, Thread
from perilune.patches.finding import State
from perilune.review.commands import REPLIES, Command, Verb, may_command
from perilune.review.jobs.underway import Underway
from perilune.review.jobs.worker import Ended, Later
from perilune.review.publish.markers import review_mark
from perilune.review.publish.outbox import OutboxRow, body_hash
from perilune.review.publish.sending import Sender
from perilune.review.pulls.answers import config_text, explained, help_text, status_text
from perilune.review.pulls.learning import remember_dismissal
from perilune.review.pulls.ports import Access, OpenPull, Pause
from perilune.review.trigger import REVIEW, PullJob
from perilune.store.findings import FindingRow, PullRow
from perilune.store.job_rows import JobRow, JobState, NewJob, Stop, Submitted


class ReviewQueue(Protocol):
    """Where reviews are asked for. Calls are synchronous and made in threads."""

    def submit(self, job: NewJob, at: datetime) -> Submitted: ...

    def recent(self, limit: int, *, open_only: bool = False) -> list[JobRow]: ...

    def stop(self, job: str, how: Stop, reason: str, at: datetime) -> bool: ...


class PullCommands:
    """The handler of command jobs."""

    def __init__(
        self, access: Access, queue: ReviewQueue, clock: Callable[[], datetime], pause: Pause = asyncio.sleep
    ) -> None:
        self.access = access
        self.queue = queue
        self.now = clock
        self.pause = pause

    async def __call__(self, underway: Underway) -> Ended | Later:
        job = decoded(underway.claim.input, PullJob)
        if job.command is None or job.comment is None:
            return Ended(state=JobState.FAILED, reason="no command")
        async with self.access.open(job.where) as opened:
            if not opened.may_publish:
                return Ended(state=JobState.FAILED, reason="no_credential")
            return await _OneCommand(self, underway, job, job.command, opened).run()


class _OneCommand:
    """One command of one comment."""

    def __init__(
        self, work: PullCommands, underway: Underway, job: PullJob, command: Command, opened: OpenPull
    ) -> None:
        self._work = work
        self._access = work.access
        self._underway = underway
        self._job = job
        self._command = command
        self._opened = opened
        self._forge = opened.forge
        self._address = PullAddress(job.where.repository, job.where.number)
        self._subject = job.where.subject

    async def run(self) -> Ended:
        """Refused with a sign where the author may not; else done, with a sign or an answer."""
        comment = self._job.comment
        author = comment.author if comment is not None else self._job.sender
        permission = await self._forge.permission(self._address, author)
        if not may_command(self._job.where.forge, author.association, permission):
            await self._react("failed")
            return Ended(reason="permission")
        await self._react("seen")
        await self._underway.hold()
        try:
            await self._do()
        except PeriluneError:
            await self._react("failed")
            raise
        return Ended()

    async def _do(self) -> None:
        match self._command.verb:
            case Verb.REVIEW:
                await self._review()
            case Verb.EXPLAIN | Verb.DISMISS | Verb.RESOLVE | Verb.REOPEN:
                await self._in_thread()
            case Verb.PAUSE | Verb.RESUME:
                await self._pause(is_paused=self._command.verb is Verb.PAUSE)
                await self._react("done")
            case Verb.STOP:
                await asyncio.to_thread(self._stop)
                await self._react("done")
            case Verb.STATUS:
                rows = await asyncio.to_thread(self._access.records.findings, self._subject)
                standing = await asyncio.to_thread(self._access.records.pull, self._subject)
                slots = await asyncio.to_thread(self._access.services().quota.slots)
                await self._say(status_text(rows, standing, slots, self._access.voice()))
            case Verb.CONFIG:
                await self._say(config_text(self._access.settings(), self._access.voice()))
            case Verb.HELP:
                await self._say(help_text(self._access.voice()))
            case Verb.UNKNOWN:
                await self._say(help_text(self._access.voice()), part="help")

    async def _review(self) -> None:
        """A review of the present head; with nothing new it says so, and how to ask for it all the same."""
        pull = await self._forge.pull(self._address)
        standing = await asyncio.to_thread(self._access.records.pull, self._subject)
        same = standing is not None and (standing.reviewed_head, standing.reviewed_base) == (
            pull.head_sha,
            pull.base_ref,
        )
        if same and not self._command.is_forced and not self._command.text:
            await self._say(self._access.voice().say("pull.nothing_new", head=pull.head_sha[:12]))
            return
        now = self._work.now()
        key = f"{self._subject}/review-{self._comment}/{pull.base_ref}"
        job = NewJob(
            id=str(uuid7(now)), key=key, kind=REVIEW, input=msgspec.json.encode(self._job),
            repository=f"{self._job.where.forge}/{self._job.where.host}/{self._job.where.repository}",
            subject=self._subject, priority=0,
        )  # fmt: skip
        await asyncio.to_thread(self._work.queue.submit, job, now)

    async def _in_thread(self) -> None:
        """What is asked in the thread of a finding."""
        thread = await self._thread()
        row = await asyncio.to_thread(self._row_of, thread) if thread is not None else None
        if thread is None or row is None:
            await self._say(self._access.voice().say("pull.no_finding"))
            return
        now, records = self._work.now(), self._access.records
        match self._command.verb:
            case Verb.EXPLAIN:
                text = await explained(self._access, row, self._comment, self._underway)
                await self._say(text, thread=thread)
            case Verb.DISMISS:
                repository = f"{self._job.where.forge}/{self._job.where.host}/{self._job.where.repository}"
                by = self._job.comment.author.login if self._job.comment is not None else ""
                await asyncio.to_thread(remember_dismissal, records, repository, row, by, now)
                await self._forge.resolve(self._address, thread)
            case verb:
                is_resolved = verb is Verb.RESOLVE
                state = State.DISMISSED if is_resolved else State.POSTED
                moved = msgspec.structs.replace(row, state=state, updated_at=now)
                await asyncio.to_thread(records.save, [moved])
                await self._forge.resolve(self._address, thread, is_resolved=is_resolved)
        await self._react("done")

    async def _thread(self) -> Thread | None:
        """The thread in which a command that means one was given."""
        comment = self._job.comment
        if comment is None or self._command.verb not in REPLIES:
            return None
        threads = await self._forge.threads(self._address)
        for thread in threads:
            if thread.id == comment.thread_id or any(remark.id == comment.id for remark in thread.remarks):
                return thread
        return None

    def _row_of(self, thread: Thread) -> FindingRow | None:
        return self._access.records.of_thread(self._subject, thread.id)

    async def _pause(self, *, is_paused: bool) -> None:
        records = self._access.records
        standing = await asyncio.to_thread(records.pull, self._subject)
        row = standing or PullRow(pull=self._subject, updated_at=self._work.now())
        row = msgspec.structs.replace(row, is_paused=is_paused, updated_at=self._work.now())
        await asyncio.to_thread(records.save_pull, row)

    def _stop(self) -> None:
        for row in self._work.queue.recent(500, open_only=True):
            if row.subject == self._subject and row.kind == REVIEW:
                self._work.queue.stop(row.id, "cancelled", "a command", self._work.now())

    @property
    def _comment(self) -> str:
        return self._job.comment.id if self._job.comment is not None else ""

    async def _say(self, text: str, *, thread: Thread | None = None, part: str | None = None) -> None:
        """One answer, written once: `part` names answers that are given once a pull request."""
        run = self._underway.claim.id if part is None else body_hash(self._subject, part)[:36]
        marker = review_mark(run, part or "answer", "")
        body = f"{text}\n\n{marker}"
        row = OutboxRow(run=run, kind="answer", part="1", body_hash=body_hash(part or text), marker=marker)

        async def write() -> Posted | Rejected:
            if thread is not None:
                return Posted(refs=await self._forge.reply(self._address, thread, body))
            return Posted(refs=await self._forge.post_remark(self._address, body))

        sender = Sender(
            self._forge, self._address, self._access.outbox, self._work.now, self._work.pause, self._underway.hold
        )
        await sender.send(row, write)

    async def _react(self, reaction: Reaction) -> None:
        if self._job.comment is not None:
            await self._forge.react(self._address, self._job.comment.id, reaction)
