"""GitHub's shapes, as far as they are read.

Source: GET /repos/{o}/{r}/pulls/{n}, …/issues/{n}/comments, GraphQL pullRequest.reviewThreads.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from perilune.forges.contract.port import Person, PullAddress, PullRequest, Remark, Side, Thread


class User(Struct, frozen=True):
    """A login; a deleted one is absent."""

    login: str = ""
    id: int = 0
    type: str = "User"

    def person(self, association: str = "") -> Person:
        is_bot = self.type == "Bot" or self.login.endswith("[bot]")
        return Person(login=self.login, id=self.id, is_bot=is_bot, association=association)


class Label(Struct, frozen=True):
    """A label."""

    name: str = ""


class Repo(Struct, frozen=True):
    """A repository as far as forks are told apart."""

    id: int = 0
    full_name: str = ""
    fork: bool = False


class End(Struct, frozen=True):
    """One end of a pull request; the repository of a deleted fork is null."""

    sha: str
    ref: str = ""
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
    author_association: str = ""
    html_url: str = ""

    def read(self, repository: str) -> PullRequest:
        """The same in our words. A head from another repository, or from one that is gone, is a fork's."""
        own = self.base.repo.id if self.base.repo is not None else 0
        head = self.head.repo
        is_fork = head is None or head.fork or head.id != own
        return PullRequest(
            address=PullAddress(repository, self.number), title=self.title, body=self.body or "",
            state="merged" if self.merged else "open" if self.state == "open" else "closed",
            is_draft=self.draft, is_fork=is_fork, author=(self.user or User()).person(self.author_association),
            labels=tuple(label.name for label in self.labels), base_ref=self.base.ref, base_sha=self.base.sha,
            head_sha=self.head.sha, url=self.html_url,
        )  # fmt: skip


class ChangedFileRow(Struct, frozen=True):
    """One row of the files list; `patch` is absent for large and binary files."""

    filename: str
    status: str = ""
    previous_filename: str | None = None
    patch: str | None = None


class Comment(Struct, frozen=True):
    """A comment of the conversation, or on a line."""

    id: int
    body: str | None = None
    user: User | None = None
    created_at: datetime | None = None
    html_url: str = ""
    author_association: str = ""

    def read(self) -> Remark:
        author = (self.user or User()).person(self.author_association)
        return Remark(id=str(self.id), author=author, body=self.body or "", at=self.created_at, url=self.html_url)


class Review(Struct, frozen=True):
    """A review."""

    id: int
    body: str | None = None
    user: User | None = None
    state: str = ""
    html_url: str = ""


class Reaction(Struct, frozen=True):
    """A reaction."""

    content: str = ""
    user: User | None = None


class CheckRun(Struct, frozen=True):
    """A check run."""

    id: int
    name: str = ""
    external_id: str | None = None
    html_url: str | None = None


class Actor(Struct, frozen=True):
    """An author over GraphQL."""

    login: str = ""
    kind: str = field(default="User", name="__typename")

    def person(self) -> Person:
        return Person(login=self.login, is_bot=self.kind == "Bot" or self.login.endswith("[bot]"))


class ReactionNode(Struct, frozen=True):
    """A reaction over GraphQL."""

    content: str = ""
    user: Actor | None = None


class ReactionNodes(Struct, frozen=True):
    """Reactions of a comment."""

    nodes: list[ReactionNode] = []


class CommentNode(Struct, frozen=True, rename="camel"):
    """A comment of a thread."""

    database_id: int | None = None
    body: str = ""
    created_at: datetime | None = None
    author: Actor | None = None
    url: str = ""
    reactions: ReactionNodes = ReactionNodes()

    def read(self) -> Remark:
        reactions = tuple((node.user.login if node.user else "", node.content) for node in self.reactions.nodes)
        author = (self.author or Actor()).person()
        return Remark(
            id=str(self.database_id or ""), author=author, body=self.body, at=self.created_at, url=self.url,
            reactions=reactions,
        )  # fmt: skip


class CommentNodes(Struct, frozen=True):
    """Comments of a thread."""

    nodes: list[CommentNode] = []


class ThreadNode(Struct, frozen=True, rename="camel"):
    """A review thread."""

    id: str
    is_resolved: bool = False
    is_outdated: bool = False
    path: str = ""
    line: int | None = None
    diff_side: str = "RIGHT"
    resolved_by: Actor | None = None
    comments: CommentNodes = CommentNodes()

    def read(self) -> Thread:
        side: Side = "old" if self.diff_side == "LEFT" else "new"
        return Thread(
            id=self.id, path=self.path, side=side, line=self.line, is_resolved=self.is_resolved,
            is_outdated=self.is_outdated, remarks=tuple(node.read() for node in self.comments.nodes),
            resolved_by=self.resolved_by.login if self.resolved_by else None,
        )  # fmt: skip


class PageInfo(Struct, frozen=True, rename="camel"):
    """Where a connection goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Threads(Struct, frozen=True, rename="camel"):
    """A page of threads."""

    page_info: PageInfo = PageInfo()
    nodes: list[ThreadNode] = []


def inside(answer: dict[str, Any], *names: str) -> Any:
    """What stands inside a GraphQL answer, None where it is not there."""
    found: Any = answer
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
