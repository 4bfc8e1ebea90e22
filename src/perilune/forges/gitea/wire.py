"""Gitea's and Forgejo's shapes, as far as they are read.

Source: GET /repos/{o}/{r}/pulls/{i}, …/reviews, …/reviews/{id}/comments, …/issues/{i}/comments.
"""

from datetime import datetime

from msgspec import Struct

from perilune.forges.contract.port import Person, PullAddress, PullRequest, Remark, Side, Thread


class User(Struct, frozen=True):
    """Somebody."""

    login: str = ""
    id: int = 0

    def person(self) -> Person:
        return Person(login=self.login, id=self.id, is_bot=self.login.endswith("[bot]"))


class Label(Struct, frozen=True):
    """A label."""

    name: str = ""


class Repo(Struct, frozen=True):
    """A repository as far as forks are told apart."""

    id: int = 0
    fork: bool = False


class End(Struct, frozen=True):
    """One end of a pull request."""

    sha: str = ""
    ref: str = ""
    repo_id: int = 0
    repo: Repo | None = None


class Pull(Struct, frozen=True):
    """A pull request."""

    number: int
    head: End
    base: End
    title: str = ""
    body: str | None = None
    state: str = "open"
    merged: bool = False
    draft: bool = False
    user: User | None = None
    labels: list[Label] = []
    merge_base: str | None = None
    html_url: str = ""

    def read(self, repository: str) -> PullRequest:
        """The same in our words. A head from another repository, or from one that is gone, is a fork's."""
        return PullRequest(
            address=PullAddress(repository, self.number), title=self.title, body=self.body or "",
            state="merged" if self.merged else "open" if self.state == "open" else "closed", is_draft=self.draft,
            is_fork=self.head.repo is None or self.head.repo_id != self.base.repo_id,
            author=(self.user or User()).person(), labels=tuple(label.name for label in self.labels),
            base_ref=self.base.ref, base_sha=self.base.sha, head_sha=self.head.sha,
            merge_base=self.merge_base or None, url=self.html_url,
        )  # fmt: skip


class ChangedFileRow(Struct, frozen=True):
    """One row of the files list; it never has a patch."""

    filename: str
    status: str = ""
    previous_filename: str | None = None


class Comment(Struct, frozen=True):
    """A comment of the conversation."""

    id: int
    body: str | None = None
    user: User | None = None
    created_at: datetime | None = None
    html_url: str = ""

    def read(self) -> Remark:
        author = (self.user or User()).person()
        return Remark(id=str(self.id), author=author, body=self.body or "", at=self.created_at, url=self.html_url)


class Review(Struct, frozen=True):
    """A review; PENDING ones are seen by their author alone."""

    id: int
    state: str = ""
    body: str | None = None
    user: User | None = None
    html_url: str = ""


class LineComment(Struct, frozen=True):
    """A comment of a review. Positions are line numbers of the file; 0 is none on that side."""

    id: int
    body: str | None = None
    user: User | None = None
    path: str = ""
    position: int | None = None
    original_position: int | None = None
    created_at: datetime | None = None
    html_url: str = ""
    resolver: User | None = None

    @property
    def place(self) -> tuple[str, int, int]:
        return self.path, self.position or 0, self.original_position or 0

    def thread(self, remarks: tuple[Remark, ...]) -> Thread:
        """The thread that this comment opens."""
        side: Side = "old" if not self.position and self.original_position else "new"
        line = (self.original_position if side == "old" else self.position) or None
        return Thread(
            id=str(self.id), path=self.path, side=side, line=line, is_resolved=self.resolver is not None,
            is_outdated=line is None, remarks=remarks, resolved_by=self.resolver.login if self.resolver else None,
        )  # fmt: skip

    def read(self) -> Remark:
        author = (self.user or User()).person()
        return Remark(id=str(self.id), author=author, body=self.body or "", at=self.created_at, url=self.html_url)


class Row(Struct, frozen=True):
    """Anything with a number that was made."""

    id: int = 0
