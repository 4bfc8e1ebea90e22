"""What is reviewed, and the diff of it: working tree, index, range, commit or patch."""

import re
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from perilune.core.errors import ReviewError
from perilune.patches.assemble import assemble
from perilune.patches.model import Diff, File, ParseFailure
from perilune.patches.parse import parse_patch
from perilune.patches.raw import RawUnreadableError, parse_raw
from perilune.review.acquire.git import Git, GitFailedError
from perilune.review.acquire.objects import GitObjects, NoObjects, Objects
from perilune.review.acquire.pull import PullSource
from perilune.review.acquire.repository import Repository, Scratch, find_repository, rooted

_OPTIONS = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--full-index",
    "-M",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--no-relative",
    "--submodule=short",
    "--ignore-submodules=none",
)
_BODY_OPTIONS = ("-p", "--unified=3", "--inter-hunk-context=0")
"""Asked for the body alone: `--unified` makes git write a patch after the list of files as well."""

_RANGE = re.compile(r"(.*?)\.{2,3}(.*)", re.DOTALL)
_MOST_SUBJECTS = 20


class InputKind(StrEnum):
    """The kinds of input."""

    WORKTREE = "worktree"
    STAGED = "staged"
    COMMIT = "commit"
    RANGE = "range"
    DIFF = "diff"
    PULL_REQUEST = "pull_request"


class ReviewInput(Struct, frozen=True, kw_only=True):
    """What to review. `name` is the range or commit, `patch` the bytes of a diff, `paths` restrict any of them.

    Shape: `pull` names a pull request whose commits `directory` holds; with `patch` beside it the forge's own patches
    stand in for commits that git could not fetch, and `unread` are the files it gave none for.
    """

    kind: InputKind
    directory: str
    name: str = ""
    patch: bytes | None = None
    paths: tuple[str, ...] = ()
    pull: PullSource | None = None
    unread: tuple[str, ...] = ()


class Acquired(Struct, frozen=True, kw_only=True):
    """A diff with where it comes from. `config_ref` is the commit that rules and settings are read
    at, `tree` the new content as a whole."""

    kind: InputKind
    diff: Diff
    digest: str
    objects: Objects
    git: Git | None = None
    tree: str | None = None
    scratch: Scratch | None = None
    base: str | None = None
    merge_base: str | None = None
    head: str | None = None
    config_ref: str | None = None
    subjects: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    pull: PullSource | None = None

    def close(self) -> None:
        """Ends the git process and removes the scratch repository."""
        self.objects.close()
        if self.scratch is not None:
            self.scratch.close()


class _Ends(Struct, frozen=True, kw_only=True):
    """The two trees of a diff."""

    old: str
    new: str
    base: str | None
    head: str | None
    merge_base: str | None = None
    unread: tuple[bytes, ...] = ()


def acquire(source: ReviewInput) -> Acquired:
    """The diff of an input. The caller closes it.

    Raises: ReviewError (PL-REVIEW-DIFF).
    """
    if source.pull is not None and source.patch is not None:
        return _from_forge(source, source.pull, source.patch)
    repository = find_repository(source.directory)
    if source.kind is InputKind.DIFF:
        return _from_patch(source, repository)
    if repository is None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="repository", directory=source.directory)
    scratch = Scratch(repository)
    try:
        return _from_repository(source, repository, scratch)
    except (GitFailedError, RawUnreadableError) as error:
        scratch.close()
        raise ReviewError.of("PL-REVIEW-DIFF", variant="git", words=str(error), name=source.name) from error
    except BaseException:
        scratch.close()
        raise


def _from_patch(source: ReviewInput, repository: Repository | None) -> Acquired:
    data = source.patch or b""
    diff = parse_patch(data)
    if diff.refused is not None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant=diff.refused)
    if not diff.files and data.strip():
        raise ReviewError.of("PL-REVIEW-DIFF", variant="patch")
    kept = Diff(tuple(file for file in diff.files if _is_under(file.name, source.paths)))
    scratch = Scratch(repository) if repository is not None else None
    objects = GitObjects(scratch.git) if scratch is not None else NoObjects()
    return Acquired(
        kind=source.kind,
        diff=kept,
        digest=sha256(data).hexdigest(),
        objects=objects,
        scratch=scratch,
        paths=source.paths,
    )


def _from_forge(source: ReviewInput, pull: PullSource, patch: bytes) -> Acquired:
    """The forge's own patches: no objects, no rules, and the files it gave no patch for are said to be missing."""
    unread = tuple(
        File(path=name.encode("utf-8", "surrogateescape"), failure=ParseFailure("no_patch", 0))
        for name in source.unread
    )
    files = parse_patch(patch).files + unread
    return Acquired(
        kind=source.kind,
        diff=Diff(tuple(file for file in files if _is_under(file.name, source.paths))),
        digest=sha256(patch).hexdigest(),
        objects=NoObjects(),
        base=pull.base_sha,
        merge_base=pull.merge_base,
        head=pull.head_sha,
        pull=pull,
    )


def _is_under(name: str, paths: Sequence[str]) -> bool:
    if not paths:
        return True
    return any(name == path.rstrip("/") or name.startswith(path.rstrip("/") + "/") for path in paths)


def _from_repository(source: ReviewInput, repository: Repository, scratch: Scratch) -> Acquired:
    ends = _ends(source, repository, scratch)
    paths = rooted(repository, source.paths)
    where = ("--end-of-options", ends.old, ends.new, "--", *paths)
    entries = parse_raw(scratch.git.run("diff", *_OPTIONS, "--raw", "-z", "--numstat", *where))
    body = scratch.git.run("diff", *_OPTIONS, *_BODY_OPTIONS, *where)
    return Acquired(
        kind=source.kind,
        diff=_with_unread(assemble(entries, parse_patch(body)), ends.unread),
        digest=sha256(body).hexdigest(),
        objects=GitObjects(scratch.git),
        git=scratch.git,
        tree=ends.new,
        scratch=scratch,
        base=ends.base,
        merge_base=ends.merge_base,
        head=ends.head,
        config_ref=ends.base if source.pull is not None else ends.merge_base or ends.base,
        subjects=_subjects(scratch.git, ends),
        paths=tuple(paths),
        pull=source.pull,
    )


def _with_unread(diff: Diff, unread: tuple[bytes, ...]) -> Diff:
    """A diff that also names the files that could not be read."""
    failure = ParseFailure("unreadable", 0)
    return Diff(diff.files + tuple(File(path=path.removesuffix(b"/"), failure=failure) for path in unread))


def _ends(source: ReviewInput, repository: Repository, scratch: Scratch) -> _Ends:
    if source.pull is not None:
        return _pull_ends(source.pull, repository)
    if source.kind is InputKind.RANGE:
        return _range_ends(source.name, repository)
    if source.kind is InputKind.COMMIT:
        return _commit_ends(source.name, repository)
    head = repository.resolve("HEAD")
    old = head or repository.empty_tree
    if source.kind is InputKind.STAGED:
        return _Ends(old=old, new=scratch.tree_of_index(), base=head, head=None)
    tree, unread = scratch.tree_of_worktree()
    return _Ends(old=old, new=tree, base=head, head=None, unread=unread)


def _commit_ends(name: str, repository: Repository) -> _Ends:
    head = repository.resolve(name)
    if head is None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="commit", name=name)
    parents = repository.git.run("rev-list", "--parents", "-n", "1", head).decode().split()[1:]
    base = parents[0] if parents else None
    return _Ends(old=base or repository.empty_tree, new=head, base=base, head=head)


def _range_ends(name: str, repository: Repository) -> _Ends:
    match = _RANGE.fullmatch(name)
    if match is None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="range", name=name)
    base, head = (repository.resolve(end or "HEAD") for end in match.groups())
    if base is None or head is None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="range", name=name)
    merge_base = repository.git.run("merge-base", base, head, accept=(0, 1)).decode().strip()
    if not merge_base:
        variant = "shallow" if repository.is_shallow else "merge_base"
        raise ReviewError.of("PL-REVIEW-DIFF", variant=variant, name=name)
    return _Ends(old=merge_base, new=head, base=base, head=head, merge_base=merge_base)


def _pull_ends(pull: PullSource, repository: Repository) -> _Ends:
    """Both ends as they were read; the merge base is git's, else the forge's where its commit is here."""
    base, head = (repository.resolve(commit) for commit in (pull.base_sha, pull.head_sha))
    if base is None or head is None:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="range", name=pull.url)
    merge_base = repository.git.run("merge-base", base, head, accept=(0, 1)).decode().strip()
    merge_base = merge_base or (repository.resolve(pull.merge_base) if pull.merge_base else None) or ""
    if not merge_base:
        raise ReviewError.of("PL-REVIEW-DIFF", variant="merge_base", name=pull.url)
    return _Ends(old=merge_base, new=head, base=base, head=head, merge_base=merge_base)


def _subjects(git: Git, ends: _Ends) -> tuple[str, ...]:
    if ends.head is None:
        return ()
    start = (f"^{ends.merge_base or ends.base}",) if ends.merge_base or ends.base else ()
    shape = ("log", "-z", "--format=%s", "--no-show-signature", f"--max-count={_MOST_SUBJECTS}")
    try:
        output = git.run(*shape, "--end-of-options", ends.head, *start)
    except GitFailedError:
        return ()  # a shallow repository may lack the commits between
    return tuple(subject for subject in output.decode(errors="replace").split("\0") if subject)
