"""The port: what the reviewer asks of a forge, and the values that pass."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from perilune.forges.contract.spec import ForgeSite
from perilune.patches.spots import LineSpot

PullState = Literal["open", "closed", "merged"]
Side = Literal["old", "new"]
Conclusion = Literal["success", "failure", "neutral", "pending"]
Reaction = Literal["seen", "running", "done", "failed"]
Permission = Literal["admin", "write", "read", "none"]


class PullAddress(Struct, frozen=True):
    """Which pull request: the repository's path and the number in it."""

    repository: str
    number: int


class Person(Struct, frozen=True, kw_only=True):
    """Who wrote something. `association` is the forge's word for what they are to the repository, or empty."""

    login: str
    id: int = 0
    is_bot: bool = False
    association: str = ""

    def is_same(self, other: "Person") -> bool:
        """Whether both are one; apps are written with and without `[bot]`, nobody is the same as nobody."""
        return bool(self.login) and self.login.removesuffix("[bot]") == other.login.removesuffix("[bot]")


class PullRequest(Struct, frozen=True, kw_only=True):
    """A pull request as read. `base_sha` is the tip of the target branch; `merge_base` is None where not told."""

    address: PullAddress
    title: str
    body: str
    state: PullState
    is_draft: bool
    is_fork: bool
    author: Person
    labels: tuple[str, ...]
    base_ref: str
    base_sha: str
    head_sha: str
    merge_base: str | None = None
    url: str = ""


class ChangedFile(Struct, frozen=True, kw_only=True):
    """One file by the forge's own list; `patch` is None where it gives none."""

    path: str
    old_path: str
    status: str
    patch: str | None = None


class Remark(Struct, frozen=True, kw_only=True):
    """One comment. `reactions` are pairs of login and the forge's word."""

    id: str
    author: Person
    body: str
    at: datetime | None = None
    url: str = ""
    reactions: tuple[tuple[str, str], ...] = ()


class Thread(Struct, frozen=True, kw_only=True):
    """A conversation on a place. `line` is None where the forge calls it outdated or of the whole file."""

    id: str
    path: str
    side: Side
    line: int | None
    is_resolved: bool
    is_outdated: bool
    remarks: tuple[Remark, ...]
    resolved_by: str | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where a comment goes: lines `start` to `end` of one hunk on one side; the whole file where `end` is None."""

    path: str
    old_path: str
    side: Side = "new"
    start: LineSpot | None = None
    end: LineSpot | None = None
    is_deleted: bool = False

    @property
    def is_range(self) -> bool:
        return self.start is not None and self.start != self.end


class Post(Struct, frozen=True, kw_only=True):
    """One comment to be posted. `id` is the finding's."""

    id: str
    place: Place
    body: str


class Refs(Struct, frozen=True, kw_only=True):
    """What the forge calls a thing that was posted."""

    review_id: str | None = None
    thread_id: str | None = None
    comment_id: str | None = None
    url: str | None = None


class Posted(Struct, frozen=True, kw_only=True):
    """It stands. `refused` are the posts the forge did not take, with its words."""

    refs: Refs = Refs()
    refused: tuple[tuple[str, str], ...] = ()


class Rejected(Struct, frozen=True):
    """The forge took nothing of it, in its own words."""

    words: str


class Report(Struct, frozen=True, kw_only=True):
    """A check run or commit status."""

    name: str
    conclusion: Conclusion
    title: str
    summary: str = ""
    marker: str = ""
    url: str = ""


class Forge(Protocol):
    """One installation of a forge, with a credential.

    Raises, from every method: ReviewError PL-REVIEW-FORGE; variant `limit` with `retry_at`, `down` where it is not
    reached, answers 5xx or not what is known, else the credential is refused.
    """

    @property
    def site(self) -> ForgeSite: ...

    async def identity(self) -> Person:
        """Who the credential is."""
        ...

    async def pull(self, address: PullAddress) -> PullRequest: ...

    async def open_pulls(self, repository: str) -> tuple[PullRequest, ...]: ...

    async def files(self, address: PullAddress) -> tuple[ChangedFile, ...]:
        """The forge's own list, all pages of it: the last resort where git cannot fetch."""
        ...

    async def threads(self, address: PullAddress) -> tuple[Thread, ...]: ...

    async def remarks(self, address: PullAddress) -> tuple[Remark, ...]:
        """The conversation outside of threads, oldest first."""
        ...

    async def post_review(
        self, pull: PullRequest, body: str, posts: tuple[Post, ...], marker: str
    ) -> Posted | Rejected: ...

    async def post_on_file(self, pull: PullRequest, post: Post) -> Posted | Rejected: ...

    async def post_remark(self, address: PullAddress, body: str) -> Refs: ...

    async def edit_remark(self, address: PullAddress, remark: str, body: str) -> bool:
        """False where the remark is gone."""
        ...

    async def edit_comment(self, address: PullAddress, thread: Thread, body: str) -> bool:
        """Another text for the comment that opens a thread of ours; False where it is gone."""
        ...

    async def reply(self, address: PullAddress, thread: Thread, body: str) -> Refs: ...

    async def resolve(self, address: PullAddress, thread: Thread, *, is_resolved: bool = True) -> bool:
        """False where this forge or this credential cannot."""
        ...

    async def report(self, pull: PullRequest, report: Report) -> Refs: ...

    async def react(self, address: PullAddress, remark: str, reaction: Reaction) -> bool: ...

    async def permission(self, address: PullAddress, person: Person) -> Permission: ...

    async def find_marked(self, address: PullAddress, marker: str) -> Refs | None:
        """Something of ours, already visible, whose text holds the marker."""
        ...

    async def tidy(self, address: PullAddress) -> int:
        """Takes away what an earlier try of ours left half done and unseen; how many things."""
        ...
