"""GitLab's shapes, as far as they are read.

Source: GET /projects/:id/merge_requests/:iid, …/versions, …/discussions, …/notes, …/draft_notes.
"""

from datetime import datetime

from msgspec import Struct

from perilune.forges.contract.port import Person, PullAddress, PullRequest, Remark, Side, Thread


class User(Struct, frozen=True):
    """Somebody."""

    username: str = ""
    id: int = 0
    bot: bool = False

    def person(self) -> Person:
        return Person(login=self.username, id=self.id, is_bot=self.bot or self.username.endswith("[bot]"))


class DiffRefs(Struct, frozen=True):
    """The three commits of a diff."""

    base_sha: str | None = None
    start_sha: str | None = None
    head_sha: str | None = None


class MergeRequest(Struct, frozen=True):
    """A merge request; `diff_refs` is null until the diffs of a push are built."""

    iid: int
    title: str = ""
    description: str | None = None
    state: str = "opened"
    draft: bool = False
    author: User | None = None
    labels: list[str] = []
    sha: str | None = None
    target_branch: str = ""
    source_project_id: int | None = None
    target_project_id: int | None = None
    diff_refs: DiffRefs | None = None
    web_url: str = ""

    def read(self, repository: str) -> PullRequest:
        """The same in our words."""
        refs = self.diff_refs or DiffRefs()
        return PullRequest(
            address=PullAddress(repository, self.iid), title=self.title, body=self.description or "",
            state="open" if self.state in ("opened", "locked") else "merged" if self.state == "merged" else "closed",
            is_draft=self.draft, is_fork=self.source_project_id != self.target_project_id,
            author=(self.author or User()).person(), labels=tuple(self.labels), base_ref=self.target_branch,
            base_sha=refs.start_sha or "", head_sha=self.sha or refs.head_sha or "", merge_base=refs.base_sha,
            url=self.web_url,
        )  # fmt: skip


class Version(Struct, frozen=True):
    """One version of the diff; usable when `state` is `collected`."""

    id: int
    state: str = ""
    head_commit_sha: str = ""
    base_commit_sha: str = ""
    start_commit_sha: str = ""


class FileDiff(Struct, frozen=True):
    """One file of the diff."""

    old_path: str
    new_path: str
    new_file: bool = False
    deleted_file: bool = False
    renamed_file: bool = False
    too_large: bool = False
    diff: str | None = None


class Position(Struct, frozen=True):
    """Where a note stands."""

    new_path: str | None = None
    old_path: str | None = None
    new_line: int | None = None
    old_line: int | None = None
    head_sha: str | None = None


class Note(Struct, frozen=True):
    """A note; `system` ones are the forge's own."""

    id: int
    body: str | None = None
    author: User | None = None
    created_at: datetime | None = None
    system: bool = False
    resolvable: bool = False
    resolved: bool = False
    resolved_by: User | None = None
    position: Position | None = None

    def read(self) -> Remark:
        author = (self.author or User()).person()
        return Remark(id=str(self.id), author=author, body=self.body or "", at=self.created_at)


class Discussion(Struct, frozen=True):
    """A discussion."""

    id: str
    notes: list[Note] = []
    individual_note: bool = False

    def read(self, head: str) -> Thread | None:
        """A thread on a place; None for anything else. One that was made on another head is outdated."""
        first = self.notes[0] if self.notes else None
        place = first.position if first is not None else None
        if first is None or place is None:
            return None
        side: Side = "old" if place.new_line is None and place.old_line is not None else "new"
        is_outdated = place.head_sha is not None and place.head_sha != head
        line = place.new_line if side == "new" else place.old_line
        return Thread(
            id=self.id, path=place.new_path or place.old_path or "", side=side, line=None if is_outdated else line,
            is_resolved=first.resolved, is_outdated=is_outdated,
            remarks=tuple(note.read() for note in self.notes if not note.system),
            resolved_by=first.resolved_by.username if first.resolved_by else None,
        )  # fmt: skip


class Draft(Struct, frozen=True):
    """A note that only its author sees."""

    id: int
    note: str = ""


class Award(Struct, frozen=True):
    """An emoji on a note."""

    name: str = ""
    user: User | None = None


class Row(Struct, frozen=True):
    """Anything with a number that was made."""

    id: int = 0
