"""The repository that is read, and the scratch one that all diffs are made in.

The scratch repository has no configuration, hooks, attributes or references of its own; it sees the objects of the
real one through `info/alternates` and takes what must be written. So no setting of the repository under review has an
effect, and the user's index, tree and objects stay as they are.
"""

import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from types import TracebackType

from msgspec import Struct

from perilune.core.errors import ReviewError
from perilune.review.acquire.git import Git, GitFailedError, GitMissingError, hardened, reading_settings

_SETTINGS = r"^(core\.(autocrlf|eol|excludesfile|safecrlf)|filter\..*)$"
_EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class Repository(Struct, frozen=True, kw_only=True):
    """Where a repository keeps its parts. `prefix` is the directory of the call below the top, with `/` at its end."""

    directory: str
    git_dir: str
    objects: str
    index: str
    top: str | None
    prefix: str
    object_format: str
    is_shallow: bool

    @property
    def git(self) -> Git:
        """Git in this repository, for resolving names only."""
        return hardened(self.directory, safe=self.top or self.git_dir)

    @property
    def empty_tree(self) -> str:
        return _EMPTY_TREES[self.object_format]

    def resolve(self, name: str) -> str | None:
        """The commit that a name stands for."""
        try:
            found = self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except GitFailedError:
            return None
        return found.decode().strip() or None


def find_repository(directory: str) -> Repository | None:
    """The repository that `directory` is in, None outside of one or without a git program."""
    git = hardened(directory)
    questions = ("--is-bare-repository", "--is-shallow-repository", "--show-object-format", "--absolute-git-dir")
    paths = ("--path-format=absolute", "--git-path", "objects", "--git-path", "index", "--show-prefix")
    try:
        answers = git.run("rev-parse", *questions, *paths).decode(errors="surrogateescape").split("\n")
    except (GitFailedError, GitMissingError, NotADirectoryError):
        return None
    bare, shallow, object_format, git_dir, objects, index, prefix = answers[:7]
    top = None if bare == "true" else _top(git)
    return Repository(
        directory=directory,
        git_dir=git_dir,
        objects=objects,
        index=index,
        top=top,
        prefix=prefix,
        object_format=object_format,
        is_shallow=shallow == "true",
    )


def _top(git: Git) -> str | None:
    try:
        return git.run("rev-parse", "--show-toplevel").decode(errors="surrogateescape").removesuffix("\n") or None
    except GitFailedError:
        return None


class Scratch:
    """A bare repository for the time of one review that sees the objects of another one."""

    def __init__(self, repository: Repository | None) -> None:
        self.repository = repository
        self.directory = tempfile.mkdtemp(prefix="perilune-review-")
        self._lay_out(repository)
        self.git = hardened(self.directory, safe=self.directory, GIT_DIR=self.directory)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    def _lay_out(self, repository: Repository | None) -> None:
        root = Path(self.directory)
        for name in ("objects/info", "objects/pack", "refs"):
            (root / name).mkdir(parents=True)
        (root / "HEAD").write_text("ref: refs/heads/none\n")
        is_sha256 = repository is not None and repository.object_format == "sha256"
        extension = "[extensions]\n\tobjectformat = sha256\n" if is_sha256 else ""
        (root / "config").write_text(
            f"[core]\n\trepositoryformatversion = {int(is_sha256)}\n\tbare = true\n{extension}"
        )
        if repository is not None:
            (root / "objects/info/alternates").write_bytes(_alternate(repository.objects))

    def tree_of_index(self) -> str:
        """The tree that the user's index would commit."""
        return self._indexed().run("write-tree").decode().strip()

    def tree_of_worktree(self) -> tuple[str, tuple[bytes, ...]]:
        """The tree of the working files, untracked ones included, ignored ones left out; and what could not be read."""
        git = self._indexed()
        unread: tuple[bytes, ...] = ()
        try:
            git.run("add", "-A", "--ignore-errors")
        except GitFailedError:
            left = git.run("ls-files", "-z", "--others", "--modified", "--exclude-standard")
            unread = tuple(sorted(set(left.split(b"\0")) - {b""}))
        return git.run("write-tree").decode().strip(), unread

    def _indexed(self) -> Git:
        """Git on a copy of the user's index, writing objects here. The copy keeps its time: git judges files by it."""
        repository = self.repository
        assert repository is not None  # noqa: S101 - inputs with an index have a repository
        if repository.top is None:
            raise ReviewError.of("PL-REVIEW-DIFF", variant="bare")
        index = os.path.join(self.directory, "index")  # noqa: PTH118 - paths are handed to git as text
        if Path(repository.index).exists():
            shutil.copy2(repository.index, index)
        return hardened(
            repository.top,
            safe=repository.top,
            settings=[*_file_settings(repository), ("core.looseCompression", "0")],
            GIT_DIR=repository.git_dir,
            GIT_WORK_TREE=repository.top,
            GIT_INDEX_FILE=index,
            GIT_OBJECT_DIRECTORY=os.path.join(self.directory, "objects"),  # noqa: PTH118
        )


def _alternate(path: str) -> bytes:
    raw = os.fsencode(path)
    if raw.startswith((b'"', b"#")) or b"\n" in raw:
        escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        return b'"' + escaped + b'"\n'
    return raw + b"\n"


def _file_settings(repository: Repository) -> list[tuple[str, str]]:
    """The user's line endings and ignore file, and every filter switched off."""
    git = reading_settings(repository.directory)
    output = git.run("config", "-z", "--get-regexp", _SETTINGS, accept=(0, 1)).decode(errors="surrogateescape")
    settings: dict[str, str] = {}
    for entry in filter(None, output.split("\0")):
        key, _, value = entry.partition("\n")
        if key.startswith("core."):
            settings[key] = value
            continue
        name = key.rpartition(".")[0]
        settings.update({f"{name}.{part}": "" for part in ("clean", "smudge", "process")})
        settings[f"{name}.required"] = "false"
    return list(settings.items())


def rooted(repository: Repository, paths: tuple[str, ...]) -> list[str]:
    """Path arguments as seen from the top of the repository.

    Raises: ReviewError when one lies outside.
    """
    return [path for path in (_rooted(repository, path) for path in paths) if path]


def _rooted(repository: Repository, path: str) -> str:
    top = repository.top
    slashed = path.replace(os.sep, "/")
    if Path(path).is_absolute() and top is not None:
        slashed = os.path.relpath(path, top).replace(os.sep, "/")
        start = PurePosixPath()
    else:
        start = PurePosixPath(repository.prefix)
    parts: list[str] = []
    for part in (start / slashed).parts:
        if part == ".." and not parts:
            raise ReviewError.of("PL-REVIEW-DIFF", variant="outside", path=path)
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
