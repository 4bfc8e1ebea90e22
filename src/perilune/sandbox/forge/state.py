"""What a played forge knows: people, repositories, pull requests, reviews, threads, comments, statuses."""

import itertools
import shutil
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from perilune.sandbox.clock import Clock
from perilune.sandbox.forge.faults import Faults
from perilune.sandbox.forge.git import BareRepository, Change
from perilune.sandbox.forge.journal import Journal
from perilune.sandbox.forge.rules import Behaviour

Dialect = Literal["github", "gitlab", "gitea"]
DIALECTS: tuple[Dialect, ...] = ("github", "gitlab", "gitea")


class User(Struct, kw_only=True):
    """A person or a bot with its token. `is_app` may write check runs."""

    login: str
    id: int
    token: str
    is_bot: bool = False
    is_app: bool = False


class Comment(Struct, kw_only=True):
    """One comment: of the conversation, or in a thread on a line."""

    id: int
    author: User
    body: str
    at: datetime
    reactions: list[tuple[str, str]] = field(default_factory=list)


class Thread(Struct, kw_only=True):
    """A conversation on a place. `place` is what the dialect was told; `text` the line it stood on."""

    id: str
    comments: list[Comment]
    place: dict[str, Any]
    path: str
    text: bytes | None
    commit: str
    review: int | None = None
    is_resolved: bool = False
    is_outdated: bool = False
    is_lost: bool = False
    resolved_by: str | None = None


class Review(Struct, kw_only=True):
    """A review. `state` is the forge's word: COMMENT, COMMENTED, PENDING, APPROVED …"""

    id: int
    author: User
    state: str
    body: str
    commit: str
    at: datetime


class Status(Struct, kw_only=True):
    """A commit status or a check run."""

    id: int
    commit: str
    name: str
    state: str
    description: str = ""
    target_url: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    is_check: bool = False


class Draft(Struct, kw_only=True):
    """A GitLab draft note, seen by its author alone until it is published."""

    id: int
    author: User
    note: str
    position: dict[str, Any] | None


class Pull(Struct, kw_only=True):
    """A pull or merge request. `head_ref` and `base_ref` are full ref names in the repository."""

    number: int
    title: str
    body: str
    author: User
    base_ref: str
    head_ref: str
    head: str
    pushed_at: datetime
    state: str = "open"
    is_draft: bool = False
    is_fork: bool = False
    labels: list[str] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)


class Repository:
    """One repository with its pull requests. `path` is `owner/name`, on GitLab with groups before it."""

    def __init__(self, forge: "Forge", path: str, bare: BareRepository, number: int) -> None:
        self.forge = forge
        self.path = path
        self.bare = bare
        self.id = number
        self.roles: dict[str, str] = {}
        self.pulls: dict[int, Pull] = {}
        self.statuses: list[Status] = []
        self._issued = itertools.count(1)

    @property
    def owner(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def role(self, user: User) -> str:
        """`admin`, `write`, `read` or `none`."""
        return self.roles.get(user.login, "read")

    def open_pull(self, author: User, *, head: str, base: str = "main", title: str = "Change", **more: Any) -> Pull:
        """A pull request of the branch `head`, or of any full ref name."""
        head_ref = head if head.startswith("refs/") else f"refs/heads/{head}"
        tip = self.bare.tip(head_ref)
        if tip is None:
            raise KeyError(head_ref)
        pull = Pull(
            number=next(self._issued), title=title, body=more.pop("body", ""), author=author,
            base_ref=f"refs/heads/{base}", head_ref=head_ref, head=tip, pushed_at=self.forge.clock.now(), **more,
        )  # fmt: skip
        self.pulls[pull.number] = pull
        self._publish_head(pull)
        return pull

    def base(self, pull: Pull) -> str:
        return self.bare.tip(pull.base_ref) or ""

    def merge_base(self, pull: Pull) -> str:
        return self.bare.merge_base(self.base(pull), pull.head) or ""

    def change(self, pull: Pull, path: str) -> Change | None:
        """A file of the pull request's diff at its head."""
        return self.bare.change(self.merge_base(pull), pull.head, path)

    def names(self, pull: Pull) -> list[tuple[str, str, str]]:
        return self.bare.names(self.merge_base(pull), pull.head)

    def refresh(self) -> list[tuple[Pull, str]]:
        """Takes note of branches that moved; gives the pull requests with the heads they had."""
        moved: list[tuple[Pull, str]] = []
        for pull in self.pulls.values():
            tip = self.bare.tip(pull.head_ref)
            if tip is None or tip == pull.head or pull.state != "open":
                continue
            moved.append((pull, pull.head))
            pull.head, pull.pushed_at = tip, self.forge.clock.now()
            self._publish_head(pull)
            for thread in pull.threads:
                thread.is_outdated = thread.is_outdated or not self._still_there(pull, thread)
        return moved

    def _still_there(self, pull: Pull, thread: Thread) -> bool:
        change = self.change(pull, thread.path)
        if change is None or thread.text is None:
            return change is not None
        spots = (*change.left.values(), *change.right.values())
        return any(spot.text == thread.text for spot in spots)

    def _publish_head(self, pull: Pull) -> None:
        self.bare.point(f"refs/pull/{pull.number}/head", pull.head)
        self.bare.point(f"refs/merge-requests/{pull.number}/head", pull.head)


class Forge:
    """One forge of one dialect. Everything in it is taken under `lock`.

    `failures` are acts a real forge would let pass and that no good client does, such as a comment on a line that is
    nowhere in the diff; a test that ends with one has found a fault.
    """

    def __init__(self, dialect: Dialect, folder: Path, *, clock: Clock | None = None) -> None:
        self.dialect = dialect
        self.folder = folder
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.behaviour = Behaviour()
        self.journal = Journal()
        self.faults = Faults()
        self.users: dict[str, User] = {}
        self.repositories: dict[str, Repository] = {}
        self.failures: list[str] = []
        self._ids = itertools.count(1001)

    def new_id(self) -> int:
        return next(self._ids)

    def user(self, login: str, **more: Any) -> User:
        """Somebody new, with a token that opens nothing elsewhere."""
        user = User(login=login, id=self.new_id(), token=f"token-of-{login}-EXAMPLE", **more)
        self.users[login] = user
        return user

    def repository(
        self, path: str, roles: Mapping[str, str] | None = None, *, source: Path | None = None
    ) -> Repository:
        """A new repository, empty or a copy of a bare one on this machine."""
        folder = self.folder / self.dialect / f"{path}.git"
        if source is not None:
            shutil.copytree(source, folder)
        bare = BareRepository(folder) if source is not None else BareRepository.create(folder)
        repository = Repository(self, path, bare, self.new_id())
        repository.roles.update(roles or {})
        self.repositories[path] = repository
        return repository

    def by_token(self, token: str) -> User | None:
        return next((user for user in self.users.values() if user.token == token), None) if token else None

    def find(self, path: str) -> Repository | None:
        """A repository by path, or by number as GitLab lets one."""
        if path.isdigit():
            return next((one for one in self.repositories.values() if one.id == int(path)), None)
        return self.repositories.get(path)

    def comment(self, author: User, body: str) -> Comment:
        return Comment(id=self.new_id(), author=author, body=body, at=self.clock.now())

    def all_comments(self, pull: Pull) -> Iterable[Comment]:
        """Every comment of a pull request that people can see."""
        yield from pull.comments
        for thread in pull.threads:
            yield from thread.comments

    def note_failure(self, words: str) -> None:
        self.failures.append(words)
