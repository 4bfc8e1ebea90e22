"""`perilune review --pr URL`: the pull request read, its commits fetched, the review published through the outbox."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from perilune.compose.forging import Opened, installation_of, open_installation
from perilune.core.decoding import decoded
from perilune.core.errors import ReviewError
from perilune.core.messages import Voice
from perilune.forges.contract.client import git_settings
from perilune.forges.contract.port import ChangedFile, PullRequest, Refs
from perilune.net.upstream_map import VARIABLE, dialled, parse_upstream
from perilune.patches.names import quoted
from perilune.review.acquire.git import GitFailedError, GitMissingError
from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.acquire.pull import PullSource, fetch
from perilune.review.publish.outbox import OutboxRow, SendState
from perilune.review.publish.publisher import Publisher, Publishing
from perilune.review.publish.sending import Sender
from perilune.review.result import Publication, ReviewResult, RunStatus
from perilune.store.outbox import KeptWrite, Writes

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench
    from perilune.store.engine import Store

_SHARED = ("run", "kind", "part", "body_hash", "marker", "sent_at", "words")
_PUBLISHED = (RunStatus.COMPLETE, RunStatus.PARTIAL, RunStatus.SKIPPED)


class StoredOutbox:
    """The reviewer's outbox over the database."""

    def __init__(self, store: "Store") -> None:
        self._writes = Writes(store)

    def row(self, run: str, kind: str, part: str) -> OutboxRow | None:
        """One row."""
        found = self._writes.row(run, kind, part)
        return None if found is None else _row(found)

    def keep(self, row: OutboxRow) -> None:
        """Add or change a row."""
        fields = {
            name: getattr(row, name) for name in ("run", "kind", "part", "body_hash", "marker", "sent_at", "words")
        }
        refs = msgspec.json.encode(row.refs).decode()
        self._writes.keep(KeptWrite(**fields, state=row.state.value, refs=refs))

    def of_run(self, run: str) -> list[OutboxRow]:
        """All rows of a run."""
        return [_row(row) for row in self._writes.of_run(run)]

    def supersede(self, run: str) -> int:
        """Take what has not been sent out of the queue."""
        return self._writes.supersede(run)


def _row(kept: KeptWrite) -> OutboxRow:
    fields = {name: getattr(kept, name) for name in _SHARED}
    refs = decoded(kept.refs, Refs)
    return OutboxRow(**fields, state=SendState(kept.state), refs=refs)


class PullUnderReview:
    """One pull request as it was read. `source` is what is reviewed."""

    def __init__(self, bench: "Workbench", opened: Opened, pull: PullRequest, source: ReviewInput) -> None:
        self._bench = bench
        self._opened = opened
        self.pull = pull
        self.source = source
        self.url = source.pull.url if source.pull is not None else pull.url

    @property
    def may_publish(self) -> bool:
        """Whether there is a credential that was written beside this host."""
        return self._opened.installation.may_publish

    async def publish(
        self,
        result: ReviewResult,
        voice: Voice,
        *,
        dry_run: bool = False,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Publication | None:
        """What was published, or with `dry_run` what would be; None for a review that has nothing to say there."""
        if result.status not in _PUBLISHED or result.is_preview:
            return None
        monitoring = self._bench.monitoring_now()
        try:
            outbox = StoredOutbox(monitoring.store)
            forge = self._opened.forge
            sender = Sender(forge, self.pull.address, outbox, self._bench.now, pause)
            publisher = Publisher(forge, outbox, sender, voice)
            how = self._how()
            if dry_run or not self.may_publish:
                state = "dry_run" if dry_run else "no_credential"
                return msgspec.structs.replace(await publisher.rehearse(result, self.pull, how), state=state)
            return await publisher.publish(result, self.pull, how)
        finally:
            monitoring.close()

    def _how(self) -> Publishing:
        """What the operator's settings say about forks and the summary."""
        review = self._bench.configuration().config.review
        is_inline = not (self.pull.is_fork and review.forks == "summary")
        return Publishing(is_inline=is_inline, has_summary=review.summary == "comment")


@contextlib.asynccontextmanager
async def pull_under_review(bench: "Workbench", url: str) -> AsyncIterator[PullUnderReview]:
    """A pull request ready to be reviewed. Raises: ReviewError (PL-REVIEW-HOST, PL-REVIEW-FORGE)."""
    one, address = installation_of(bench.configuration().config, url)
    async with bench.control_client() as control:
        opened = open_installation(bench, one, control)
        pull = await opened.forge.pull(address)
        yield PullUnderReview(bench, opened, pull, await review_input(bench, opened, pull))


async def review_input(bench: "Workbench", opened: Opened, pull: PullRequest) -> ReviewInput:
    """The input of a pull request: its commits, or the forge's own patches where git cannot fetch."""
    source = pull_source(bench, opened, pull)
    try:
        directory = await asyncio.to_thread(fetch, source, bench.paths.data_folder / "repositories")
    except (GitFailedError, GitMissingError):
        return await _by_files(opened, pull, source)
    return ReviewInput(kind=InputKind.PULL_REQUEST, directory=directory, pull=source)


def pull_source(bench: "Workbench", opened: Opened, pull: PullRequest) -> PullSource:
    """What git has to know of a pull request."""
    site, address = opened.installation.site, pull.address
    upstream = parse_upstream(bench.environment.get(VARIABLE))
    git_url = dialled(site.git_url(address.repository), upstream)
    return PullSource(
        forge=site.spec.id, url=pull.url if pull.url.startswith("http") else f"{site.base_url}{pull.url}",
        git_url=git_url, repository=address.repository, number=address.number, base_ref=pull.base_ref,
        base_sha=pull.base_sha, head_ref=site.spec.head_ref.format(number=address.number), head_sha=pull.head_sha,
        merge_base=pull.merge_base, title=pull.title, text=pull.body, settings=git_settings(opened.means, git_url),
    )  # fmt: skip


async def _by_files(opened: Opened, pull: PullRequest, source: PullSource) -> ReviewInput:
    """The last resort. Files without a patch are said to be missing, never dropped."""
    files = await opened.forge.files(pull.address)
    patched = [file for file in files if file.patch]
    if not patched:
        raise ReviewError.of(
            "PL-REVIEW-FORGE", variant="fetch", forge=opened.installation.site.spec.label, host=source.git_url
        )  # fmt: skip
    unread = tuple(file.path for file in files if not file.patch)
    return ReviewInput(
        kind=InputKind.PULL_REQUEST, directory=".", pull=source, patch=patch_of(patched), unread=unread
    )  # fmt: skip


def patch_of(files: Sequence[ChangedFile]) -> bytes:
    """The forge's patches of files as one patch."""
    parts: list[bytes] = []
    for file in files:
        old, new = (name.encode("utf-8", "surrogateescape") for name in (file.old_path, file.path))
        before = "/dev/null" if file.status == "added" else quoted(b"a/" + old)
        after = "/dev/null" if file.status in ("removed", "deleted") else quoted(b"b/" + new)
        header = f"diff --git {quoted(b'a/' + old)} {quoted(b'b/' + new)}\n--- {before}\n+++ {after}\n"
        parts.append(header.encode() + (file.patch or "").rstrip("\n").encode() + b"\n")
    return b"".join(parts)
