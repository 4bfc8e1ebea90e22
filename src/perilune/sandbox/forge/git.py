"""A bare repository of the played forge, and the lines of a diff that it lets comments stand on.

The diff is read here by a few lines of its own, not by the reviewer's parser: a mistake of that parser must not be
mirrored by the forge it is tested against.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct, field

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_WHO = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
}  # fmt: skip


class Spot(Struct, frozen=True):
    """One line of a hunk: in which hunk, of which kind (`+`, `-`, blank), both counters there, and its text."""

    hunk: int
    kind: str
    old: int
    new: int
    text: bytes


class Change(Struct, kw_only=True):
    """One changed file. `left` and `right` are the lines in hunks by old and new number."""

    path: str
    old_path: str
    status: str
    patch: bytes = b""
    added: int = 0
    removed: int = 0
    is_binary: bool = False
    left: dict[int, Spot] = field(default_factory=dict)
    right: dict[int, Spot] = field(default_factory=dict)


class BareRepository:
    """Git over one bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._change = lru_cache(maxsize=2_000)(self._read_change)
        self._base = lru_cache(maxsize=200)(self._read_base)
        self._names = lru_cache(maxsize=200)(self._read_names)

    @classmethod
    def create(cls, path: Path, default_branch: str = "main") -> "BareRepository":
        """An empty repository that serves any commit and takes pushes."""
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.run("init", "-q", "--bare", "-b", default_branch)
        for key in ("http.receivepack", "uploadpack.allowAnySHA1InWant", "receive.denyNonFastForwards"):
            repository.run("config", key, "false" if key.startswith("receive.") else "true")
        return repository

    def run(self, *arguments: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,), **variables: str) -> bytes:
        """The output of a git call. Raises: RuntimeError with git's words."""
        environment = {**os.environ, **_WHO, "GIT_DIR": str(self.path), **variables}
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, input=stdin, capture_output=True, check=False
        )
        if done.returncode not in accept:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout

    def tip(self, ref: str) -> str | None:
        """The commit of a ref; read from its file where it has one, as that is asked all the time."""
        loose = self.path / ref
        if ref.startswith("refs/") and loose.is_file():
            return loose.read_text().strip()
        found = self.run("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1, 128))
        return found.decode().strip() or None

    def point(self, ref: str, commit: str) -> None:
        self.run("update-ref", ref, commit)

    def commit(
        self, ref: str, files: Mapping[str, str | bytes | None], message: str = "change", parent: str | None = None
    ) -> str:
        """A commit on `ref` with some files written, those that are None removed. `parent` starts it elsewhere."""
        base = parent or self.tip(ref)
        with tempfile.TemporaryDirectory() as folder:
            index = str(Path(folder) / "index")
            if base is not None:
                self.run("read-tree", base, GIT_INDEX_FILE=index)
            rows = b"".join(self._row(name, content) for name, content in files.items())
            self.run("update-index", "-z", "--index-info", stdin=rows, GIT_INDEX_FILE=index)
            tree = self.run("write-tree", GIT_INDEX_FILE=index).decode().strip()
        parents = ("-p", base) if base is not None else ()
        made = self.run("commit-tree", tree, *parents, "-m", message).decode().strip()
        self.point(ref, made)
        return made

    def _row(self, name: str, content: str | bytes | None) -> bytes:
        if content is None:
            return f"0 {'0' * 40}\t{name}\0".encode()
        data = content.encode() if isinstance(content, str) else content
        blob = self.run("hash-object", "-w", "--stdin", stdin=data).decode().strip()
        return f"100644 {blob}\t{name}\0".encode()

    def take(self, source: Path, *refspecs: str) -> None:
        """Commits of another repository on this machine, as a forced push would bring them."""
        self.run("-c", "protocol.file.allow=always", "fetch", "-q", "--force", str(source), *refspecs)

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common commit of two commits."""
        return self._base(one, other)

    def _read_base(self, one: str, other: str) -> str | None:
        return self.run("merge-base", one, other, accept=(0, 1)).decode().strip() or None

    def names(self, base: str, head: str) -> list[tuple[str, str, str]]:
        """Status letter, old and new path of every changed file."""
        return self._names(base, head)

    def change(self, base: str, head: str, path: str) -> Change | None:
        """One file of a diff, None where the path is not in it."""
        entry = next((entry for entry in self.names(base, head) if entry[2] == path), None)
        return None if entry is None else self._change(base, head, entry)

    def _read_names(self, base: str, head: str) -> list[tuple[str, str, str]]:
        fields = self.run("diff", "-M", "--name-status", "-z", base, head).decode(errors="replace").split("\0")
        found: list[tuple[str, str, str]] = []
        at = 0
        while at < len(fields) - 1:
            status, old = fields[at][:1], fields[at + 1]
            is_pair = status in "RC"
            found.append((status, old, fields[at + 2] if is_pair else old))
            at += 3 if is_pair else 2
        return found

    def _read_change(self, base: str, head: str, entry: tuple[str, str, str]) -> Change:
        status, old, new = entry
        arguments = ("diff", "-M", "--no-color", "--no-ext-diff", "--no-textconv", "--full-index", "-U3", base, head)
        text = self.run(*arguments, "--", *dict.fromkeys((old, new)))
        change = Change(path=new, old_path=old, status=status)
        _read_hunks(text, change)
        return change


def _read_hunks(text: bytes, change: Change) -> None:
    """Takes the hunks of one file, each by the counts of its header."""
    lines = text.split(b"\n")
    at, hunk, kept = 0, -1, []
    change.is_binary = any(line.startswith(b"Binary files ") for line in lines[:8])
    while at < len(lines):
        header = _HUNK.match(lines[at])
        at += 1
        if header is None:
            continue
        hunk += 1
        kept.append(lines[at - 1])
        old, new = int(header[1]), int(header[3])
        old_end, new_end = old + int(header[2] or 1), new + int(header[4] or 1)
        while (old < old_end or new < new_end) and at < len(lines):
            line = lines[at]
            kept.append(line)
            at += 1
            mark = line[:1].decode() or " "
            spot = Spot(hunk, mark, old, new, line[1:])
            if mark in "- ":
                change.left[old] = spot
                old += 1
            if mark in "+ ":
                change.right[new] = spot
                new += 1
            change.added += mark == "+"
            change.removed += mark == "-"
    change.patch = b"\n".join(kept)
