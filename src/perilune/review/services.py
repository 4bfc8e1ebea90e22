"""What a review is handed, and how one is run."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from msgspec import Struct, field

from perilune.patches.finding import Finding
from perilune.patches.model import Diff
from perilune.review.coverage import CoverageItem
from perilune.review.ports import Answerer, AnswerStore, NoReservations, QuotaView, Reservations
from perilune.review.result import ReviewResult
from perilune.review.steps import Steps, Unkept
from perilune.store.job_rows import Claim

MOST_AT_ONCE = 8


class EarlierHeads(Protocol):
    """What was said of a pull request before."""

    def settle(self, findings: Sequence[Finding], coverage: Sequence[CoverageItem], diff: Diff) -> list[Finding]:
        """The findings of this head with the state that each has across heads."""
        ...

    def lines(self) -> Sequence[str]:
        """What is still open, one line each, so that it need not be said again."""
        ...


class ReviewOptions(Struct, frozen=True, kw_only=True):
    """How one review is run. `flags` are settings said on the command line; `run` is the id of a run taken up again.

    Shape: `earlier` knows what was said of earlier heads; `focus` is one line of what the reader cares for most. With
    `resume` the newest unfinished run of the same input goes on; `is_lenient` reviews with defaults where the
    repository's settings cannot be used.
    """

    preview: bool = False
    flags: Mapping[str, Any] = field(default_factory=dict)
    language: Literal["en", "zh-CN"] = "en"
    concurrency: int = MOST_AT_ONCE
    run: str | None = None
    steps: Steps = field(default_factory=Unkept)
    earlier: EarlierHeads | None = None
    focus: str = ""
    resume: bool = False
    is_lenient: bool = False


class KeptRun(Steps, Protocol):
    """A run that can be resumed; its id is that of its claim."""

    @property
    def claim(self) -> Claim: ...

    def put_off(self, until: datetime | None) -> None:
        """It waits for a moment, and can be resumed then."""


class Runs(Protocol):
    """Where runs of the command line are kept."""

    def run(self, name: str, *, resume: bool) -> AbstractAsyncContextManager[KeptRun]:
        """One run of an input; with `resume` the newest unfinished one. Raises: ReviewError PL-REVIEW-RESUME."""
        ...


class ReviewServices(Struct, frozen=True, kw_only=True):
    """What a review is handed. `user` is the `[review]` table of the user's configuration.

    Shape: `planned` hears of the plan before the first request, `finished` of the result; of a preview only `planned`.
    """

    answerer: Answerer | None
    quota: QuotaView
    answers: AnswerStore
    reservations: Reservations = field(default_factory=NoReservations)
    user: Mapping[str, Any] = field(default_factory=dict)
    local_secret: bytes = b"perilune"
    clock: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    planned: Callable[[ReviewResult], None] | None = None
    finished: Callable[[ReviewResult], Awaitable[None]] | None = None
    runs: Runs | None = None
