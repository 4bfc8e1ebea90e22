"""Publishes one review in the fixed order: re-read, check, one review call, files, summary, threads, report."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct, field

from perilune.core.errors import Problem, ReviewError
from perilune.core.messages import Voice
from perilune.forges.contract.port import (
    Conclusion,
    Forge,
    Person,
    Post,
    Posted,
    PullRequest,
    Rejected,
    Report,
    Thread,
)
from perilune.patches.finding import Finding, State
from perilune.review.exits import has_failing
from perilune.review.publish.live import against_live, is_own, may_resolve
from perilune.review.publish.markers import SUMMARY, review_mark
from perilune.review.publish.outbox import Outbox, OutboxRow, SendState, body_hash
from perilune.review.publish.places import place_of
from perilune.review.publish.sending import Sender, Write, refs_of
from perilune.review.publish.summary import summary_text
from perilune.review.publish.texts import comment_text
from perilune.review.result import Publication, ReviewResult, RunStatus

CHECK = "perilune/review"


class Publishing(Struct, frozen=True, kw_only=True):
    """How a review is published. `resolve` are ids of threads whose findings are fixed, with their titles."""

    is_inline: bool = True
    has_summary: bool = True
    resolve: tuple[tuple[str, str], ...] = ()


class _Drawn(Struct):
    """What is about to be said where."""

    posts: list[Post] = field(default_factory=list)
    files: list[Post] = field(default_factory=list)
    demoted: list[tuple[Finding, str]] = field(default_factory=list)
    carried: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    reviews: int = 0
    inline: int = 0


class Publisher:
    """One review on one pull request."""

    def __init__(self, forge: Forge, outbox: Outbox, sender: Sender, voice: Voice) -> None:
        self._forge = forge
        self._outbox = outbox
        self._sender = sender
        self._voice = voice

    async def publish(self, result: ReviewResult, seen: PullRequest, how: Publishing) -> Publication:
        """What was published. Raises: ReviewError, SupersededError."""
        pull = await self._forge.pull(seen.address)
        if pull.state != "open":
            return Publication(state="closed")
        if pull.head_sha != seen.head_sha:
            await asyncio.to_thread(self._outbox.supersede, result.run_id)
            return Publication(state="superseded", errors=(Problem(code="PL-REVIEW-SUPERSEDED"),))
        threads = await self._forge.threads(pull.address)
        drawn = await self._drawn(result, threads, how)
        await self._inline(result, pull, drawn)
        await self._on_files(result, pull, drawn)
        resolved = await self._resolve(pull, threads, how)
        url = await self._summary(result, pull, drawn, how, resolved) if how.has_summary else None
        check = await self._check(result, pull)
        return Publication(
            state="published", reviews=drawn.reviews, inline=drawn.inline, folded=len(result.folded),
            resolved=len(resolved), demoted=len(drawn.demoted), carried=len(drawn.carried), summary_url=url,
            check=check, errors=tuple(drawn.problems),
        )  # fmt: skip

    async def rehearse(self, result: ReviewResult, seen: PullRequest, how: Publishing) -> Publication:
        """What publishing would come to now; nothing is written. Raises: ReviewError."""
        threads = await self._forge.threads(seen.address) if await self._is_somebody() else ()
        drawn = await self._drawn(result, threads, how)
        return Publication(
            state="dry_run", reviews=int(bool(drawn.posts)), inline=len(drawn.posts) + len(drawn.files),
            folded=len(result.folded), demoted=len(drawn.demoted), carried=len(drawn.carried),
            check=conclusion_of(result),
        )  # fmt: skip

    async def _is_somebody(self) -> bool:
        try:
            await self._forge.identity()
        except ReviewError:
            return False
        return True

    async def _drawn(self, result: ReviewResult, threads: Sequence[Thread], how: Publishing) -> _Drawn:
        """Every inline finding on its place, in the summary, or left alone because it stands already."""
        drawn = _Drawn()
        spec = self._forge.site.spec
        me = await self._forge.identity() if threads else Person(login="")
        for matched in against_live(result.inline, threads, me, result.diff).found:
            finding = matched.finding
            if State.CARRIED in (finding.state, matched.state):
                drawn.carried.append(finding)
                continue
            if matched.state is not State.NEW and finding.supersedes is None:
                continue
            place = place_of(finding, result.diff, spec) if how.is_inline else None
            if place is None:
                drawn.demoted.append((finding, ""))
                continue
            post = Post(id=finding.id, place=place, body=comment_text(finding, place, spec, self._voice))
            (drawn.files if place.end is None else drawn.posts).append(post)
        return drawn

    async def _inline(self, result: ReviewResult, pull: PullRequest, drawn: _Drawn) -> None:
        """One review with all comments; where the forge refuses it whole, halves, until what it minds stands alone."""
        if not drawn.posts:
            return
        await self._forge.tidy(pull.address)
        queue: list[tuple[str, tuple[Post, ...]]] = [await self._first_part(result, drawn.posts)]
        while queue:
            part, posts = queue.pop(0)
            outcome = await self._review(result, pull, part, posts)
            drawn.reviews += isinstance(outcome, Posted)
            if isinstance(outcome, Posted):
                drawn.inline += len(posts) - len(outcome.refused)
                for post_id, words in outcome.refused:
                    self._demote(result, drawn, post_id, words)
            elif len(posts) == 1 or not self._forge.site.spec.rejects_whole_review:
                for post in posts:
                    self._demote(result, drawn, post.id, outcome.words)
            else:
                middle = (len(posts) + 1) // 2
                queue += [(f"{part}.1", posts[:middle]), (f"{part}.2", posts[middle:])]

    async def _first_part(self, result: ReviewResult, posts: Sequence[Post]) -> tuple[str, tuple[Post, ...]]:
        """All comments under the first free number: halves of an earlier try may stand."""
        number = 1
        while True:
            row = await asyncio.to_thread(self._outbox.row, result.run_id, "review", str(number))
            if row is None or row.body_hash == _digest(posts) or row.state not in (SendState.DONE, SendState.FAILED):
                return str(number), tuple(posts)
            number += 1

    async def _review(
        self, result: ReviewResult, pull: PullRequest, part: str, posts: tuple[Post, ...]
    ) -> Posted | Rejected:
        marker = review_mark(result.run_id, part, pull.head_sha)
        body = self._voice.say("publish.review", count=len(posts))
        row = OutboxRow(run=result.run_id, kind="review", part=part, body_hash=_digest(posts), marker=marker)
        return await self._sender.send(row, lambda: self._forge.post_review(pull, body, posts, marker))

    async def _on_files(self, result: ReviewResult, pull: PullRequest, drawn: _Drawn) -> None:
        for post in drawn.files:
            part = body_hash(post.body)[:12]
            marker = review_mark(result.run_id, f"file-{part}", pull.head_sha)
            marked = Post(id=post.id, place=post.place, body=f"{post.body}\n{marker}")
            row = OutboxRow(run=result.run_id, kind="file", part=part, body_hash=body_hash(post.body), marker=marker)
            outcome = await self._sender.send(row, _posting(self._forge, pull, marked))
            if isinstance(outcome, Rejected):
                self._demote(result, drawn, post.id, outcome.words)
            else:
                drawn.inline += 1

    def _demote(self, result: ReviewResult, drawn: _Drawn, post_id: str, words: str) -> None:
        finding = next(finding for finding in result.findings if finding.id == post_id)
        drawn.demoted.append((finding, words))
        place = f"{finding.anchor.path}:{finding.anchor.start_line or 0}"
        drawn.problems.append(Problem(code="PL-REVIEW-REJECT", facts={"place": place}, words=words))

    async def _resolve(self, pull: PullRequest, threads: Sequence[Thread], how: Publishing) -> list[str]:
        """Titles of what is fixed; threads that the forge does not let us resolve stay, the summary says it."""
        me = await self._forge.identity()
        open_ones = {thread.id: thread for thread in threads if may_resolve(thread, me)}
        done: list[str] = []
        for thread_id, title in how.resolve:
            if thread_id in open_ones:
                await self._forge.resolve(pull.address, open_ones[thread_id])
            done.append(title)
        return done

    async def _summary(
        self, result: ReviewResult, pull: PullRequest, drawn: _Drawn, how: Publishing, fixed: Sequence[str]
    ) -> str | None:
        """One summary a pull request, edited in place; made again where a person deleted it."""
        marker = review_mark(result.run_id, "summary", pull.head_sha)
        limit = self._forge.site.spec.body_limit - len(marker) - 2
        text = summary_text(
            result, self._voice, limit=limit, demoted=drawn.demoted, carried=drawn.carried, fixed=fixed
        )  # fmt: skip
        body = f"{text}\n{marker}"
        me = await self._forge.identity()
        remarks = await self._forge.remarks(pull.address)
        own = next((one for one in remarks if SUMMARY in one.body and is_own(one.author, me)), None)
        if own is not None and await self._forge.edit_remark(pull.address, own.id, body):
            return own.url or None
        row = OutboxRow(
            run=result.run_id, kind="summary", part="1", body_hash=body_hash(text), marker=marker
        )  # fmt: skip

        async def write() -> Posted | Rejected:
            return Posted(refs=await self._forge.post_remark(pull.address, body))

        return refs_of(await self._sender.send(row, write)).url

    async def _check(self, result: ReviewResult, pull: PullRequest) -> str:
        """The check run or status; its name and target make a second writing harmless."""
        conclusion = conclusion_of(result)
        title = self._voice.say(f"publish.check.{conclusion}", count=len(result.inline))
        if result.status is RunStatus.DEFERRED and result.retry_at is not None:
            title = self._voice.say("publish.until", until=result.retry_at)
        marker = review_mark(result.run_id, "check", pull.head_sha)
        await self._forge.report(pull, Report(name=CHECK, conclusion=conclusion, title=title, marker=marker))
        return conclusion


def conclusion_of(result: ReviewResult) -> Conclusion:
    """`failure` only where the settings say so, `neutral` for what is not whole."""
    is_partial = result.status is RunStatus.PARTIAL
    if has_failing(result) or (is_partial and result.require_full_coverage):
        return "failure"
    return "success" if result.status is RunStatus.COMPLETE else "neutral"


def _posting(forge: Forge, pull: PullRequest, post: Post) -> Write:
    return lambda: forge.post_on_file(pull, post)


def _digest(posts: Sequence[Post]) -> str:
    return body_hash(*(post.body for post in posts))
