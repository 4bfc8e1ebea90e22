"""What the work on pull requests is handed: forges by their place, records, and the reviewer's services."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from perilune.core.messages import Voice
from perilune.forges.contract.port import Forge, PullRequest
from perilune.patches.heads import Suppression
from perilune.review.acquire.inputs import ReviewInput
from perilune.review.publish.outbox import Outbox
from perilune.review.result import ReviewResult
from perilune.review.services import ReviewServices
from perilune.review.settings import ReviewSettings
from perilune.review.trigger import Where
from perilune.store.day_spend import Spent
from perilune.store.findings import FindingRow, PullRow

Pause = Callable[[float], Awaitable[None]]


class Records(Protocol):
    """Findings across heads, dismissals, and where pull requests stand. Calls are synchronous and made in threads."""

    def findings(self, pull: str) -> list[FindingRow]: ...

    def of_thread(self, pull: str, thread: str) -> FindingRow | None: ...

    def save(self, rows: Sequence[FindingRow]) -> None: ...

    def suppressed(self, repository: str, now: datetime) -> list[Suppression]: ...

    def suppress(self, repository: str, finding: FindingRow, by: str, until: datetime) -> None: ...

    def pull(self, pull: str) -> PullRow | None: ...

    def save_pull(self, row: PullRow) -> None: ...


class OpenPull(Protocol):
    """A forge with a credential, and the way to a pull request's commits."""

    forge: Forge
    may_publish: bool

    async def source(self, pull: PullRequest) -> ReviewInput:
        """The commits of both ends, fetched. Raises: ReviewError."""
        ...

    async def renames(self, pull: PullRequest, before: str) -> dict[str, str]:
        """Present paths by those of an earlier head; nothing where that head is not to be had any more."""
        ...

    async def lines(self, pull: PullRequest, path: str) -> list[str] | None:
        """The lines of a file at the head, None where there is no such file."""
        ...


class Access(Protocol):
    """Everything a job needs, opened for it."""

    @property
    def records(self) -> Records: ...

    @property
    def outbox(self) -> Outbox: ...

    def settings(self) -> ReviewSettings:
        """What the operator has set."""
        ...

    def voice(self) -> Voice: ...

    def open(self, where: Where) -> AbstractAsyncContextManager[OpenPull]:
        """The forge of a pull request. Raises: ReviewError PL-REVIEW-HOST."""
        ...

    def services(self) -> ReviewServices: ...

    def spent(self, repository: str, since: datetime) -> Spent:
        """What the reviews of a repository have taken. Synchronous, made in a thread."""
        ...

    async def reviewed(self, result: ReviewResult, title: str) -> None:
        """A review has ended: it is kept for lists."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What a review job came to, as its row keeps it."""

    state: str
    reason: str | None = None
    head: str | None = None
    reviews: int = 0
    inline: int = 0
    resolved: int = 0
    retry_at: datetime | None = None
