"""Findings on the shared scene, and the publisher that says them."""

from decimal import Decimal
from typing import Any

from tests.support.forges import Scene, waiting

from perilune.compose.pull_reviews import StoredOutbox
from perilune.core.messages import Voice
from perilune.forges.contract.port import PullRequest
from perilune.patches.finding import (
    Anchor,
    Category,
    Finding,
    Level,
    Method,
    Severity,
    Suggestion,
    Verdict,
    Verification,
)
from perilune.patches.fingerprint import identify
from perilune.patches.model import Diff, Side
from perilune.review.acquire.inputs import InputKind, ReviewInput, acquire
from perilune.review.acquire.pull import PullSource
from perilune.review.coverage import CoverageItem, CoverageState
from perilune.review.publish.publisher import Publisher, Publishing
from perilune.review.publish.sending import Sender
from perilune.review.result import InputFacts, Publication, ReviewResult, RunStatus
from perilune.store.engine import Store

VOICE = Voice(language="en")


def said(path: str, start: int | None, end: int | None = None, side: Side = Side.NEW, **more: Any) -> Finding:
    """A confirmed finding on some lines, inline."""
    last = end if end is not None else start
    level = Level.FILE if start is None else Level.LINE if start == last else Level.RANGE
    quote = f"{path} {side.value} {start}"
    identity = identify(path, quote, "", 0, Category.BUG)
    fields = {
        "id": f"finding-{path}-{start}-{side.value}", "unit_id": "u1", "severity": Severity.HIGH,
        "category": Category.BUG, "title": f"Something is wrong in {path} at {start}", "body": "It fails. Return.",
        "fingerprint": identity.fingerprint, "fingerprint_code": identity.fingerprint_code, "is_inline": True,
        "verification": Verification(Verdict.CONFIRMED, "model", ""), "confidence": Decimal("0.9"),
        "anchor": Anchor(
            path=path, side=side, start_line=start, end_line=last, level=level, method=Method.EXACT, quote=quote
        ),
    }  # fmt: skip
    return Finding(**{**fields, **more})


def suggestion(start: int, end: int, replacement: str) -> Suggestion:
    return Suggestion(
        replacement=replacement, start_line=start, end_line=end, applies=True, parses=None, lines_changed=1, patch=""
    )  # fmt: skip


async def result_of(scene: Scene, *findings: Finding, run: str = "run-1", **more: Any) -> ReviewResult:
    """A finished review of the scene's pull request as it is now."""
    pull = await scene.forge.pull(scene.address)
    return result_on(scene, pull, *findings, run=run, **more)


def result_on(scene: Scene, pull: PullRequest, *findings: Finding, run: str = "run-1", **more: Any) -> ReviewResult:
    source = PullSource(
        forge=scene.forge.site.spec.id, url="", git_url="", repository="team/shop", number=pull.address.number,
        base_ref=pull.base_ref, base_sha=scene.repository.base(scene.pull), head_ref="", head_sha=pull.head_sha,
    )  # fmt: skip
    directory = str(scene.repository.bare.path)
    diff = diff_of(source, directory)
    coverage = tuple(CoverageItem(path=file.name, state=CoverageState.REVIEWED) for file in diff.files)
    fields: dict[str, Any] = {
        "run_id": run, "generated_at": scene.clock.now(), "status": RunStatus.COMPLETE, "findings": findings,
        "source": InputFacts(kind="pull_request", head=pull.head_sha), "coverage": coverage, "diff": diff,
    }  # fmt: skip
    return ReviewResult(**{**fields, **more})


_DIFFS: dict[tuple[str, str], Diff] = {}


def diff_of(source: PullSource, directory: str) -> Diff:
    """The diff of two commits, read by git once."""
    ends = (source.base_sha, source.head_sha)
    if ends not in _DIFFS:
        acquired = acquire(ReviewInput(kind=InputKind.PULL_REQUEST, directory=directory, pull=source))
        acquired.close()
        _DIFFS[ends] = acquired.diff
    return _DIFFS[ends]


def publisher_of(scene: Scene, store: Store) -> Publisher:
    outbox = StoredOutbox(store)
    sender = Sender(scene.forge, scene.address, outbox, scene.clock.now, waiting(scene.clock))
    return Publisher(scene.forge, outbox, sender, VOICE)


async def publish(scene: Scene, store: Store, *findings: Finding, run: str = "run-1", **more: Any) -> Publication:
    """Publishes findings on the scene as a new process would."""
    how = more.pop("how", Publishing())
    result = await result_of(scene, *findings, run=run, **more)
    seen = await scene.forge.pull(scene.address)
    return await publisher_of(scene, store).publish(result, seen, how)
